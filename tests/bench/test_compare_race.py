"""The race of a comparison's steps: what it reports, and that both sides do the same work."""

import argparse
import json

import numpy as np
import pytest

from minilm.bench import compare
from minilm.cli.main import main
from minilm.errors import MissingExtraError, OptionError


def options(*arguments):
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def short(monkeypatch):
    """Make turns of few updates."""
    monkeypatch.setattr(compare, "PARTS", {"pretraining": 1, "fine-tuning": 1, "probe": 1})


@pytest.mark.usefixtures("short")
def test_alone_it_reports_milliseconds_by_part(capsys):
    assert main(["bench", "compare", "--turns", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [part["name"] for part in result["parts"]] == ["pretraining", "fine-tuning", "probe"]
    assert all(part["ms"] > 0 and set(part) == {"name", "ms"} for part in result["parts"])
    assert "ratio" not in result
    assert "PyTorch" not in compare.render(result)


@pytest.mark.peers
@pytest.mark.usefixtures("short")
def test_against_torch_it_reports_ratios(peer):
    peer("torch")
    result = compare.run(options("--turns", "1", "--against", "torch"))
    ratios = [part["ratio"] for part in result["parts"]]
    for part in result["parts"]:
        assert part["ratio"] == pytest.approx(part["torch_ms"] / part["ms"])
    assert result["ratio"] == pytest.approx(float(np.prod(ratios)) ** (1 / 3))
    assert "above 1, ours is faster" in compare.render(result)


@pytest.mark.peers
def test_both_sides_have_the_same_parameters_and_texts(peer):
    torch = peer("torch")
    from minilm.bench.torch_compare import Steps

    ours, theirs = compare.Ours(), Steps(torch)
    count = sum(p.numel() for p in theirs.language_model.parameters())
    assert count == ours.model.parameters.count()
    lengths = [len(text) for text in theirs.texts]
    assert (min(lengths), max(lengths)) == (compare.SHORTEST, compare.LONGEST)
    assert sorted(map(len, ours.texts))[0] == compare.SHORTEST
    before = [p.detach().clone() for p in theirs.all]
    body = [p.detach().clone() for p in theirs.language_model.parameters()]
    theirs.probe(1)
    for old, new in zip(body, theirs.language_model.parameters(), strict=True):
        assert torch.equal(old, new)  # a probe leaves the body alone
    theirs.finetuning(1)
    assert all(not torch.equal(old, new) for old, new in zip(before, theirs.all, strict=True))


def test_mistakes_are_one_line(monkeypatch):
    with pytest.raises(OptionError, match="--turns: 0"):
        compare.run(options("--turns", "0"))
    monkeypatch.setattr(compare.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="bench compare --against torch"):
        compare.run(options("--against", "torch"))
