"""Kata 11.1  RMS norm, both ways: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def rms_norm(x: Array, gain: Array, epsilon: float = 1e-5) -> tuple[Array, Cache]:
    """Divide each row by its root mean square, then scale each channel."""
    mean_square = (x * x).mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(mean_square + epsilon)
    normalized = x * rstd
    return normalized * gain, (normalized, rstd, gain)


def rms_norm_backward(dy: Array, cache: Cache) -> tuple[Array, Array]:
    """Return dx and dgain; x acts directly, and through the mean square of its row."""
    normalized, rstd, gain = cache
    d = dy * gain
    dx = rstd * (d - normalized * (d * normalized).mean(axis=-1, keepdims=True))
    return dx, (dy * normalized).sum(axis=tuple(range(dy.ndim - 1)))
