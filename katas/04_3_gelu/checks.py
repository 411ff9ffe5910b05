"""Cases of GELU: one, two and three axes, numbers far from zero, float32."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F

_RETURNS = ("y", ("x", "gate"))
_SCALE = math.sqrt(2 / math.pi)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of both functions."""
    examples = {
        "five rows of three": 2 * rng.standard_normal((5, 3)),
        "three axes": rng.standard_normal((2, 4, 3)),
        "numbers from -60 to 60": np.linspace(-60.0, 60.0, 7),
    }
    for name, x in examples.items():
        yield Call("gelu", {"x": x}, returns=_RETURNS, name=name)
        yield Gradient("gelu_backward", F.gelu, {"x": x}, rng=rng, name=name)
    single = rng.standard_normal((4, 3), dtype=np.float32)
    yield Call("gelu", {"x": single}, returns=_RETURNS, tolerance=1e-4, name="float32")
    dy = rng.standard_normal(single.shape, dtype=np.float32)
    inputs = {"dy": dy, "cache": F.gelu(single)[1]}
    yield Call("gelu_backward", inputs, returns="dx", tolerance=1e-4, name="float32")


def far_away_it_is_the_identity_or_nothing(f: Any, rng: np.random.Generator) -> str | None:
    """Look at numbers so large that the gate is open or shut."""
    x = np.array([-50.0, 50.0])
    y, gate = f.gelu(x)[0], f.gelu(x)[1][1]
    dx = f.gelu_backward(np.ones(2), (x, gate))
    for name, values, wanted in (("y", y, np.maximum(x, 0)), ("dx", dx, np.array([0.0, 1.0]))):
        if np.abs(values - wanted).max() > 1e-9:
            return f"at x = -50 and 50, {name} is {values}, expected {wanted}"
    return None


PROPERTIES = {"far from zero the gate is open or shut": far_away_it_is_the_identity_or_nothing}


def forward_steps(x: np.ndarray) -> dict[str, np.ndarray]:
    """Return what comes before the gate."""
    inner = _SCALE * (x + 0.044715 * x**3)
    return {"inner": inner, "tanh": np.tanh(inner), "t": np.tanh(inner)}


def backward_steps(dy: np.ndarray, cache: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    """Return the slopes of the chain."""
    x, gate = cache
    dinner = _SCALE * (1 + 3 * 0.044715 * x**2)
    return {
        "tanh": 2 * gate - 1,
        "t": 2 * gate - 1,
        "dinner": dinner,
        "dgate": 2 * gate * (1 - gate) * dinner,
    }


STEPS = {"gelu": forward_steps, "gelu_backward": backward_steps}
