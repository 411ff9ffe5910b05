"""The race of a training step: its figures are consistent, and both sides do the same work."""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from minilm.bench import memory, train
from minilm.errors import MinilmError, MissingExtraError, OptionError
from minilm.nn.config import SIZES
from minilm.nn.gpt import GPT

KEYS = {
    "size",
    "ms_per_step",
    "tokens_per_second",
    "peak_memory_mb",
    "matmul_share",
    "parameters",
}


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(arguments)


def test_the_result_holds_what_was_promised_and_agrees_with_itself() -> None:
    result = train.run(options("--size", "kata", "--steps", "4"))
    assert set(result) >= KEYS
    assert "torch_ratio" not in result
    assert result["parameters"] == 134_912
    tokens = 16 * 32
    assert result["tokens_per_second"] * result["ms_per_step"] / 1e3 == pytest.approx(tokens)
    assert 0 < result["matmul_share"] < 1
    assert result["peak_memory_mb"] > 20
    json.dumps(result, allow_nan=False)
    text = train.render(result)
    assert "134,912 parameters" in text
    assert "PyTorch" not in text


def test_operations_are_counted_as_they_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count multiplications by running the model on an array type that records its products."""
    done = 0

    class Counting(np.ndarray):
        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
            nonlocal done
            plain = [np.asarray(i) if isinstance(i, np.ndarray) else i for i in inputs]
            if "out" in kwargs:
                kwargs["out"] = tuple(np.asarray(o) for o in kwargs["out"])
            result = getattr(ufunc, method)(*plain, **kwargs)
            if ufunc is np.matmul and min(p.ndim for p in plain) > 1:
                done += 2 * result.size * plain[0].shape[-1]
            return result.view(Counting) if isinstance(result, np.ndarray) else result

    size = SIZES["kata"]
    model = GPT(size.config, rng=np.random.default_rng(0))
    views = {name: value.view(Counting) for name, value in model.parameters.items()}
    monkeypatch.setattr(model.parameters, "_views", views)
    ids = np.random.default_rng(0).integers(512, size=(2, size.batch, 32))
    model.gradients(*ids)
    assert done == train.step_flops(size.config, size.batch)


def test_turns_add_up() -> None:
    for steps in range(1, 40):
        assert sum(train.turns(steps)) == steps
        assert min(train.turns(steps)) >= 1


@pytest.mark.parametrize("arguments", [("--steps", "0"), ("--threads", "0"), ("--threads", "-2")])
def test_numbers_that_cannot_be(arguments: tuple[str, str]) -> None:
    with pytest.raises(OptionError, match=f"{arguments[0]}: {arguments[1]}; it must be 1 or more"):
        train.run(options(*arguments))


def test_without_pytorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'minilm\[peers\]'"):
        train.run(options("--size", "kata", "--steps", "1", "--against", "torch"))


def test_a_process_that_ends_early_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    original = subprocess.Popen

    def ends(command: list[str], **settings: Any) -> Any:
        return original([command[0], "-c", "pass"], **settings)

    monkeypatch.setattr(subprocess, "Popen", ends)
    with pytest.raises(MinilmError, match="ended early"):
        train.Torch("kata", 1)


def test_peak_memory_grows_with_what_is_held() -> None:
    before = memory.peak_memory_mb()
    held = np.ones(int(before + 64) * 2**17)  # as much again and 64 MiB
    after = memory.peak_memory_mb()
    assert after > before
    assert after >= held.nbytes / 2**20


@pytest.mark.peers
def test_against_pytorch(peer: Callable[[str], ModuleType]) -> None:
    peer("torch")
    result = train.run(options("--size", "kata", "--steps", "6", "--against", "torch"))
    ratio = result["torch_ms_per_step"] / result["ms_per_step"]
    assert result["torch_ratio"] == pytest.approx(ratio)
    assert result["torch_peak_memory_mb"] > 50
    assert "of PyTorch's time over ours" in train.render(result)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_pytorchs_side_is_the_same_model(peer: Callable[[str], ModuleType]) -> None:
    from minilm.bench import torch_train

    torch = peer("torch")
    size = SIZES["kata"]
    theirs = torch_train.build(torch, size.config).double()
    ours = GPT(size.config, rng=np.random.default_rng(0), dtype=np.float64)
    assert sum(p.numel() for p in theirs.parameters()) == ours.parameters.count()
    names = {
        "words": "wte",
        "positions": "wpe",
        "norm": "ln_f",
        "before_attention": "ln_1",
        "before_mlp": "ln_2",
        "qkv": "attn.c_attn",
        "merge": "attn.c_proj",
        "widen": "mlp.c_fc",
        "narrow": "mlp.c_proj",
    }
    for name, tensor in theirs.named_parameters():
        *place, module, kind = name.split(".")
        block = f"h.{place[1]}." if place else ""
        value = tensor.detach().numpy()
        linear = value.ndim == 2 and module not in ("words", "positions")
        ours.parameters[f"{block}{names[module]}.{kind}"][...] = value.T if linear else value
    ids, targets = np.random.default_rng(0).integers(512, size=(2, 3, 32))
    loss = theirs(torch.tensor(ids), torch.tensor(targets))
    assert ours.loss(ids, targets) == pytest.approx(float(loss), rel=1e-12)
    assert math.isfinite(float(loss))


def test_torchs_process_does_not_get_our_blas_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    seen: dict[str, str] = {}

    def watch(command: list[str], **settings: Any) -> Any:
        seen.update(settings["env"])
        raise OSError("not started")

    monkeypatch.setattr(subprocess, "Popen", watch)
    with pytest.raises(OSError, match="not started"):
        train.Torch("kata", 1)
    assert "OMP_NUM_THREADS" not in seen
    assert Path(seen["PYTHONPATH"].split(os.pathsep)[0], "minilm").is_dir()
