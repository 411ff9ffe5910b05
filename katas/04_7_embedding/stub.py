"""Kata 4.7  Embedding, forward and backward

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 4.7    or on every save: minilm kata watch
    minilm kata read 4.7     the page
    minilm kata hint 4.7     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array, Ids

Cache = tuple[Any, ...]


def embedding(ids: Ids, weight: Array) -> tuple[Array, Cache]:
    """Look up one row of a table for each id.

    Parameters
    ----------
    ids : integer ndarray of shape (...)
        Row numbers, from 0 to V - 1.
    weight : ndarray of shape (V, C), float

    Returns
    -------
    y : ndarray of shape (..., C), dtype of weight
    cache : (ids, V)
        V is an int: how many rows the table has.

    Examples
    --------
    >>> embedding(np.array([1, 0, 1]), np.array([[0.0, 1.0], [2.0, 3.0]]))[0]
    array([[2., 3.],
           [0., 1.],
           [2., 3.]])
    """
    raise NotImplementedError("not written yet")


def embedding_backward(dy: Array, cache: Cache) -> Array:
    """Return dweight of `embedding`; ids are whole numbers and have no gradient.

    Parameters
    ----------
    dy : ndarray of shape (..., C), float
        The upstream gradient.
    cache : (ids, V)

    Returns
    -------
    ndarray of shape (V, C), dtype of dy
        Rows that no id named are zero.

    Examples
    --------
    >>> embedding_backward(np.array([[1.0], [2.0], [4.0]]), (np.array([1, 0, 1]), 3))
    array([[2.],
           [5.],
           [0.]])
    """
    raise NotImplementedError("not written yet")
