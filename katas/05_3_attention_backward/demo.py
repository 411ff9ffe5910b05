"""What the gradient of attention says: by hand, in its zeros, and as a way to learn to look."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.nn import functional as F

TIME, SIZE, STEPS = 6, 8, 60


def run(course: Any) -> None:
    """Print three small experiments and draw the third."""
    by_hand()
    zeros()
    course.picture(draw(*learning()), "where_to_look")


def by_hand() -> None:
    """One query, two keys, every array small enough to compute on paper."""
    q = np.array([[[[1.0]]]])
    k = np.array([[[[0.0], [np.log(3.0)]]]])
    v = np.array([[[[0.0], [4.0]]]])
    y, cache = F.attention(q, k, v)
    dq, dk, dv = F.attention_backward(np.ones_like(y), cache)
    print("one query, two keys")
    print(f"  weights {row(cache[3])}   y {row(y)}")
    print(f"  dq {row(dq)}   dk {row(dk)}   dv {row(dv)}")


def zeros() -> None:
    """Gradients that are zero without a line of code that makes them so."""
    rng = np.random.default_rng(0)
    q, k, v = rng.standard_normal((3, 1, 1, TIME, SIZE))
    y, cache = F.attention(q, k, v)
    dy = rng.standard_normal(y.shape)
    dq, dk, dv = F.attention_backward(dy, cache)
    print("six positions, random")
    print(f"  largest entry of dq:   {np.abs(dq).max():.2f}")
    print(f"  at position 0:         {np.abs(dq[0, 0, 0]).max():.2f}")
    print(f"  largest entry of dk:   {np.abs(dk).max():.2f}")
    print(f"  of its sum over keys:  {np.abs(dk.sum(axis=2)).max():.2f}")
    dy[:, :, np.arange(TIME) != 2] = 0
    _, dk, dv = F.attention_backward(dy, cache)
    print("the loss looks at position 2 only")
    print(f"  length of dk by key:   {row(np.linalg.norm(dk, axis=-1))}")
    print(f"  length of dv by key:   {row(np.linalg.norm(dv, axis=-1))}")


def learning() -> tuple[list[Any], list[Any], Any]:
    """Descend: the last position is to give out what position 1 holds; only q and k may move.

    Returns the weights of the last query at each step, from an open start and from a certain one,
    and the gradient of its scores at the first step.
    """
    q, k, v = np.random.default_rng(5).standard_normal((3, 1, 1, TIME, SIZE))
    print("position 5 learns to copy position 1")
    open_minded, dscores = descend(q, k, v)
    print(f"  gradient of its scores: {row(dscores)}")
    print(f"  weights before:         {row(open_minded[0])}")
    print(f"  after {STEPS} steps:         {row(open_minded[-1])}")
    q[0, 0, 5] = 12 * k[0, 0, 3]
    certain, _ = descend(q, k, v)
    print("the same, but certain of position 3 at first")
    print(f"  weights before:         {row(certain[0])}")
    print(f"  after {STEPS} steps:         {row(certain[-1])}")
    return open_minded, certain, dscores


def descend(q: Any, k: Any, v: Any) -> tuple[list[Any], Any]:
    """Return the last query's weights before each step and after all, and its first dscores."""
    q, k = q.copy(), k.copy()
    history, first = [], None
    for _ in range(STEPS + 1):
        y, cache = F.attention(q, k, v)
        history.append(cache[3][0, 0, 5])
        dy = np.zeros_like(y)
        dy[0, 0, 5] = y[0, 0, 5] - v[0, 0, 1]  # of half the squared distance
        dq, dk, _ = F.attention_backward(dy, cache)
        if first is None:  # dk[t] = dscores[t] * q / sqrt(D), as no other query has a gradient
            last = q[0, 0, 5]
            first = dk[0, 0] @ last * np.sqrt(SIZE) / (last @ last)
        q -= 0.5 * dq
        k -= 0.5 * dk
    return history, first


def row(x: Any) -> str:
    """Return the numbers of an array with two digits, side by side, without a negative zero."""
    return " ".join(f"{value + 0.0:.2f}" for value in np.round(np.ravel(x), 2))


def draw(open_minded: list[Any], certain: list[Any], dscores: Any) -> Figure:
    """Draw the weights of the last query before and after, its gradient, and the way between."""
    figure = Figure(figsize=(13, 4.4), layout="constrained")
    weights, pull, way = figure.subplots(1, 3)
    keys = np.arange(TIME)
    weights.bar(keys - 0.2, open_minded[0], 0.4, color=drawing.COLORS[5], label="before")
    weights.bar(
        keys + 0.2, open_minded[-1], 0.4, color=drawing.COLORS[0], label="after", hatch="//"
    )
    weights.set(title="weights of the last query", xlabel="key", xticks=keys)
    weights.legend()
    pull.bar(keys, -dscores, color=drawing.COLORS[1])
    pull.axhline(0, color="black", linewidth=1)
    pull.set(title="first step: minus dscores", xlabel="key", xticks=keys)
    for history, label, style in ((open_minded, "open", "-"), (certain, "certain of key 3", "--")):
        color = drawing.COLORS[0 if label == "open" else 1]
        way.plot([step[1] for step in history], style, color=color, linewidth=3, label=label)
    way.set(title="weight on key 1, the right one", xlabel="step", ylim=(-0.03, 1.03))
    way.legend()
    return figure
