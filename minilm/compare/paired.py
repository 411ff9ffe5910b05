"""Runs of conditions, paired: accuracies and differences of many conditions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minilm.compare.bootstrap import Keys, bootstrap_means
from minilm.compare.statistics import (
    RESAMPLES,
    Difference,
    Estimate,
    difference,
    differing,
    estimate,
)


@dataclass(frozen=True, eq=False)
class Runs:
    """The outcomes of one condition with one number of labels on one test set.

    Parameters
    ----------
    right : ndarray of shape (R, N), bool
        Whether each test item was classified correctly, by run.
    keys : tuple of (int, int)
        The seed and the pretraining of each run; each pair once.
    """

    right: np.ndarray
    keys: Keys


def estimates(cells: Sequence[Runs], *, resamples: int = RESAMPLES) -> list[Estimate]:
    """Estimate the accuracy of each cell: its mean over runs and items, and a 95 % interval.

    Cells with the same keys get the same resamples.

    Raises
    ------
    OptionError
        When the resamples are too few for an interval.
    """
    outcomes = [cell.right.astype(np.float64) for cell in cells]
    found = _resampled(outcomes, [cell.keys for cell in cells], resamples)
    return [estimate(value, means) for value, means in found]


def differences(
    pairs: Sequence[tuple[Runs, Runs]], *, resamples: int = RESAMPLES
) -> list[Difference | None]:
    """Estimate how much more accurate the first of each pair is than the second, run by run.

    Runs are paired by seed, and by pretraining where both conditions have several; a condition
    without pretraining meets all pretrainings of the other one. Each resample takes the same runs
    and the same items for both. See `statistics.difference` for the p-value.

    Returns
    -------
    list of Difference or None
        None for a pair that has no seed in common.

    Raises
    ------
    OptionError
        When the resamples are too few for an interval.
    """
    paired = [pair(a, b) for a, b in pairs]
    kept = [found for found in paired if found is not None]
    outcomes = [a.right.astype(np.float64) - b.right for a, b in kept]
    resampled = iter(_resampled(outcomes, [a.keys for a, _ in kept], resamples))
    found: list[Difference | None] = []
    for one in paired:
        if one is None:
            found.append(None)
        else:
            found.append(difference(*next(resampled), differing(one[0].right, one[1].right)))
    return found


def pair(a: Runs, b: Runs) -> tuple[Runs, Runs] | None:
    """Return the runs that two conditions have in common, row by row; None where there are none.

    >>> drawn = Runs(np.array([[True], [False]]), ((0, 0), (1, 1)))
    >>> counted = Runs(np.array([[True], [True]]), ((0, 0), (1, 0)))
    >>> ours, theirs = pair(counted, drawn)
    >>> ours.keys, ours.right.tolist()
    (((0, 0), (1, 1)), [[True], [True]])
    """
    several_a, several_b = (len({p for _, p in one.keys}) > 1 for one in (a, b))
    rows_a, rows_b = ({key: i for i, key in enumerate(one.keys)} for one in (a, b))
    if several_a == several_b:
        keys = [key for key in a.keys if key in rows_b]
    elif several_a:
        keys = [key for key in a.keys if (key[0], 0) in rows_b]
        rows_b = {key: rows_b[key[0], 0] for key in keys}
    else:
        keys = [key for key in b.keys if (key[0], 0) in rows_a]
        rows_a = {key: rows_a[key[0], 0] for key in keys}
    if not keys:
        return None
    ours, theirs = (
        Runs(one.right[[rows[key] for key in keys]], tuple(keys))
        for one, rows in ((a, rows_a), (b, rows_b))
    )
    return ours, theirs


def _resampled(
    outcomes: Sequence[np.ndarray], keys: Sequence[Keys], resamples: int
) -> list[tuple[float, np.ndarray]]:
    """Return the mean of each array (R, N), and its resampled means, (resamples,)."""
    groups: dict[tuple[Keys, int], list[int]] = {}
    for i, (one, own) in enumerate(zip(outcomes, keys, strict=True)):
        groups.setdefault((own, one.shape[1]), []).append(i)
    found: dict[int, tuple[float, np.ndarray]] = {}
    for (own, _), members in groups.items():
        stacked = np.stack([outcomes[i] for i in members])
        means = bootstrap_means(
            stacked, rng=np.random.default_rng(0), resamples=resamples, keys=own
        )
        for i, one, row in zip(members, stacked, means, strict=True):
            found[i] = float(one.mean()), row
    return [found[i] for i in range(len(outcomes))]
