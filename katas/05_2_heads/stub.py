"""Kata 5.2  Heads: split and merge

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 5.2    or on every save: minilm kata watch
    minilm kata read 5.2     the page
    minilm kata hint 5.2     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array


def split_heads(x: Array, heads: int) -> Array:
    """Give each head its share of the channels.

    The first head gets the first D channels of every position, the second head the next D, and so
    on.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
    heads : int
        H, a divisor of C.

    Returns
    -------
    ndarray of shape (B, H, T, D), with D = C / H

    References
    ----------
    A. Vaswani and others (2017), "Attention is all you need", section 3.2.2.
    """
    raise NotImplementedError("not written yet")


def merge_heads(x: Array) -> Array:
    """Put the heads' channels side by side again: the inverse of `split_heads`.

    Parameters
    ----------
    x : ndarray of shape (B, H, T, D)

    Returns
    -------
    ndarray of shape (B, T, H * D)
    """
    raise NotImplementedError("not written yet")
