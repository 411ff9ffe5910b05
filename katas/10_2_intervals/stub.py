"""Kata 10.2  Intervals: what else could have come out

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 10.2    or on every save: minilm kata watch
    minilm kata read 10.2     the page
    minilm kata hint 10.2     a hint
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from minilm.errors import OptionError

Keys = tuple[tuple[int, int], ...]

Z = NormalDist().inv_cdf(0.975)  # 1.96 to three digits; use this one


def wilson_interval(right: int, items: int) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy that was measured once, on one test set.

    Its ends are the two accuracies that are exactly Z of their own standard errors away from the
    share that was seen.

    Parameters
    ----------
    right : int
        How many items were classified correctly.
    items : int
        How many there are.

    Returns
    -------
    low, high : float
        Fractions of 1.

    Raises
    ------
    OptionError
        When `right` is not between 0 and `items`, or there is no item.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, Journal of
    the American Statistical Association 22(158).
    """
    raise NotImplementedError("not written yet")


def resampled_means(
    outcomes: np.ndarray, times_run: np.ndarray, times_item: np.ndarray
) -> np.ndarray:
    """Return the mean of each resample: (..., R, N), (M, R), (M, N) -> (..., M).

    In a resample, every run that was drawn meets every item that was drawn.

    Parameters
    ----------
    outcomes : ndarray of shape (..., R, N), float64
        Of R runs on N items: right or wrong, or the difference of two conditions. Leading axes, if
        there are any, are other conditions; all of them get the same resamples.
    times_run : ndarray of shape (M, R), float64
        How often each run is in each of the M resamples. The sums of rows may differ.
    times_item : ndarray of shape (M, N), float64
        How often each item is.
    """
    raise NotImplementedError("not written yet")


def run_times(keys: Keys, times_seed: np.ndarray, times_pretraining: np.ndarray) -> np.ndarray:
    """Return how often each run is in each resample: (M, K), (M, P) -> (M, R).

    Seeds and pretrainings are drawn independently of each other.

    Parameters
    ----------
    keys : tuple of (int, int)
        The seed and the pretraining of each of the R runs, in any order; seeds are any numbers.
    times_seed : ndarray of shape (M, K), float64
        How often each seed was drawn; its columns are in ascending order of seeds.
    times_pretraining : ndarray of shape (M, P), float64
        How often each pretraining was drawn; its columns are in ascending order of pretrainings.

    References
    ----------
    Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1(2).
    """
    raise NotImplementedError("not written yet")
