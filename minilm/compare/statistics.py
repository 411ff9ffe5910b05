"""What a comparison may claim: intervals, differences, p-values, verdicts.

A condition's runs are kept as a boolean array of shape (R, N), runs by test items, True where the
item was classified correctly, with the seed and the pretraining of each run. Intervals come from
`bootstrap`, which resamples pretrainings, seeds and items; `paired` does many at once.

References
----------
Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 13 and 16.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from minilm.compare.bootstrap import LEVEL, Keys, bootstrap_means, percentile_interval
from minilm.errors import OptionError

Verdict = Literal["better", "worse", "cannot tell"]
RESAMPLES = 10_000


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
    correct: np.ndarray,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    keys: Keys | None = None,
) -> Estimate:
    """Estimate a condition's accuracy: its mean over runs and items, and a 95 % interval.

    Parameters
    ----------
    correct : ndarray of shape (R, N), bool
        Whether each test item was classified correctly, by run.
    rng : numpy.random.Generator
        Draws the resamples.
    resamples : int, default 10,000
        How many.
    keys : tuple of (int, int), optional
        The seed and the pretraining of each run; by default R seeds with one pretraining.

    Returns
    -------
    Estimate
        The interval is the percentile interval of the bootstrap over runs and items.

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
    outcomes = _as_outcomes(correct)
    means = bootstrap_means(outcomes, rng=rng, resamples=resamples, keys=keys)
    return estimate(float(outcomes.mean()), means)


def estimate(value: float, means: np.ndarray) -> Estimate:
    """Return an accuracy with the interval of its resampled values, which ends at 0 and at 1.

    Resampled values beyond come from the small-sample factor, where pretrainings are few.

    >>> estimate(0.9, np.linspace(0.7, 1.1, 999)).high
    1.0
    """
    low, high = percentile_interval(means)
    return Estimate(value, max(0.0, low), min(1.0, high))


def paired_difference(
    correct_a: np.ndarray,
    correct_b: np.ndarray,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    keys: Keys | None = None,
) -> Difference:
    """Estimate how much more accurate condition a is than b, run on the same seeds and items.

    See `difference` for the p-value.

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
    >>> result.difference, result.low > 0, result.p
    (0.5, True, 0.125)
    """
    a, b = _as_outcomes(correct_a), _as_outcomes(correct_b)
    if a.shape != b.shape:
        raise OptionError(
            f"outcomes of shapes {a.shape} and {b.shape} cannot be paired; "
            "compare runs with the same seeds on the same test items"
        )
    outcomes = a - b
    means = bootstrap_means(outcomes, rng=rng, resamples=resamples, keys=keys)
    return difference(float(outcomes.mean()), means, differing(a, b))


def differing(correct_a: np.ndarray, correct_b: np.ndarray) -> int:
    """Return at how many test items two conditions differ: (S, N), (S, N) -> count.

    >>> differing(np.array([[1, 0, 0], [0, 1, 1]]), np.array([[0, 0, 0], [1, 0, 1]]))
    1
    """
    by_item = correct_a.sum(axis=0, dtype=np.int64) - correct_b.sum(axis=0, dtype=np.int64)
    return int(np.count_nonzero(by_item))


def difference(value: float, means: np.ndarray, differing_items: int | None = None) -> Difference:
    """Return the estimate of a difference from its resampled values.

    The p-value inverts the percentile interval: with count the number of resampled differences at
    or below zero, or at or above it, whichever is smaller,

        p = min(1, 2 * (1 + count) / (1 + resamples)).

    It is never 0, and it is at most 0.05 exactly when the 95 % interval leaves out zero; but where
    the two differ at a handful of items only, p is at least what a sign test can give.

    Parameters
    ----------
    value : float
        The difference itself.
    means : ndarray of shape (R,)
        Resampled.
    differing_items : int, optional
        At how many test items the two conditions differ. A sign test on this many cannot give a
        smaller p than 2 / 2**items, and resampling a handful of items must not claim more.
    """
    count = min(np.count_nonzero(means <= 0), np.count_nonzero(means >= 0))
    p = 2 * (1 + int(count)) / (1 + len(means))
    if differing_items is not None:
        p = max(p, 2.0 ** (1 - differing_items))
    return Difference(value, *percentile_interval(means), min(1.0, p))


def wilson_interval(right: int, items: int) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy that was measured once, on one test set.

    The score interval of a proportion, which does not shrink to nothing where all or none are
    right, as resampling a handful of items does.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, Journal of
    the American Statistical Association 22(158).

    Examples
    --------
    >>> tuple(round(end, 3) for end in wilson_interval(6, 6))
    (0.61, 1.0)
    """
    if not 0 <= right <= items or items < 1:
        raise OptionError(f"{right} right of {items} items; there must be 1 item or more")
    z = NormalDist().inv_cdf(1 - LEVEL / 2)
    share, z2 = right / items, z * z / items
    middle = (share + z2 / 2) / (1 + z2)
    half = z / (1 + z2) * math.sqrt(share * (1 - share) / items + z2 / (4 * items))
    # At the ends the formula gives exactly 0 and 1, up to rounding.
    return 0.0 if right == 0 else middle - half, 1.0 if right == items else middle + half


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


def resolvable_difference(
    items: int, seeds: int = 1, *, disagreement: float = 0.5, correlation: float = 0.2
) -> float:
    """Return the difference in accuracy that a test set of this size can tell from zero at 95 %.

    Each of the S * N paired outcomes is -1, 0 or 1, and is not 0 with probability q, so near a
    difference of zero its variance is q. The S outcomes of one item are not S items: with a
    correlation r between them, S * N outcomes weigh as much as S * N / (1 + (S - 1) * r)
    independent ones (Kish's design effect). The normal approximation gives

        1.96 * sqrt(q * (1 + (S - 1) * r) / (S * N)).

    It is about the test items alone: how much the labelled sample matters comes on top, and only
    the interval of a difference that was measured has both.

    Parameters
    ----------
    items : int
        N, the size of the test set.
    seeds : int, default 1
        S, the runs of each condition on it.
    disagreement : float, default 0.5
        q, how often exactly one of the two is right. 0.5 is what two classifiers near chance with
        independent errors have, 2 * p * (1 - p); on movie reviews 0.33 to 0.41 was measured.
    correlation : float, default 0.2
        r. Pretrained against random vectors on movie reviews it was 0.06 to 0.24, rising with the
        number of labels; 1 means that more seeds tell nothing new.

    References
    ----------
    McNemar (1947), Note on the sampling error of the difference between correlated proportions,
    Psychometrika 12(2), for q / N. Kish (1965), Survey Sampling, section 5.4, for the design
    effect.

    Examples
    --------
    >>> round(resolvable_difference(440), 3), round(resolvable_difference(440, seeds=10), 3)
    (0.066, 0.035)
    """
    if items < 1 or seeds < 1:
        raise OptionError(f"{items} test items and {seeds} seeds; there must be 1 or more of each")
    variance = disagreement * (1 + (seeds - 1) * correlation) / (seeds * items)
    return NormalDist().inv_cdf(1 - LEVEL / 2) * math.sqrt(variance)


def items_needed(
    difference: float, seeds: int = 1, *, disagreement: float = 0.5, correlation: float = 0.2
) -> int:
    """Return how many test items could tell a difference from zero: `resolvable_difference` solved.

    Examples
    --------
    >>> items_needed(0.05), items_needed(0.05, seeds=5)
    (769, 277)
    >>> resolvable_difference(769) <= 0.05 < resolvable_difference(768)
    True
    """
    if not 0 < difference <= 1:
        raise OptionError(f"a difference of {difference}; it must be above 0 and at most 1")
    one = resolvable_difference(1, seeds, disagreement=disagreement, correlation=correlation)
    return math.ceil((one / difference) ** 2)


def _as_outcomes(correct: np.ndarray) -> np.ndarray:
    """Return boolean outcomes as float64, or raise OptionError with the reason."""
    correct = np.asarray(correct)
    if correct.ndim != 2 or correct.dtype != np.bool_ or not correct.size:
        raise OptionError(
            f"outcomes have shape {correct.shape} and type {correct.dtype}; "
            "give booleans of shape (seeds, test items), at least one of each"
        )
    return correct.astype(np.float64)
