"""How good a classifier is: by class, and whether its confidence is justified.

Everything is computed from two arrays: the true classes, and the predicted classes or
probabilities. Nothing here depends on the classifier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilm.errors import OptionError

BINS = 10


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count how often each class was predicted as each class: (N,), (N,) -> (K, K) int.

    Parameters
    ----------
    truth, predicted : ndarray of shape (N,), int
        Classes in 0 ... classes - 1.
    classes : int
        K, the number of classes.

    Returns
    -------
    ndarray of shape (K, K), int
        Row i, column j: the examples of class i that were predicted as class j.

    Raises
    ------
    OptionError
        When the lengths differ, or there is a class outside 0 ... classes - 1.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 2)
    array([[1, 1],
           [0, 2]])
    """
    both_sides = np.concatenate([truth, predicted])
    if truth.shape != predicted.shape or not np.isin(both_sides, np.arange(classes)).all():
        raise OptionError(
            f"a confusion matrix of {truth.size} labels and {predicted.size} predictions: give one "
            f"prediction for each label, both in 0 ... {classes - 1}"
        )
    cells = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


@dataclass(frozen=True)
class ClassScores:
    """Scores by class, from a confusion matrix; arrays of shape (K,).

    Attributes
    ----------
    precision : ndarray of float
        The share of examples predicted as the class that are of it: TP / (TP + FP).
    recall : ndarray of float
        The share of examples of the class that are predicted as it: TP / (TP + FN).
    f1 : ndarray of float
        Their harmonic mean, 2 TP / (2 TP + FP + FN).
    support : ndarray of int
        The number of examples of the class.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray

    def __repr__(self) -> str:
        """Return the class with its size."""
        return f"ClassScores({self.support.size} classes, macro-F1 {self.f1.mean():.3f})"


def class_scores(confusion: np.ndarray) -> ClassScores:
    """Return precision, recall and F1 of each class; 0 / 0 counts as 0.

    Examples
    --------
    >>> scores = class_scores(np.array([[1, 1], [0, 2]]))
    >>> scores.precision.round(3), scores.recall.round(3), scores.f1.round(3)
    (array([1.   , 0.667]), array([0.5, 1. ]), array([0.667, 0.8  ]))
    """
    right, taken, support = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)

    def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)

    f1 = share(2 * right, taken + support)
    return ClassScores(share(right, taken), share(right, support), f1, support)


def macro_f1(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Return the mean of the classes' F1: every class counts the same, even a rare one.

    A class that is neither in `truth` nor in `predicted` counts as 0, as in scikit-learn's
    `f1_score(..., labels=range(classes), average="macro", zero_division=0)`.

    Parameters
    ----------
    truth, predicted, classes
        As for `confusion_matrix`.

    Examples
    --------
    >>> macro_f1(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 2)
    0.7333333333333334
    """
    return float(class_scores(confusion_matrix(truth, predicted, classes)).f1.mean())


def macro_f1_of_present(confusion: np.ndarray) -> float:
    """Return the mean F1 of the classes that occur in the truth or in the predictions.

    This is scikit-learn's default, `f1_score(truth, predicted, average="macro")`. It differs from
    `macro_f1` where a class has no example and none was taken for it: there such a class counts
    as 0, here it is left out.

    Parameters
    ----------
    confusion : ndarray of shape (K, K), int

    Examples
    --------
    >>> macro_f1_of_present(np.array([[1, 1, 0], [0, 2, 0], [0, 0, 0]]))
    0.7333333333333334
    """
    occurs = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
    return float(class_scores(confusion).f1[occurs].mean())


@dataclass(frozen=True)
class Calibration:
    """Whether predictions with a confidence of 80 % are right in 80 % of cases.

    Attributes
    ----------
    edges : ndarray of shape (M + 1,)
        Bin m holds the confidences in (edges[m], edges[m + 1]].
    counts : ndarray of shape (M,), int
        Examples in each bin.
    confidence, accuracy : ndarray of shape (M,)
        The mean confidence of the examples in a bin, and the share that is right; 0 if empty.
    expected_error : float
        The expected calibration error: the mean over all examples of |accuracy - confidence| of
        the bin.
    """

    edges: np.ndarray
    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    expected_error: float

    def __repr__(self) -> str:
        """Return the class with its size."""
        return (
            f"Calibration({self.counts.size} bins, {self.counts.sum():,} examples, "
            f"expected error {self.expected_error:.3f})"
        )


def calibration(probabilities: np.ndarray, truth: np.ndarray, *, bins: int = BINS) -> Calibration:
    """Compare confidence, the probability of the most probable class, with how often it is right.

    Parameters
    ----------
    probabilities : ndarray of shape (N, K)
        Each row sums to 1.
    truth : ndarray of shape (N,), int
        Classes in 0 ... K - 1.
    bins : int
        M, the number of bins of equal width between 0 and 1.

    Raises
    ------
    OptionError
        When there are no examples or no bins, or the lengths differ.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On Calibration of Modern Neural Networks, equations 2
    and 3. With few examples, a bin's accuracy is mostly chance and the error looks larger than it
    is, so look at the counts too.

    Examples
    --------
    >>> found = calibration(np.array([[0.9, 0.1], [0.85, 0.15]]), np.array([0, 1]), bins=5)
    >>> found.counts, round(found.expected_error, 3)
    (array([0, 0, 0, 0, 2]), 0.375)
    """
    if bins < 1 or len(truth) < 1 or probabilities.shape[:1] != truth.shape:
        raise OptionError(
            f"calibration of {len(probabilities)} predictions for {len(truth)} labels in {bins} "
            "bins: give one prediction per label, and 1 or more of each"
        )
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == truth
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.searchsorted(edges[1:-1], confidence, side="left")
    counts = np.bincount(place, minlength=bins)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(place, values, minlength=bins) / np.maximum(counts, 1)

    means, accuracy = mean(confidence), mean(is_right)
    error = float(counts @ np.abs(accuracy - means)) / len(truth)
    return Calibration(edges, counts, means, accuracy, error)


def confident_mistakes(
    probabilities: np.ndarray, truth: np.ndarray, count: int
) -> list[tuple[int, int]]:
    """Return the wrong predictions of highest confidence, as pairs of example and predicted class.

    They reveal wrong labels, missing words and traps faster than any score does.

    Parameters
    ----------
    probabilities, truth
        As for `calibration`.
    count : int
        How many, at most.

    Examples
    --------
    >>> probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8]])
    >>> confident_mistakes(probabilities, np.array([1, 1, 1]), 5)
    [(1, 0), (0, 0)]
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    order = np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")[:count]
    return [(int(i), int(predicted[i])) for i in wrong[order]]
