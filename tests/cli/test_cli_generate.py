"""`minilm generate`: what it prints, and what it says to mistakes."""

import re

import numpy as np
import pytest

import minilm
from minilm.cli import main


def run(path, *arguments):
    return main.main(["generate", str(path), *map(str, arguments)])


def test_prompt_and_continuation(path, capsys):
    assert run(path, "the cat", "--max-new-tokens", 4, "--temperature", 0) == 0
    expected = minilm.load(path).generate("the cat", max_new_tokens=4, temperature=0)
    assert capsys.readouterr().out == f"the cat{expected}\n"


def test_streaming_prints_the_same(path, capsys):
    arguments = [path, "the", "--seed", 3, "--top-k", 200, "--top-p", 0.99, "--slide"]
    assert run(*arguments) == 0
    whole = capsys.readouterr().out
    assert run(*arguments, "--stream") == 0
    assert capsys.readouterr().out == whole
    assert run(*arguments[:2], "--seed", 4, *arguments[4:]) == 0
    assert capsys.readouterr().out != whole


def test_the_end_of_the_context_is_said(path, capsys):
    assert run(path, "the", "--temperature", 0) == 0
    said = capsys.readouterr()
    assert "the context of 12 tokens is full; --slide continues" in said.err
    assert run(path, "the", "--temperature", 0, "--slide") == 0
    longer = capsys.readouterr()
    assert longer.err == ""
    assert longer.out.startswith(said.out[:-1])


def test_probabilities_are_shown(path, capsys):
    arguments = ["the", "--max-new-tokens", 3, "--show-probabilities", "--seed", 1, "--top-k", 2]
    assert run(path, *arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    model = minilm.load(path)
    ids = model.encode("the")
    for line in lines:
        probability, first, second = map(float, re.findall(r" (\d\.\d{3})(?=\s|$)", line))
        assert probability in (first, second)
        assert first + second == pytest.approx(1, abs=2e-3)
    scores = np.sort(model.logits(ids)[-1].astype(float) / 0.8)[-2:]
    expected = 1 / (1 + np.exp(scores[0] - scores[1]))
    assert float(re.findall(r"\d\.\d{3}", lines[0])[1]) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "--temperature", -1], "temperature -1.0: it must be 0 or more"),
        (["a", "--top-k", 0], "top-k 0"),
        (["a", "--max-new-tokens", 0], "0 new tokens"),
        (["the cat " * 20], "the model's context is 12; shorten it, or slide over it"),
    ],
)
def test_mistakes_are_one_line(path, arguments, message, capsys):
    assert run(path, *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("minilm generate: error: ")
    assert message in said.err


def test_a_seed_is_a_whole_number_of_0_or_more(path, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(path, "a", "--seed", -1)
    assert "--seed: -1; it must be" in capsys.readouterr().err


def test_no_model(tmp_path, capsys):
    assert run(tmp_path / "none") == 2
    assert "no such folder" in capsys.readouterr().err
