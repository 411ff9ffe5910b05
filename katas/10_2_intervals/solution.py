"""Kata 10.2  Intervals: what else could have come out: a solution."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from minilm.errors import OptionError

Keys = tuple[tuple[int, int], ...]

Z = NormalDist().inv_cdf(0.975)


def wilson_interval(right: int, items: int) -> tuple[float, float]:
    """Solve (share - p)**2 = Z**2 * p * (1 - p) / items for p."""
    if items < 1 or not 0 <= right <= items:
        raise OptionError(f"{right} right of {items} items")
    share, z2 = right / items, Z * Z / items
    middle = (share + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * math.sqrt(share * (1 - share) / items + z2 / (4 * items))
    return middle - half, middle + half


def resampled_means(
    outcomes: np.ndarray, times_run: np.ndarray, times_item: np.ndarray
) -> np.ndarray:
    """Take one weighted mean after the other: the weight of an outcome is run times item."""
    means = [
        a @ outcomes @ b / (a.sum() * b.sum()) for a, b in zip(times_run, times_item, strict=True)
    ]
    return np.stack(means, axis=-1)


def run_times(keys: Keys, times_seed: np.ndarray, times_pretraining: np.ndarray) -> np.ndarray:
    """Multiply how often the run's seed was drawn with how often its pretraining was."""
    seeds = sorted({seed for seed, _ in keys})
    pretrainings = sorted({pretraining for _, pretraining in keys})
    columns = [
        times_seed[:, seeds.index(seed)] * times_pretraining[:, pretrainings.index(pretraining)]
        for seed, pretraining in keys
    ]
    return np.stack(columns, axis=1)
