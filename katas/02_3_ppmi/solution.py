"""Kata 2.3  PPMI: a solution."""

from __future__ import annotations

import numpy as np

from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def ppmi(counts: SparseMatrix, smoothing: float = 0.75) -> SparseMatrix:
    """Weight co-occurrence counts by positive pointwise mutual information."""
    if not 0 < smoothing <= 1:
        raise OptionError(f"the smoothing is {smoothing}; it must be above 0 and at most 1")
    totals = counts.row_sums()
    contexts = totals**smoothing
    pair = counts.values / totals.sum()
    word = totals / totals.sum()
    context = contexts / contexts.sum()
    values = np.log(pair / (word[counts.rows] * context[counts.columns]))
    positive = values > 0
    return SparseMatrix(counts.keys[positive], values[positive], counts.size)
