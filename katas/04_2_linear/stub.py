"""Kata 4.2  Linear, forward and backward

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 4.2    or on every save: minilm kata watch
    minilm kata read 4.2     the page
    minilm kata hint 4.2     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def linear(x: Array, weight: Array, bias: Array) -> tuple[Array, Cache]:
    """Multiply every row by a matrix and add a bias.

    Parameters
    ----------
    x : ndarray of shape (..., I)
        Any number of leading axes.
    weight : ndarray of shape (I, O)
        Stored input first, as Hugging Face's GPT-2 stores it (its `Conv1D`).
    bias : ndarray of shape (O,)

    Returns
    -------
    y : ndarray of shape (..., O)
    cache : (x, weight)

    Examples
    --------
    >>> linear(np.array([[1.0, 2.0]]), np.array([[1.0], [10.0]]), np.array([0.5]))[0]
    array([[21.5]])
    """
    raise NotImplementedError("not written yet")


def linear_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return the gradients of `linear`: dx, dweight and dbias.

    Parameters
    ----------
    dy : ndarray of shape (..., O)
        The gradient of the loss with respect to y.
    cache : (x, weight)

    Returns
    -------
    dx : ndarray of shape (..., I)
    dweight : ndarray of shape (I, O)
    dbias : ndarray of shape (O,)
    """
    raise NotImplementedError("not written yet")
