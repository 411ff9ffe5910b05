"""Generic suspicions about a wrong array, for when no named wrong answer gives the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
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
    if isinstance(expected[name], list) and type(actual[name]) is list:
        return _of_lists(expected[name], actual[name])
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
            return _of_shape(name, right, wrong) or _other_axis(right, wrong, case)
        if right.dtype.kind not in "fiu" or wrong.dtype.kind not in "fiu":
            return None
        return (
            _of_values(right, wrong, case)
            or _accumulation(name, right, wrong, case, again)
            or _left_out(name, wrong, case, again)
            or _of_rows(right, wrong, case)
        )


def _of_lists(right: list[Any], wrong: list[Any]) -> str | None:
    """Say what is wrong with a list: an end, an order, repetitions."""
    right, wrong = [*map(_hashable, right)], [*map(_hashable, wrong)]
    if len(right) > 1:
        if wrong == right[:-1]:
            return "the last item is missing: a loop or slice that stops one too early."
        if wrong == right[1:]:
            return "the first item is missing: a loop or slice that starts one too late."
        if wrong == right[::-1]:
            return "the right items in reverse order."
        if wrong == list(dict.fromkeys(right)):
            return "repetitions are missing: each item is there once only."
        if sorted(map(repr, wrong)) == sorted(map(repr, right)):
            return "the right items in another order."
    return None


def _hashable(value: Any) -> Any:
    value = value.tolist() if isinstance(value, np.ndarray) else value
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value


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
        longer = max(wrong.shape, right.shape, key=len)
        kept = tuple(size for size in longer if size != 1)
        shorter = min(wrong.shape, right.shape, key=len)
        return f"{text}{': keepdims' if kept == shorter else ''}."
    if right.ndim and wrong.ndim == 0:
        return "one number for everything: a sum or mean needs its axis."
    extra = wrong.ndim - right.ndim
    if extra > 0 and wrong.shape[extra:] == right.shape:
        axes = tuple(range(extra))
        if _equal(wrong.sum(axis=axes), right):
            return f"a missing sum: add it up over {_axes(axes)}, and {name} is right."
        if _equal(wrong.reshape(-1, *right.shape)[0], right):
            return f"{_axes(axes)} too many; take it off."
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
    return "another axis: the result has another length than expected."


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
    if 0 < np.abs(ratios - 1).max() < 1e-3 and np.allclose(wrong, right, rtol=1e-3, atol=1e-9):
        return (
            "nearly right: a small number that is added (an epsilon in a logarithm, a root or a "
            "division), or a step in float32."
        )
    if (
        np.count_nonzero(big) > 1
        and np.allclose(ratios, ratio, rtol=1e-6)
        and _equal(wrong, right * ratio)
    ):
        return f"a constant factor: it is {ratio:.6g} times what is expected{_named(ratio, case)}."
    shift = wrong - right
    for name, array in {**case.inputs, **case.arguments}.items():
        if isinstance(array, np.ndarray) and array.shape == right.shape:
            if _equal(shift, -array):
                return f"{name} is left out: exactly {name} is missing."
            if _equal(shift, array):
                return f"{name} is added once too often."
    if _equal(np.abs(wrong), np.abs(right)):
        return "the sign of some entries: the sizes are right."
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
    if not np.isfinite(ratios).all():
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
