"""Kata 4.1  Checking a gradient: a solution."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from minilm.arrays import Array
from minilm.nn import gradcheck

Arguments = Mapping[str, Array]


def slope(function: Callable[[float], float], step: float) -> float:
    """Combine two central differences so that their errors cancel."""
    near = (function(step) - function(-step)) / (2 * step)
    far = (function(2 * step) - function(-2 * step)) / (4 * step)
    return (4 * near - far) / 3


def directional_error(
    function: Callable[..., float],
    arguments: Arguments,
    gradients: Arguments,
    *,
    rng: np.random.Generator,
    step: float = 1e-3,
) -> float:
    """Walk along a random direction; compare the slope there with what the gradient predicts."""
    gradcheck.check_arguments(arguments, gradients)
    direction = {name: rng.standard_normal(g.shape) for name, g in gradients.items()}
    length = np.sqrt(sum((d**2).sum() for d in direction.values()))
    direction = {name: d / length for name, d in direction.items()}

    def along(t: float) -> float:
        moved = {name: arguments[name] + t * d for name, d in direction.items()}
        return function(**{**arguments, **moved})

    measured = slope(along, step)
    given = sum((gradients[name] * d).sum() for name, d in direction.items())
    entries = sum(g.size for g in gradients.values())
    typical = np.sqrt(sum((g**2).sum() for g in gradients.values()) / entries)
    largest = max(abs(measured), typical)
    return float(abs(given - measured) / largest) if largest > 0 else 0.0
