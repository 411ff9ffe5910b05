"""Kata 8.1  Pool and classify

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 8.1    or on every save: minilm kata watch
    minilm kata read 8.1     the page
    minilm kata hint 8.1     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array, Ids
from minilm.nn.functional import Cache


def mean_pool(x: Array, lengths: Ids) -> tuple[Array, Cache]:
    """Average the tokens of each sequence, without the padding.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
        A row for each position. In sequence b the first `lengths[b]` are of tokens and the others
        of padding, which can hold anything.
    lengths : integer ndarray of shape (B,)
        From 1 to T.

    Returns
    -------
    y : ndarray of shape (B, C), dtype of x
    cache : (shares,)
        An ndarray of shape (B, T), dtype of x: how much each position counts in its mean.

    Examples
    --------
    >>> x = np.array([[[2.0], [4.0], [90.0]]])
    >>> mean_pool(x, np.array([2]))[0]
    array([[3.]])
    """
    raise NotImplementedError("not written yet")


def mean_pool_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `mean_pool`, of shape (B, T, C).

    Parameters
    ----------
    dy : ndarray of shape (B, C)
    cache : (shares,)
    """
    raise NotImplementedError("not written yet")


def last_token_pool(x: Array, lengths: Ids) -> tuple[Array, Cache]:
    """Take the row of the last token of each sequence.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
        As for `mean_pool`.
    lengths : integer ndarray of shape (B,)
        From 1 to T.

    Returns
    -------
    y : ndarray of shape (B, C)
    cache : (lengths, T)

    Examples
    --------
    >>> x = np.array([[[2.0], [4.0], [90.0]]])
    >>> last_token_pool(x, np.array([2]))[0]
    array([[4.]])

    References
    ----------
    A. Radford et al. (2018), "Improving Language Understanding by Generative Pre-Training",
    section 3.2.
    """
    raise NotImplementedError("not written yet")


def last_token_pool_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `last_token_pool`, of shape (B, T, C).

    Parameters
    ----------
    dy : ndarray of shape (B, C)
    cache : (lengths, T)
    """
    raise NotImplementedError("not written yet")
