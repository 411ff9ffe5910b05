"""AdamW by hand; what its corrections, its root and its decoupled decay are good for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.nn import optim

STEEP, FLAT = 100.0, 1.0
START = (0.8, 1.0)


def run(course: Any) -> None:
    """Print four small experiments and draw two of them."""
    by_hand()
    too_long = without_correction()
    decays()
    course.picture(draw(valley(), too_long), "valley")


def by_hand() -> None:
    """Two steps of one parameter, under gradients that differ by a factor of a thousand."""
    print("p = 1, learning rate 0.1, gradient g and then -g")
    for g in (4.0, 0.004):
        p, mean, square = np.ones(1), np.zeros(1), np.zeros(1)
        values = []
        for step, gradient in ((1, g), (2, -g)):
            gradient = np.array([gradient])
            p, mean, square = optim.adamw(p, gradient, mean, square, step=step, learning_rate=0.1)
            values.append(f"{p[0]:.4f}")
        print(f"  g = {g:5}: p = 1, {', '.join(values)}")


def without_correction() -> list[float]:
    """Return how many times too long each step would be if means were used as they come."""
    ratios = []
    p, mean, square = np.zeros(1), np.zeros(1), np.zeros(1)
    for step in range(1, 3001):
        before = p
        p, mean, square = optim.adamw(p, np.ones(1), mean, square, step=step, learning_rate=0.1)
        raw = 0.1 * mean / (np.sqrt(square) + 1e-8)
        ratios.append(float(raw[0] / (before - p)[0]))
    print("how much too long steps are without the correction")
    places = (1, 2, 12, 100, 1000, 3000)
    print("  step       " + "".join(f"{place:7}" for place in places))
    print("  times      " + "".join(f"{ratios[place - 1]:7.2f}" for place in places))
    return ratios


def decays() -> None:
    """Let the decay loose on parameters whose gradients are noise, strong or weak."""
    print("parameters of 1 after 1000 steps; their gradients are noise")
    print("  size of the noise          10       1     0.1")
    for name, decoupled in (("decay beside the step", True), ("decay in the gradient", False)):
        left = [left_over(size, decoupled=decoupled) for size in (10.0, 1.0, 0.1)]
        print(f"  {name}" + "".join(f"{round(value, 2) + 0.0:8.2f}" for value in left))
    print(f"  asked for: exp(-1000 * 0.01 * 0.1) = {math.exp(-1):.2f}")


def left_over(size: float, *, decoupled: bool) -> float:
    """Return the mean of many parameters of 1 after decay and noise."""
    rng = np.random.default_rng(0)
    p, mean, square = np.ones(4000), np.zeros(4000), np.zeros(4000)
    for step in range(1, 1001):
        noise = size * rng.standard_normal(len(p))
        g = noise if decoupled else noise + 0.1 * p
        p, mean, square = optim.adamw(
            p,
            g,
            mean,
            square,
            step=step,
            learning_rate=0.01,
            weight_decay=0.1 if decoupled else 0.0,
        )
    return float(p.mean())


def valley() -> dict[str, Any]:
    """Descend into a valley a hundred times as steep across as along, by SGD and by AdamW."""
    print("loss after 60 steps into a long valley")
    paths = {}
    for scale in (1.0, 100.0):
        for name in ("SGD", "AdamW"):
            path = descend(name, scale)
            loss = 0.5 * (STEEP * path[-1, 0] ** 2 + FLAT * path[-1, 1] ** 2)
            shown = f"{loss:.4f}" if loss < 1e6 else "out of sight"
            label = "" if scale == 1 else f", the loss times {scale:.0f}"
            print(f"  {name}{label}: {shown}")
            if scale == 1:
                paths[name] = path
    return paths


def descend(name: str, scale: float) -> Any:
    """Return the places passed, (61, 2); the loss is measured in a unit `scale` times smaller."""
    p, mean, square = np.array(START), np.zeros(2), np.zeros(2)
    places = [p]
    for step in range(1, 61):
        g = scale * np.array([STEEP, FLAT]) * p
        if name == "SGD":
            p = p - 0.018 * g
        else:
            p, mean, square = optim.adamw(
                p, g, mean, square, step=step, learning_rate=0.06, betas=(0.8, 0.99)
            )
        places.append(p)
    return np.array(places)


def draw(paths: dict[str, Any], too_long: list[float]) -> Figure:
    """Draw the ways down, and how much too long a step is without the correction."""
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    map_, ratio = figure.subplots(1, 2)
    across, along = np.meshgrid(np.linspace(-0.9, 0.9, 121), np.linspace(-0.15, 1.15, 121))
    height = 0.5 * (STEEP * across**2 + FLAT * along**2)
    map_.contour(across, along, height, levels=np.geomspace(0.01, 40, 12), colors="#bbbbbb")
    for name, color, marker in zip(paths, drawing.COLORS, drawing.MARKERS, strict=False):
        map_.plot(*paths[name].T, marker=marker, color=color, markersize=4, label=name)
    map_.set(title="60 steps downhill", xlabel="the steep direction", ylabel="the flat one")
    map_.legend(loc="lower left")
    ratio.semilogx(np.arange(1, len(too_long) + 1), too_long, color=drawing.COLORS[2], linewidth=3)
    ratio.axhline(1, color="black", linewidth=1)
    ratio.set(title="without correction: times too long", xlabel="step", ylim=(0, None))
    return figure
