"""Kata 11.2  Rotary positions, both ways

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 11.2    or on every save: minilm kata watch
    minilm kata read 11.2     the page
    minilm kata hint 11.2     a hint

Your functions may call each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def rotary_angles(positions: Array, frequencies: Array) -> tuple[Array, Array]:
    """Return the cosines and sines by which `rotary` turns each pair of channels.

    Parameters
    ----------
    positions : ndarray of shape (T,)
        Floats; they need not begin at 0: when a model writes, T is 1 and the position is large.
    frequencies : ndarray of shape (D / 2,)
        By how many radians each pair turns from one position to the next.

    Returns
    -------
    cos, sin : ndarray of shape (T, D / 2)
    """
    raise NotImplementedError("not written yet")


def rotary(x: Array, cos: Array, sin: Array) -> tuple[Array, Cache]:
    """Turn pairs of channels by the angles of their positions.

    Channel i and channel i + D / 2 are one pair. (1, 0) turned by a quarter is (0, 1).

    Parameters
    ----------
    x : ndarray of shape (..., T, D)
        D is even.
    cos, sin : ndarray of shape (T, D / 2)
        As `rotary_angles` returns them; constants, without a gradient.

    Returns
    -------
    y : ndarray of shape (..., T, D)
    cache : (cos, sin)

    References
    ----------
    J. Su et al. (2021), "RoFormer: Enhanced Transformer with Rotary Position Embedding", equation
    34. There neighbors are a pair; in Hugging Face's models the halves are paired, as here.

    Examples
    --------
    >>> quarter = rotary_angles(np.array([1.0]), np.array([np.pi / 2]))
    >>> rotary(np.array([[3.0, 4.0]]), *quarter)[0].round(9)
    array([[-4.,  3.]])
    """
    raise NotImplementedError("not written yet")


def rotary_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `rotary`.

    Parameters
    ----------
    dy : ndarray of shape (..., T, D)
    cache : (cos, sin)

    Returns
    -------
    dx : ndarray of shape (..., T, D)
    """
    raise NotImplementedError("not written yet")
