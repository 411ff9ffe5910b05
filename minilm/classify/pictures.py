"""Pictures of a classifier: the effect of each word, and which classes it confuses."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.classify.explain import Explanation

_FOR, _AGAINST = drawing.COLORS[:2]


def draw_explanation(
    path: str | os.PathLike[str], explanation: Explanation, classes: Sequence[str], target: int
) -> None:
    """Write a bar for each word, to the right if it is evidence for the class.

    Parameters
    ----------
    path : path-like
        Its name ends in .png or .svg.
    explanation : Explanation
        For a long text, only the words with the largest effects are drawn.
    classes : sequence of K str
    target : int
        The class whose probability is explained.
    """
    shown = explanation.strongest(target)
    effects = explanation.effects(target)[shown]
    name = classes[target]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for color, hatch, chosen, label in (
            (_FOR, "", effects > 0, f"evidence for {name}"),
            (_AGAINST, "/", effects <= 0, "evidence against it"),
        ):
            places = np.flatnonzero(chosen)
            bars = axes.barh(places, effects[places], 0.75, color=color, hatch=hatch)
            bars.set_label(label)
        axes.axvline(0, color="black", linewidth=1)
        words = [_cut(explanation.words[i]) for i in shown]
        axes.set_yticks(range(len(words)), words, parse_math=False)
        axes.invert_yaxis()  # read from the top, like the text
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"P({name}) less P({name}) without the word", parse_math=False)
        probability = explanation.probabilities[target]
        axes.set_title(f"P({name}) = {probability:.2f}: what each word did", parse_math=False)
        legend = figure.legend(loc="outside lower center", ncols=2)
        for text in legend.get_texts():
            text.set_parse_math(False)

    drawing.write(path, draw, size=(11, max(3.6, 1.9 + 0.33 * len(shown))))


def draw_confusion(
    path: str | os.PathLike[str], confusion: np.ndarray, classes: Sequence[str]
) -> None:
    """Write a confusion matrix: a row for each true class, cells shaded by their share of it.

    Parameters
    ----------
    path : path-like
        Its name ends in .png or .svg.
    confusion : ndarray of shape (K, K), int
        As `metrics.confusion_matrix` returns it.
    classes : sequence of K str
    """
    count = len(classes)
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if count <= 12:
            for i, j in np.ndindex(count, count):
                color = "white" if shares[i, j] > 0.65 else "black"
                text = f"{confusion[i, j]:,}\n{shares[i, j]:.0%}"
                axes.text(
                    j, i, text, ha="center", va="center", color=color, fontsize=16 - count / 3
                )
        names = [_cut(name) for name in classes]
        turn = 0 if count <= 4 else 45
        side = "center" if count <= 4 else "right"
        axes.set_xticks(range(count), names, rotation=turn, ha=side, parse_math=False)
        axes.set_yticks(range(count), names, parse_math=False)
        axes.grid(visible=False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true class")
        axes.set_title(f"Right in {confusion.trace():,} of {confusion.sum():,}")
        figure.colorbar(image, label="share of the true class", format=lambda x, _: f"{x:.0%}")

    side = min(16.0, 4.6 + 0.8 * count)
    drawing.write(path, draw, size=(side + 1.4, side))


def _cut(name: str) -> str:
    return name if len(name) <= 24 else name[:23] + "…"
