"""Kata 7.3  The key-value cache: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array


class KeyValueCache:
    """The keys and values of the positions that a model has read."""

    def __init__(self, model: Any, batch: int = 1, length: int | None = None) -> None:
        config = model.config
        room = config.n_positions if length is None else length
        shape = (config.n_layer, batch, config.kv_heads, room, config.head_size)
        self.keys = np.empty(shape, model.parameters.dtype)
        self.values = np.empty(shape, model.parameters.dtype)
        self.length = 0

    def extend(self, layer: int, k: Array, v: Array) -> tuple[Array, Array]:
        """Put the new keys and values behind the earlier ones, and return all of them."""
        start, stop = self.length, self.length + k.shape[2]
        keys, values = self.keys[layer], self.values[layer]
        keys[:, :, start:stop] = k
        values[:, :, start:stop] = v
        return keys[:, :, :stop], values[:, :, :stop]
