"""Kata 11.2  Rotary positions, both ways: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def rotary_angles(positions: Array, frequencies: Array) -> tuple[Array, Array]:
    """Multiply every position with every frequency."""
    angles = positions[:, None] * frequencies
    return np.cos(angles), np.sin(angles)


def rotary(x: Array, cos: Array, sin: Array) -> tuple[Array, Cache]:
    """Turn channel i and channel i + D / 2 as one pair."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1), (cos, sin)


def rotary_backward(dy: Array, cache: Cache) -> Array:
    """Turn back: by minus the angle."""
    cos, sin = cache
    return rotary(dy, cos, -sin)[0]
