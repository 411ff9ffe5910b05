"""When two outcomes are the same in one respect, and when two effects together are a third."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course import loading, locate, values
from minilm.course.cases import Case, Outcome
from minilm.embeddings.sparse import SparseMatrix

# What can be wrong with an outcome beside its results. The brackets keep these apart from any
# name that a kata gives a result, such as "error".
ERROR, STRUCTURE, MODIFIED = "<error>", "<structure>", "<modified>"
# Two ways to write a mistake round differently, in float32 by more than in float64.
ROUNDING = 1e-6


def is_void(value: Any) -> bool:
    """Return whether a result is an array without entries."""
    if isinstance(value, SparseMatrix):
        value = value.values
    return isinstance(value, np.ndarray) and not value.size


def is_float(value: Any) -> bool:
    """Return whether a result is a float, or an array of floats."""
    return (
        isinstance(value, float | np.ndarray | np.floating) and np.asarray(value).dtype.kind == "f"
    )


def added(right: Any, mine: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Return what is the same where the effects of two mistakes on a result add up."""
    with np.errstate(all="ignore"):
        return np.asarray(mine + right), np.asarray(a + b)


def multiplied(right: Any, mine: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Return what is the same where the effects of two mistakes on a result multiply."""
    with np.errstate(all="ignore"):  # zero times anything proves nothing
        zero = np.asarray(right) == 0
        product = np.where(zero & ((a != 0) | (b != 0)), np.inf, a * b)
        return np.asarray(mine * right), product


def finite(*arrays: Any) -> bool:
    """Return whether no entry of some arrays is infinite or not a number."""
    return all(bool(np.isfinite(array).all()) for array in arrays)


def differs(case: Case, right: Outcome, outcome: Outcome, name: str) -> bool:
    """Return whether a result differs from the right one by more than its dtype."""
    if name not in right.results or name not in outcome.results:
        return False
    found = values.difference(right.results[name], outcome.results[name], case.tolerance)
    return found is not None and found.kind != "dtype"


def agree(case: Case, one: Outcome, other: Outcome, key: str, dtype: bool | int = False) -> bool:
    """Return whether two outcomes are the same in one respect."""
    if key == ERROR:
        return said(one) == said(other) and not _of_others(one, other)
    if key == STRUCTURE:
        return one.structure == other.structure
    if key == MODIFIED:
        return one.modified == other.modified
    if key in one.results and key in other.results:
        tolerance = max(case.tolerance, ROUNDING)
        return values.same(one.results[key], other.results[key], tolerance, dtype=bool(dtype))
    return (key in one.results) == (key in other.results)


def _of_others(one: Outcome, other: Outcome) -> bool:
    """Return whether two errors are about different arrays, though they say the same."""
    if one.error is None or other.error is None:
        return False
    mine, theirs = locate.arrays_that_met(one.error), locate.arrays_that_met(other.error)
    return not (mine <= theirs or theirs <= mine)


def said(outcome: Outcome) -> str | None:
    """Return what was raised, in a line."""
    return None if outcome.error is None else loading.said(outcome.error)
