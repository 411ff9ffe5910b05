"""Kata 5.4  Multi-head attention, both ways

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 5.4    or on every save: minilm kata watch
    minilm kata read 5.4     the page
    minilm kata hint 5.4     a hint

Use `F.split_heads`, `F.merge_heads`, `F.attention` and `F.attention_backward`: then your own of
katas 5.1 to 5.3 are used where they have passed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F

Cache = tuple[Any, ...]
Extend = Callable[[Array, Array], tuple[Array, Array]]


def multi_head_attention(
    qkv: Array, heads: int, keep: Array | None = None, extend: Extend | None = None
) -> tuple[Array, Cache]:
    """Let all heads attend, each with its share of the channels.

    The channels of `qkv` are C for the queries, then C for the keys, then C for the values. Each C
    is shared among the heads as in `split_heads`.

    Parameters
    ----------
    qkv : ndarray of shape (B, T, 3 C)
    heads : int
        H, a divisor of C.
    keep : ndarray of shape (B, H, T, T), optional
        Dropout on the weights, for `attention`.
    extend : callable, optional
        Takes the k and v of these positions, (B, H, T, D) each, and returns the k and v to attend
        to: those of earlier positions are in front of them.

    Returns
    -------
    y : ndarray of shape (B, T, C)
    cache : (q, k, v, weights, keep)
        What `attention` returned.

    References
    ----------
    A. Vaswani and others (2017), "Attention is all you need", section 3.2.2.
    """
    raise NotImplementedError("not written yet")


def multi_head_attention_backward(dy: Array, cache: Cache) -> Array:
    """Return dqkv of `multi_head_attention`.

    Parameters
    ----------
    dy : ndarray of shape (B, T, C)
    cache : (q, k, v, weights, keep)
        Without `extend`: q, k and v all have the shape (B, H, T, D).

    Returns
    -------
    dqkv : ndarray of shape (B, T, 3 C)
        In the order of qkv: queries, keys, values.
    """
    raise NotImplementedError("not written yet")
