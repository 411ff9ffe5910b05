"""`minilm validate`: the table, the verdict, exit codes, the cleaned copy."""

import json
import os

import pytest

from minilm.cli import main
from minilm.training import pretrain

TEXT = [f"The cat number {word} sat on the mat." for word in "one two three four five six".split()]


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.txt"
    path.write_text("\n".join(TEXT) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.txt"
    lines = [*TEXT, TEXT[0], "The caf\u00c3\u00a9 was closed today."]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    root = tmp_path_factory.mktemp("model")
    text = root / "t.txt"
    text.write_text("\n".join(TEXT * 10) + "\n", encoding="utf-8")
    small = {"n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 8, "vocab_size": 300}
    given = {"size": "kata", **small, "steps": 1, "batch": 2, "threads": 1}
    pretrain.pretrain([text], root / "m", given, say=lambda line: None)
    return root / "m"


def run(*arguments):
    return main.main(["validate", "--data-file", *map(str, arguments)])


def test_a_good_text(good, capsys):
    assert run(good) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "good.txt: 6 documents, 48 words"
    assert said[-1] == "verdict: fit to learn from"


def test_a_bad_text_and_its_cleaned_copy(bad, tmp_path, capsys):
    assert run(bad) == 1
    said = capsys.readouterr().out
    assert "  bad.txt:7  'The cat number one sat on the mat.'  (as line 1)" in said
    assert "verdict: not fit to learn from: mojibake, duplicates" in said
    assert said.endswith("a cleaned copy: --fix bad.clean.txt\n")
    out = tmp_path / "bad.clean.txt"
    assert run(bad, "--fix", out) == 1  # the verdict is on what was given
    said = capsys.readouterr().out
    assert f"{out}: 7 documents kept\nremoved: duplicates 1\nchanged: mojibake 1\n" in said
    assert out.read_text(encoding="utf-8") == "\n".join([*TEXT, "The café was closed today.\n"])
    assert run(out) == 0


def test_json(bad, model, tmp_path, capsys):
    out = tmp_path / "out.txt"
    assert run(bad, "--json", "--against", model, "--fix", out) == 1
    content = json.loads(capsys.readouterr().out)
    found = {check["name"]: check for check in content["checks"]}
    assert content["passed"] is False
    assert found["seen before"]["count"] == 7
    assert found["duplicates"]["examples"][0]["place"] == "bad.txt:7"
    assert found["leaks"]["count"] is None
    assert content["against"] == [f"{model}: has seen 6 documents"]
    assert content["cleaned"]["kept"] == 1
    assert content["cleaned"]["removed"] == {"duplicates": 1, "seen before": 6}


def test_against_a_model(good, model, capsys):
    assert run(good, "--against", model) == 1
    said = capsys.readouterr().out
    assert "seen before               6  100.0%    10%  FAILED" in said.replace("documents", "")
    assert f"{model}: has seen 6 documents" in said


def test_against_a_model_without_a_ledger(good, model, tmp_path, capsys):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for name in ("config.json", "model.safetensors"):
        (foreign / name).write_bytes((model / name).read_bytes())
    assert run(good, "--against", foreign) == 0
    said = capsys.readouterr().out
    assert "has no record of what it has seen" in said
    assert "has no tokenizer" in said


def test_shipped_texts_are_found_and_fit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("corpora/movie_reviews.csv") == 0
    assert "movie_reviews.csv: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.txt"], "none.txt: no such file"),
        (["--fix", "out.csv"], "the copy of a .txt file should be named out.txt"),
        (["bad.txt", "--fix", "out.txt"], "--fix cleans one file at a time"),
        (["--fix", "good.txt"], "this is the file itself"),
        (["--fix", os.path.join("none", "out.txt")], "check the path"),
        (["--against", "none"], "none: no such folder"),
        (["--encoding", "klingon"], "unknown encoding"),
        (["--encoding", "utf-16"], "utf-16"),
    ],
)
def test_mistakes_are_one_line(good, bad, tmp_path, monkeypatch, arguments, message, capsys):
    monkeypatch.chdir(tmp_path)
    first = [] if arguments[0] == "none.txt" else ["good.txt"]
    assert run(*first, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("minilm validate: error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.txt", "good.txt"]


def test_a_table_that_is_not_well_formed(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("text,label\na,b\nc\n", encoding="utf-8")
    assert run(path) == 2
    assert "t.csv:3: 1 field where the header has 2" in capsys.readouterr().err


def test_what_was_taken_and_what_to_look_at_are_said(tmp_path, capsys):
    path = tmp_path / "t.csv"
    rows = [f"{text},{'pos' if i % 2 else 'neg'},train" for i, text in enumerate(TEXT)]
    rows += ["The dog ran over the wide hill.,Pos,test", "A film that nobody liked much.,NA,test"]
    path.write_text("\n".join(["Text,Label,Split", *rows]) + "\n", encoding="utf-8")
    run(path)
    said = " ".join(capsys.readouterr().out.split())
    taken = "text from column 'Text', label from column 'Label', split from column 'Split'"
    taken += "; the rows of all parts are read"
    assert said.startswith(f"t.csv: 8 rows, {taken} t.csv: 8 documents")
    assert "differ only in how they are written: 'pos' (3), 'Pos' (1)" in said
    assert "a label that looks like a missing value: 'NA' (1)" in said
    run(path, "--json")
    content = json.loads(capsys.readouterr().out)
    assert content["taken"] == [f"t.csv: 8 rows, {taken}"]
    assert len(content["remarks"]) == 2
    assert content["labels"] == {"neg": 3, "pos": 3, "Pos": 1, "NA": 1}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ภาษาไทยเขียนติดกันโดยไม่เว้นวรรค", "Thai"),
        ("汉语的词与词之间没有空格", "Chinese or Japanese"),
        ("日本語のことばのあいだにくうはくはない", "Chinese or Japanese"),
    ],
)
def test_scripts_without_spaces_are_named(tmp_path, capsys, text, name):
    path = tmp_path / "t.txt"
    path.write_text(f"{text}\n", encoding="utf-8")
    run(path, "--json")
    (remark,) = json.loads(capsys.readouterr().out)["remarks"]
    assert remark.startswith(f"most letters are {name}, a script without spaces between words")


def test_a_cleaned_copy_of_a_table_without_a_header_or_quotes(tmp_path, capsys):
    path, out = tmp_path / "t.tsv", tmp_path / "out.tsv"
    rows = [f'"{text}\t{i % 2}' for i, text in enumerate(TEXT)]
    path.write_text("\n".join([*rows, rows[0]]) + "\n", encoding="utf-8")
    run(path, "--fix", out)
    assert (
        "7 rows, no header (the first row is data), text from column 1" in capsys.readouterr().out
    )
    assert out.read_text(encoding="utf-8").splitlines() == rows


def test_an_index_stays_in_a_cleaned_copy(tmp_path):
    path, out = tmp_path / "t.csv", tmp_path / "out.csv"
    rows = [f"{i},{text}" for i, text in enumerate([*TEXT, TEXT[0]])]
    path.write_text("\n".join([",text", *rows]) + "\n", encoding="utf-8")
    run(path, "--fix", out)
    assert out.read_text(encoding="utf-8").splitlines() == [",text", *rows[:-1]]
