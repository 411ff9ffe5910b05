"""Cases of kata 11.1: rows in one, two and three axes, random gains, another epsilon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F

_RETURNS = ("y", ("normalized", "rstd", "gain"))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; the rows are off center, or the mean would not matter."""
    shapes = {"five rows": (5, 7), "a batch of rows": (2, 3, 7), "one row alone": (6,)}
    examples = {
        name: {"x": 2 + 3 * rng.standard_normal(shape), "gain": rng.standard_normal(shape[-1])}
        for name, shape in shapes.items()
    }
    small = {"x": 0.05 * rng.standard_normal((4, 3)), "gain": rng.standard_normal(3)}
    options: dict[str, dict[str, Any]] = {name: {} for name in examples}
    name = "rows so small that epsilon counts"
    examples[name], options[name] = small, {"epsilon": 1e-2}
    for name, arguments in examples.items():
        yield Call("rms_norm", {**arguments, **options[name]}, returns=_RETURNS, name=name)
        yield Gradient(
            "rms_norm_backward", F.rms_norm, arguments, rng=rng, options=options[name], name=name
        )
    single = {n: a.astype(np.float32) for n, a in examples["a batch of rows"].items()}
    yield Call("rms_norm", single, returns=_RETURNS, tolerance=1e-4, name="float32")
    y, cache = F.rms_norm(**single)
    inputs = {"dy": rng.standard_normal(y.shape, dtype=np.float32), "cache": cache}
    yield Call("rms_norm_backward", inputs, returns=("dx", "dgain"), tolerance=1e-3, name="float32")


def a_stretched_row_gives_the_same(f: Any, rng: np.random.Generator) -> str | None:
    """Multiply the rows by a thousand."""
    x, gain = rng.standard_normal((3, 5)), rng.standard_normal(5)
    apart = np.abs(f.rms_norm(x, gain, 0.0)[0] - f.rms_norm(1000 * x, gain, 0.0)[0]).max()
    if not apart < 1e-9:
        return f"a row that is multiplied by 1000 gives another y: {apart:.3g} apart"
    return None


PROPERTIES = {"a stretched row gives the same": a_stretched_row_gives_the_same}


def _steps(x: Any, gain: Any, epsilon: float = 1e-5) -> dict[str, Any]:
    mean_square = (x * x).mean(axis=-1, keepdims=True)
    return {"mean_square": mean_square, "rms": np.sqrt(mean_square + epsilon)}


def _backward_steps(dy: Any, cache: Any) -> dict[str, Any]:
    return {"d": dy * cache[2]}


STEPS = {"rms_norm": _steps, "rms_norm_backward": _backward_steps}
