"""What a loss in nats says, why exp is shifted, and why it is the logarithm that is minimized."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.nn import functional as F
from minilm.nn import gpt
from minilm.nn.config import GPTConfig

STEPS = 200


def run(course: Any) -> None:
    """Print four small experiments and draw the last."""
    by_hand()
    shifted()
    knows_nothing()
    course.picture(draw(gradients(), certain_and_wrong()), "certain_and_wrong")


def by_hand() -> None:
    """Three words with odds 1 : 2 : 5."""
    logits = np.log([[1.0, 2.0, 5.0]])
    print(f"odds 1 : 2 : 5   probabilities {row(F.softmax(logits)[0])}")
    for target in (0, 2):
        loss, cache = F.cross_entropy(logits, np.array([target]))
        dlogits = F.cross_entropy_backward(1.0, cache)
        print(f"  target {target}: loss {loss:.3f}   dlogits {row(dlogits)}")


def shifted() -> None:
    """The same differences at three levels."""
    print("the same scores, lifted by 0, 100 and 1000")
    for level in (0.0, 100.0, 1000.0):
        x = np.array([0.0, 1.0, 2.0], np.float32) + np.float32(level)
        with np.errstate(over="ignore", invalid="ignore"):
            naive = np.exp(x) / np.exp(x).sum()
        print(f"  exp(x) / sum: {row(naive)}   yours: {row(F.softmax(x)[0])}")


def knows_nothing() -> None:
    """The loss of new models, before they have seen a word."""
    rng = np.random.default_rng(0)
    print("a new model, and the logarithm of its vocabulary")
    for words in (16, 512, 4096):
        model = gpt.GPT(GPTConfig(words, 16, 32, 1, 2), rng=rng)
        ids = rng.integers(0, words, (8, 17))
        print(f"  {words:4} words: loss {model.loss(ids[:, :-1], ids[:, 1:]):.2f}", end="")
        print(f"   ln {words:4} = {np.log(words):.2f}")


def gradients() -> dict[str, list[float]]:
    """How hard the right logit is pulled when another one leads by a margin."""
    margins = np.arange(0.0, 13.0)
    pulls: dict[str, list[float]] = {"cross-entropy": [], "squared error": []}
    print("how hard the right one of two logits is pulled up")
    print("  it lags by   p(right)   cross-entropy   squared error")
    for margin in margins:
        logits = np.array([[0.0, margin]])
        p = F.softmax(logits)[0][0, 0]
        pull = {name: -slope(logits)[0, 0] for name, slope in SLOPES.items()}
        for name, value in pull.items():
            pulls[name].append(value)
        if margin in (0, 2, 6, 12):
            print(
                f"  {margin:10.0f}   {p:8.6f}   {pull['cross-entropy']:13.6f}"
                f"   {pull['squared error']:13.6f}"
            )
    return pulls


def certain_and_wrong() -> dict[str, list[float]]:
    """Go downhill from a lag of 8, with either loss."""
    print(f"{STEPS} steps downhill from a lag of 8")
    ways: dict[str, list[float]] = {}
    for name, slope in SLOPES.items():
        logits = np.array([[0.0, 8.0]])
        ways[name] = []
        for _ in range(STEPS + 1):
            ways[name].append(F.softmax(logits)[0][0, 0])
            logits = logits - 0.1 * slope(logits)
        print(f"  {name}: p(right) {ways[name][0]:.4f} -> {ways[name][-1]:.4f}")
    return ways


def cross_entropy_slope(logits: Any) -> Any:
    """Return the gradient of minus the logarithm of p(right)."""
    return F.cross_entropy_backward(1.0, F.cross_entropy(logits, np.array([0]))[1])


def squared_error_slope(logits: Any) -> Any:
    """Return the gradient of the squared distance from (1, 0), by way of the softmax."""
    p, cache = F.softmax(logits)
    return F.softmax_backward(2 * (p - np.array([[1.0, 0.0]])), cache)


SLOPES = {"cross-entropy": cross_entropy_slope, "squared error": squared_error_slope}


def row(x: Any) -> str:
    """Return the numbers of an array with three digits, side by side."""
    return " ".join(f"{value:.3f}" for value in np.ravel(x))


def draw(pulls: dict[str, list[float]], ways: dict[str, list[float]]) -> Figure:
    """Draw the pull by margin, and what comes of it step by step."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    pull, way = figure.subplots(1, 2)
    for name, color, style in zip(pulls, drawing.COLORS, ("-", "--"), strict=False):
        pull.plot(pulls[name], style, color=color, linewidth=3, label=name)
        way.plot(ways[name], style, color=color, linewidth=3, label=name)
    pull.set(title="pull on the right logit", xlabel="how far it lags behind the wrong one")
    way.set(title="probability of the right one", xlabel="step", ylim=(-0.03, 1.03))
    pull.legend()
    way.legend()
    return figure
