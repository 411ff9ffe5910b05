"""Generic suspicions about a wrong array, for when no named wrong answer gives the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from minilm.course import kinds, values
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
    kind = kinds.of_kind(expected[name], actual[name]) or kinds.of_text(
        expected[name], actual[name]
    )
    if kind is not None:
        return kind
    if isinstance(expected[name], list) and type(actual[name]) is list:
        return kinds.of_lists(expected[name], actual[name])
    right, wrong = _array(expected[name]), _array(actual[name])
    if right is not None and wrong is not None and not wrong.size:
        return _of_nothing(right, wrong)
    if right is None or wrong is None:
        return None
    if isinstance(actual[name], SparseMatrix) and np.array_equal(right, wrong):
        return (
            "the right cells, but their keys must be in ascending order, each there once: sort "
            "them, and the values along with them."
        )
    for other, value in expected.items():
        if other != name and np.any(right) and values.same(value, actual[name]):
            if values.same(value, actual[other]):
                return f"this is {other} again: two names for one thing, or one name for two?"
            return f"this is {other}: the order of the results."
    if right.dtype.kind in "iu" and right.ndim == 0:
        return _of_length(int(right), wrong, case)
    with np.errstate(all="ignore"):
        if wrong.shape != right.shape:
            return _of_shape(name, right, wrong) or _other_axis(right, wrong, case)
        if right.dtype.kind not in "fiu" or wrong.dtype.kind not in "fiu":
            return None
        return (
            _unfilled(right, wrong)
            or _of_values(right, wrong, case)
            or _accumulation(name, right, wrong, case, again)
            or _left_out(name, wrong, case, again)
            or _input_itself(wrong, case)
            or _one_for_another(right, wrong)
        )


def _of_nothing(right: np.ndarray, wrong: np.ndarray) -> str | None:
    """Say what shape an array without entries should have."""
    if right.size or right.shape == wrong.shape:
        return None
    return (
        f"nothing in it, which is right here; but np.array([]) has one axis, and {right.shape} is "
        "needed: begin with np.zeros of that shape, or reshape the result."
    )


def vague(
    name: str, expected: Mapping[str, Any], actual: Mapping[str, Any], case: Case, again: Again
) -> str | None:
    """Return where to look for what is wrong with a result, or None; arguments as of `suspect`."""
    if isinstance(expected[name], list) and type(actual[name]) is list:
        return kinds.between(expected[name], actual[name])
    right, wrong = _array(expected[name]), _array(actual[name])
    if right is None or wrong is None or wrong.shape != right.shape:
        return None
    if right.dtype.kind not in "fiu" or wrong.dtype.kind not in "fiu" or not right.size:
        return None
    with np.errstate(all="ignore"):
        return (
            _not_numbers(wrong)
            or ("it is zero everywhere." if not wrong.any() else None)
            or _rearranged(right, wrong)
            or _nearly(right, wrong)
            or _factor(right, wrong)
            or _of_rows(right, wrong, case)
        )


def _of_length(right: int, wrong: np.ndarray, case: Case) -> str | None:
    """Say whether another length than the right one was taken, or what has that length."""
    if wrong.ndim and len(wrong) == right:
        return f"this is the array itself; its length, {right}, is needed."
    arrays = {**case.inputs, **case.arguments}
    places: dict[int, str] = {}
    for name, array in arrays.items():
        for axis, size in enumerate(array.shape if isinstance(array, np.ndarray) else ()):
            places.setdefault(size, f"axis {axis} of {name}")
    if wrong.ndim == 0 and right in places and int(wrong) in places:
        return f"this is the length of {places[int(wrong)]}; that of {places[right]} is needed."
    return None


def _unfilled(right: np.ndarray, wrong: np.ndarray) -> str | None:
    """Say whether some entries are right and all others are zero, or not a number."""
    good = np.isclose(wrong, right, rtol=1e-6, atol=0)
    bad = ~good & (right != 0)
    if right.ndim == 0 or not bad.any() or not (good & (right != 0)).any():
        return None
    if not (good | (wrong == 0) | np.isnan(wrong)).all():
        return None
    for axis in range(right.ndim):
        others = tuple(a for a in range(right.ndim) if a != axis)
        whole = bad.all(axis=others)
        if whole.any() and bad.any(axis=others).sum() == whole.sum():
            places = ", ".join(map(str, np.flatnonzero(whole)[:4]))
            return (
                f"what is at {places} along axis {axis} was never filled in; all else is right. "
                "Does a loop end too soon, or return inside?"
            )
    return None


def _one_for_another(right: np.ndarray, wrong: np.ndarray) -> str | None:
    """Say whether one whole number is in all places where another one belongs."""
    if right.dtype.kind not in "iu" or wrong.dtype.kind not in "iu" or right.size < 4:
        return None
    bad = right != wrong
    if not bad.any() or bad.all() or np.ptp(right[bad]) or np.ptp(wrong[bad]):
        return None
    if abs(int(wrong[bad][0]) - int(right[bad][0])) == 1:
        return None  # counts that are off by one
    return f"{wrong[bad][0]} is in every place where {right[bad][0]} belongs; all else is right."


def _input_itself(wrong: np.ndarray, case: Case) -> str | None:
    for name, array in case.inputs.items():
        if isinstance(array, np.ndarray) and array.shape == wrong.shape and _equal(wrong, array):
            return f"this is the input {name} itself, unchanged."
    return None


def _rearranged(right: np.ndarray, wrong: np.ndarray) -> str | None:
    """Say whether the right numbers are in other places."""
    if right.ndim == 0 or right.size < 4 or len(np.unique(right)) < right.size / 2:
        return None
    if not _equal(np.sort(wrong, axis=None), np.sort(right, axis=None)):
        return None
    if right.ndim == 1:
        return "the right numbers in a different order."
    rows = right.reshape(len(right), -1), wrong.reshape(len(wrong), -1)
    if _equal(np.sort(rows[1], axis=0), np.sort(rows[0], axis=0)):
        return "the right rows in a different order."
    return (
        "the right numbers in the wrong places: axes are exchanged, a reshape does what only a "
        "transpose can, or everything is shifted."
    )


def _array(value: Any) -> np.ndarray | None:
    if isinstance(value, SparseMatrix):
        try:
            return value.dense()
        except (IndexError, ValueError, TypeError):  # keys that are not places
            return None
    if isinstance(value, np.ndarray | float | int | np.number):
        return np.asarray(value)
    return None


def _of_shape(name: str, right: np.ndarray, wrong: np.ndarray) -> str | None:
    if wrong.T.shape == right.shape and _equal(wrong.T, right):
        return "a missing transpose: it is the transpose of what is expected."
    if wrong.size == right.size and _equal(wrong.reshape(right.shape), right):
        text = f"the right numbers in the wrong shape, {wrong.shape} where {right.shape} belongs"
        if wrong.shape == (1, *right.shape) and right.ndim > 1:
            return f"{text}: is it a tuple with one array in it?"
        longer = max(wrong.shape, right.shape, key=len)
        kept = tuple(size for size in longer if size != 1)
        shorter = min(wrong.shape, right.shape, key=len)
        return f"{text}{': keepdims' if kept == shorter else ''}."
    if right.ndim == 0 and wrong.ndim:
        return "one number is needed, not one for each row or entry: a sum or a mean is missing."
    if right.ndim and wrong.ndim == 0 and (wrong.dtype.kind == "f" or right.dtype.kind != "f"):
        return "one number for everything: a sum or mean needs its axis."
    extra = wrong.ndim - right.ndim
    if extra > 0 and wrong.shape[extra:] == right.shape:
        axes = tuple(range(extra))
        if _equal(wrong.sum(axis=axes), right):
            return f"a missing sum: add it up over {_axes(axes)}, and {name} is right."
        if _equal(wrong.reshape(-1, *right.shape)[0], right):
            return f"{_axes(axes)} too many; remove it."
    return None


def _other_axis(right: np.ndarray, wrong: np.ndarray, case: Case) -> str | None:
    """Say whether a result is as long as another axis of an input than it should be."""
    if right.ndim != 1 or wrong.ndim != 1:
        return None
    arrays = {**case.inputs, **case.arguments}
    for name, array in arrays.items():
        if isinstance(array, np.ndarray) and array.ndim > 1 and len(right) in array.shape:
            axis = array.shape.index(len(right))
            rows = array.size // array.shape[-1]
            if len(wrong) in array.shape or len(wrong) == rows:
                return (
                    f"another axis: one entry for each along axis {axis} of {name} is expected "
                    f"({len(right)}), not {len(wrong)}."
                )
    return "another axis: the result has a different length than expected."


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
    if _is_factor(right, wrong, big, ratio) and (
        (named := _named(ratio, case)) or abs(ratio) in (0.25, 0.5, 2, 4, 10, 100)
    ):
        return f"a constant factor: it is {ratio:.6g} times what is expected{named}."
    shift = wrong - right
    for name, array in {**case.inputs, **case.arguments}.items():
        if isinstance(array, np.ndarray) and array.shape == right.shape:
            if _equal(shift, -array):
                return f"{name} is left out: exactly {name} is missing."
            if _equal(shift, array):
                return f"{name} is added once too often."
    if right.size > 1 and _equal(np.abs(wrong), np.abs(right)) and not _equal(wrong, right):
        return "the sign of some entries: the sizes are right."
    if shift.size > 1 and np.allclose(shift, shift.flat[0], rtol=1e-6):
        return f"a constant too much: each entry is off by {shift.flat[0]:.6g}."
    return None


def _is_factor(right: np.ndarray, wrong: np.ndarray, big: np.ndarray, ratio: float) -> bool:
    if np.count_nonzero(big) < 2 or abs(ratio - 1) < 1e-3:
        return False
    return np.allclose(wrong[big] / right[big], ratio, rtol=1e-6) and _equal(wrong, right * ratio)


def _factor(right: np.ndarray, wrong: np.ndarray) -> str | None:
    big = np.abs(right) > 1e-3 * np.abs(right).max(initial=0.0)
    ratio = float(np.median(wrong[big] / right[big])) if big.any() else 1.0
    if _is_factor(right, wrong, big, ratio):
        return f"a constant factor: it is {ratio:.6g} times what is expected."
    return None


def _not_numbers(wrong: np.ndarray) -> str | None:
    if np.isnan(wrong).any():
        return "NaN comes from 0 / 0, from inf - inf, or from the root or logarithm of less than 0."
    if np.isinf(wrong).any():
        return "infinity comes from a division by 0, from log(0), or from exp of a large number."
    return None


def _nearly(right: np.ndarray, wrong: np.ndarray) -> str | None:
    if np.allclose(wrong, right, rtol=1e-3, atol=1e-9) and not np.array_equal(wrong, right):
        return (
            "nearly right: a small number that is added (an epsilon in a logarithm, a root or a "
            "division), or a step in float32."
        )
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
    for name, number in _numbers(inputs):
        if math.isclose(ratio, number, rel_tol=1e-6) and number not in (0, 1):
            return f" ({name}: once too often)"
        if number and math.isclose(ratio, 1 / number, rel_tol=1e-6) and number != 1:
            return f" (1/{number:g}: {name} is missing, or divides)"
    for said, form, sizes in forms:
        for size, where in sizes.items():
            if size > 1 and math.isclose(abs(ratio), form(size), rel_tol=1e-6):
                return f" ({said.format(size)}; {size} is {where})"
    return ""


def _numbers(inputs: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the floats among inputs, and those in a cache, with how they are called."""
    for name, value in inputs.items():
        if isinstance(value, float):
            yield name, value
        elif isinstance(value, tuple):
            yield from ((f"{v:g}, a number in the {name}", v) for v in value if type(v) is float)


def _of_rows(right: np.ndarray, wrong: np.ndarray, case: Case) -> str | None:
    """Say whether each row is off by a factor of its own."""
    if right.ndim < 2 or right.shape[-1] < 3 or case.forward is not None:
        return None
    ratios = wrong / right
    if not np.isfinite(ratios).all() or not ratios.all():
        return None
    if np.allclose(ratios, ratios[..., :1], rtol=1e-6):
        return (
            "each row is wrong by a factor of its own: look at what a row is divided or multiplied "
            "by. Over which axis is that sum, mean or maximum?"
        )
    return None


def _left_out(name: str, wrong: np.ndarray, case: Case, again: Again) -> str | None:
    """Say whether the result is that of the inputs without their last or first item."""
    for which, item in (("last", -1), ("first", 0)):
        text = f"the {which} item is left out: look at where the loop or slice ends and starts."
        for key, array in case.inputs.items():
            if not isinstance(array, np.ndarray) or not array.ndim or len(array) < 2:
                continue
            changed = array.copy()
            if case.forward is not None:
                rows = changed.reshape(-1, changed.shape[-1])  # a view: the copy is contiguous
                rows[item] = 0
            else:
                changed = np.delete(array, item, axis=0)
            try:
                found = _array(again({**case.inputs, key: changed}).get(name))
            except Exception:  # other inputs may not fit what is left
                continue
            if found is not None and _equal(wrong, found):
                return text
    return None


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
