"""Cases of PPMI: symmetric counts with words that never met anybody, at several smoothings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases."""
    small, large = _counts(rng, 6), _counts(rng, 20)
    yield Call("ppmi", {"counts": small}, name="six words")
    yield Call("ppmi", {"counts": small, "smoothing": 1.0}, name="six words, smoothing 1")
    yield Call("ppmi", {"counts": large, "smoothing": 0.4}, name="twenty words, smoothing 0.4")
    weights = SparseMatrix(large.keys, large.values * 0.5, large.size)
    yield Call("ppmi", {"counts": weights}, name="counts that are floats")
    alone = SparseMatrix(np.array([0]), np.array([2]), 1)
    yield Call("ppmi", {"counts": alone}, name="one word that met itself, exactly by chance")
    nobody = np.array([], np.int64)
    empty = SparseMatrix(nobody, nobody, 3)
    yield Call("ppmi", {"counts": empty}, name="three words that never met")
    for smoothing in (0.0, -0.5, 1.5):
        yield Call(
            "ppmi",
            {"counts": small, "smoothing": smoothing},
            raises=OptionError,
            name=f"smoothing {smoothing}",
        )


def _counts(rng: np.random.Generator, size: int) -> SparseMatrix:
    """Draw symmetric counts; half of the pairs never met, and the last word met nobody."""
    upper = np.triu(rng.integers(1, 30, (size, size)) * rng.integers(0, 2, (size, size)))
    upper[:, -1] = 0
    dense = upper + upper.T
    keys = np.flatnonzero(dense)
    return SparseMatrix(keys, dense.reshape(-1)[keys], size)


def a_longer_text_of_the_same_kind(f: Any, rng: np.random.Generator) -> str | None:
    """Count everything ten times."""
    counts = _counts(rng, 8)
    longer = SparseMatrix(counts.keys, 10 * counts.values, counts.size)
    change = np.abs(f.ppmi(longer).dense() - f.ppmi(counts).dense()).max()
    if change > 1e-9:
        return (
            "shares do not change when a text is ten times as long, but your PPMI of ten times the "
            f"counts differs by {change:.3g}"
        )
    return None


PROPERTIES = {"only shares count": a_longer_text_of_the_same_kind}


def _steps(**inputs: Any) -> dict[str, Any]:
    counts, smoothing = inputs["counts"], inputs.get("smoothing", 0.75)
    totals = counts.row_sums()
    return {"totals": totals, "contexts": totals ** max(smoothing, 0.0)}


STEPS = {"ppmi": _steps}
