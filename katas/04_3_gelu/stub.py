"""Kata 4.3  GELU, forward and backward

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 4.3    or on every save: minilm kata watch
    minilm kata read 4.3     the page
    minilm kata hint 4.3     a hint
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def gelu(x: Array) -> tuple[Array, Cache]:
    """Let each number through a gate that opens as the number grows.

    The gate is GPT-2's: the tanh form, with the coefficient 0.044715. The page has it.

    Parameters
    ----------
    x : ndarray of any shape, float

    Returns
    -------
    y : ndarray of the shape and dtype of x
    cache : (x, gate)
        `gate` has the shape and dtype of x; its entries are between 0 and 1.

    References
    ----------
    D. Hendrycks and K. Gimpel (2016), "Gaussian Error Linear Units", section 2.

    Examples
    --------
    >>> gelu(np.array([-1.0, 0.0, 1.0]))[0].round(4)
    array([-0.1588,  0.    ,  0.8412])
    """
    raise NotImplementedError("not written yet")


def gelu_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `gelu`.

    Parameters
    ----------
    dy : ndarray of any shape, float
        The upstream gradient.
    cache : (x, gate)
        What `gelu` returned, each of the shape of dy.

    Returns
    -------
    ndarray of the shape and dtype of dy

    Examples
    --------
    >>> gelu_backward(np.ones(3), gelu(np.array([-1.0, 0.0, 1.0]))[1]).round(4)
    array([-0.083,  0.5  ,  1.083])
    """
    raise NotImplementedError("not written yet")
