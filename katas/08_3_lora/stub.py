"""Kata 8.3  LoRA

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 8.3    or on every save: minilm kata watch
    minilm kata read 8.3     the page
    minilm kata hint 8.3     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Cache = tuple[Any, ...]


def low_rank(x: Array, a: Array, b: Array, scaling: float) -> tuple[Array, Cache]:
    """Multiply by a matrix of low rank: by `a`, then by `b`, and by a number.

    Parameters
    ----------
    x : ndarray of shape (..., I)
    a : ndarray of shape (R, I)
    b : ndarray of shape (O, R)
    scaling : float

    Returns
    -------
    y : ndarray of shape (..., O)
    cache : (x, narrow, a, b, scaling)
        `narrow`, of shape (N, R), is what is between `a` and `b`, the leading axes flattened and
        the scaling already in it.

    Examples
    --------
    >>> x, a, b = np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]]), np.array([[1.0], [0.0], [2.0]])
    >>> low_rank(x, a, b, 2.0)[0]
    array([[ 6.,  0., 12.]])

    References
    ----------
    E. Hu and others (2021), "LoRA: low-rank adaptation of large language models", section 4.1.
    """
    raise NotImplementedError("not written yet")


def low_rank_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return the gradients of `low_rank`: dx, da and db.

    Parameters
    ----------
    dy : ndarray of shape (..., O)
    cache : (x, narrow, a, b, scaling)

    Returns
    -------
    dx : ndarray of shape (..., I)
    da : ndarray of shape (R, I)
    db : ndarray of shape (O, R)
    """
    raise NotImplementedError("not written yet")


def merged_weight(weight: Array, a: Array, b: Array, scaling: float) -> Array:
    """Return the one matrix that does the work of all three.

    Multiplying by it is multiplying by `weight` and adding what `low_rank` gives, up to rounding.

    Parameters
    ----------
    weight : ndarray of shape (I, O)
    a : ndarray of shape (R, I)
    b : ndarray of shape (O, R)
    scaling : float

    Returns
    -------
    ndarray of shape (I, O)

    Examples
    --------
    >>> a, b = np.array([[1.0, 1.0]]), np.array([[1.0], [0.0], [2.0]])
    >>> merged_weight(np.zeros((2, 3)), a, b, 2.0)
    array([[2., 0., 4.],
           [2., 0., 4.]])
    """
    raise NotImplementedError("not written yet")
