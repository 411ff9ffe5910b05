"""Cases of counting: documents of all lengths, words beside themselves, windows of all widths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.errors import OptionError


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; -1 stands between documents."""
    line = np.array([0, 3, 1, 4, 2, 5])
    two = np.array([0, 3, 1, -1, 4, 2, 5])
    again = np.array([3, 3, 3, 1, 0, 3, 2, 2, 1, 3, 1])
    # Empty documents at both ends and in the middle, and one of a single word.
    ragged = np.array([-1, 4, 2, 6, 2, -1, -1, 5, -1, 6, 6, 0, 4, 1, -1])
    many = rng.integers(0, 37, 160)
    many[rng.random(160) < 0.1] = -1
    # Named separately, so that of two mistakes in one answer the first is reported by itself.
    examples: dict[str, dict[str, tuple[Any, int, int]]] = {
        "counts": {
            "one document, window 1": (line, 1, 6),
            "one document, window 3": (line, 3, 6),
            "no words at all": (np.array([], np.int64), 2, 3),
        },
        "counts of words that repeat": {
            "words that repeat, window 2": (again, 2, 5),
            "a window longer than the document": (again, 50, 5),
        },
        "counts of several documents": {
            "two documents, window 2": (two, 2, 6),
            "empty documents, window 3": (ragged, 3, 8),
            "160 places, window 1": (many, 1, 37),
            "160 places, window 4": (many, 4, 37),
            "only separators": (np.array([-1, -1]), 2, 3),
        },
        "counts of high ids": {
            "ids of 16 bits, keys of more": (again.astype(np.int16) + np.int16(290), 2, 300),
        },
    }
    for returns, group in examples.items():
        for name, (ids, window, size) in group.items():
            yield _call(ids, window, size, returns=returns, name=name)
    yield _call(line, 0, 6, name="window 0", raises=OptionError)
    yield _call(line, 2, 5, name="an id that is as large as size", raises=OptionError)


def _call(ids: np.ndarray, window: int, size: int, **about: Any) -> Case:
    return Call("count", {"ids": ids, "window": window, "size": size}, **about)


def as_many_as_there_are_pairs(f: Any, rng: np.random.Generator) -> str | None:
    """Add all counts up: two for each pair of places, whatever the words are."""
    ids = rng.integers(0, 9, 20)
    total = int(f.count(ids, 3, 9).values.sum())
    if total != 2 * (19 + 18 + 17):
        return f"20 words in a row have 19 + 18 + 17 pairs at window 3; you counted {total} / 2"
    return None


def the_direction_of_reading_does_not_count(f: Any, rng: np.random.Generator) -> str | None:
    """Read the text from its end: the same words stand near one another."""
    ids = rng.integers(0, 9, 40)
    ids[17] = -1
    forward, backward = f.count(ids, 3, 9).dense(), f.count(ids[::-1], 3, 9).dense()
    if not np.array_equal(forward, backward):
        return "read backward, the same text gives other counts"
    return None


PROPERTIES = {
    "two for each pair of places": as_many_as_there_are_pairs,
    "the direction of reading does not count": the_direction_of_reading_does_not_count,
}
