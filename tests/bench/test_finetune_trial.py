"""The trial of fine-tuning: what it reads, its parts, its figures, and the table."""

import argparse
import json

import numpy as np
import pytest

from minilm.bench import finetune
from minilm.errors import OptionError
from minilm.training.settings import FinetuneSettings

TINY = {
    **finetune.PRETRAINING,
    "size": "kata",
    "n_embd": 12,
    "n_layer": 1,
    "n_head": 2,
    "n_positions": 16,
    "epochs": 1,
}


@pytest.fixture
def files(tmp_path):
    """Return two files, one for each class, of 40 texts that differ."""
    rng = np.random.default_rng(0)
    paths = []
    for name, word in (("t.pos", "fine"), ("t.neg", "dull")):
        lines = [f"a {word} film {' '.join(rng.choice(list('abcdefgh'), 3))}" for _ in range(40)]
        paths.append(tmp_path / name)
        paths[-1].write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return paths


def options(*arguments):
    parser = argparse.ArgumentParser()
    finetune.add_arguments(parser)
    return parser.parse_args([str(argument) for argument in arguments])


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(finetune, "PRETRAINING", TINY)
    conditions = {
        "scratch": finetune.Condition(FinetuneSettings(updates=2), pretrained=False),
        "full": finetune.Condition(FinetuneSettings(updates=3), ("scratch",)),
        "lora-2": finetune.Condition(FinetuneSettings("lora", rank=2, updates=2), ("full",)),
    }
    monkeypatch.setattr(finetune, "CONDITIONS", conditions)


def test_a_file_for_each_class_or_a_table(files, tmp_path):
    texts, labels, classes = finetune.read(files, "utf-8")
    assert classes == ("t.pos", "t.neg")
    assert labels.tolist() == [0] * 40 + [1] * 40
    assert all("fine" in text for text in texts[:40])
    table = tmp_path / "t.csv"
    table.write_text("text,label\na,x\nb,y\n", encoding="utf-8")
    texts, labels, classes = finetune.read([table], "utf-8")
    assert (texts, labels.tolist(), classes) == (["a", "b"], [0, 1], ("x", "y"))


def test_the_figures_agree_with_themselves(files, quick):
    chosen = options("--data-file", *files, "--held-out", 20, "--budgets", "4,8", "--seeds", 2)
    result = finetune.run(chosen)
    json.dumps(result, allow_nan=False)
    assert (result["pretrained_on"], result["evaluated_on"]) == (60, 20)
    means = {(row["condition"], row["labels"]): row for row in result["conditions"]}
    assert len(means) == 6
    for row in means.values():
        assert row["low"] <= row["accuracy"] <= row["high"]
        assert (20 * 2 * row["accuracy"]) % 1 == pytest.approx(0, abs=1e-9)
    assert means["lora-2", 4]["trained_share"] < means["full", 4]["trained_share"]
    for row in result["differences"]:
        pair = [means[row[side], row["labels"]]["accuracy"] for side in ("condition", "baseline")]
        assert row["difference"] == pytest.approx(pair[0] - pair[1])
    lines = finetune.render(result).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(("full - scratch", "lora-2 - full")) for line in lines) == 4


def test_the_development_part_is_none_of_the_held_out_texts(files, quick, monkeypatch):
    seen = {}

    class Stop(Exception):
        """What ends the run once the parts are known."""

    def trial(base, texts, labels, classes, train, test):
        seen.update(train=set(train.tolist()), test=set(test.tolist()))
        raise Stop

    monkeypatch.setattr(finetune, "Trial", trial)
    monkeypatch.setattr(finetune, "pretrain", lambda texts, place: None)
    parts = []
    for extra in ((), ("--development",)):
        with pytest.raises(Stop):
            finetune.run(options("--data-file", *files, "--held-out", 20, "--budgets", 4, *extra))
        parts.append(dict(seen))
    held_out, development = parts
    assert len(held_out["test"]) == len(development["test"]) == 20
    assert development["train"] | development["test"] == held_out["train"]
    assert not development["train"] & development["test"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--budgets", "few"), "--budgets: 'few'; give numbers"),
        (("--budgets", "1"), "--budgets: '1'"),
        (("--held-out", 75), "--held-out: 75 of 80 texts leave too few for 200 labels"),
    ],
)
def test_what_cannot_be(files, arguments, says):
    with pytest.raises(OptionError, match=says):
        finetune.run(options("--data-file", *files, *arguments))
