"""The linear layer by hand, three facts about its gradients, and a regression that learns."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.nn import functional as F

INPUTS, OUTPUTS = 24, 32


def run(course: Any) -> None:
    """Print the example of the page, the facts and the regression; draw the gradients' ranks."""
    by_hand()
    gradients = ranks()
    facts()
    regression()
    course.picture(draw(gradients), "rank")


def by_hand() -> None:
    """One row, then the same row twice."""
    weight = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]])
    bias = np.array([0.5, 0.0, 0.0])
    for times in (1, 2):
        x = np.array([[1.0, 2.0]] * times)
        y, cache = F.linear(x, weight, bias)
        dx, dweight, dbias = F.linear_backward(np.array([[1.0, 0.0, 2.0]] * times), cache)
        print("one row" if times == 1 else "the same row twice")
        print(f"  y {row(y[0])}   dx {row(dx[0])}")
        print(f"  dbias {row(dbias)}   dweight {row(dweight[0])} {row(dweight[1])}")


def row(x: Any) -> str:
    """Return small numbers in brackets."""
    return f"[{' '.join(f'{value:g}' for value in x)}]"


def ranks() -> dict[int, Any]:
    """Return and describe the gradient of one matrix from batches of 1, 4 and 16 rows."""
    rng = np.random.default_rng(0)
    weight, bias = rng.standard_normal((INPUTS, OUTPUTS)), np.zeros(OUTPUTS)
    gradients = {}
    print(f"the rank of dweight, a matrix of {INPUTS} x {OUTPUTS}")
    for rows in (1, 4, 16, 200):
        y, cache = F.linear(rng.standard_normal((rows, INPUTS)), weight, bias)
        gradients[rows] = F.linear_backward(rng.standard_normal(y.shape), cache)[1]
        print(f"  from {rows:3} rows: {np.linalg.matrix_rank(gradients[rows]):2}")
    return gradients


def facts() -> None:
    """The two sums that are one, and an input that is always zero."""
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal((6, 3)), rng.standard_normal((3, 4))
    x[:, 1] = 0.0
    y, cache = F.linear(x, weight, rng.standard_normal(4))
    dx, dweight, _ = F.linear_backward(rng.standard_normal(y.shape), cache)
    print("two sums")
    print(f"  sum(dx * x)           {np.sum(dx * x):.6f}")
    print(f"  sum(dweight * weight) {np.sum(dweight * weight):.6f}")
    print("input 1 is zero in all six rows")
    print(f"  length of each row of dweight: {np.linalg.norm(dweight, axis=1).round(2)}")


def regression() -> None:
    """Go downhill by the gradients; least squares knows the place in advance."""
    rng = np.random.default_rng(2)
    x, noise = rng.standard_normal((50, 3)), 0.1 * rng.standard_normal((50, 1))
    wanted = x @ np.array([[2.0], [-1.0], [0.5]]) + 3.0 + noise
    weight, bias = np.zeros((3, 1)), np.zeros(1)
    print("fifty rows: weights 2, -1, 0.5, bias 3, and noise")
    for step in range(61):
        y, cache = F.linear(x, weight, bias)
        if step % 20 == 0:
            print(f"  step {step:2}: {learned(weight, bias)}")
        _, dweight, dbias = F.linear_backward((y - wanted) / len(x), cache)
        weight, bias = weight - 0.2 * dweight, bias - 0.2 * dbias
    best = np.linalg.lstsq(np.hstack([x, np.ones((50, 1))]), wanted, rcond=None)[0]
    print(f"  least squares: {learned(best[:3], best[3])}")


def learned(weight: Any, bias: Any) -> str:
    """Return weights and bias in one line."""
    return f"weights {np.ravel(weight).round(2) + 0.0}, bias {bias[0]:.2f}"


def draw(gradients: dict[int, Any]) -> Figure:
    """Draw the gradients as matrices, and how many directions each has."""
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    panels = figure.subplots(1, 4)
    for axes, rows in zip(panels, (1, 4, 16), strict=False):
        limit = np.abs(gradients[rows]).max()
        axes.imshow(gradients[rows], cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
        axes.set(title=f"dweight from {rows} row{'s' * (rows > 1)}", xlabel="output")
    panels[0].set_ylabel("input")
    for rows, color, marker in zip((1, 4, 16), drawing.COLORS, drawing.MARKERS, strict=False):
        values = np.linalg.svd(gradients[rows], compute_uv=False)
        panels[3].plot(values, marker=marker, color=color, label=f"{rows} row{'s' * (rows > 1)}")
    panels[3].set(title="singular values", xlabel="direction")
    panels[3].legend()
    return figure
