"""Cases of multi-head attention: as in training, with dropout, and beside a cache of keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F

_RETURNS = ("y", ("q", "k", "v", "weights", "keep"))


class Earlier:
    """The keys and values of earlier positions, in front of the new ones."""

    def __init__(self, k: Any, v: Any) -> None:
        self.k, self.v = k, v

    def __call__(self, k: Any, v: Any) -> tuple[Any, Any]:
        """Return all keys and values."""
        return np.concatenate([self.k, k], axis=2), np.concatenate([self.v, v], axis=2)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: B = 2, T = 4, H = 3, D = 5, so C = 15."""
    qkv = rng.standard_normal((2, 4, 45))
    keep = F.dropout_factors((2, 3, 4, 4), 0.3, np.dtype(np.float64), rng=rng)
    one = rng.standard_normal((2, 4, 15))
    examples: dict[str, dict[str, Any]] = {
        "three heads of 5": {"qkv": qkv, "heads": 3},
        "three heads of 5, with dropout": {"qkv": qkv, "heads": 3, "keep": keep},
        "a single head of 5": {"qkv": one, "heads": 1},
    }
    for name, inputs in examples.items():
        yield Call("multi_head_attention", inputs, returns=_RETURNS, name=name)
        options = {n: value for n, value in inputs.items() if n != "qkv"}
        yield Gradient(
            "multi_head_attention_backward",
            F.multi_head_attention,
            {"qkv": inputs["qkv"]},
            rng=rng,
            options=options,
            name=name,
        )
    earlier = Earlier(*rng.standard_normal((2, 2, 3, 6, 5)))
    for time in (1, 4):
        inputs = {"qkv": qkv[:, :time], "heads": 3, "extend": earlier}
        name = f"six earlier positions and {time} new"
        yield Call("multi_head_attention", inputs, returns=_RETURNS, name=name)
    single = rng.standard_normal((2, 4, 45), dtype=np.float32)
    inputs = {"qkv": single, "heads": 3}
    yield Call("multi_head_attention", inputs, returns=_RETURNS, tolerance=1e-3, name="float32")
    y, cache = F.multi_head_attention(**inputs)
    dy = rng.standard_normal(y.shape, dtype=np.float32)
    inputs = {"dy": dy, "cache": cache}
    yield Call(
        "multi_head_attention_backward", inputs, returns="dqkv", tolerance=1e-3, name="float32"
    )


def heads_do_not_meet(f: Any, rng: np.random.Generator) -> str | None:
    """Change the channels of one head."""
    qkv = rng.standard_normal((1, 4, 3, 2, 5))  # by q, k and v, and by head
    before, _ = f.multi_head_attention(qkv.reshape(1, 4, 30), 2)
    qkv[:, :, :, 1] += 1
    after, _ = f.multi_head_attention(qkv.reshape(1, 4, 30), 2)
    moved = np.abs(after - before)[..., :5].max()
    if moved > 1e-12:
        return f"other channels in head 1 change what head 0 gives by up to {moved:.3g}"
    return None


PROPERTIES = {"heads do not meet": heads_do_not_meet}


def _steps(qkv: Any, heads: int, keep: Any = None, extend: Any = None) -> dict[str, Any]:
    q, k, v, weights, _ = F.multi_head_attention(qkv, heads, keep, extend)[1]
    return {"q": q, "k": k, "v": v, "weights": weights}


def _backward_steps(dy: Any, cache: Any) -> dict[str, Any]:
    dq, dk, dv = F.attention_backward(F.split_heads(dy, cache[0].shape[1]), cache)
    return {"dq": dq, "dk": dk, "dv": dv}


STEPS = {
    "multi_head_attention": _steps,
    "multi_head_attention_backward": _backward_steps,
}
