"""Cases of dropout: several rates, no generator, a rate of zero, a draw that equals the rate.

A generator changes when it is used, so each run gets a new one, from a seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course import values
from minilm.course.cases import Call, Case, Gradient, Use
from minilm.nn import functional as F

_RETURNS = ("y", ("keep",))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of both functions."""
    first = float(np.random.default_rng(5).random((4, 7), dtype=np.float32)[0, 0])
    examples: dict[str, tuple[tuple[int, ...], float]] = {
        "four rows of seven, rate 0.3": ((4, 7), 0.3),
        "three axes, rate 0.6": ((2, 3, 5), 0.6),
        "one axis, rate 0.1": ((40,), 0.1),  # long enough that no other draw drops the same
        f"a rate of {first:.4f}, which the first draw equals": ((4, 7), first),
    }
    inputs = {"x": rng.standard_normal((4, 7)), "rate": 0.3}
    returns = ("same_rng_same_y", "other_rng_other_y")
    yield Use("dropout", three_times, inputs, returns=returns, name="called three times")
    for name, (shape, rate) in examples.items():
        inputs = {"x": rng.standard_normal(shape), "rate": rate, "seed": 5}
        yield Use("dropout", seeded, inputs, returns=_RETURNS, name=name)
    x = rng.standard_normal((4, 7))
    nothing = {"x": x, "rate": 0.3}
    yield Call("dropout", nothing, returns=_RETURNS, name="without rng, at test time")
    inputs = {"x": x, "rate": 0.0, "seed": 5}
    yield Use("dropout", seeded, inputs, returns=_RETURNS, name="with rng and a rate of 0")
    single = rng.standard_normal((2, 3, 5), dtype=np.float32)
    inputs = {"x": single, "rate": 0.3, "seed": 5}
    yield Use("dropout", seeded, inputs, returns=_RETURNS, tolerance=1e-4, name="float32")
    yield from _backward(rng)


def _backward(rng: np.random.Generator) -> Iterator[Case]:
    def forward(x: Any, rate: float, seed: int | None) -> Any:
        return F.dropout(x, rate, rng=None if seed is None else np.random.default_rng(seed))

    examples: dict[str, tuple[tuple[int, ...], float, int | None]] = {
        "four rows of seven, rate 0.3": ((4, 7), 0.3, 5),
        "three axes, rate 0.6": ((2, 3, 5), 0.6, 6),
        "nothing dropped: keep is None": ((3, 4), 0.3, None),
    }
    for name, (shape, rate, seed) in examples.items():
        yield Gradient(
            "dropout_backward",
            forward,
            {"x": rng.standard_normal(shape)},
            rng=rng,
            options={"rate": rate, "seed": seed},
            name=name,
        )
    single = np.ones((2, 3, 5), np.float32)
    inputs = {
        "dy": rng.standard_normal(single.shape, dtype=np.float32),
        "cache": forward(single, 0.3, 5)[1],
    }
    yield Call("dropout_backward", inputs, returns="dx", tolerance=1e-4, name="float32")


def seeded(dropout: Any, x: np.ndarray, rate: float, seed: int) -> Any:
    """Call dropout with a new generator."""
    return dropout(x, rate, rng=np.random.default_rng(seed))


def three_times(dropout: Any, x: np.ndarray, rate: float) -> tuple[bool, bool]:
    """Return whether equal generators give the same, and whether another one gives another y.

    What is drawn from elsewhere cannot be recognized by its values.
    """
    one, again, other = (seeded(dropout, x.copy(), rate, seed) for seed in (5, 5, 6))
    return values.same(one, again), not values.same(one, other) or one is None


def the_average_stays(f: Any, rng: np.random.Generator) -> str | None:
    """Drop from an array of ones, which is large enough for its mean to be near 1."""
    mean = f.dropout(np.ones((200, 300)), 0.4, rng=rng)[0].mean()
    if abs(mean - 1) > 0.03:  # nine standard deviations
        return (
            f"of 60,000 ones, with a rate of 0.4, the mean should stay near 1; yours is {mean:.3f}"
        )
    return None


PROPERTIES = {"the average stays": the_average_stays}
