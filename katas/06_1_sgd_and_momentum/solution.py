"""Kata 6.1  SGD and momentum: a solution."""

from __future__ import annotations

from minilm.arrays import Array


def sgd(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> tuple[Array, Array]:
    """Take one step of stochastic gradient descent with momentum."""
    velocity = momentum * velocity + g
    return p - learning_rate * velocity, velocity
