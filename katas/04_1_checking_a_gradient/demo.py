"""Differences by hand, how small a step should be, and what a check finds and what it misses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.nn import functional as F
from minilm.nn import gradcheck

TOLERANCE = 1e-7
SLOPE = -0.16  # of 1 / (1 + x * x) at x = 2
Formula = Callable[[Callable[[float], float], float], float]


def forward(function: Callable[[float], float], step: float) -> float:
    """Look to one side."""
    return (function(step) - function(0.0)) / step


def central(function: Callable[[float], float], step: float) -> float:
    """Look to both sides."""
    return (function(step) - function(-step)) / (2 * step)


FORMULAS = (("one side", forward), ("both sides", central), ("slope", gradcheck.slope))


def run(course: Course) -> None:
    """Print the example, the steps and the verdicts; draw the last two."""
    formulas = {**dict(FORMULAS), "slope": gradcheck.slope}  # yours, if it is plugged in
    print("x**3 at 2, where the slope is 12; step 1")
    for name, formula in formulas.items():
        print(f"  {name:11} {formula(lambda t: (2 + t) ** 3, 1.0):5.1f}")
    print()
    print("1 / (1 + x * x) at 2: the error")
    print("  step   " + "".join(f"{name:>12}" for name in formulas))
    for step in (1e-1, 1e-2, 1e-12):
        found = [abs(f(fraction, step) - SLOPE) for f in formulas.values()]
        print(f"  {step:.0e}  " + "".join(f"{error:12.0e}" for error in found))
    print()
    errors = verdicts()
    print()
    one_of_many()
    course.picture(draw(formulas, errors), "steps")


def fraction(t: float) -> float:
    """Return 1 / (1 + x * x) for x = 2 + t: no function whose last digit differs by machine."""
    x = 2.0 + t
    return 1.0 / (1.0 + x * x)


def verdicts() -> dict[str, float]:
    """Check four backwards of GELU, with a plain sum of the outputs and with random weights."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4, 6))
    y, cache = F.gelu(x)
    upstream = {"plain sum": np.ones(y.shape), "random": rng.standard_normal(y.shape)}
    backwards = {
        "right": lambda dy: F.gelu_backward(dy, cache),
        "0.1 % too large": lambda dy: 1.001 * F.gelu_backward(dy, cache),
        "forgets dy": lambda dy: F.gelu_backward(np.ones(dy.shape), cache),
        "wrong sign": lambda dy: -F.gelu_backward(dy, cache),
    }
    errors = {}
    print(f"a backward of GELU     {'plain sum':>12} {'random dy':>14}")
    for name, backward in backwards.items():
        shown = []
        for dy in upstream.values():
            errors[name] = gradcheck.directional_error(
                gradcheck.against(F.gelu, dy),
                {"x": x},
                {"x": backward(dy)},
                rng=np.random.default_rng(2),
            )
            passes = errors[name] < TOLERANCE
            shown.append("passes" if passes else f"fails, {errors[name]:.0e}")
        print(f"  {name:19} {shown[0]:>14} {shown[1]:>14}")
    return errors


def one_of_many() -> None:
    """Make one entry of ten thousand twice too large."""
    x = np.random.default_rng(3).standard_normal(10_000)
    gradient = 3 * x**2
    gradient[1234] = 2 * 3 * 1.0**2
    x[1234] = 1.0
    calls = 0

    def cubes(x: np.ndarray) -> float:
        nonlocal calls
        calls += 1
        return float((x**3).sum())

    error = gradcheck.directional_error(
        cubes, {"x": x}, {"x": gradient}, rng=np.random.default_rng(4)
    )
    print("one of 10,000 entries twice too large")
    print(f"  found: {error > TOLERANCE}; error above 0.001: {error > 1e-3}")
    print(f"  calls of the function: {calls}; entry by entry: 40000")


def draw(formulas: dict[str, Formula], errors: dict[str, float]) -> Figure:
    """Draw the errors against the step, and the verdicts."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = 10.0 ** np.arange(-12, 0.01, 0.25)
    for (name, formula), color, marker in zip(
        formulas.items(), drawing.COLORS, drawing.MARKERS, strict=False
    ):
        found = [max(abs(formula(fraction, step) - SLOPE), 1e-17) for step in steps]
        left.loglog(steps, found, marker + "-", color=color, label=name, markersize=4)
    left.set(title="how small a step?", xlabel="step", ylabel="error of the slope")
    left.legend()
    places = np.arange(len(errors))
    right.barh(places, [max(e, 1e-16) for e in errors.values()], color=drawing.COLORS[3], left=0)
    right.axvline(TOLERANCE, color="black", linestyle="--")
    right.text(1.5 * TOLERANCE, -0.75, "tolerance", fontsize=11)
    right.set_yticks(places, list(errors))
    right.set(title="a backward of GELU, random dy", xscale="log", xlabel="relative error")
    right.set(xlim=(1e-16, 10), ylim=(-0.9, len(errors) - 0.4))
    return figure
