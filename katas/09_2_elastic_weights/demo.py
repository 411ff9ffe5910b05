"""Live code of kata 9.2: a coin by hand, a real coin, a spring, and the old text's parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.training import forgetting

STRENGTHS = (0.0, 1.0, 4.0, 16.0)
OLD = np.array([2.0, 1.0])  # the best parameters for the old text
NEW = np.array([0.0, 0.0])  # and for the new one
STIFF = np.array([4.0, 0.25])  # how much the old text minds


class Coin:
    """Two tokens, two parameters: token 1 comes with the chance sigmoid(w x + b)."""

    def __init__(self, weight: float, bias: float) -> None:
        self.theta = np.array([weight, bias])
        self.parameters = SimpleNamespace(count=lambda: 2, dtype=np.dtype(float))

    def logits(self, ids: Any) -> Any:
        """Return the logits of both tokens: (B, T) -> (B, T, 2)."""
        return np.stack([np.zeros(ids.shape), self.theta[0] * ids + self.theta[1]], axis=-1)

    def loss_and_grad(self, ids: Any, targets: Any) -> tuple[float, Any]:
        """Return the mean loss and its gradient."""
        z = self.logits(ids)[..., 1]
        error = 1 / (1 + np.exp(-z)) - targets
        flat = np.array([(error * ids).mean(), error.mean()])
        return float((np.logaddexp(0, z) - targets * z).mean()), SimpleNamespace(flat=flat)


def run(course: Course) -> None:
    """Print three small experiments and draw the last."""
    a_coin()
    whose_tokens()
    course.picture(draw(springs()), "springs")


def a_coin() -> None:
    """Estimate the information of the worked example with more and more windows."""
    coin: Any = Coin(0.0, float(np.log(3)))
    print("information of     w      b")
    print("  by hand      0.750  0.188")
    for count in (10, 100, 2000):
        windows = np.full((count, 1), 2)
        found = forgetting.fisher_diagonal(coin, windows, rng=np.random.default_rng(1))
        print(f"  {count:5,} draws  {found[0]:.3f}  {found[1]:.3f}")
    found = forgetting.fisher_diagonal(coin, np.full((2000, 4), 2), rng=np.random.default_rng(1))
    print(f"  in fours     {found[0]:.3f}  {found[1]:.3f}")


def whose_tokens() -> None:
    """Compare tokens of the model with those of a text that always goes on with token 1."""
    print("information of b, by how sure the coin is")
    print("  chance of token 1   model's   a text of ones")
    for chance in (0.5, 0.75, 0.9, 0.99):
        of_text = (1 - chance) ** 2
        print(f"  {chance:17.2f} {chance * (1 - chance):9.4f} {of_text:16.4f}")


def springs() -> dict[float, Any]:
    """Go downhill on the new loss, held by springs of several strengths; return the paths."""
    print("two parameters, held by springs of stiffness 4 and 1/4")
    print("  strength      w      b   old loss   new loss")
    paths = {}
    for strength in STRENGTHS:
        theta = OLD.copy()
        path = [theta]
        for _ in range(400):
            _, cache = forgetting.penalty(theta, OLD, STIFF, strength)
            slope = (theta - NEW) + forgetting.penalty_backward(1.0, cache)
            theta = theta - 0.02 * slope
            path.append(theta)
        paths[strength] = np.array(path)
        old = 0.5 * float(np.sum(STIFF * (theta - OLD) ** 2))
        new = 0.5 * float(np.sum((theta - NEW) ** 2))
        print(f"  {strength:8.0f} {theta[0]:6.2f} {theta[1]:6.2f} {old:10.2f} {new:10.2f}")
    return paths


def draw(paths: dict[float, Any]) -> Figure:
    """Draw the valley of the old loss, and where each path ends."""
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.subplots()
    w, b = np.meshgrid(np.linspace(-0.4, 2.6, 80), np.linspace(-0.4, 1.4, 80))
    valley = 0.5 * (STIFF[0] * (w - OLD[0]) ** 2 + STIFF[1] * (b - OLD[1]) ** 2)
    axes.contour(w, b, valley, levels=[0.05, 0.2, 0.5, 1, 2, 4, 8], colors="0.7", linewidths=1)
    for i, (strength, path) in enumerate(paths.items()):
        color = drawing.COLORS[i]
        axes.plot(*path.T, color=color)
        axes.plot(*path[-1], "o", color=color, markersize=9, label=f"strength {strength:g}")
    axes.plot(*OLD, "k*", markersize=14, label="old model")
    axes.plot(*NEW, "kX", markersize=10, label="best for the new text")
    axes.set(xlabel="w, which the old text minds", ylabel="b, which it hardly does")
    axes.legend(loc="lower right", fontsize="small")
    return figure
