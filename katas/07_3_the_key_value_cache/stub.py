"""Kata 7.3  The key-value cache

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 7.3    or on every save: minilm kata watch
    minilm kata read 7.3     the page
    minilm kata hint 7.3     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array


class KeyValueCache:
    """The keys and values of the positions that a model has read, of every layer.

    Attributes
    ----------
    keys, values : ndarray of shape (layers, B, K, room, D), dtype of the model's parameters
        Made once, in `__init__`. Filled up to `length`; what is behind is not used.
    length : int
        How many positions have been read. It is 0 at first. The model adds to it, once all layers
        have read the new positions; no method of this class changes it.

    References
    ----------
    R. Pope et al. (2022), "Efficiently Scaling Transformer Inference", section 2.1.
    """

    def __init__(self, model: Any, batch: int = 1, length: int | None = None) -> None:
        """Make room.

        Parameters
        ----------
        model : GPT or Llama
            `model.config` has `n_layer`; `kv_heads`, which is K, the heads of keys and values (in
            GPT-2 all H); `head_size`, which is D; and `n_positions`, the context.
            `model.parameters` has a `dtype`.
        batch : int
            B, sequences side by side.
        length : int, optional
            How many positions there is room for; by default the context.
        """
        raise NotImplementedError("not written yet")

    def extend(self, layer: int, k: Array, v: Array) -> tuple[Array, Array]:
        """Keep a layer's keys and values of new positions; return those of all positions so far.

        The model calls it in every layer, for the same new positions: all of the prompt at first,
        and then one position for each token.

        Parameters
        ----------
        layer : int
            From 0.
        k, v : ndarray of shape (B, K, S, D)
            Of S new positions, the first of which is position `length`.

        Returns
        -------
        keys, values : ndarray of shape (B, K, length + S, D)
            In the order of the text.
        """
        raise NotImplementedError("not written yet")
