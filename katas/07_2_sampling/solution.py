"""Kata 7.2  Sampling: temperature, top-k, top-p: a solution."""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array


def token_probabilities(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Array:
    """Return the probability of each token to be chosen."""
    scores = logits.astype(np.float64)
    if temperature == 0:
        y = np.zeros_like(scores)
        y[scores.argmax()] = 1.0
        return y
    scores = (scores - scores.max()) / temperature
    if top_k is not None and top_k < scores.size:
        scores[scores < np.sort(scores)[-top_k]] = -np.inf
    y = np.exp(scores)
    y = y / y.sum()
    if top_p is not None:
        order = np.argsort(-y, kind="stable")
        before = np.cumsum(y[order]) - y[order]
        y[order[before >= top_p]] = 0.0
        y = y / y.sum()
    return y
