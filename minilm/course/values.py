"""What a function gave back: taken apart by name, and compared value by value.

A comparison says the first thing that is wrong: the kind of object, its shape, its dtype, a number
that is not finite, a value. It never raises on what a learner's function may return.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilm.embeddings.sparse import SparseMatrix

# The names of what a function returns: one name, or a tuple of names for a tuple.
Names = str | tuple["Names", ...]


@dataclass(frozen=True)
class Difference:
    """The first thing in which a value differs from what is expected.

    Attributes
    ----------
    kind : {"structure", "finite", "value", "dtype"}
        What differs. Another dtype is reported only if nothing else differs.
    text : str
        The text, to be read after the value's name.
    """

    kind: str
    text: str


def take_apart(value: Any, names: Names) -> tuple[dict[str, Any], str | None]:
    """Return what is returned by name, and what is wrong with its structure, if anything.

    Names are in the order in which they are returned.

    Examples
    --------
    >>> take_apart((1, (2, 3)), ("y", ("mean", "rstd")))
    ({'y': 1, 'mean': 2, 'rstd': 3}, None)
    >>> take_apart((1, 2), ("dx", "dgain", "dbias"))
    ({}, 'returns 2 values, expected 3: dx, dgain, dbias')
    """
    if isinstance(names, str):
        return {names: value}, None
    listed = ", ".join(label(name) for name in names)
    if not isinstance(value, tuple):
        return {}, f"returns {describe(value)}, expected a tuple: {listed}"
    if len(value) != len(names):
        return {}, f"returns {len(value)} values, expected {len(names)}: {listed}"
    found: dict[str, Any] = {}
    for part, name in zip(value, names, strict=True):
        parts, problem = take_apart(part, name)
        if problem:
            return {}, f"{problem} (within what is returned)"
        found.update(parts)
    return found, None


def label(names: Names) -> str:
    """Return names as they are written: `y`, or `(mean, rstd)`."""
    return names if isinstance(names, str) else f"({', '.join(map(label, names))})"


def outer(names: Names) -> tuple[str, ...]:
    """Return the names that are not inside an inner tuple: the results, without the caches.

    >>> outer(("y", ("mean", "rstd"))), outer("y")
    (('y',), ('y',))
    """
    parts = (names,) if isinstance(names, str) else names
    return tuple(name for name in parts if isinstance(name, str))


def describe(value: Any) -> str:
    """Return what kind of thing a value is, in a few words.

    >>> describe(np.zeros((2, 3))), describe([1]), describe(None)
    ('an array of shape (2, 3), float64', 'a list of 1', 'None')
    """
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, {value.dtype}"
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def shapes(inputs: Mapping[str, Any]) -> str:
    """Return the shapes of those inputs that are arrays, or tuples and lists with arrays in them.

    >>> shapes({"dy": np.zeros((6, 4)), "cache": (np.zeros((6, 3)), None), "heads": 2})
    'dy (6,4), cache ((6,3), _)'
    """
    parts = {name: _shape(value) for name, value in inputs.items()}
    return ", ".join(f"{name} {shape}" for name, shape in parts.items() if shape)


def _shape(value: Any) -> str | None:
    """Return the shape of an array, or of what holds arrays; None of anything else."""
    if isinstance(value, np.ndarray):
        return str(value.shape).replace(" ", "")  # without blanks no line breaks in it
    if isinstance(value, list | tuple):
        parts = [_shape(entry) for entry in value]
        return f"({', '.join(part or '_' for part in parts)})" if any(parts) else None
    return None


def difference(expected: Any, actual: Any, tolerance: float) -> Difference | None:
    """Return the first difference between two values, or None.

    Parameters
    ----------
    expected, actual : object
        Arrays, numbers, texts, booleans, None, SparseMatrix, or lists, tuples and dicts of such.
    tolerance : float
        For floats: relative to the expected entry, or to a hundredth of the largest one.
        Integers and texts must be equal.

    Examples
    --------
    >>> difference(np.array([1.0, 2.0]), np.array([1.0, 2.5]), 1e-7).text
    'is wrong at 1 of 2 entries; worst [1]: yours 2.5, expected 2'
    >>> difference(["to", "be"], ["to", "bee"], 1e-7).text
    "is wrong at [1]: yours 'bee', expected 'be'"
    """
    try:
        return _difference(expected, actual, tolerance)
    except Exception as error:  # an object may do anything when it is looked at
        text = f"cannot be compared with what is expected ({type(error).__name__}: {error})"
        return Difference("structure", text)


def _difference(expected: Any, actual: Any, tolerance: float) -> Difference | None:
    if isinstance(expected, np.ndarray) or (
        _is_number(expected) and isinstance(actual, np.ndarray)
    ):
        return _array_difference(expected, actual, tolerance)
    if isinstance(expected, SparseMatrix):
        return _sparse_difference(expected, actual, tolerance)
    if isinstance(expected, list | tuple | Mapping):
        return _container_difference(expected, actual, tolerance)
    if _is_number(expected):
        return _number_difference(expected, actual, tolerance)
    if isinstance(actual, np.ndarray) or type(actual) is not type(expected):
        return Difference("structure", f"is {describe(actual)}, expected {describe(expected)}")
    if actual != expected:
        return Difference("value", f"is wrong: yours {actual!r}, expected {expected!r}")
    return None


def same(one: Any, other: Any, tolerance: float = 1e-6, *, dtype: bool = True) -> bool:
    """Return whether two values are equal up to rounding; NaN equals NaN.

    Parameters
    ----------
    one, other : object
    tolerance : float
        Relative.
    dtype : bool
        Whether dtypes must agree too.
    """
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape != other.shape or (dtype and one.dtype != other.dtype):
            return False
        if one.dtype.kind == "f" and other.dtype.kind in "fiu":
            return (
                np.array_equal(np.isnan(one), np.isnan(other))
                and not _far(np.nan_to_num(one), np.nan_to_num(other), tolerance).any()
            )
        return np.array_equal(one, other)
    if isinstance(one, SparseMatrix) and isinstance(other, SparseMatrix):
        parts = ((one.keys, other.keys), (one.values, other.values), (one.size, other.size))
        return all(same(mine, theirs, tolerance, dtype=dtype) for mine, theirs in parts)
    if _is_number(one) and _is_number(other) and math.isnan(one) and math.isnan(other):
        return True
    found = difference(one, other, tolerance)
    return found is None or (found.kind == "dtype" and not dtype)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _far(expected: np.ndarray, actual: np.ndarray, tolerance: float) -> np.ndarray:
    """Return where two float arrays of one shape differ by more than rounding explains."""
    with np.errstate(all="ignore"):
        finite = np.abs(expected[np.isfinite(expected)])
        # Entries that are zero but for cancellation are measured by the others.
        floor = max(float(finite.max(initial=0.0)) * 1e-2, 1e-5)
        room = tolerance * np.maximum(np.abs(expected), floor)
        return ~((expected == actual) | (np.abs(expected - actual) <= room))


def _array_difference(expected: Any, actual: Any, tolerance: float) -> Difference | None:
    if not isinstance(actual, np.ndarray | np.generic):
        return Difference("structure", f"is {describe(actual)}, expected {describe(expected)}")
    expected, actual = np.asarray(expected), np.asarray(actual)
    if actual.shape != expected.shape:
        return Difference("structure", f"has shape {actual.shape}, expected {expected.shape}")
    if (actual.dtype.kind in "fiub") != (expected.dtype.kind in "fiub"):
        return Difference("structure", f"has dtype {actual.dtype}, expected {expected.dtype}")
    found = _entries_difference(expected, actual, tolerance)
    if found is None and actual.dtype != expected.dtype:
        return Difference("dtype", f"has dtype {actual.dtype}, expected {expected.dtype}")
    return found


def _entries_difference(
    expected: np.ndarray, actual: np.ndarray, tolerance: float
) -> Difference | None:
    if expected.dtype.kind != "f":
        return _wrong_entries(expected, actual, actual != expected)
    lost = ~np.isfinite(actual) & np.isfinite(expected)
    if lost.any():
        place = tuple(np.argwhere(lost)[0])
        count = f"at {lost.sum()} of {lost.size} entries; first " if lost.size > 1 else ""
        return Difference("finite", f"is not finite {count}{_index(place)}: {actual[place]}")
    return _wrong_entries(expected, actual, _far(expected, actual, tolerance))


def _wrong_entries(
    expected: np.ndarray, actual: np.ndarray, wrong: np.ndarray
) -> Difference | None:
    """Return how many entries are wrong and which is worst."""
    if not wrong.any():
        return None
    if expected.ndim == 0:
        return _number(expected[()], actual[()])
    place = tuple(np.argwhere(wrong)[0])
    if expected.dtype.kind in "fiu":
        with np.errstate(all="ignore"):
            distance = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
        place = np.unravel_index(np.argmax(np.where(wrong, distance, -1.0)), wrong.shape)
    return Difference(
        "value",
        f"is wrong at {np.count_nonzero(wrong)} of {wrong.size} entries; worst {_index(place)}: "
        f"yours {_shown(actual[place], expected[place])}, "
        f"expected {_shown(expected[place], actual[place])}",
    )


def _index(place: Any) -> str:
    return f"[{', '.join(str(int(i)) for i in place)}]" if len(place) else ""


def _shown(value: Any, beside: Any) -> str:
    """Return a value with enough digits that it can be told from the one beside it."""
    if not isinstance(value, float | np.floating):
        return repr(value.item() if isinstance(value, np.generic) else value)
    for digits in (3, 6, 9, 12):
        if f"{value:.{digits}g}" != f"{beside:.{digits}g}":
            return f"{value:.{digits}g}"
    return repr(float(value))


def _number(expected: Any, actual: Any) -> Difference:
    return Difference(
        "value",
        f"is wrong: yours {_shown(actual, expected)}, expected {_shown(expected, actual)}",
    )


def _number_difference(expected: Any, actual: Any, tolerance: float) -> Difference | None:
    whole = isinstance(expected, int | np.integer)
    if not _is_number(actual) or whole != isinstance(actual, int | np.integer):
        return Difference("structure", f"is {describe(actual)}, expected {describe(expected)}")
    if math.isfinite(expected) and not math.isfinite(actual):
        return Difference("finite", f"is not finite: {actual}")
    if whole:
        return None if actual == expected else _number(expected, actual)
    far = _far(np.asarray(float(expected)), np.asarray(float(actual)), tolerance)
    return _number(expected, actual) if far.any() else None


def _sparse_difference(expected: SparseMatrix, actual: Any, tolerance: float) -> Difference | None:
    if not isinstance(actual, SparseMatrix):
        return Difference("structure", f"is {describe(actual)}, expected a SparseMatrix")
    keys, values = np.asarray(actual.keys), np.asarray(actual.values)
    if keys.ndim != 1 or keys.shape != values.shape or keys.dtype.kind not in "iu":
        return Difference(
            "structure",
            f"has keys {describe(keys)} and values {describe(values)}; "
            "expected one integer key for each value",
        )
    if actual.size != expected.size:
        return Difference("structure", f"has size {actual.size}, expected {expected.size}")
    if (np.diff(keys) <= 0).any():
        return Difference("structure", "has keys that are not in ascending order, or not unique")
    if len(keys) and not 0 <= keys[0] <= keys[-1] < expected.size**2:
        return Difference("structure", f"has a key outside 0 to {expected.size**2 - 1}")
    found = _array_difference(expected.dense(), actual.dense(), tolerance)
    if found is not None and found.kind != "dtype":
        return found
    if len(keys) != len(expected.keys):
        return Difference("structure", "stores zeros; only entries that are not zero are stored")
    return found


def _container_difference(expected: Any, actual: Any, tolerance: float) -> Difference | None:
    if type(actual) is not type(expected):
        return Difference("structure", f"is {describe(actual)}, expected {describe(expected)}")
    if isinstance(expected, Mapping):
        if extra := [key for key in actual if key not in expected]:
            return Difference("value", f"has {extra[0]!r}, which should not be there")
        if missing := [key for key in expected if key not in actual]:
            return Difference("value", f"lacks {missing[0]!r}")
        pairs = [(repr(key), expected[key], actual[key]) for key in expected]
    else:
        pairs = [(str(i), e, a) for i, (e, a) in enumerate(zip(expected, actual, strict=False))]
    other_dtype = None
    for place, e, a in pairs:
        if (found := difference(e, a, tolerance)) is not None:
            if found.kind == "dtype":
                other_dtype = other_dtype or Difference("dtype", f"at [{place}] {found.text}")
                continue
            text = found.text.replace("is wrong:", f"is wrong at [{place}]:", 1)
            if text == found.text:
                text = f"at [{place}] {found.text}"
            return Difference(found.kind, text)
    if len(actual) != len(expected):
        return Difference(
            "value",
            f"has {len(actual)} entries, expected {len(expected)}: "
            + (
                f"{expected[len(actual)]!r} is missing"
                if len(actual) < len(expected)
                else f"{actual[len(expected)]!r} is too many"
            ),
        )
    return other_dtype
