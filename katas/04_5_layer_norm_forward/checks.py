"""Cases of layer norm: two, three and one axes, rows that are alike or far from zero, float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case

_RETURNS = ("y", ("normalized", "rstd", "gain"))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; every axis has a size of its own."""
    shapes = {"five rows of seven": (5, 7), "sequences: x of shape (2, 3, 7)": (2, 3, 7)}
    for name, shape in (*shapes.items(), ("one row alone", (6,))):
        yield Call("layer_norm", _inputs(rng, shape), returns=_RETURNS, name=name)
    alike = {**_inputs(rng, (4, 3), 0.05), "epsilon": 1e-2}
    yield Call("layer_norm", alike, returns=_RETURNS, name="rows so alike that epsilon=0.01 counts")
    equal = _inputs(rng, (3, 5))
    equal["x"][1] = 2.5
    yield Call("layer_norm", equal, returns=_RETURNS, name="a row of equal numbers")
    # Eight whole numbers: sums, the mean and what is left when it is taken off are all exact.
    far = _inputs(rng, (2, 8))
    far["x"] = 1e8 + rng.integers(0, 40, (2, 8))
    yield Call("layer_norm", far, returns=_RETURNS, name="rows around a hundred million")
    single = {n: a.astype(np.float32) for n, a in _inputs(rng, (2, 3, 7)).items()}
    yield Call("layer_norm", single, returns=_RETURNS, tolerance=1e-3, name="float32")


def _inputs(
    rng: np.random.Generator, shape: tuple[int, ...], spread: float = 3.0
) -> dict[str, Any]:
    return {
        "x": 2 + spread * rng.standard_normal(shape),
        "gain": rng.standard_normal(shape[-1]),
        "bias": rng.standard_normal(shape[-1]),
    }


def level_and_stretch_do_not_count(f: Any, rng: np.random.Generator) -> str | None:
    """Stretch each row, and lift it, by a number of its own."""
    inputs = {**_inputs(rng, (4, 6)), "epsilon": 0.0}
    other = inputs["x"] * rng.uniform(1, 9, (4, 1)) + 10 * rng.standard_normal((4, 1))
    moved = np.abs(f.layer_norm(**inputs)[0] - f.layer_norm(**{**inputs, "x": other})[0]).max()
    if moved > 1e-9:
        return f"a row that is stretched and lifted gives another y: it moves by {moved:.3g}"
    return None


PROPERTIES = {"a row's level and stretch do not count": level_and_stretch_do_not_count}


def steps(
    x: np.ndarray, gain: np.ndarray, bias: np.ndarray, epsilon: float = 1e-5
) -> dict[str, np.ndarray]:
    """Return the two statistics of each row."""
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    centered = x - mean
    return {
        "mean": mean,
        "mu": mean,
        "variance": variance,
        "var": variance,
        "centered": centered,
        "std": np.sqrt(variance + epsilon),
    }


STEPS = {"layer_norm": steps}
