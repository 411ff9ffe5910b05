"""Live code of kata 11.1: what a norm forgets, where its outputs can be, what goes back."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm.arrays import Array
from minilm.course.demos import Course
from minilm.nn import functional as F


def run(course: Course) -> None:
    """Print four experiments, and draw where outputs of two channels are."""
    by_hand()
    what_is_forgotten()
    all_alike()
    backward()
    course.picture(draw(), "two_channels")


def by_hand() -> None:
    """Print the example of the page."""
    x, ones = np.array([[1.0, 7.0]]), np.ones(2)
    y, cache = F.rms_norm(x, ones, 0.0)
    dx, dgain = F.rms_norm_backward(np.array([[1.0, 0.0]]), cache)
    print("by hand: the row 1, 7")
    print(f"  root mean square {1 / cache[1][0, 0]:.1f}   y {numbers(y[0], 1)}")
    print(f"  dx {numbers(dx[0], 3)}   dgain {numbers(dgain, 1)}")


def what_is_forgotten() -> None:
    """Stretch a row, and shift it."""
    rng = np.random.default_rng(3)
    x, ones = rng.standard_normal(4), np.ones(4)
    print("a row of four  RMS norm               layer norm")
    for name, row in {"as it is": x, "times ten": 10 * x, "plus three": x + 3}.items():
        rms, layer = F.rms_norm(row, ones)[0], F.layer_norm(row, ones, np.zeros(4))[0]
        print(f"  {name:12}{numbers(rms, 1)}    {numbers(layer, 1)}")


def all_alike() -> None:
    """Give both norms a row of equal entries."""
    row, ones = np.full(4, 5.0), np.ones(4)
    rms, layer = F.rms_norm(row, ones)[0], F.layer_norm(row, ones, np.zeros(4))[0]
    print("the row 5, 5, 5, 5")
    print(f"  RMS norm   {numbers(rms, 1)}")
    print(f"  layer norm {numbers(layer, 1)}")


def backward() -> None:
    """Sum up dx, and multiply it with the row."""
    rng = np.random.default_rng(5)
    x, gain = rng.standard_normal((3, 6)), rng.standard_normal(6)
    y, cache = F.rms_norm(x, gain, 0.0)
    dx, _ = F.rms_norm_backward(rng.standard_normal(y.shape), cache)
    print("the gradient of three rows")
    print("  row    sum of dx    dx . normalized")
    for i, row in enumerate(dx):
        along = float(row @ cache[0][i])
        print(f"  {i}      {row.sum():9.2f}    {abs(along) if abs(along) < 5e-4 else along:9.2f}")


def numbers(row: Array, digits: int) -> str:
    """Return numbers side by side."""
    return " ".join(f"{value + 0.0:{digits + 3}.{digits}f}" for value in row)


def draw() -> Figure:
    """Draw random rows of two channels, and where each norm puts them."""
    x = np.random.default_rng(1).standard_normal((300, 2)) * [1.2, 0.8] + [0.6, 0.3]
    ones = np.ones(2)
    panels = {
        "before": x,
        "after layer norm": F.layer_norm(x, ones, np.zeros(2), 0.0)[0],
        "after RMS norm": F.rms_norm(x, ones, 0.0)[0],
    }
    colors = np.arctan2(x[:, 1], x[:, 0])
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    for axes, (title, points) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        axes.scatter(*points.T, c=colors, cmap="twilight", s=18)
        axes.axhline(0, color="gray", linewidth=0.5)
        axes.axvline(0, color="gray", linewidth=0.5)
        axes.set(title=title, xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal")
        axes.set(xlabel="channel 0", ylabel="channel 1")
    return figure
