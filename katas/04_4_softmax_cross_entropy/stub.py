"""Kata 4.4  Softmax and cross-entropy

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 4.4    or on every save: minilm kata watch
    minilm kata read 4.4     the page
    minilm kata hint 4.4     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array, Ids
from minilm.errors import OptionError

Cache = tuple[Any, ...]


def softmax(x: Array) -> tuple[Array, Cache]:
    """Turn scores into probabilities over the last axis.

    Scores of any finite size are fine: nothing overflows. A score of minus infinity has
    probability 0; at least one score in each row is finite.

    Parameters
    ----------
    x : ndarray of shape (..., K)

    Returns
    -------
    y : ndarray of shape (..., K)
        Each row sums to 1.
    cache : (y,)

    Examples
    --------
    >>> softmax(np.log(np.array([1.0, 3.0])))[0]
    array([0.25, 0.75])
    """
    raise NotImplementedError("not written yet")


def softmax_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `softmax`.

    Parameters
    ----------
    dy : ndarray of shape (..., K)
    cache : (y,)

    Returns
    -------
    ndarray of shape (..., K)
    """
    raise NotImplementedError("not written yet")


def cross_entropy(logits: Array, targets: Ids, ignore_index: int = -100) -> tuple[Array, Cache]:
    """Return the mean negative log-probability of the targets under the softmax of the logits.

    Only rows whose target is not `ignore_index` count. Logits of any size are fine.

    Parameters
    ----------
    logits : ndarray of shape (..., V)
    targets : integer ndarray of shape (...)
        From 0 to V - 1, or `ignore_index`.
    ignore_index : int
        The target of rows that do not count. The default is the one of PyTorch.

    Returns
    -------
    loss : scalar of the dtype of logits
        In nats.
    cache : (probabilities, targets, ignore_index)
        `probabilities` of shape (..., V): the softmax of the logits.

    Raises
    ------
    OptionError
        When no row counts: the mean of nothing is not a number.

    Examples
    --------
    >>> loss, _ = cross_entropy(np.log(np.array([[1.0, 3.0], [9.0, 1.0]])), np.array([1, -100]))
    >>> bool(np.isclose(loss, -np.log(0.75)))
    True
    """
    raise NotImplementedError("not written yet")


def cross_entropy_backward(dloss: float, cache: Cache) -> Array:
    """Return dlogits of `cross_entropy`; rows that do not count have gradient 0.

    Parameters
    ----------
    dloss : float
        The gradient with respect to the loss; 1 when the loss is what is differentiated.
    cache : (probabilities, targets, ignore_index)

    Returns
    -------
    ndarray of shape (..., V)
    """
    raise NotImplementedError("not written yet")
