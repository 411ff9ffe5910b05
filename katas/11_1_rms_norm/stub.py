"""Kata 11.1  RMS norm, both ways

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 11.1    or on every save: minilm kata watch
    minilm kata read 11.1     the page
    minilm kata hint 11.1     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def rms_norm(x: Array, gain: Array, epsilon: float = 1e-5) -> tuple[Array, Cache]:
    """Divide each row by its root mean square, then scale each channel.

    Parameters
    ----------
    x : ndarray of shape (..., C)
    gain : ndarray of shape (C,)
    epsilon : float
        Added to the mean square, so that a row of zeros does not divide by zero.

    Returns
    -------
    y : ndarray of shape (..., C)
    cache : (normalized, rstd, gain)
        Of shapes (..., C), (..., 1) and (C,). `normalized` is y before the gain, and `rstd` is one
        over the root.

    References
    ----------
    B. Zhang and R. Sennrich (2019), "Root Mean Square Layer Normalization", equation 4.

    Examples
    --------
    >>> rms_norm(np.array([[1.0, 7.0]]), np.array([1.0, 10.0]), 0.0)[0]
    array([[ 0.2, 14. ]])
    """
    raise NotImplementedError("not written yet")


def rms_norm_backward(dy: Array, cache: Cache) -> tuple[Array, Array]:
    """Return the gradients of `rms_norm`: dx and dgain.

    Parameters
    ----------
    dy : ndarray of shape (..., C)
    cache : (normalized, rstd, gain)

    Returns
    -------
    dx : ndarray of shape (..., C)
    dgain : ndarray of shape (C,)
    """
    raise NotImplementedError("not written yet")
