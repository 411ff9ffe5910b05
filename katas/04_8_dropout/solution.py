"""Kata 4.8  Dropout: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def dropout(
    x: Array, rate: float, *, rng: np.random.Generator | None = None
) -> tuple[Array, Cache]:
    """Set random elements to zero, and enlarge the others so that the average stays."""
    if rng is None or rate == 0:
        return x, (None,)
    kept = rng.random(x.shape, dtype=np.float32) >= rate
    keep = kept.astype(x.dtype) / (1 - rate)
    return x * keep, (keep,)


def dropout_backward(dy: Array, cache: Cache) -> Array:
    """Return dx: the same elements are dropped, the others enlarged by the same factor."""
    (keep,) = cache
    return dy if keep is None else dy * keep
