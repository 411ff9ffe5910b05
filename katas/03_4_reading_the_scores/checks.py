"""Cases of the confusion matrix and macro-F1: uneven classes, absent ones, none right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.classify import metrics
from minilm.classify.centroid import NearestCentroid
from minilm.course.cases import Call, Case
from minilm.errors import OptionError


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the same cases for both functions; what is refused, for the first."""
    truth = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 1, 0])
    predicted = np.array([0, 0, 0, 1, 2, 1, 1, 0, 2, 1, 1, 1])
    many = rng.integers(0, 5, 60)
    noisy = np.where(rng.random(60) < 0.6, many, rng.integers(0, 5, 60))
    examples = {
        "three classes, twelve examples": (truth, predicted, 3),
        "five classes, sixty examples": (many, noisy, 5),
        "a class that occurs nowhere": (truth, predicted, 5),
        "class 1 occurs nowhere": (2 * (truth > 0), 2 * (predicted > 0), 3),
        "a class that is never predicted": (truth, np.where(predicted == 2, 0, predicted), 3),
        "a class that is only predicted": (np.where(truth == 2, 0, truth), predicted, 3),
        "nothing right": (truth, (truth + 1) % 3, 3),
        "always the largest class": (truth, np.zeros_like(truth), 3),
        "one example": (np.array([1]), np.array([0]), 2),
    }
    refused = {
        "more predictions than labels": (truth, np.append(predicted, 1), 3),
        "fewer predictions than labels": (truth, predicted[:-1], 3),
        "a true class that is too large": (truth, predicted % 2, 2),
        "a predicted class that is too large": (truth % 2, predicted, 2),
        "a true class -1": (truth - 1, predicted, 3),
        "a predicted class -1": (truth, predicted - 1, 3),
    }
    for target, result in (("confusion_matrix", "confusion"), ("macro_f1", "F1")):
        for name, inputs in examples.items():
            yield Call(target, _named(*inputs), returns=result, name=name)
    for name, inputs in refused.items():
        yield Call("confusion_matrix", _named(*inputs), raises=OptionError, name=name)


def _named(truth: Any, predicted: Any, classes: int) -> dict[str, Any]:
    return {"truth": truth, "predicted": predicted, "classes": classes}


def sums_are_counts(f: Any, rng: np.random.Generator) -> str | None:
    """Compare the sums of rows and columns with plain counts."""
    truth, predicted = rng.integers(0, 4, 40), rng.integers(0, 4, 40)
    table = f.confusion_matrix(truth, predicted, 4)
    if not np.array_equal(table.sum(axis=1), np.bincount(truth, minlength=4)):
        return "row i must sum to how many examples of class i there are, but one of yours does not"
    if not np.array_equal(table.sum(axis=0), np.bincount(predicted, minlength=4)):
        return "column j must sum to how often class j was predicted, but one of yours does not"
    return None


def truth_and_prediction_may_change_places(f: Any, rng: np.random.Generator) -> str | None:
    """Swap the two: precision and recall change places, and F1 stays."""
    truth, predicted = rng.integers(0, 4, 40), rng.integers(0, 4, 40)
    one, other = f.macro_f1(truth, predicted, 4), f.macro_f1(predicted, truth, 4)
    if abs(one - other) > 1e-9:
        return f"labels and predictions swapped must give the same F1, but {one:.6g} != {other:.6g}"
    return None


PROPERTIES = {
    "sums of rows and columns are counts": sums_are_counts,
    "swapping labels and predictions keeps F1": truth_and_prediction_may_change_places,
}


def whole_model() -> dict[str, Any]:
    """Learn three classes of very different size, and score new rows."""
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1, 2], [30, 9, 3])
    rows = rng.standard_normal((42, 4)) + 1.5 * np.eye(3, 4)[labels]
    model = NearestCentroid().fit(rows[::2], labels[::2])
    predicted = model.predict(rows[1::2])
    return {
        "the confusion matrix": metrics.confusion_matrix(labels[1::2], predicted, 3),
        "the macro-F1": metrics.macro_f1(labels[1::2], predicted, 3),
    }


def _steps(truth: Any, predicted: Any, classes: int) -> dict[str, Any]:
    table = metrics.confusion_matrix(truth, predicted, classes)
    scores = metrics.class_scores(table)
    names = {"precision": scores.precision, "recall": scores.recall, "f1": scores.f1}
    return {"table": table, **names}


STEPS = {"macro_f1": _steps}
