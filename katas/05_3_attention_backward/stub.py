"""Kata 5.3  Attention, backward

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 5.3    or on every save: minilm kata watch
    minilm kata read 5.3     the page
    minilm kata hint 5.3     a hint
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F

Cache = tuple[Any, ...]


def attention_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return the gradients of `attention`: dq, dk and dv.

    The forward compares every query with every key, scales, hides the future, takes the softmax
    (`weights`), applies dropout, and mixes the values. Call `F.softmax_backward(dy, (y,))` for the
    softmax: then your own of kata 4.4 is used where it has passed.

    Parameters
    ----------
    dy : ndarray of shape (B, H, S, D)
    cache : (q, k, v, weights, keep)
        q of shape (B, H, S, D); k and v of shape (B, H, T, D); weights of shape (B, H, S, T), 0
        where a key is hidden; keep of that shape, or None without dropout: what the forward
        multiplied the weights by.

    Returns
    -------
    dq : ndarray of shape (B, H, S, D)
    dk, dv : ndarray of shape (B, H, T, D)

    References
    ----------
    A. Vaswani and others (2017), "Attention is all you need", section 3.2.1.
    """
    raise NotImplementedError("not written yet")
