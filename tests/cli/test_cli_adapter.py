"""`minilm adapter`: list, merge, apply."""

import json
import shutil

import numpy as np
import pytest

import minilm
from minilm.cli import main
from minilm.models import adapted, text_classifier


def run(*arguments):
    return main.main(["adapter", *map(str, arguments)])


def test_list_says_which_base_each_fits(judges, capsys):
    bases = ["--base", judges / "base", "--base", judges / "other"]
    assert run("list", judges, *bases, "--json") == 0
    records = json.loads(capsys.readouterr().out)["adapters"]
    assert [record["folder"] for record in records] == [
        str(judges / name) for name in ("animals", "moods", "speech")
    ]
    assert [record["labels"] for record in records] == [list("abcde"), ["bad", "good"], None]
    for record in records:
        assert record["fits"] == {str(judges / "base"): True, str(judges / "other"): False}
        assert record["rank"] == 2
        assert record["base_sha256"] == adapted.load(judges / "base").sha256
    # Two layers, of each matrix rank times (inputs + outputs).
    factors = 2 * 2 * ((12 + 36) + (12 + 12) + (12 + 48) + (48 + 12))
    assert [record["parameters"] - factors for record in records] == [5 * 12, 2 * 12, 0]

    assert run("list", judges / "moods") == 0
    said = capsys.readouterr().out
    assert "labels: bad, good" in said
    assert f"fits {judges / 'base'}" in said


def test_list_without_the_base(judges, tmp_path, capsys):
    path = shutil.copytree(judges / "moods", tmp_path / "moods")
    (path / "minilm.json").unlink()
    config = json.loads((path / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = str(tmp_path / "gone")
    (path / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    assert run("list", tmp_path) == 0
    said = capsys.readouterr().out
    assert "hash unknown" in said
    assert "the base is not there" in said
    assert run("merge", path, "--output-dir", tmp_path / "out") == 2
    assert "its base" in capsys.readouterr().err
    arguments = ["merge", path, "--base", judges / "base", "--output-dir", tmp_path / "out"]
    assert run(*arguments) == 0
    assert text_classifier.load(tmp_path / "out").labels == ("LABEL_0", "LABEL_1")


def test_merging_makes_a_model_that_says_the_same(judges, tmp_path, capsys):
    assert run("merge", judges / "moods", "--output-dir", tmp_path / "judge") == 0
    base = adapted.load(judges / "base")
    texts = ["a fine cat", "dull film"]
    expected = base.classifier(base.adapter(judges / "moods")).predict_proba(texts)
    merged = text_classifier.load(tmp_path / "judge").predict_proba(texts)
    np.testing.assert_allclose(merged, expected, atol=1e-5)
    assert run("merge", judges / "speech", "--output-dir", tmp_path / "speaker") == 0
    expected = base.language_model(base.adapter(judges / "speech")).logits([1, 2, 3])
    np.testing.assert_allclose(
        minilm.load(tmp_path / "speaker").logits([1, 2, 3]), expected, atol=1e-5
    )
    assert "a language model; try minilm generate" in capsys.readouterr().out
    assert run("merge", judges / "moods", "--output-dir", tmp_path / "judge") == 2
    assert "already holds a model" in capsys.readouterr().err


def test_applying_several_to_one_base(judges, capsys):
    names = ("moods", "speech")
    folders = [judges / name for name in names]
    assert run("apply", judges / "base", *folders, "--text", "a fine cat") == 0
    first, *answers = capsys.readouterr().out.splitlines()
    assert first == "a fine cat"
    base = adapted.load(judges / "base")
    judge = base.classifier(base.adapter(judges / "moods"))
    probability = judge.predict_proba(["a fine cat"]).max()
    assert answers[0] == f"  moods: {judge.predict(['a fine cat'])[0]} {probability:.3f}"
    speaker = base.language_model(base.adapter(judges / "speech"))
    continued = speaker.generate("a fine cat", max_new_tokens=30, temperature=0, slide=True)
    assert answers[1][len("  speech: ") :].rstrip(".") in " ".join(continued.split())


def test_generating_with_adapters(judges, capsys):
    arguments = [judges / "base", "a cat", "--temperature", 0, "--max-new-tokens", 3]
    adapter = ["--adapter", judges / "speech"]
    assert main.main(["generate", *map(str, [*arguments, *adapter])]) == 0
    base = adapted.load(judges / "base")
    speaker = base.language_model(base.adapter(judges / "speech"))
    expected = speaker.generate("a cat", max_new_tokens=3, temperature=0)
    assert capsys.readouterr().out == f"a cat{expected}\n"
    assert main.main(["generate", *map(str, [*arguments, *adapter, *adapter])]) == 0
    assert capsys.readouterr().out == f"{judges / 'speech'}:\na cat{expected}\n" * 2
    assert (
        main.main(["generate", str(judges / "base"), "a", "--adapter", str(judges / "moods")]) == 2
    )
    assert "predicts labels ('bad', 'good')" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "none"], "no such folder"),
        (["merge", "none", "--output-dir", "x"], "no such folder"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys):
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
