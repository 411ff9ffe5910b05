"""The race of a checkpoint: its figures fit together, with its peer and without."""

import argparse
import importlib.util
import json

import pytest

from minilm.bench import checkpoint
from minilm.errors import OptionError


def options(*arguments):
    parser = argparse.ArgumentParser()
    checkpoint.add_arguments(parser)
    return parser.parse_args(list(arguments))


def test_alone(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = checkpoint.run(options("--size", "kata", "--rounds", "2"))
    assert result["parameters"] == 134_912
    assert result["megabytes"] == pytest.approx(0.539648)
    assert set(result["seconds"]) == {"save", "load"}
    assert all(0 < seconds < 10 for seconds in result["seconds"].values())
    text = checkpoint.render(result)
    assert "134,912 parameters, 0.5 MB, median of 2 rounds" in text
    assert "safetensors" not in text


@pytest.mark.peers
def test_beside_the_package(peer):
    peer("safetensors")
    result = checkpoint.run(options("--size", "kata", "--rounds", "1"))
    seconds = result["seconds"]
    assert result["load_ratio"] == seconds["load"] / seconds["safetensors_load"]
    assert result["save_ratio"] == seconds["save"] / seconds["safetensors_save"]
    assert result["flushed_save_ratio"] < result["save_ratio"]
    assert f"{result['load_ratio']:.2f}" in checkpoint.render(result)
    json.dumps(result)


def test_no_rounds():
    with pytest.raises(OptionError, match="--rounds: 0"):
        checkpoint.run(options("--rounds", "0"))
