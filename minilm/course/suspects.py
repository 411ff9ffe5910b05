"""Generic suspicions about a wrong array, for when no named wrong answer gives the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minilm.course import values
from minilm.course.cases import Case
from minilm.embeddings.sparse import SparseMatrix

Again = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def suspect(
    name: str, expected: Mapping[str, Any], actual: Mapping[str, Any], case: Case, again: Again
) -> str | None:
    """Return what a wrong result looks like, or None.

    Parameters
    ----------
    name : str
        Of the result.
    expected, actual : mapping
        All results by name.
    case : Case
    again : callable
        The right results for other inputs.
    """
    right, wrong = _array(expected[name]), _array(actual[name])
    if right is None or wrong is None or not wrong.size:
        return None
    swapped = [
        other
        for other, value in expected.items()
        if other != name and values.same(value, actual[name])
    ]
    if swapped and np.any(right):
        return f"this is {swapped[0]}: the order of the results."
    with np.errstate(all="ignore"):
        if wrong.shape != right.shape:
            return _of_shape(name, right, wrong)
        if right.dtype.kind not in "fiu" or wrong.dtype.kind not in "fiu":
            return None
        return _of_values(right, wrong, case) or _accumulation(name, right, wrong, case, again)


def _array(value: Any) -> np.ndarray | None:
    if isinstance(value, SparseMatrix):
        try:
            return value.dense()
        except (IndexError, ValueError, TypeError):  # keys that are no places
            return None
    if isinstance(value, np.ndarray | float | int | np.number):
        return np.asarray(value)
    return None


def _of_shape(name: str, right: np.ndarray, wrong: np.ndarray) -> str | None:
    if wrong.T.shape == right.shape and _equal(wrong.T, right):
        return "a missing transpose: it is the transpose of what is expected."
    if wrong.size == right.size and _equal(wrong.reshape(right.shape), right):
        return f"the right numbers in the wrong shape, {wrong.shape} where {right.shape} belongs."
    extra = wrong.ndim - right.ndim
    if extra > 0 and wrong.shape[extra:] == right.shape:
        axes = tuple(range(extra))
        if _equal(wrong.sum(axis=axes), right):
            return f"a missing sum: add it up over {_axes(axes)}, and {name} is right."
        if _equal(wrong.reshape(-1, *right.shape)[0], right):
            return f"{_axes(axes)} too many; take it off."
    return None


def _axes(axes: tuple[int, ...]) -> str:
    listed = " and ".join(map(str, axes))
    return f"ax{'e' if len(axes) > 1 else 'i'}s {listed}"


def _of_values(right: np.ndarray, wrong: np.ndarray, case: Case) -> str | None:
    if _equal(-wrong, right):
        return "the sign: it is the negative of what is expected."
    square = right.ndim > 1 and right.shape[-1] == right.shape[-2]
    if square and _equal(wrong.swapaxes(-1, -2), right):
        return "a missing transpose: the last two axes are exchanged."
    big = np.abs(right) > 1e-3 * np.abs(right).max(initial=0.0)
    if not big.any() or not np.isfinite(wrong).all():
        return None
    ratios = wrong[big] / right[big]
    ratio = float(np.median(ratios))
    if not np.any(wrong):
        return "it is zero everywhere."
    if (
        np.count_nonzero(big) > 1
        and np.allclose(ratios, ratio, rtol=1e-6)
        and _equal(wrong, right * ratio)
    ):
        return f"a constant factor: it is {ratio:.6g} times what is expected{_named(ratio, case)}."
    shift = wrong - right
    if shift.size > 1 and np.allclose(shift, shift.flat[0], rtol=1e-6):
        return f"a constant too much: each entry is off by {shift.flat[0]:.6g}."
    return None


def _named(ratio: float, case: Case) -> str:
    """Return which length of the inputs a factor is made of."""
    inputs = {**case.inputs, **case.arguments}
    arrays = {n: v for n, v in inputs.items() if isinstance(v, np.ndarray) and v.ndim}
    lengths = {
        size: f"the length of axis {axis} of {name}"
        for name, array in arrays.items()
        for axis, size in enumerate(array.shape)
    }
    rows = {math.prod(a.shape[:-1]): f"the number of rows of {n}" for n, a in arrays.items()}
    widths = {a.shape[-1]: f"the length of the last axis of {n}" for n, a in arrays.items()}
    forms: list[tuple[str, Callable[[int], float], dict[int, str]]] = [
        ("{0}", float, lengths | rows),
        ("1/{0}", lambda size: 1 / size, lengths | rows),
    ]
    if not any(math.isclose(r, round(r), rel_tol=1e-6) for r in (ratio, 1 / ratio)):
        forms += [  # 2 is more often a two than the root of a four
            ("the root of {0}", math.sqrt, widths),
            ("1 over the root of {0}", lambda size: 1 / math.sqrt(size), widths),
        ]
    for said, form, sizes in forms:
        for size, where in sizes.items():
            if size > 1 and math.isclose(abs(ratio), form(size), rel_tol=1e-6):
                return f" ({said.format(size)}; {size} is {where})"
    return ""


def _accumulation(
    name: str, right: np.ndarray, wrong: np.ndarray, case: Case, again: Again
) -> str | None:
    """Say whether each entry holds only the last of what should be added up in it."""
    text = "assignment in place of accumulation: each entry holds only the last of its parts."
    if right.dtype.kind in "iu":
        once = (right > 0).astype(right.dtype)
        return text if right.max(initial=0) > 1 and np.array_equal(wrong, once) else None
    dy = case.inputs.get("dy")
    if case.forward is None or not isinstance(dy, np.ndarray) or not 1 < dy.ndim < 4:
        return None
    rows = dy.reshape(-1, dy.shape[-1])
    if len(rows) > 64:
        return None
    last = np.zeros_like(right)
    for i in range(len(rows)):
        part = np.zeros_like(rows)
        part[i] = rows[i]
        found = again({**case.inputs, "dy": part.reshape(dy.shape)})[name]
        last = np.where(found != 0, found, last)
    return text if _equal(wrong, last) else None


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape:
        return False
    scale = float(np.abs(other).max(initial=0.0))
    return bool(np.allclose(one, other, rtol=1e-6, atol=1e-8 * scale)) and scale > 0
