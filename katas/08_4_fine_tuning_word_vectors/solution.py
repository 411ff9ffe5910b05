"""Kata 8.4  Fine-tuning word vectors: a solution."""

from __future__ import annotations

import numpy as np

from minilm.classify.tuned_vectors import Tokens
from minilm.nn import functional as F


def loss_and_gradient(
    weights: np.ndarray,
    bias: np.ndarray,
    departures: np.ndarray,
    start: np.ndarray,
    tokens: Tokens,
    labels: np.ndarray,
    l2: float,
    vector_l2: float,
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Average the vectors, regress, and send the gradient back to the words that were there."""
    count = len(labels)
    vectors = start + departures
    shares = tokens.shares[:, None]
    x = np.zeros((count, len(weights)))
    np.add.at(x, tokens.documents, shares * vectors[tokens.words])
    entropy, cache = F.cross_entropy(x @ weights + bias, labels)
    d_logits = F.cross_entropy_backward(1.0, cache)
    dx = d_logits @ weights.T
    d_departures = vector_l2 / count * departures
    np.add.at(d_departures, tokens.words, shares * dx[tokens.documents])
    penalty = l2 * (weights**2).sum() + vector_l2 * (departures**2).sum()
    d_weights = x.T @ d_logits + l2 / count * weights
    return float(entropy + penalty / (2 * count)), d_weights, d_logits.sum(axis=0), d_departures
