"""What is forgotten: the runs, the measures, the intervals, and the command."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from closeness import assert_close

from minilm.cli import main
from minilm.compare.forgetting import report, runs, study, ways
from minilm.compare.forgetting import summary as summary_of
from minilm.errors import MinilmError, OptionError
from minilm.nn.gpt import GPT
from minilm.training.forgetting import Care

WORDS = {
    "cats": "cat mouse sofa purr whisker kitten basket".split(),
    "boats": "boat sail lake oar harbor anchor wind".split(),
    "bread": "bread flour oven yeast crust dough baker".split(),
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    place = tmp_path_factory.mktemp("domains")
    rng = np.random.default_rng(0)
    for name, words in WORDS.items():
        lines = [" ".join(rng.choice(words, 8)) + ".\n" for _ in range(60)]
        (place / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    return [place / f"{name}.txt" for name in WORDS]


@pytest.fixture(scope="module")
def data(texts):
    settings = ways.ForgettingSettings(
        domains=tuple(texts), base=(), base_steps=40, epochs=30, steps=40, unit="lines", sample=0.5
    )
    found = ways.prepare(settings)
    small = replace(found.config, n_positions=16, n_embd=16, n_layer=1, n_head=2)
    return replace(found, config=small)


@pytest.fixture(scope="module")
def run():
    """Run all ways at one seed, at a rate that suits so small a model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "RATE", 0.02)
        yield runs.run


@pytest.fixture(scope="module")
def outcomes(data, run):
    return [run(data, seed) for seed in (0, 1)]


@pytest.fixture(scope="module")
def summary(data, outcomes):
    return summary_of.summarize(data, outcomes, 2)


def by_name(summary):
    return {way["name"]: way for way in summary["ways"]}


def test_parts_do_not_share_a_document(texts):
    settings = ways.ForgettingSettings(domains=tuple(texts), base=(), unit="lines")
    dev, test = (ways.prepare(settings, part=part) for part in ("dev", "test"))
    for one, other in zip(dev.domains, test.domains, strict=True):
        np.testing.assert_array_equal(one.train, other.train)
        assert (len(one.test), len(other.test)) == (12, 12)
        found = {d.tobytes() for d in one.test} & {d.tobytes() for d in other.test}
        assert not found
        windows = np.lib.stride_tricks.sliding_window_view(one.train, len(other.test[0]))
        assert not (windows == other.test[0]).all(axis=1).any()


def test_losses_are_those_of_the_documents_token_by_token(data, monkeypatch):
    monkeypatch.setattr(runs, "_WINDOWS", 5)  # documents end anywhere in a batch
    model = GPT(data.config, rng=np.random.default_rng(0))
    time = data.config.n_positions
    expected = []
    for document in (d for domain in data.domains for d in domain.test):
        expected.append(0.0)
        for start in range(0, len(document) - 1, time):
            piece = document[start : start + time + 1]
            logits = model.logits(piece[None, :-1])[0].astype(np.float64)
            shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            expected[-1] -= np.log(shares[np.arange(len(piece) - 1), piece[1:]]).sum()
    assert_close(runs.measure(model, data), expected, rtol=1e-5)


def test_ways_share_their_beginning_and_nothing_else(outcomes):
    (first, *_) = outcomes
    shared = first["naive"].losses[:2]
    for name, outcome in first.items():
        np.testing.assert_array_equal(outcome.losses[:2], shared)
        assert outcome.losses.shape == (4, 36)
        if name != "naive":
            assert not np.array_equal(outcome.losses[2:], first["naive"].losses[2:])


def test_a_run_is_a_pure_function_of_its_seed(data, run, outcomes):
    again = run(data, 1)
    for name, outcome in outcomes[1].items():
        np.testing.assert_array_equal(again[name].losses, outcome.losses)


def test_words_of_their_own_are_forgotten_and_care_helps(summary):
    """The three texts share no word: what is kept of the first can only come from care."""
    ways = by_name(summary)
    naive = ways["naive"]
    assert naive["forgetting"]["low"] > 0.5
    assert summary["naive_forgets"]["p"] < 0.01
    for name in ("lower rate", "replay", "EWC", "average", "LoRA", "everything"):
        assert ways[name]["forgetting"]["mean"] < naive["forgetting"]["mean"], name
    assert ways["LoRA"]["forgetting"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert ways["lower rate"]["new domain"]["mean"] > naive["new domain"]["mean"]
    verdicts = {(d["way"], d["measure"]): d["verdict"] for d in summary["differences"]}
    assert verdicts["replay", "forgetting"] == "better"
    assert verdicts["lower rate", "new domain"] == "worse"


def test_perplexities_are_those_of_the_losses(data, outcomes, summary):
    losses = np.stack([found["replay"].losses for found in outcomes])
    tokens = sum(len(document) - 1 for document in data.domains[1].test)
    expected = math.exp(losses[:, 3, 12:24].sum() / (2 * tokens))
    assert by_name(summary)["replay"]["perplexity"][3][1] == pytest.approx(expected, abs=1e-3)


def test_measures_by_hand():
    base, first, second, third = [9, 7, 8, 6], [8, 3, 7, 5.5], [8, 4, 2, 5], [8, 3.5, 4, 1]
    matrix = np.array([base, first, second, third], float)
    found = summary_of.measures(matrix, 1)
    assert found["forgetting"] == (3.5 - 3 + 4 - 2) / 2
    assert found["new domain"] == (2 + 1) / 2
    assert found["final"] == (3.5 + 4 + 1) / 3
    assert found["forward"] == (8 - 7 + 6 - 5) / 2
    assert summary_of.from_best(matrix, 1) == (3.5 - 3 + 4 - 2) / 2
    matrix[2, 1] = 2.0  # it was better in between
    assert summary_of.from_best(matrix, 1) == (3.5 - 2 + 4 - 2) / 2


def test_the_bootstrap_is_the_slow_obvious_one(monkeypatch):
    """Draw seeds and documents one resample at a time, by the counts of the same generator."""
    monkeypatch.setattr(summary_of, "RESAMPLES", 20)
    monkeypatch.setattr(summary_of, "_BLOCK", 20)
    rng = np.random.default_rng(3)
    losses = rng.random((4, 3, 7))
    tokens = [np.array([5, 9, 2]), np.array([3, 3, 8, 1])]
    found = summary_of._resampled(losses, tokens, 4)
    rng = np.random.default_rng(0)
    seeds = rng.multinomial(4, [0.25] * 4, 20)
    parts = [(slice(0, 3), rng.multinomial(3, [1 / 3] * 3, 20))]
    parts.append((slice(3, 7), rng.multinomial(4, [0.25] * 4, 20)))
    for r in range(20):
        rows = np.repeat(np.arange(4), seeds[r])
        for k, (place, drawn) in enumerate(parts):
            columns = np.repeat(np.arange(len(tokens[k])), drawn[r])
            sums = losses[:, :, place][rows][:, :, columns].sum(axis=(0, 2))
            assert_close(found[r, :, k], sums / (4 * tokens[k][columns].sum()))


def test_equal_ways_are_not_told_apart(data, outcomes, monkeypatch):
    """Every way with the outcomes of the naive one: no difference may be claimed."""
    same = [dict.fromkeys(ways.WAYS, found["naive"]) for found in outcomes]
    found = summary_of.summarize(data, same, 2)
    assert {d["verdict"] for d in found["differences"]} == {"cannot tell"}
    assert {d["p"] for d in found["differences"]} == {1.0}


def test_the_reading_follows_the_intervals(summary):
    said = report.reading(summary)
    assert said[0].startswith("Naive continuation forgets: [+")
    turned = json.loads(json.dumps(summary))
    turned["naive_forgets"].update(low=-0.2, high=0.1)
    assert "cannot tell whether" in report.reading(turned)[0]
    turned["naive_forgets"].update(low=-0.2, high=-0.1)
    assert "forgets nothing; the old domains gain" in report.reading(turned)[0]


def test_the_tables_fit(summary):
    text = report.render(summary)
    assert max(map(len, text.splitlines())) <= 80
    assert "against naive" in text


def test_a_base_text_is_measured_and_kept_apart(texts, monkeypatch):
    settings = ways.ForgettingSettings(
        domains=tuple(texts[:2]), base=(texts[2],), base_steps=4, steps=3, unit="lines"
    )
    monkeypatch.setattr(ways, "_BASE_SHARE", 1)
    data = ways.prepare(settings)
    assert [domain.name for domain in data.measured] == ["bread", "cats", "boats"]
    monkeypatch.setattr(runs, "WAYS", {k: ways.WAYS[k] for k in ("naive", "replay", "LoRA")})
    outcome = runs.run(data, 0)["LoRA"]
    assert outcome.losses.shape == (3, 36)
    np.testing.assert_array_equal(outcome.losses[2, :24], outcome.losses[1, :24])
    assert not np.array_equal(outcome.losses[2, 24:], outcome.losses[1, 24:])


def test_what_cannot_be_asked_for(texts, data, tmp_path):
    with pytest.raises(OptionError, match="two texts or more"):
        ways.prepare(replace(data.settings, domains=(texts[0],)))
    with pytest.raises(OptionError, match="--sample is 0"):
        ways.prepare(replace(data.settings, sample=0))
    with pytest.raises(OptionError, match="--base-steps must be above 0"):
        ways.prepare(replace(data.settings, base_steps=0))
    short = tmp_path / "short.txt"
    short.write_text("one line\n", encoding="utf-8")
    with pytest.raises(MinilmError, match="too few to learn from"):
        ways.prepare(replace(data.settings, domains=(texts[0], short)))


def test_the_command_leaves_a_folder(texts, tmp_path, monkeypatch, capsys):
    two = {name: ways.WAYS[name] for name in ("naive", "everything")}
    for module in (ways, runs, summary_of):
        monkeypatch.setattr(module, "WAYS", two)
    out = tmp_path / "out"
    arguments = ["--domains", *texts[:2], "--documents", "lines", "--base-steps", 3, "--steps", 2]
    arguments += ["--seeds", 2, "--workers", 1, "--out", out]
    command = ["compare", "forgetting", *map(str, arguments)]
    assert main.main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "summary.json").read_text(encoding="utf-8"))
    with open(out / study.RESULTS, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3 * 2  # ways, seeds, stages, texts
    losses = [float(row["loss"]) for row in rows if row["after"] == "before"]
    assert all(5 < loss < 7 for loss in losses)
    with np.load(out / "losses.npz") as arrays:
        assert arrays["naive"].shape == (2, 3, 24)
    assert (out / "forgetting.png").read_bytes()[:4] == b"\x89PNG"
    assert (out / "forgetting.svg").exists()
    assert main.main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main.main([*command, "--overwrite"]) == 0
    assert "Naive continuation" in capsys.readouterr().out


def test_settings_were_chosen_among_these():
    """The ways are those of the table in `forgetting.py`."""
    assert ways.WAYS["naive"] == ways.Way(ways.WAYS["naive"].summary, Care(), 1.0, 1.0)
    assert ways.WAYS["lower rate"].rate == 0.2  # what `minilm pipeline` does by default
