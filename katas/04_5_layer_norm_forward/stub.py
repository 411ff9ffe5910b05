"""Kata 4.5  Layer norm, forward

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 4.5    or on every save: minilm kata watch
    minilm kata read 4.5     the page
    minilm kata hint 4.5     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def layer_norm(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> tuple[Array, Cache]:
    """Normalize each row over its channels, then scale and shift each channel.

    A row is what lies along the last axis. No row influences another one.

    Parameters
    ----------
    x : ndarray of shape (..., C), float
    gain, bias : ndarray of shape (C,)
        Learned; shared by all rows.
    epsilon : float
        Prevents a division by zero where all entries of a row are equal. The page says where it
        goes.

    Returns
    -------
    y : ndarray of shape (..., C), dtype of x
    cache : (normalized, rstd, gain)
        `normalized`, of shape (..., C), is what the gain multiplies; `rstd`, of shape (..., 1),
        is one over the standard deviation.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton (2016), "Layer Normalization".

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), 0.0)[0]
    array([[-1.,  1.]])
    """
    raise NotImplementedError("not written yet")
