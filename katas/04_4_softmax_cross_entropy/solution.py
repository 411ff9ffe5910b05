"""Kata 4.4  Softmax and cross-entropy: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array, Ids
from minilm.errors import OptionError

Cache = tuple[Any, ...]


def softmax(x: Array) -> tuple[Array, Cache]:
    """Turn scores into probabilities over the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    y = e / e.sum(axis=-1, keepdims=True)
    return y, (y,)


def softmax_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `softmax`: y * (dy - sum(dy * y)), the sum over each row."""
    (y,) = cache
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def cross_entropy(logits: Array, targets: Ids, ignore_index: int = -100) -> tuple[Array, Cache]:
    """Return the mean of log(sum(exp(logits))) - logits[target] over the rows that count."""
    counted = targets != ignore_index
    if not counted.any():
        raise OptionError(f"all {targets.size} targets are ignored; at least one must count")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    totals = np.exp(shifted).sum(axis=-1, keepdims=True)
    log_probabilities = shifted - np.log(totals)
    rows = log_probabilities[counted]
    loss = -rows[np.arange(len(rows)), targets[counted]].mean()
    return loss, (np.exp(shifted) / totals, targets, ignore_index)


def cross_entropy_backward(dloss: float, cache: Cache) -> Array:
    """Return dlogits: dloss / N * (probabilities - onehot(target)) in the N rows that count."""
    probabilities, targets, ignore_index = cache
    counted = targets != ignore_index
    rows = probabilities[counted]
    rows[np.arange(len(rows)), targets[counted]] -= 1
    dlogits = np.zeros_like(probabilities)
    dlogits[counted] = dloss / len(rows) * rows
    return dlogits
