"""Live code of kata 4.3: the curve, its slope, and units that start on the wrong side."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.nn import functional as F

STEPS = 200
RATE = 0.2


def run(course: Course) -> None:
    """Print the curve, its lowest and steepest point, the exact form, and four units' ways."""
    by_hand()
    extremes()
    ways = units()
    course.picture(draw(ways), "gelu")


def by_hand() -> None:
    """The table of the page."""
    x = np.array([-3.0, -1.0, 0.0, 1.0, 3.0])
    y, cache = F.gelu(x)
    slope = F.gelu_backward(np.ones(5), cache)
    print("       x    gate       y   slope")
    for row in zip(x, cache[1], y, slope, strict=True):
        print("  {:6.1f}  {:6.3f}  {:6.3f}  {:6.3f}".format(*row))


def extremes() -> None:
    """Where the curve is lowest and steepest, and how far it is from the exact one."""
    x = np.linspace(-6.0, 6.0, 12001)
    y, cache = F.gelu(x)
    slope = F.gelu_backward(np.ones_like(x), cache)
    exact = np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x])
    low, steep = y.argmin(), slope.argmax()
    print(f"lowest:   y = {y[low]:.3f} at x = {x[low]:.2f}")
    print(f"steepest: slope {slope[steep]:.3f} at x = {x[steep]:.2f}")
    print(f"farthest from the exact form with erf: {np.abs(y - exact).max():.4f}")


def relu_slope(x: float) -> tuple[float, float]:
    """Return ReLU and its slope."""
    return max(x, 0.0), float(x > 0)


def gelu_slope(x: float) -> tuple[float, float]:
    """Return GELU and its slope."""
    y, cache = F.gelu(np.array([x]))
    return float(y[0]), float(F.gelu_backward(np.ones(1), cache)[0])


def units() -> dict[str, list[float]]:
    """Go downhill on (y - 1)**2 / 2, from two places left of zero."""
    print(f"two units should give 1; {STEPS} steps downhill")
    ways: dict[str, list[float]] = {}
    for start in (-0.5, -1.0):
        for name, activation in (("ReLU", relu_slope), ("GELU", gelu_slope)):
            x, way = start, []
            for _ in range(STEPS + 1):
                y, slope = activation(x)
                way.append(y)
                end, x = x, x - RATE * (y - 1) * slope
            print(f"  {name} from x = {start}: x = {end:5.2f}, y = {way[-1]:6.3f}")
            ways[f"{name} from x = {start}"] = way
    return ways


def draw(ways: dict[str, list[float]]) -> Figure:
    """Draw the curve with its slope, and the units' ways."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    curve, way = figure.subplots(1, 2)
    x = np.linspace(-4.0, 3.0, 400)
    y, cache = F.gelu(x)
    blue, orange, green = drawing.COLORS[:3]
    curve.axhline(0, color="0.8", linewidth=1)
    curve.plot(x, np.maximum(x, 0), ":", color="0.5", linewidth=2, label="ReLU")
    curve.plot(x, y, color=blue, linewidth=3, label="GELU")
    slope = F.gelu_backward(np.ones_like(x), cache)
    curve.plot(x, slope, "--", color=orange, linewidth=2, label="its slope")
    curve.plot(x, cache[1], "-.", color=green, linewidth=2, label="its gate")
    curve.set(title="GELU lets x through a gate", xlabel="x", ylim=(-0.4, 2))
    for name, values in ways.items():
        if name.startswith("GELU"):
            way.plot(values, linewidth=3, color=blue if "0.5" in name else orange, label=name)
    way.plot(ways["ReLU from x = -1.0"], ":", color="0.5", linewidth=3, label="ReLU from either")
    way.axhline(1, color="0.8", linewidth=1)
    way.set(title="units that should give 1", xlabel="step", ylabel="y")
    curve.legend()
    way.legend()
    return figure
