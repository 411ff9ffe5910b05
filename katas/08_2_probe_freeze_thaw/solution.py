"""Kata 8.2  Probe, freeze, thaw: a solution."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from minilm.errors import OptionError
from minilm.nn.parameters import Shapes
from minilm.store.huggingface import SCORE


def stages(levels: Mapping[str, int], method: str, layers: int = 1) -> list[list[str]]:
    """Go by name for probe and LoRA, and by level for the others."""
    deepest = max(levels.values())
    if method == "probe":
        return [[SCORE]]
    if method == "lora":
        return [[name for name in levels if name == SCORE or ".lora_" in name]]
    if method == "gradual":
        reached = [*range(deepest + 1)]
    elif method == "last-n":
        if layers >= deepest:
            raise OptionError(f"{layers} layers are to be trained, but there are {deepest - 1}")
        reached = [layers]
    else:
        reached = [deepest]
    return [[name for name, level in levels.items() if level <= most] for most in reached]


def rate_factors(levels: Mapping[str, int], decay: float) -> dict[str, float]:
    """Multiply by the decay once for each level."""
    return {name: decay**level for name, level in levels.items()}


def count_of(shapes: Shapes, names: Iterable[str]) -> int:
    """Add up the products of the shapes."""
    return sum(math.prod(shapes[name]) for name in names)
