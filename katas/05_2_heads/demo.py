"""Live code of kata 5.2: where the numbers go, and what a reshape alone does to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minilm import drawing
from minilm.nn import functional as F

TIME, HEADS, SIZE = 4, 3, 2


def run(course: Any) -> None:
    """Print where the numbers go, compare with a reshape, and draw."""
    x = numbered()
    split = F.split_heads(x, HEADS)
    print("x: the number at position t, channel c is 10 t + c")
    table(x[0])
    for head in range(HEADS):
        print(f"head {head}")
        table(split[0, head])
    back = np.array_equal(F.merge_heads(split), x)
    print(f"merged again, it is x: {'yes' if back else 'no'}")
    cut = x.reshape(1, HEADS, TIME, SIZE)
    print("a reshape alone, head 0")
    table(cut[0, 0])
    reach()
    course.picture(draw(split[0], cut[0]), "heads")


def numbered() -> Any:
    """Return x of shape (1, T, C), with numbers that say where they come from."""
    return (10 * np.arange(TIME)[:, None] + np.arange(HEADS * SIZE))[None].astype(float)


def table(x: Any) -> None:
    """Print a table of whole numbers."""
    for line in x:
        print("  " + " ".join(f"{int(value):2d}" for value in line))


def reach() -> None:
    """How far does a token reach when heads are cut by a reshape alone?"""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1, TIME, HEADS * SIZE))
    changed = x.copy()
    changed[0, 0] += 1
    print("attention with another token at position 0: does y change?")
    cuts = {
        "split and merge": (lambda a: F.split_heads(a, HEADS), F.merge_heads),
        "reshape alone": (
            lambda a: a.reshape(1, HEADS, TIME, SIZE),
            lambda a: a.reshape(1, TIME, HEADS * SIZE),
        ),
    }
    for name, (split, merge) in cuts.items():
        outputs = []
        for values in (x, changed):
            parts = split(values)
            outputs.append(merge(F.attention(parts, parts, parts)[0]))
        moved = np.abs(outputs[1] - outputs[0]).max(axis=-1)[0] > 1e-9
        shown = "  ".join(f"{t}: {'yes' if m else 'no'}" for t, m in enumerate(moved))
        print(f"  {name + ':':17}{shown}")


def draw(split: Any, cut: Any) -> Figure:
    """Draw x with each number in the color of its head, both ways."""
    figure = Figure(figsize=(12, 4.9), layout="constrained")
    ways = figure.subplots(1, 2)
    titles = ("split_heads", "a reshape alone: wrong")
    for axes, parts, title in zip(ways, (split, cut), titles, strict=True):
        for head in range(HEADS):
            for value in parts[head].ravel():
                t, c = divmod(int(value), 10)
                color = drawing.COLORS[head]
                axes.add_patch(Rectangle((c - 0.48, t - 0.48), 0.96, 0.96, color=color))
                axes.text(c, t, f"{head}", ha="center", va="center", color="white", size=20)
        axes.set(xlim=(-0.5, HEADS * SIZE - 0.5), ylim=(TIME - 0.5, -0.5), title=title)
        axes.set(xlabel="channel", ylabel="position", aspect="equal")
        axes.set_xticks(range(HEADS * SIZE))
        axes.set_yticks(range(TIME))
    figure.suptitle("which head gets which number of x?")
    return figure
