"""Kata 6.2  AdamW: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def adamw(
    p: Array,
    g: Array,
    mean: Array,
    square: Array,
    *,
    step: int,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Take one step of Adam with decoupled weight decay."""
    beta1, beta2 = betas
    mean = beta1 * mean + (1 - beta1) * g
    square = beta2 * square + (1 - beta2) * g * g
    m = mean / (1 - beta1**step)
    s = square / (1 - beta2**step)
    p = p - learning_rate * (weight_decay * p + m / (np.sqrt(s) + epsilon))
    return p, mean, square
