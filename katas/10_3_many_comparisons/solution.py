"""Kata 10.3  Many comparisons: a solution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from minilm.compare.statistics import Difference, Verdict
from minilm.errors import OptionError

LEVEL = 0.05
Z = NormalDist().inv_cdf(1 - LEVEL / 2)


def holm(p_values: Sequence[float]) -> list[float]:
    """From the smallest up: times how many tests are open; never below the one before."""
    m = len(p_values)
    adjusted, largest = [0.0] * m, 0.0
    for rank, i in enumerate(sorted(range(m), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (m - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def verdict(difference: Difference, adjusted_p: float) -> Verdict:
    """Claim only what both the interval and the adjusted p allow."""
    if adjusted_p > LEVEL or difference.low <= 0 <= difference.high:
        return "cannot tell"
    return "better" if difference.difference > 0 else "worse"


def resolvable_difference(
    items: int, seeds: int = 1, *, disagreement: float = 0.5, correlation: float = 0.2
) -> float:
    """Return Z standard errors of a mean of S * N outcomes that count as fewer."""
    if items < 1 or seeds < 1:
        raise OptionError(f"{items} test items and {seeds} seeds")
    independent = items * seeds / (1 + (seeds - 1) * correlation)
    return Z * math.sqrt(disagreement / independent)
