"""Products with a matrix, and looking up its rows: `embedding`, `linear`, `unembed`."""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array, Ids
from minilm.nn import functional as F
from minilm.nn.functional.sums import column_sums


def embedding(ids: Ids, weight: Array) -> tuple[Array, F.Cache]:
    """Look up one row of a table for each id: `y[...] = weight[ids[...]]`.

    Parameters
    ----------
    ids : integer ndarray of shape (...)
        Row numbers, from 0 to V - 1.
    weight : ndarray of shape (V, C)

    Returns
    -------
    y : ndarray of shape (..., C)
    cache : (ids, V)

    Examples
    --------
    >>> embedding(np.array([1, 0, 1]), np.array([[0.0, 1.0], [2.0, 3.0]]))[0]
    array([[2., 3.],
           [0., 1.],
           [2., 3.]])
    """
    return weight[ids], (ids, len(weight))


def embedding_backward(dy: Array, cache: F.Cache) -> Array:
    """Return dweight of shape (V, C): row i is the sum of `dy` over all places where the id is i.

    Parameters
    ----------
    dy : ndarray of shape (..., C)
    cache : (ids, V)

    Examples
    --------
    >>> embedding_backward(np.array([[1.0], [2.0], [4.0]]), (np.array([1, 0, 1]), 3))
    array([[2.],
           [5.],
           [0.]])
    """
    ids, vocabulary = cache
    channels = dy.shape[-1]
    dweight = np.zeros((vocabulary, channels), dy.dtype)
    # Number by number in the flat table: `np.add.at` adds whole rows several times more slowly.
    places = ids.reshape(-1, 1) * channels + np.arange(channels)
    np.add.at(dweight.reshape(-1), places.reshape(-1), dy.reshape(-1))
    return dweight


def linear(x: Array, weight: Array, bias: Array) -> tuple[Array, F.Cache]:
    """Multiply by a matrix and add a bias: `y = x @ weight + bias`.

    Parameters
    ----------
    x : ndarray of shape (..., I)
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
    # One product of two matrices; with the leading axes, NumPy would compute one per batch entry.
    y = x.reshape(-1, x.shape[-1]) @ weight
    y += bias
    return y.reshape(*x.shape[:-1], weight.shape[1]), (x, weight)


def linear_backward(dy: Array, cache: F.Cache) -> tuple[Array, Array, Array]:
    """Return dx, dweight and dbias of `linear`.

    With the leading axes flattened to one of length N:
    `dx = dy @ weight.T`, `dweight = x.T @ dy`, `dbias = sum of dy over N`.

    Parameters
    ----------
    dy : ndarray of shape (..., O)
    cache : (x, weight)

    Returns
    -------
    dx : ndarray of shape (..., I)
    dweight : ndarray of shape (I, O)
    dbias : ndarray of shape (O,)
    """
    x, weight = cache
    rows = dy.reshape(-1, dy.shape[-1])
    dx = (rows @ weight.T).reshape(x.shape)
    dweight = x.reshape(-1, x.shape[-1]).T @ rows
    return dx, dweight, column_sums(rows)


def unembed(x: Array, weight: Array) -> tuple[Array, F.Cache]:
    """Score each row against each row of a table: `y = x @ weight.T`.

    This is the head of the language model, with the word embedding itself as the table (Press and
    Wolf 2017, "Using the Output Embedding to Improve Language Models"), and of the classifier.

    Parameters
    ----------
    x : ndarray of shape (..., C)
    weight : ndarray of shape (V, C)

    Returns
    -------
    y : ndarray of shape (..., V)
    cache : (x, weight)
    """
    y = x.reshape(-1, x.shape[-1]) @ weight.T
    return y.reshape(*x.shape[:-1], len(weight)), (x, weight)


def unembed_backward(dy: Array, cache: F.Cache) -> tuple[Array, Array]:
    """Return dx and dweight of `unembed`.

    With the leading axes flattened: `dx = dy @ weight`, `dweight = dy.T @ x`.

    Parameters
    ----------
    dy : ndarray of shape (..., V)
    cache : (x, weight)

    Returns
    -------
    dx : ndarray of shape (..., C)
    dweight : ndarray of shape (V, C)
    """
    x, weight = cache
    rows = dy.reshape(-1, dy.shape[-1])
    return (rows @ weight).reshape(x.shape), rows.T @ x.reshape(-1, x.shape[-1])
