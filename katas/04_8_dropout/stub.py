"""Kata 4.8  Dropout

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 4.8    or on every save: minilm kata watch
    minilm kata read 4.8     the page
    minilm kata hint 4.8     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def dropout(
    x: Array, rate: float, *, rng: np.random.Generator | None = None
) -> tuple[Array, Cache]:
    """Set random elements to zero, so that the expected value of each element stays the same.

    Draw one number for each element with `rng.random(x.shape, dtype=np.float32)`, once; an element
    is dropped where its number is below the rate. The same rng then drops the same elements in
    every implementation.

    Parameters
    ----------
    x : ndarray of any shape, float
    rate : float
        The probability with which an element is dropped: from 0 to below 1.
    rng : numpy.random.Generator, optional
        Draws what is dropped. Without it, or with a rate of 0, nothing is drawn or dropped: y is x.

    Returns
    -------
    y : ndarray of the shape and dtype of x
    cache : (keep,)
        A tuple of one: what each element was multiplied by, an array of the shape and dtype of x;
        None if nothing was dropped.

    References
    ----------
    N. Srivastava et al. (2014), "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting".
    """
    raise NotImplementedError("not written yet")


def dropout_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `dropout`.

    Parameters
    ----------
    dy : ndarray of any shape, float
        The upstream gradient.
    cache : (keep,)
        As returned by `dropout`; `keep` is None if nothing was dropped.

    Returns
    -------
    ndarray of the shape and dtype of dy
    """
    raise NotImplementedError("not written yet")
