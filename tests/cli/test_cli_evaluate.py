"""`minilm evaluate`: what it prints, and what it says to mistakes."""

import json

import numpy as np
import pytest

import minilm
from minilm.cli import main
from minilm.interop import folder
from minilm.nn.gpt import GPT, GPTConfig
from minilm.text.bpe import BytePairTokenizer


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return a model with random weights."""
    path = tmp_path_factory.mktemp("models") / "m"
    tokenizer = BytePairTokenizer.train(["the cat the cat"], 263, [folder.END_OF_TEXT])
    config = GPTConfig(263, 12, 12, 1, 2, initializer_range=0.3)
    gpt = GPT(config, rng=np.random.default_rng(0))
    folder.save(path, folder.model_files(config, gpt.parameters, tokenizer))
    return path


def run(path, *arguments):
    return main.main(["evaluate", str(path), *map(str, arguments)])


def test_evaluate(path, tmp_path, capsys):
    file = tmp_path / "t.txt"
    file.write_text("the cat é\nthe cat\n", encoding="utf-8")
    assert run(path, "--data-file", file, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    score = minilm.load(path).evaluate(["the cat é\n", "the cat\n"])
    assert result == {
        "tokens": score.tokens,
        "bytes": 19,
        "loss": score.loss,
        "perplexity": score.perplexity,
        "bits_per_byte": score.bits_per_byte,
    }
    assert run(path, "--data-file", file) == 0
    assert capsys.readouterr().out == (
        f"{score.tokens} tokens, {score.loss:.4f} nats a token: "
        f"perplexity {score.perplexity:,.2f}, {score.bits_per_byte:.4f} bits per byte\n"
    )


def test_evaluate_with_words_has_no_bits(tmp_path, capsys):
    file = tmp_path / "t.txt"
    file.write_text("The cat sat on the mat.\n" * 60, encoding="utf-8")
    arguments = ["--output-dir", tmp_path / "m", "--size", "kata", "--steps", 1]
    arguments += ["--tokenizer", "word", "--threads", 1]
    assert main.main(["pretrain", "--data-file", str(file), *map(str, arguments)]) == 0
    capsys.readouterr()
    assert run(tmp_path / "m", "--data-file", file) == 0
    assert "no bits per byte" in capsys.readouterr().out


def test_evaluate_without_text(path, tmp_path, capsys):
    assert run(path, "--data-file", tmp_path / "none.txt") == 2
    assert "no such file" in capsys.readouterr().err
