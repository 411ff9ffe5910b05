"""`minilm predict`: labels, explanations, adapters in turns, and what is said to mistakes."""

import json

import numpy as np
import pytest
from closeness import assert_close

from minilm.classify import explain
from minilm.cli import console, main
from minilm.models import adapted, text_classifier

TEXT = "The fine cat sat on a zebra"


def run(path, *arguments):
    return main.main(["predict", str(path), *map(str, arguments)])


def test_labels_probabilities_and_unknown_words(judges, capsys):
    assert run(judges / "classifier", TEXT, "dull film", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    expected = text_classifier.load(judges / "classifier").predict_proba([TEXT, "dull film"])
    assert content["truncated"] == 0
    first, second = content["predictions"]
    assert first["text"] == TEXT
    assert first["adapter"] is None
    assert first["unknown_words"] == ["zebra"]
    assert first["probabilities"] == pytest.approx({"bad": expected[0, 0], "good": expected[0, 1]})
    assert second["label"] == ("bad", "good")[int(expected[1].argmax())]

    assert run(judges / "classifier", TEXT) == 0
    label = ("bad", "good")[int(expected[0].argmax())]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == TEXT
    assert lines[1].startswith(f"  {label} {expected[0].max():.3f}  ")
    assert lines[2] == "  unknown words: zebra"


def test_texts_of_a_file(judges, tmp_path, capsys):
    file = tmp_path / "t.csv"
    file.write_text("id,review\n1,fine film\n2,dull film\n", encoding="utf-8")
    assert run(judges / "classifier", "--data-file", file) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[::2] == ["fine film", "dull film"]


def test_a_long_text_is_cut_and_said(judges, capsys):
    assert run(judges / "classifier", "cat " * 9, "cat") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "1 of 2 texts is longer than the context of 8 tokens; only the beginning" in said


def test_words_that_are_all_unknown_are_said(judges, capsys):
    assert run(judges / "classifier", "Käse und Brot") == 0
    said = capsys.readouterr()
    assert "unknown words: käse, und, brot" in said.out
    assert "seen none of these words in training" in said.err


def test_adapters_take_turns_on_one_base(judges, capsys, monkeypatch):
    base = adapted.load(judges / "base")
    expected = {
        name: base.classifier(base.adapter(judges / name)).predict_proba([TEXT])[0]
        for name in ("moods", "animals")
    }
    read = []
    load = adapted.folder.load
    monkeypatch.setattr(adapted.folder, "load", lambda *a, **k: (read.append(a), load(*a, **k))[1])
    both = ["--adapter", judges / "moods", "--adapter", judges / "animals"]
    assert run(judges / "base", TEXT, *both, "--json") == 0
    predictions = json.loads(capsys.readouterr().out)["predictions"]
    assert len(read) == 1
    for prediction in predictions:
        own = list(prediction["probabilities"].values())
        np.testing.assert_allclose(own, expected[prediction["adapter"]], atol=1e-12)
    assert run(judges / "base", TEXT, *both) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("  moods: ")
    assert lines[3].startswith("  animals: ")
    assert lines[3].endswith("and 1 more")


def test_an_adapters_folder_finds_its_base(judges, capsys):
    assert run(judges / "moods", TEXT) == 0
    alone = capsys.readouterr().out
    assert run(judges / "base", TEXT, "--adapter", judges / "moods") == 0
    assert capsys.readouterr().out == alone


def test_explaining(judges, tmp_path, capsys):
    picture = tmp_path / "why.png"
    arguments = [TEXT, "--explain", "--picture", picture]
    assert run(judges / "classifier", *arguments) == 0
    said = capsys.readouterr()
    model = text_classifier.load(judges / "classifier")
    found = explain.leave_one_out(model.predict_proba, TEXT)
    lines = explain.lines(found, model.labels, found.predicted)
    assert [line[2:] for line in said.out.splitlines()[3:]] == lines
    assert "\033" not in said.out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run(judges / "classifier", TEXT, "cat", "--explain", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)["predictions"]
    assert [item["word"] for item in first["effects"]] == TEXT.split()
    effects = [item["effect"] for item in first["effects"]]
    assert_close(effects, found.effects(found.predicted))
    assert second["effects"] is None
    assert run(judges / "classifier", "cat", "--explain") == 0
    assert "not explained: the only word of a text" in capsys.readouterr().out


def test_of_a_long_text_what_is_read_is_explained(judges, capsys):
    model = text_classifier.load(judges / "classifier")
    context = model.config.n_positions
    long = "fine, 7 dull cats; the zebra sat on Käse. " * 40
    full = explain.leave_one_out(model.predict_proba, long)
    assert run(judges / "classifier", long, "--explain", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["predictions"]
    effects = full.effects(full.predicted)
    explained = [item["effect"] for item in found["effects"]]
    assert context < len(explained) < 2 * context
    assert_close(explained, effects[: len(explained)])
    assert not effects[len(explained) :].any()


def test_color_is_for_terminals_that_want_it(monkeypatch):
    class Stream:
        def __init__(self, terminal):
            self.isatty = lambda: terminal

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert console.has_color(Stream(True))
    assert not console.has_color(Stream(False))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not console.has_color(Stream(True))


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("classifier", [" "], "text 1 is empty"),
        ("classifier", [], "give texts, or a --data-file"),
        ("classifier", ["a", "--picture", "x.png"], "--picture draws the result of --explain"),
        ("classifier", ["a", "b", "--picture", "x.png", "--explain"], "draws one text"),
        ("classifier", ["a", "--picture", "x.txt", "--explain"], r"ends in .png or .svg"),
        ("base", ["a"], "a language model without a classifier's head"),
        ("speech", ["a"], "has no labels"),
        ("none", ["a"], "no such folder"),
    ],
)
def test_mistakes_are_one_line(judges, model, arguments, message, capsys):
    assert run(judges / model, *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert message in said.err


def test_an_adapter_for_another_base_is_refused_by_its_hash(judges, capsys):
    assert run(judges / "other", "a cat", "--adapter", judges / "moods") == 2
    said = capsys.readouterr().err
    assert f"belongs to another base: {judges / 'base'} with hash" in said
    assert adapted.load(judges / "base").sha256[:12] in said
    assert adapted.load(judges / "other").sha256[:12] in said
