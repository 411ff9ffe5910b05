"""The race of Llamas: its figures are consistent, and mistakes are reported."""

import argparse

import pytest

from minilm.bench import llama
from minilm.errors import MinilmError, OptionError
from minilm.store import packaged


def options(*arguments):
    parser = argparse.ArgumentParser()
    llama.add_arguments(parser)
    return parser.parse_args([*arguments, "--size", "tiny"])


def test_ours_alone(monkeypatch):
    monkeypatch.setattr(llama.importlib.util, "find_spec", lambda name: None)

    def missing(name):
        raise MinilmError("not installed")

    monkeypatch.setattr(packaged, "find", missing)
    result = llama.run(options("--rounds", "2", "--threads", "1"))
    assert not any("ratio" in name or "load" in name for name in result)
    speed = result["generate_tokens_per_second"]
    assert speed * result["generate_seconds"] == pytest.approx(llama.NEW)
    shown = llama.render(result).splitlines()
    assert [line.split()[0] for line in shown[2:]] == ["generate", "read", "train"]


@pytest.mark.parametrize("name", ["--rounds", "--threads"])
def test_numbers_that_cannot_work(name):
    with pytest.raises(OptionError, match=f"{name}: 0; it must be 1 or more"):
        llama.run(options(name, "0"))


def test_the_shapes():
    assert llama.config_of("smollm2", "read") == llama.SMOLLM2
    assert llama.config_of("smollm2", "train").n_embd == 128


@pytest.mark.peers
@pytest.mark.parametrize("part", ["generate", "read", "train"])
def test_next_to_transformers(peer, part):
    peer("transformers")
    result = llama.run(options("--rounds", "2", "--threads", "1", "--part", part))
    assert result[f"{part}_ratio"] > 0
    assert "ratio" in llama.render(result)
