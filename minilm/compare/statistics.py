"""What a comparison may claim: intervals, differences, p-values, verdicts.

Two things vary between one comparison and the next: the labelled sample (the seed) and the test
items. So a condition's runs are kept as a boolean array of shape (S, N), seeds by test items, True
where the item was classified correctly, and every interval here comes from a bootstrap that draws
both anew: seeds with replacement and, independently, items with replacement. Owen (2007) shows that
this errs on the safe side for crossed factors (it overstates the variance), where resampling one of
the two alone understates it, badly. With one seed only the items vary, and the spread between
labelled samples is not in the interval.

Sums of outcomes are whole numbers, exact in float64, so a result does not depend on the BLAS.

References
----------
Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 13 and 16.
Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1(2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from minilm.errors import OptionError

Verdict = Literal["better", "worse", "cannot tell"]

RESAMPLES = 10_000
LEVEL = 0.05
# Resamples drawn at a time: few enough that the work stays in the cache, and part of what a seed of
# the generator means.
_BLOCK = 256


@dataclass(frozen=True)
class Estimate:
    """A mean accuracy and its 95 % interval, as fractions of 1."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A difference of two mean accuracies, its 95 % interval and two-sided p-value."""

    difference: float
    low: float
    high: float
    p: float


def mean_and_interval(
    correct: np.ndarray, *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Estimate:
    """Estimate a condition's accuracy: its mean over seeds and items, and a 95 % interval.

    Parameters
    ----------
    correct : ndarray of shape (S, N), bool
        Whether each test item was classified correctly, by seed.
    rng : numpy.random.Generator
        Draws the resamples.
    resamples : int, default 10,000
        How many.

    Returns
    -------
    Estimate
        The interval is the percentile interval of the bootstrap over seeds and items.

    Raises
    ------
    OptionError
        When `correct` is not such an array, or the resamples are too few for an interval.

    Examples
    --------
    >>> correct = np.array([[True, True, False, True], [True, False, False, True]])
    >>> mean_and_interval(correct, rng=np.random.default_rng(0)).mean
    0.625
    """
    outcomes = _check(correct)
    means = bootstrap_means(outcomes, rng=rng, resamples=resamples)
    return Estimate(float(outcomes.mean()), *percentile_interval(means))


def paired_difference(
    correct_a: np.ndarray,
    correct_b: np.ndarray,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Difference:
    """Estimate by how much condition a is more accurate than condition b on the same seeds and items.

    Each resample takes the same seeds and the same items for both conditions. The p-value turns the
    percentile interval round: with count the number of resampled differences on the other side of
    zero, or at it, on whichever side there are fewer,

        p = min(1, 2 * (1 + count) / (1 + resamples)).

    It is never 0, and it is at most 0.05 exactly when the 95 % interval leaves out zero.

    Parameters
    ----------
    correct_a, correct_b : ndarray of shape (S, N), bool
        The outcomes of two conditions; row s and column n mean the same in both.
    rng : numpy.random.Generator
        Draws the resamples.
    resamples : int, default 10,000
        How many.

    Raises
    ------
    OptionError
        When the arrays are not of one shape (S, N), or the resamples are too few for an interval.

    Examples
    --------
    >>> a = np.array([[True, True, True, True, False, True, True, True]])
    >>> b = np.array([[True, False, False, True, False, True, False, False]])
    >>> result = paired_difference(a, b, rng=np.random.default_rng(0))
    >>> result.difference, result.low > 0, result.p < 0.05
    (0.5, True, True)
    """
    a, b = _check(correct_a), _check(correct_b)
    if a.shape != b.shape:
        raise OptionError(
            f"outcomes of shapes {a.shape} and {b.shape} cannot be paired; "
            "compare runs with the same seeds on the same test items"
        )
    outcomes = a - b
    means = bootstrap_means(outcomes, rng=rng, resamples=resamples)
    count = min(np.count_nonzero(means <= 0), np.count_nonzero(means >= 0))
    p = min(1.0, 2 * (1 + int(count)) / (1 + resamples))
    return Difference(float(outcomes.mean()), *percentile_interval(means), p)


def bootstrap_means(
    outcomes: np.ndarray, *, rng: np.random.Generator, resamples: int
) -> np.ndarray:
    """Return the means of `outcomes` with seeds and items drawn anew: (S, N) -> (resamples,).

    In each resample every item drawn meets every seed drawn. So the drawn seeds can be added up
    first, as how often each was drawn times the outcomes, (R, S) @ (S, N), and the drawn items
    picked from that sum.

    Parameters
    ----------
    outcomes : ndarray of shape (S, N), float64
        Whole numbers.
    rng : numpy.random.Generator
        Draws seeds, then items, in blocks of 256 resamples.
    resamples : int
        R, how many means to return.
    """
    seeds, items = outcomes.shape
    sums = np.empty(resamples)
    for first in range(0, resamples, _BLOCK):
        count = min(_BLOCK, resamples - first)
        row = np.arange(count)[:, np.newaxis]
        drawn_seeds = rng.integers(seeds, size=(count, seeds))
        times_drawn = np.bincount((drawn_seeds + seeds * row).ravel(), minlength=count * seeds)
        by_item = times_drawn.reshape(count, seeds) @ outcomes
        drawn_items = rng.integers(items, size=(count, items))
        sums[first : first + count] = by_item.ravel()[drawn_items + items * row].sum(axis=1)
    return sums / (seeds * items)


def percentile_interval(means: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 95 % percentile interval of R resampled means.

    With k = floor(0.025 * (R + 1)) they are the k-th smallest and the k-th largest (Davison and
    Hinkley 1997, Bootstrap Methods and their Application, section 5.2.1).

    Examples
    --------
    >>> percentile_interval(np.arange(1.0, 1000.0))
    (25.0, 975.0)
    """
    k = math.floor(LEVEL / 2 * (len(means) + 1))
    if k < 1:
        raise OptionError(f"resamples is {len(means)}; a 95 % interval needs 39 or more")
    ordered = np.sort(means)
    return float(ordered[k - 1]), float(ordered[-k])


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of a family of m tests so that any false claim in it stays at its level.

    The i-th smallest (from 0) is multiplied by m - i; an adjusted value is never below that of a
    smaller p-value, nor above 1.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6(2).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def verdict(difference: Difference, adjusted_p: float) -> Verdict:
    """Say in words what a difference shows at the 5 % level.

    "better" or "worse" needs both: an interval on one side of zero, and an adjusted p of 0.05 or
    less. An interval can leave out zero and the verdict still be "cannot tell": Holm's correction
    asks more of each test the more of them there are.

    Parameters
    ----------
    difference : Difference
        Condition minus baseline.
    adjusted_p : float
        Its p-value after `holm`, within the family of comparisons that are read together.

    Examples
    --------
    >>> verdict(Difference(0.05, 0.02, 0.08, 0.001), 0.004)
    'better'
    >>> verdict(Difference(0.05, 0.001, 0.09, 0.04), 0.16)
    'cannot tell'
    """
    if adjusted_p > LEVEL or difference.low <= 0 <= difference.high:
        return "cannot tell"
    return "better" if difference.difference > 0 else "worse"


def macro_f1(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Return the mean over the classes of F1 = 2 TP / (2 TP + FP + FN).

    A class that is neither in `truth` nor predicted counts as 0, as in scikit-learn's
    `f1_score(..., labels=range(classes), average="macro", zero_division=0)`.

    Parameters
    ----------
    truth, predicted : ndarray of shape (N,), int
        Classes in 0 ... classes - 1.
    classes : int
        How many classes there are.

    Examples
    --------
    >>> macro_f1(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 2)
    0.7333333333333334
    """
    confusion = np.bincount(truth * classes + predicted, minlength=classes * classes)
    confusion = confusion.reshape(classes, classes)
    both = confusion.sum(axis=0) + confusion.sum(axis=1)  # 2 TP + FP + FN
    scores = np.divide(2 * confusion.diagonal(), both, out=np.zeros(classes), where=both > 0)
    return float(scores.mean())


def _check(correct: np.ndarray) -> np.ndarray:
    """Return boolean outcomes as float64, or raise OptionError with the reason."""
    correct = np.asarray(correct)
    if correct.ndim != 2 or correct.dtype != np.bool_ or not correct.size:
        raise OptionError(
            f"outcomes have shape {correct.shape} and type {correct.dtype}; "
            "give booleans of shape (seeds, test items), at least one of each"
        )
    return correct.astype(np.float64)
