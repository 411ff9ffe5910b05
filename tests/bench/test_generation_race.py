"""The race of generation: its figures are consistent, and mistakes are said."""

import argparse

import pytest

from minilm.bench import generate
from minilm.errors import OptionError


def options(*arguments):
    parser = argparse.ArgumentParser()
    generate.add_arguments(parser)
    return parser.parse_args(arguments)


def test_ours_alone(monkeypatch):
    monkeypatch.setattr(generate.importlib.util, "find_spec", lambda name: None)
    result = generate.run(options("--size", "kata", "--rounds", "2", "--threads", "1"))
    assert (result["prompt_tokens"], result["new_tokens"]) == (16, 16)  # a context of 32
    assert result["tokens_per_second"] * result["ms_per_token"] == pytest.approx(1e3)
    assert "transformers" not in generate.render(result)


@pytest.mark.parametrize("name", ["--rounds", "--threads"])
def test_numbers_that_cannot_work(name):
    with pytest.raises(OptionError, match=f"{name}: 0; it must be 1 or more"):
        generate.run(options(name, "0"))


@pytest.mark.peers
def test_next_to_transformers(peer):
    peer("transformers")
    result = generate.run(options("--size", "kata", "--rounds", "2", "--threads", "1"))
    speeds = result["transformers_tokens_per_second"], result["tokens_per_second"]
    assert result["transformers_ratio"] == pytest.approx(speeds[1] / speeds[0])
    assert "ratio" in generate.render(result)
