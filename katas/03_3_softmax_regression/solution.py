"""Kata 3.3  Softmax regression: loss and gradient: a solution."""

from __future__ import annotations

import numpy as np


def loss_and_gradient(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, labels: np.ndarray, l2: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the mean cross-entropy with its penalty, and what is predicted less what is true."""
    count = len(labels)
    rows = np.arange(count)
    logits = features @ weights + bias
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[rows, labels].sum() / count + l2 / 2 * (weights**2).sum() / count
    d_logits = np.exp(log_p)
    d_logits[rows, labels] -= 1
    d_weights = (features.T @ d_logits + l2 * weights) / count
    return float(loss), d_weights, d_logits.sum(axis=0) / count
