"""`minilm tokenize`: what it prints, and what it says to mistakes."""

import io
import sys

import pytest

from minilm.cli import main
from minilm.text.bpe import BytePairTokenizer
from minilm.text.wordlevel import WordLevelTokenizer


@pytest.fixture
def model(tmp_path):
    BytePairTokenizer.train(["the other the other"], 263, ["<|end|>"]).save(tmp_path)
    return tmp_path


def test_pieces_ids_and_bytes_are_shown(model, capsys):
    assert main.main(["tokenize", "--model", str(model), "the é<|end|>"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{model}: 263 entries, 6 merges",
        "",
        "'the é<|end|>'",
        "characters: 12, bytes: 13, tokens: 5",
        "  piece      id   token                bytes",
        "  'the'      258  'the'                74 68 65",
        "  ' é'       221  ' '                  20",
        "             128  part of a character  c3",
        "             103  part of a character  a9",
        "  '<|end|>'  0    '<|end|>'            3c 7c 65 6e 64 7c 3e",
    ]


def test_a_model_of_whole_words_shows_words_and_ids(tmp_path, capsys):
    WordLevelTokenizer.train(["to be or not to be"], min_count=2).save(tmp_path)
    assert main.main(["tokenize", "--model", str(tmp_path), "To see<|endoftext|>", "\udc80"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}: 4 entries, whole words",
        "",
        "'To see<|endoftext|>'",
        "characters: 19, bytes: 19, tokens: 3",
        "  id  token",
        "  3   'to'",
        "  1   '<unk>'",
        "  0   '<|endoftext|>'",
        "",
        r"'\udc80'",
        "characters: 1, bytes: 3, tokens: 0",
    ]


def test_every_text_is_shown_by_itself(model, capsys):
    assert main.main(["tokenize", "--model", str(model), "the", ""]) == 0
    assert capsys.readouterr().out.endswith("\n''\ncharacters: 0, bytes: 0, tokens: 0\n")


def test_a_text_of_ones_own_trains_the_tokenizer(tmp_path, capsys):
    path = tmp_path / "own.txt"
    path.write_text("zyzzyva zyzzyva\n" * 9, encoding="utf-8")
    assert main.main(["tokenize", "--train", str(path), "--vocab-size", "270", " zyzzyva"]) == 0
    out = capsys.readouterr().out
    assert f"trained on {path}: 262 entries, 6 merges" in out
    assert "characters: 8, bytes: 8, tokens: 1" in out


def test_wide_characters_do_not_shift_the_columns(model, capsys):
    main.main(["tokenize", "--model", str(model), "日 e\u0301"])
    lines = capsys.readouterr().out.splitlines()[4:]
    assert lines[0] == "  piece  id   token                bytes"
    assert lines[1] == "  '日'   163  part of a character  e6"  # on a terminal 日 takes two columns
    assert lines[6] == "  '\u0301'     137  part of a character  cc"


def test_a_terminal_without_the_characters_shows_their_codes(model, monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="cp1252"))
    assert main.main(["tokenize", "--model", str(model), "日é"]) == 0
    sys.stdout.flush()
    assert r"'\u65e5é'" in buffer.getvalue().decode("cp1252")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "{0}/none", "x"], "no tokenizer here"),
        (["--model", "{0}", "--vocab-size", "300", "x"], "--vocab-size is for --train"),
        (["--train", "{0}/none.txt", "x"], "no such file"),
        (["--train", "{0}/merges.txt", "--vocab-size", "0", "x"], "a vocabulary of 0 entries"),
        (["--model", "{0}", "\udc80"], "lone surrogate"),
    ],
)
def test_mistakes_are_one_line(model, capsys, arguments, message):
    assert main.main(["tokenize", *(a.format(model) for a in arguments)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_model_and_train_exclude_each_other(model, capsys):
    with pytest.raises(SystemExit, match="2"):
        main.main(["tokenize", "--model", str(model), "--train", "a.txt", "x"])
    assert "not allowed with" in capsys.readouterr().err
