"""Cases of the linear layer: rows, sequences, and a square matrix, which hides transposes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F

_RETURNS = ("y", ("x", "weight"))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; every axis has a size of its own but in the square one."""
    shapes = {
        "six rows": ((6,), 3, 4),
        "sequences: x of shape (2, 5, 3)": ((2, 5), 3, 4),
        "a square weight": ((5,), 4, 4),
    }
    for name, (leading, inputs, outputs) in shapes.items():
        arguments = _arguments(rng, leading, inputs, outputs)
        yield Call("linear", arguments, returns=_RETURNS, name=name)
        yield Gradient("linear_backward", F.linear, arguments, rng=rng, name=name)
    single = {n: a.astype(np.float32) for n, a in _arguments(rng, (2, 5), 3, 4).items()}
    yield Call("linear", single, returns=_RETURNS, tolerance=1e-3, name="float32")
    yield Call(
        "linear_backward",
        {
            "dy": rng.standard_normal((2, 5, 4), dtype=np.float32),
            "cache": (single["x"], single["weight"]),
        },
        returns=("dx", "dweight", "dbias"),
        tolerance=1e-3,
        name="float32",
    )


def _arguments(
    rng: np.random.Generator, leading: tuple[int, ...], inputs: int, outputs: int
) -> dict[str, Any]:
    return {
        "x": rng.standard_normal((*leading, inputs)),
        "weight": rng.standard_normal((inputs, outputs)),
        "bias": rng.standard_normal(outputs),
    }


def two_sums_agree(f: Any, rng: np.random.Generator) -> str | None:
    """Compare sum(dx * x) with sum(dweight * weight)."""
    arguments = _arguments(rng, (2, 5), 3, 4)
    y, cache = f.linear(**arguments)
    dx, dweight, _ = f.linear_backward(rng.standard_normal(y.shape), cache)
    one, other = (dx * arguments["x"]).sum(), (dweight * arguments["weight"]).sum()
    if abs(one - other) > 1e-9 * max(abs(one), abs(other)):
        return (
            "x @ weight doubles when either of them doubles, so sum(dx * x) and "
            f"sum(dweight * weight) are the same number; yours are {one:.4g} and {other:.4g}"
        )
    return None


PROPERTIES = {"dx and dweight tell of one product": two_sums_agree}
