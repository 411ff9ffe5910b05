"""Kata 5.1  Causal attention

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 5.1    or on every save: minilm kata watch
    minilm kata read 5.1     the page
    minilm kata hint 5.1     a hint
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F

Cache = tuple[Any, ...]


def attention(q: Array, k: Array, v: Array, keep: Array | None = None) -> tuple[Array, Cache]:
    """Let each query average the values that it may see, by how well their keys match.

    The queries belong to the last S of the T positions. A query sees its own position and all
    earlier ones. Call `F.softmax(x)`, which returns the weights and a cache, for the softmax: then
    your own of kata 4.4 is used where it has passed.

    Parameters
    ----------
    q : ndarray of shape (B, H, S, D)
    k, v : ndarray of shape (B, H, T, D)
        T is at least S.
    keep : ndarray of shape (B, H, S, T), optional
        Dropout on the weights: factors to multiply them by, after the softmax.

    Returns
    -------
    y : ndarray of shape (B, H, S, D) and the dtype of q
    cache : (q, k, v, weights, keep)
        `weights` of shape (B, H, S, T), before dropout; 0 where a key is hidden.

    References
    ----------
    A. Vaswani and others (2017), "Attention is all you need", section 3.2.1.
    """
    raise NotImplementedError("not written yet")
