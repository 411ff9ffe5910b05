"""From the states of a sequence to one row: their mean, or the last one."""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array, Ids
from minilm.nn import functional as F


def mean_pool(x: Array, lengths: Ids) -> tuple[Array, F.Cache]:
    """Average the first `lengths[b]` positions of each sequence, without the padding.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
    lengths : integer ndarray of shape (B,)
        From 1 to T.

    Returns
    -------
    y : ndarray of shape (B, C)
    cache : (shares,)
        Of shape (B, T): `1 / lengths[b]` at the real positions of sequence b, else 0.
    """
    real = np.arange(x.shape[1]) < lengths[:, None]
    shares = (real / lengths[:, None]).astype(x.dtype)
    return (shares[:, None, :] @ x)[:, 0, :], (shares,)


def mean_pool_backward(dy: Array, cache: F.Cache) -> Array:
    """Return dx of `mean_pool`, of shape (B, T, C): `dx[b, t] = shares[b, t] * dy[b]`."""
    (shares,) = cache
    return shares[:, :, None] * dy[:, None, :]


def last_token_pool(x: Array, lengths: Ids) -> tuple[Array, F.Cache]:
    """Take the last real position of each sequence: `y[b] = x[b, lengths[b] - 1]`.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
    lengths : integer ndarray of shape (B,)
        From 1 to T.

    Returns
    -------
    y : ndarray of shape (B, C)
    cache : (lengths, T)
    """
    return x[np.arange(len(x)), lengths - 1], (lengths, x.shape[1])


def last_token_pool_backward(dy: Array, cache: F.Cache) -> Array:
    """Return dx of `last_token_pool`, of shape (B, T, C): `dy[b]` at the position taken, else 0."""
    lengths, time = cache
    dx = np.zeros((len(dy), time, dy.shape[-1]), dy.dtype)
    dx[np.arange(len(dy)), lengths - 1] = dy
    return dx
