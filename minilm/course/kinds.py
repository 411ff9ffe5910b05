"""What is wrong with a result that is no array, or another kind of thing than it should be."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from minilm.course import values
from minilm.embeddings.sparse import SparseMatrix


def of_kind(right: Any, wrong: Any) -> str | None:
    """Say what makes another kind of thing out of the right one."""
    if isinstance(right, list | tuple) and isinstance(wrong, list | tuple) and right and wrong:
        if type(right) is type(wrong):
            if type(right[0]) is type(wrong[0]):
                return None
            if isinstance(right[0], tuple) and not isinstance(wrong[0], list | tuple):
                return f"each item must be a tuple of {len(right[0])}; one part of it is there."
            return of_kind(right[0], wrong[0])
        if _hashable(right) == _hashable(wrong):
            return f"the right items in a {type(wrong).__name__}; it must be a {_kind(right)}."
    if type(wrong) is type(right) or wrong is None:
        return None
    if inspect.isgenerator(wrong):
        return (
            f"`yield`, or a comprehension in parentheses, makes a generator, not a {_kind(right)}."
        )
    if isinstance(wrong, set | frozenset):
        return "a set has no order and no repetitions; both are needed here."
    if isinstance(right, dict) and not isinstance(wrong, dict):
        return "the names are missing: it must be a dict of names and values."
    if isinstance(right, SparseMatrix):
        return "it must be a SparseMatrix(keys, values, size), of the entries that are not zero."
    if isinstance(right, np.ndarray | np.floating) and isinstance(wrong, list | tuple):
        if isinstance(wrong, tuple) and wrong and values.same(right, wrong[0], dtype=False):
            return "a tuple is returned whose first part is right: only that part is needed."
        return f"a {type(wrong).__name__} of values; np.array or np.stack makes one array of them."
    if isinstance(right, list) and isinstance(wrong, np.ndarray):
        return "an array is returned; it must be a list."
    if isinstance(right, tuple):
        return "it must be a tuple; the comma makes it one, even with one item: (y,)."
    if isinstance(right, float) and isinstance(wrong, int) and not isinstance(wrong, bool):
        return "a whole number (int) where a float is needed: write 1.0, not 1."
    if isinstance(right, int) and isinstance(wrong, tuple):
        return "a whole tuple; one number of it is needed."
    if isinstance(right, bytes) and isinstance(wrong, str):
        return "text where bytes are needed: .encode() makes bytes."
    if isinstance(right, str) and isinstance(wrong, bytes):
        return "bytes where text is needed: .decode() makes text."
    if isinstance(right, str) and isinstance(wrong, bool):
        return "True or False where a word is needed."
    if isinstance(right, list) and isinstance(wrong, str):
        return "one text; it must be a list."
    if isinstance(wrong, type(lambda: 0) | type(len)):
        return "a function is returned, not its result: the parentheses of the call are missing."
    return None


def of_text(right: Any, wrong: Any) -> str | None:
    """Say whether two texts differ in their capitals or blanks only."""
    if isinstance(right, str) and isinstance(wrong, str) and wrong != right:
        if wrong.lower() == right.lower():
            return "the right letters, but upper and lower case differ."
        if wrong.split() == right.split() or "".join(wrong.split()) == "".join(right.split()):
            return "only the spaces differ."
    return None


def of_lists(right: list[Any], wrong: list[Any]) -> str | None:
    """Say what is wrong with a list: an end, an order, repetitions."""
    right, wrong = [*map(_hashable, right)], [*map(_hashable, wrong)]
    if len(right) > 1 and wrong != right:
        if wrong == right[:-1]:
            return "the last item is missing: a loop or slice that stops one too early."
        if wrong == right[1:]:
            return "the first item is missing: a loop or slice that starts one too late."
        if wrong == right[::-1]:
            return "the right items in reverse order."
        if wrong == list(dict.fromkeys(right)):
            return "repetitions are missing: each item is there only once."
        if sorted(map(repr, wrong)) == sorted(map(repr, right)):
            return "the right items in a different order."
    return None


def between(right: list[Any], wrong: list[Any]) -> str | None:
    """Say what a list has beside the right items, if those are all there, in their order."""
    left, extra = list(right), []
    for item in wrong:
        if left and values.same(item, left[0]):
            del left[0]
        else:
            extra.append(item)
    if not right or left or not extra:
        return None
    listed = ", ".join(list(dict.fromkeys(map(repr, extra)))[:3])
    return f"all right items are there, and others that do not belong: {listed}."


def _kind(value: Any) -> str:
    return type(value).__name__


def _hashable(value: Any) -> Any:
    value = value.tolist() if isinstance(value, np.ndarray) else value
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
