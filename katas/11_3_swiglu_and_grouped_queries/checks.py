"""Cases of kata 11.3: gates of all sizes, and six heads of queries on one, two or six of keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F

_SWIGLU = ("y", ("active", "up", ("x", "gate")))
_ATTENTION = ("y", ("q", "k", "v", "weights", "keep"))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases."""
    yield from _silu_cases(rng)
    yield from _swiglu_cases(rng)
    yield from _attention_cases(rng)


def _silu_cases(rng: np.random.Generator) -> Iterator[Case]:
    examples = {
        "numbers near zero": 2 * rng.standard_normal((4, 7)),
        "three axes": 3 * rng.standard_normal((2, 3, 5)),
        "large and small numbers": np.array([-900.0, -40.0, -3.0, 0.0, 3.0, 40.0, 900.0]),
    }
    for name, x in examples.items():
        yield Call("silu", {"x": x}, returns=("y", ("x", "gate")), name=name)
        yield Gradient("silu_backward", F.silu, {"x": x}, rng=rng, name=name)
    single = rng.standard_normal((4, 7), dtype=np.float32)
    returns: Any = ("y", ("x", "gate"))
    yield Call("silu", {"x": single}, returns=returns, tolerance=1e-4, name="float32")
    inputs = {"dy": single, "cache": F.silu(single)[1]}
    yield Call("silu_backward", inputs, returns="dx", tolerance=1e-4, name="float32")


def _swiglu_cases(rng: np.random.Generator) -> Iterator[Case]:
    for name, shape in {"two axes": (4, 7), "three axes": (2, 3, 5)}.items():
        inputs = {"gate": 2 * rng.standard_normal(shape), "up": 1 + rng.standard_normal(shape)}
        yield Call("swiglu", inputs, returns=_SWIGLU, name=name)
        yield Gradient("swiglu_backward", F.swiglu, inputs, rng=rng, name=name)
    gate, up = rng.standard_normal((2, 4, 7), dtype=np.float32)
    inputs = {"gate": gate, "up": up}
    yield Call("swiglu", inputs, returns=_SWIGLU, tolerance=1e-4, name="float32")


def _attention_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield cases with B = 2, H = 6, S queries of T positions, D = 5."""
    keep = F.dropout_factors((2, 6, 4, 4), 0.3, np.dtype(np.float64), rng=rng)
    examples: dict[str, dict[str, Any]] = {
        "six heads of queries, two of keys": _qkv(rng, 2, 4, 4),
        "six and two, with dropout": {**_qkv(rng, 2, 4, 4), "keep": keep},
        "six and three": _qkv(rng, 3, 4, 4),
        "a single head of keys": _qkv(rng, 1, 4, 4),
        "as many heads of keys": _qkv(rng, 6, 4, 4),
        "the last of 7 positions": _qkv(rng, 2, 1, 7),
    }
    for name, inputs in examples.items():
        yield Call("grouped_query_attention", inputs, returns=_ATTENTION, name=name)
        arguments = {n: x for n, x in inputs.items() if n != "keep"}
        yield Gradient(
            "grouped_query_attention_backward",
            F.grouped_query_attention,
            arguments,
            rng=rng,
            options={"keep": inputs.get("keep")},
            name=name,
        )
    single = {n: x.astype(np.float32) for n, x in _qkv(rng, 2, 4, 4).items()}
    about: dict[str, Any] = {"tolerance": 1e-3, "name": "float32"}
    yield Call("grouped_query_attention", single, returns=_ATTENTION, **about)
    y, cache = F.grouped_query_attention(**single)
    inputs = {"dy": rng.standard_normal(y.shape, dtype=np.float32), "cache": cache}
    returns = ("dq", "dk", "dv")
    yield Call("grouped_query_attention_backward", inputs, returns=returns, **about)


def _qkv(rng: np.random.Generator, groups: int, queries: int, keys: int) -> dict[str, Any]:
    return {
        "q": rng.standard_normal((2, 6, queries, 5)),
        "k": rng.standard_normal((2, groups, keys, 5)),
        "v": rng.standard_normal((2, groups, keys, 5)),
    }


def each_group_has_its_keys(f: Any, rng: np.random.Generator) -> str | None:
    """Change the second of two heads of keys and values."""
    inputs = _qkv(rng, 2, 4, 4)
    before, _ = f.grouped_query_attention(**inputs)
    for name in "kv":
        inputs[name] = inputs[name].copy()
        inputs[name][:, 1] += 1 + rng.standard_normal(5)
    moved = np.abs(f.grouped_query_attention(**inputs)[0] - before).max(axis=(0, 2, 3)) > 1e-12
    if moved.tolist() != [False] * 3 + [True] * 3:
        heads = " ".join(map(str, np.flatnonzero(moved)))
        return f"other keys in head 1 must change heads 3 4 5 of y; they change heads {heads}"
    return None


PROPERTIES = {"each group has its own keys": each_group_has_its_keys}


def _steps_of_silu_backward(dy: Any, cache: Any) -> dict[str, Any]:
    x, gate = cache
    return {"dgate": dy * x, "slope": gate * (1 - gate)}


def _steps_of_attention(q: Any, k: Any, v: Any, keep: Any = None) -> dict[str, Any]:
    return {"weights": F.grouped_query_attention(q, k, v, keep)[1][3]}


STEPS = {
    "silu_backward": _steps_of_silu_backward,
    "grouped_query_attention": _steps_of_attention,
}
