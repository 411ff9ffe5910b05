"""Kata 3.1  TF-IDF: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def inverse_frequency(document_frequency: NDArray[Any], documents: int) -> NDArray[np.float64]:
    """Return ln((1 + N) / (1 + df)) + 1: as if one more document had every term."""
    idf: NDArray[np.float64] = np.log((1 + documents) / (1 + document_frequency)) + 1
    return idf


def weigh(counts: NDArray[Any], idf: NDArray[Any]) -> NDArray[np.float64]:
    """Damp the counts, multiply the columns by idf, bring the rows to length 1."""
    damped = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0.0)
    weights = damped * idf
    lengths = np.sqrt((weights**2).sum(axis=1, keepdims=True))
    unit: NDArray[np.float64] = weights / np.where(lengths > 0, lengths, 1.0)
    return unit
