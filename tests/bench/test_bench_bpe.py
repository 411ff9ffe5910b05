"""The race runs with and without its peers, and its made-up text is what it says."""

import argparse
import json
import re

import numpy as np
import pytest

from minilm.bench import bpe
from minilm.errors import OptionError


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text.txt"
    text = bpe.zipfian(("abcdefghijklm",), 120_000, rng=np.random.default_rng(3))
    path.write_text("café " + text, encoding="utf-8")
    return path


def options(*arguments):
    parser = argparse.ArgumentParser()
    bpe.add_arguments(parser)
    return parser.parse_args(list(map(str, arguments)))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(bpe, "SIZE", 100_000)
    monkeypatch.setattr(bpe, "VOCAB_SIZE", 400)


def test_made_up_text_is_zipfian_and_repeatable():
    text = bpe.zipfian(bpe.SCRIPTS, 200_000, rng=np.random.default_rng(1))
    assert text == bpe.zipfian(bpe.SCRIPTS, 200_000, rng=np.random.default_rng(1))
    assert 200_000 <= len(text.encode()) < 201_000
    words = re.findall(r"\w+", text.lower())
    counts = sorted((words.count(word) for word in set(words[:2000])), reverse=True)
    assert counts[0] > 1.5 * counts[1] > 2 * counts[3]
    assert not text.isascii()


@pytest.mark.parametrize("alone", [True, False])
def test_the_race_gives_times_of_all_that_is_installed(text_file, monkeypatch, alone):
    if alone:
        monkeypatch.setattr(bpe, "_installed", lambda package: False)
    result = bpe.run(options("--rounds", 1, "--data-file", text_file))
    assert json.loads(json.dumps(result)) == result
    assert result["bytes"] == 100_000
    assert len(result["seconds"]) == 4
    for race, seconds in result["seconds"].items():
        assert seconds["minilm"] > 0
        assert ("tokenizers" in seconds) == (result["versions"]["tokenizers"] is not None)
        if "warm" not in race:
            assert "tiktoken" not in seconds
    short, long = result["peak memory of encode_iterable, bytes"].values()
    assert long < 1.2 * short
    table = bpe.render(result)
    assert str(text_file) in table
    assert ("not installed: tokenizers, tiktoken" in table) == (
        result["versions"] == {"tokenizers": None, "tiktoken": None}
    )


def test_rounds_are_checked():
    with pytest.raises(OptionError, match="--rounds: 0; it must be 1 or more"):
        bpe.run(options("--rounds", 0))
