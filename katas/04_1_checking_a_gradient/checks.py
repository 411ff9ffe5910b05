"""Cases of a gradient check: polynomials and waves; gradients that are wrong in every way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Use
from minilm.errors import OptionError
from minilm.nn import functional as F
from minilm.nn import gradcheck


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the two functions."""
    functions: dict[str, tuple[Callable[[float], float], float]] = {
        "(2 + t)**3, step 1": (lambda t: (2 + t) ** 3, 1.0),
        "a wave, step 0.1": (lambda t: math.sin(1 + 3 * t), 0.1),
        "exp, step 0.5": (lambda t: 2 * math.exp(-t), 0.5),
        "degree 5, step 0.25": (lambda t: 5 - 3 * t + t**2 + 7 * t**5, 0.25),
        "a wave, step 0.001": (lambda t: math.cos(1 + t), 1e-3),
    }
    for name, (function, step) in functions.items():
        yield Call("slope", {"function": function, "step": step}, returns="slope", name=name)
    yield from _errors(rng)


def cubes(x: Any) -> float:
    """Return a sum of cubes."""
    return float((x**3).sum())


def mixed(x: Any, a: Any) -> float:
    """Return a number that depends on two arrays: (3, 4) and (3,)."""
    return float((a[:, None] * x**3).sum() + (a**2).sum())


def waves(x: Any) -> float:
    """Return a sum of waves."""
    return float(np.sin(3 * x).sum())


def flat(x: Any) -> float:
    """Return the same number everywhere."""
    return 2.5


def _errors(rng: np.random.Generator) -> Iterator[Case]:
    x, row, a = rng.standard_normal((3, 4)), rng.standard_normal(5), rng.standard_normal(3)
    both = {"x": x, "a": a}
    dx, da = 3 * a[:, None] * x**2, (x**3).sum(axis=1) + 2 * a
    broken = dx.copy()
    broken[1, 2] += 4.0
    examples: dict[str, tuple[Any, Any, Any, float]] = {
        "one array, its gradient doubled": (cubes, {"x": row}, {"x": 6 * row**2}, 1e-3),
        "two arrays, one entry wrong": (mixed, both, {"x": broken, "a": da}, 1e-3),
        "two arrays, the wrong sign": (mixed, both, {"x": -dx, "a": -da}, 1e-3),
        "two arrays, a in front": (mixed, both, {"a": 0.5 * da, "x": dx}, 1e-3),
        "a gradient for x only": (mixed, both, {"x": 1.5 * dx}, 1e-3),
        "a large step": (waves, {"x": row}, {"x": 2 * np.cos(3 * row)}, 0.3),
        "a function without slope": (flat, {"x": row}, {"x": row**2}, 1e-3),
        "a gradient of zeros": (cubes, {"x": row}, {"x": 0 * row}, 1e-3),
        "no slope, and a gradient of zeros": (flat, {"x": row}, {"x": 0 * row}, 1e-3),
    }
    for seed, (name, (function, arguments, gradients, step)) in enumerate(examples.items()):
        inputs = {"function": function, "arguments": arguments, "gradients": gradients}
        numbers = {"seed": seed, "step": step}
        yield Use(
            "directional_error", _seeded, {**inputs, **numbers}, returns="relative error", name=name
        )
    refused: dict[str, tuple[Any, Any]] = {
        "float32": ({"x": row.astype(np.float32)}, {"x": row}),
        "a gradient of another shape": ({"x": row}, {"x": row[:, None]}),
        "a gradient of no argument": ({"x": row}, {"z": row}),
    }
    for name, (arguments, gradients) in refused.items():
        inputs = {"function": cubes, "arguments": arguments, "gradients": gradients}
        numbers = {"seed": 0, "step": 1e-3}
        yield Use(
            "directional_error", _seeded, {**inputs, **numbers}, raises=OptionError, name=name
        )


def _seeded(
    check: Any, function: Any, arguments: Any, gradients: Any, seed: int, step: float
) -> Any:
    rng = np.random.default_rng(seed)
    return check(function, arguments, gradients, rng=rng, step=step)


def right_gradients_pass(f: Any, rng: np.random.Generator) -> str | None:
    """Check a right gradient at several points, without naming a step."""
    for _ in range(5):
        x, a = rng.standard_normal((3, 4)), rng.standard_normal(3)
        gradients = {"x": 3 * a[:, None] * x**2, "a": (x**3).sum(axis=1) + 2 * a}
        error = f.directional_error(mixed, {"x": x, "a": a}, gradients, rng=rng)
        if not error < 1e-9:
            return f"a right gradient has the error {error:.1e}; it should be below 1e-9"
    return None


def slopes_of_symmetric_functions(f: Any, rng: np.random.Generator) -> str | None:
    """Measure where a function has its minimum."""
    found = f.slope(lambda t: (t * t) ** 2 - 3 * t * t, 0.5)
    return None if abs(found) < 1e-9 else f"a minimum at 0 has slope 0, but yours is {found:.4g}"


PROPERTIES = {
    "a right gradient passes": right_gradients_pass,
    "symmetric functions have slope 0": slopes_of_symmetric_functions,
}


def whole_model() -> dict[str, Any]:
    """Check the gradient of a layer norm, right and wrong, as a whole and entry by entry."""
    rng = np.random.default_rng(6)
    point = {
        "x": rng.standard_normal((3, 5)),
        "gain": rng.standard_normal(5),
        "bias": rng.standard_normal(5),
    }
    y, cache = F.layer_norm(**point)
    dy = rng.standard_normal(y.shape)
    right = dict(zip(point, F.layer_norm_backward(dy, cache), strict=True))
    wrong = {**right, "gain": right["gain"] / 2}
    loss = gradcheck.against(F.layer_norm, dy)
    good, bad = (
        gradcheck.directional_error(loss, point, g, rng=np.random.default_rng(7))
        for g in (right, wrong)
    )
    return {
        "the verdict on a right layer norm": good < 1e-8,
        "the error of a layer norm with half of dgain": bad,
        "the wrong entries": sorted(
            (m.argument, *m.index) for m in gradcheck.element_errors(loss, point, wrong)
        ),
    }
