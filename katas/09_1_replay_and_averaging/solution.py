"""Kata 9.1  Replay and averaging: a solution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilm.arrays import Array, Ids


def old_windows(texts: Sequence[Ids], count: int, *, rng: np.random.Generator) -> list[Ids]:
    """Draw a text for each window, then a window of it."""
    found = []
    for k in rng.integers(len(texts), size=count):
        row = rng.integers(len(texts[k]))
        found.append(texts[k][row])
    return found


def mixed(ids: Ids, targets: Ids, windows: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Put old windows under a batch of new text."""
    time = ids.shape[1]
    old_ids = np.zeros((len(windows), time), ids.dtype)
    old_targets = np.full((len(windows), time), -100, ids.dtype)
    for row, window in enumerate(windows):
        piece = window[: time + 1]
        old_ids[row, : len(piece) - 1] = piece[:-1]
        old_targets[row, : len(piece) - 1] = piece[1:]
    return np.concatenate([ids, old_ids]), np.concatenate([targets, old_targets])


def averaged(new: Array, old: Array, weight: float) -> Array:
    """Return a point on the line between two models."""
    mean: Array = (1 - weight) * new + weight * old
    return mean
