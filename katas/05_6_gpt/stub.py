"""Kata 5.6  GPT: tied head, table, first loss

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 5.6    or on every save: minilm kata watch
    minilm kata read 5.6     the page
    minilm kata hint 5.6     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array, Ids
from minilm.nn import functional as F
from minilm.nn.config import GPTConfig

Cache = tuple[Any, ...]


def param_shapes(config: GPTConfig) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every parameter of a GPT, in the order of the forward pass.

    The names are `wte.weight` (words), `wpe.weight` (positions); for each layer, from 0 on, the
    twelve of the page with `h.0.`, `h.1.`, ... in front; then `ln_f.weight` and `ln_f.bias`.
    Matrices are stored input first.

    Parameters
    ----------
    config : GPTConfig
        `vocab_size`, `n_positions`, `n_embd`, `n_layer` are V, P, C and the number of layers;
        `inner` is the width of the MLP's hidden layer.

    Returns
    -------
    dict of str to tuple of int
    """
    raise NotImplementedError("not written yet")


def embed(ids: Ids, words: Array, positions: Array, start: int = 0) -> tuple[Array, Cache]:
    """Give each token the row of its word plus the row of its position.

    Parameters
    ----------
    ids : integer ndarray of shape (B, T)
    words : ndarray of shape (V, C)
    positions : ndarray of shape (P, C)
    start : int
        The position of the first token.

    Returns
    -------
    x : ndarray of shape (B, T, C)
    cache : (ids, V, P, start)
        V and P are the numbers of rows of the two tables.
    """
    raise NotImplementedError("not written yet")


def embed_backward(dx: Array, cache: Cache, dhead: Array | None = None) -> tuple[Array, Array]:
    """Return dwords and dpositions of `embed`; dwords includes what the head has found.

    Call `F.embedding_backward(dy, (ids, V))`: then your own of kata 4.7 is used where it has
    passed.

    Parameters
    ----------
    dx : ndarray of shape (B, T, C)
    cache : (ids, V, P, start)
    dhead : ndarray of shape (V, C), optional
        The gradient of the same table of words, from the tied head.

    Returns
    -------
    dwords : ndarray of shape (V, C)
    dpositions : ndarray of shape (P, C)
    """
    raise NotImplementedError("not written yet")


def unembed(x: Array, weight: Array) -> tuple[Array, Cache]:
    """Score each row against each row of a table: the head of the model.

    Parameters
    ----------
    x : ndarray of shape (..., C)
        The leading axes may be any, such as (B, T).
    weight : ndarray of shape (V, C)
        In GPT-2, the table of words itself.

    Returns
    -------
    y : ndarray of shape (..., V)
        The logits.
    cache : (x, weight)

    References
    ----------
    O. Press and L. Wolf (2017), "Using the output embedding to improve language models".
    """
    raise NotImplementedError("not written yet")


def unembed_backward(dy: Array, cache: Cache) -> tuple[Array, Array]:
    """Return dx and dweight of `unembed`.

    Parameters
    ----------
    dy : ndarray of shape (..., V)
    cache : (x, weight)

    Returns
    -------
    dx : ndarray of shape (..., C)
    dweight : ndarray of shape (V, C)
    """
    raise NotImplementedError("not written yet")
