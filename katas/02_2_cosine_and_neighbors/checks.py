"""Cases of cosine and neighbors: zero rows, rows of all lengths, ties, rows to leave out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the three functions."""
    rows = rng.standard_normal((4, 3))
    with_zero = rows.copy()
    with_zero[2] = 0.0
    lengths = rows * np.array([[1e-6], [1.0], [50.0], [1e6]])
    tables = {
        "four rows of three": rows,
        "a zero row": with_zero,
        "as many rows as columns": rng.standard_normal((3, 3)),
        "rows from very short to very long": lengths,
    }
    for name, matrix in tables.items():
        yield Call("unit_rows", {"matrix": matrix}, name=name)
    single = with_zero.astype(np.float32)
    yield Call("unit_rows", {"matrix": single}, tolerance=1e-3, name="float32")

    others = rng.standard_normal((5, 3))
    others[1] = 0.0
    pairs = {
        "4 rows with 5": (rows, others),
        "zero rows on both sides": (with_zero, others),
        "3 rows with 3": (tables["as many rows as columns"], rng.standard_normal((3, 3))),
        "2 rows with 300": (rows[:2], rng.standard_normal((300, 3))),
        "rows from very short to very long": (lengths, 1e3 * others),
        "float32, computed in float64": (single, others.astype(np.float32)),
    }
    for name, (a, b) in pairs.items():
        yield Call("cosine", {"a": a, "b": b}, name=name)
    yield from _nearest(rng)


def _nearest(rng: np.random.Generator) -> Iterator[Case]:
    vectors = rng.standard_normal((9, 4)) * rng.uniform(0.2, 5.0, (9, 1))
    query = rng.standard_normal(4)
    # Rows 1, 4 and 6 point one way; 6 is closer by less than the last digit that counts.
    tied = vectors.copy()
    tied[4] = 2 * tied[1]
    tied[6] = 0.5 * tied[1] + 1e-10 * query
    toward = tied[1] + 0.1 * query
    examples: dict[str, dict[str, Any]] = {
        "the best 3 of 9": {"query": query, "vectors": vectors, "top": 3},
        "a row of the table, itself left out": {
            "query": vectors[5].copy(),
            "vectors": vectors,
            "top": 4,
            "exclude": [5],
        },
        "two rows left out": {"query": query, "vectors": vectors, "top": 4, "exclude": [7, 0]},
        "equal cosines": {"query": toward, "vectors": tied, "top": 5},
        "more asked for than there are": {
            "query": query,
            "vectors": vectors,
            "top": 20,
            "exclude": [3],
        },
        "60 rows in 5 directions": {
            "query": query,
            "vectors": vectors[rng.integers(0, 5, 60)] * rng.integers(1, 4, (60, 1)),
            "top": 40,
        },
        "a query of zeros": {"query": np.zeros(4), "vectors": vectors, "top": 3},
    }
    for name, inputs in examples.items():
        yield Call("nearest", inputs, name=name)


def no_cosine_outside_its_range(f: Any, rng: np.random.Generator) -> str | None:
    """Compare rows with themselves and their opposites: rounding oversteps 1 now and then."""
    rows = rng.standard_normal((200, 7))
    farthest = max(f.cosine(rows, rows).max(), -f.cosine(rows, -rows).min())
    if 1 < farthest < 1.001:
        return (
            "a row's cosine with itself, or with its opposite, comes out beyond 1 or -1 by "
            "rounding, and arccos of that is not a number; clip to [-1, 1]"
        )
    return None


def the_length_does_not_count(f: Any, rng: np.random.Generator) -> str | None:
    """Stretch every row by a number of its own."""
    a, b = rng.standard_normal((3, 4)), rng.standard_normal((5, 4))
    stretched = a * rng.uniform(0.1, 10.0, (3, 1))
    change = np.abs(f.cosine(stretched, b) - f.cosine(a, b)).max()
    if change > 1e-9:
        return f"a row made longer or shorter keeps its cosines, but yours changed by {change:.3g}"
    return None


def zero_rows_are_zeros(f: Any, rng: np.random.Generator) -> str | None:
    """Look whether memory that was never written to is given out."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        f.unit_rows(np.zeros((4, 3)))
    if any("'out'" in str(warning.message) for warning in warned):
        return (
            "np.divide(..., where=...) without out= leaves in the zero rows whatever was in memory "
            "there: zeros today, anything tomorrow; give it out=np.zeros_like(matrix)"
        )
    return None


PROPERTIES = {
    "zero rows are set to zero": zero_rows_are_zeros,
    "cosines are from -1 to 1": no_cosine_outside_its_range,
    "only the direction counts": the_length_does_not_count,
}
