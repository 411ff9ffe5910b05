"""How much unlabelled text is worth how many labels.

A condition that was pretrained on an amount of text reaches some accuracy with few labels. How many
labels do classifiers without text need for the same?
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from minilm.compare.report.results import Record, Results


def conditions(results: Results) -> list[str]:
    """Return the conditions, no controls, that were tried with several amounts of one text.

    Empty where there is one budget only, which makes no curve.
    """
    if len(results.budgets) < 2:
        return []
    return [
        name
        for name in results.names
        if not results.about(name)["control"]
        and without_text(results, name)
        and len(amounts(results, name)) > 1
    ]


def without_text(results: Results, name: str) -> list[str]:
    """Return the baselines of a condition that use no text: what the text is measured against."""
    return [
        baseline
        for baseline in results.about(name)["baselines"]
        if baseline in results.names and not results.about(baseline)["uses_text"]
    ]


def amounts(results: Results, name: str) -> list[int]:
    """Return the numbers of words of the main text that a condition was tried with, ascending."""
    corpus = results.cells(name)[0]["corpus"]
    cells = results.cells(name, main=False)
    return sorted({cell["words"] for cell in cells if cell["corpus"] == corpus})


def curve(results: Results, name: str, words: int) -> list[Record]:
    """Return the cells of a condition with this much of the main text, budgets ascending."""
    corpus = results.cells(name)[0]["corpus"]
    cells = results.cells(name, main=False)
    return [cell for cell in cells if (cell["corpus"], cell["words"]) == (corpus, words)]


def labels(baseline: Sequence[Record], accuracy: float) -> float | None:
    """Return with how many labels a baseline reaches an accuracy; None where it never does.

    Between two budgets its curve is taken as straight over the logarithm of the labels.

    Parameters
    ----------
    baseline : sequence of dict
        Its cells at ascending budgets.
    accuracy : float
        To be reached.

    Examples
    --------
    >>> cells = [{"budget": 16, "mean": 0.5}, {"budget": 64, "mean": 0.7}]
    >>> round(labels(cells, 0.6), 6), labels(cells, 0.8)
    (32.0, None)
    """
    for before, after in itertools.pairwise(baseline):
        low, high = before["mean"], after["mean"]
        if low <= accuracy <= high:
            share = (accuracy - low) / (high - low) if high > low else 0.0
            return float(before["budget"] * math.pow(after["budget"] / before["budget"], share))
    return None


def sentences(results: Results) -> list[str]:
    """Return what each amount of text is worth to each condition at its smallest budget."""
    found = []
    for name in conditions(results):
        # The last baseline: a classifier that learns from labels alone, where one was run.
        baseline = without_text(results, name)[-1]
        cells = results.cells(baseline)
        for words in amounts(results, name):
            cell = curve(results, name, words)[0]
            found.append(
                f"{name} with {cell['budget']} labels and {words:,} words of text: "
                f"{cell['mean']:.3f}, {_worth(cells, cell['mean'], baseline)}."
            )
    return found


def _worth(cells: list[Record], accuracy: float, baseline: str) -> str:
    found = labels(cells, accuracy)
    if found is not None:
        return f"for which {baseline} needs about {found:.0f} labels"
    if accuracy < cells[0]["mean"]:
        return f"less than {baseline} with {cells[0]['budget']} labels"
    return f"more than {baseline} with any number of labels up to {cells[-1]['budget']}"
