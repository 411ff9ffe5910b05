"""Live code of kata 6.1: what a memory of gradients does on a slope, in noise and in a valley."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.arrays import Array
from minilm.course.demos import Course
from minilm.nn import optim

STEEP, FLAT = 100.0, 1.0
START = (0.8, 1.0)
MOMENTA = (0.0, 0.8, 0.99)


def run(course: Course) -> None:
    """Print three small experiments, and draw the last."""
    by_hand()
    steps()
    course.picture(draw(valley()), "valley")


def by_hand() -> None:
    """Go down the parabola p**2 from 1."""
    p, velocity = np.ones(1), np.zeros(1)
    print("loss p**2, learning rate 0.1, momentum 0.9")
    print("  step   gradient   velocity        p")
    for step in range(1, 5):
        g = 2 * p
        p, velocity = optim.sgd(p, g, velocity, learning_rate=0.1, momentum=0.9)
        print(f"  {step:4}   {g[0]:8.4f}   {velocity[0]:8.4f}  {p[0]:7.4f}")


def steps() -> None:
    """Show how long the steps are under gradients that agree, and under ones that do not."""
    print("length of a step, learning rate 0.1, momentum 0.9")
    print("  step                  1      2     10    100")
    for name, turn in (("gradient 1, 1, 1", 1.0), ("gradient 1, -1, 1", -1.0)):
        p, velocity, g = np.zeros(1), np.zeros(1), np.ones(1)
        lengths = []
        for _ in range(100):
            before = p
            p, velocity = optim.sgd(p, g, velocity, learning_rate=0.1, momentum=0.9)
            lengths.append(abs(float((p - before)[0])))
            g = turn * g
        shown = "".join(f"{lengths[step - 1]:7.3f}" for step in (1, 2, 10, 100))
        print(f"  {name:18}{shown}")


def valley() -> dict[float, Array]:
    """Descend into a valley a hundred times as steep across as along."""
    print("a long valley: loss after      20       60      200 steps")
    paths = {}
    for momentum in MOMENTA:
        path = descend(momentum)
        losses = 0.5 * (STEEP * path[:, 0] ** 2 + FLAT * path[:, 1] ** 2)
        shown = "".join(f"{losses[step]:9.4f}" for step in (20, 60, 200))
        print(f"  momentum {momentum:4}           {shown}")
        paths[momentum] = path
    return paths


def descend(momentum: float) -> Array:
    """Return the places passed, (201, 2)."""
    p, velocity = np.array(START), np.zeros(2)
    places = [p]
    for _ in range(200):
        g = np.array([STEEP, FLAT]) * p
        p, velocity = optim.sgd(p, g, velocity, learning_rate=0.018, momentum=momentum)
        places.append(p)
    return np.array(places)


def draw(paths: dict[float, Array]) -> Figure:
    """Draw the first sixty steps of each way down, and the losses of all."""
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    map_, curve = figure.subplots(1, 2)
    across, along = np.meshgrid(np.linspace(-1.6, 1.6, 121), np.linspace(-1.1, 1.1, 121))
    height = 0.5 * (STEEP * across**2 + FLAT * along**2)
    map_.contour(across, along, height, levels=np.geomspace(0.01, 120, 12), colors="#bbbbbb")
    for (momentum, path), color, marker in zip(
        paths.items(), drawing.COLORS, drawing.MARKERS, strict=False
    ):
        losses = 0.5 * (STEEP * path[:, 0] ** 2 + FLAT * path[:, 1] ** 2)
        label = f"momentum {momentum}"
        map_.plot(*path[:61].T, marker=marker, color=color, markersize=4, alpha=0.7, label=label)
        curve.semilogy(losses + 1e-12, color=color, label=label)
    map_.set(title="60 steps downhill", xlabel="the steep direction", ylabel="the flat one")
    curve.set(title="loss", xlabel="step", ylim=(1e-8, 200))
    curve.legend()
    return figure
