"""Kata 4.6  Layer norm, backward: a solution."""

from __future__ import annotations

from typing import Any

from minilm.arrays import Array

Cache = tuple[Any, ...]


def layer_norm_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return dx, dgain and dbias; x acts directly, through its mean and through its variance."""
    normalized, rstd, gain = cache
    rows = tuple(range(dy.ndim - 1))
    d = dy * gain
    direct = d - d.mean(axis=-1, keepdims=True)
    dx = rstd * (direct - normalized * (d * normalized).mean(axis=-1, keepdims=True))
    return dx, (dy * normalized).sum(axis=rows), dy.sum(axis=rows)
