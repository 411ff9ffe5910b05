"""Softmax and cross-entropy, and the head of the language model together with its loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.arrays import Array, Ids
from minilm.errors import OptionError
from minilm.nn import functional as F
from minilm.nn.functional.sums import row_sums


def softmax(x: Array) -> tuple[Array, F.Cache]:
    """Turn scores into probabilities over the last axis: `y = exp(x) / sum(exp(x))`.

    The largest score of each row is subtracted first: the result is the same, and exp cannot
    overflow. A score of minus infinity has probability 0; each row needs a finite one.

    Parameters
    ----------
    x : ndarray of shape (..., K)

    Returns
    -------
    y : ndarray of shape (..., K)
    cache : (y,)

    Examples
    --------
    >>> softmax(np.log(np.array([1.0, 3.0])))[0]
    array([0.25, 0.75])
    """
    y = x - x.max(axis=-1, keepdims=True)
    np.exp(y, out=y)
    y /= row_sums(y)
    return y, (y,)


def softmax_backward(dy: Array, cache: F.Cache) -> Array:
    """Return dx of `softmax`: `dx = y * (dy - sum(dy * y))`, the sum over the last axis.

    Parameters
    ----------
    dy : ndarray of shape (..., K)
    cache : (y,)
    """
    (y,) = cache
    dx = dy - np.vecdot(dy, y)[..., None]
    dx *= y
    return dx


def cross_entropy(logits: Array, targets: Ids, ignore_index: int = -100) -> tuple[Array, F.Cache]:
    """Return the mean negative log-probability of the targets under the softmax of the logits.

    `loss = mean of (log(sum(exp(logits))) - logits[target])` over the N rows that count: those
    whose target is not `ignore_index`. As in `softmax`, each row's largest logit is subtracted.

    Parameters
    ----------
    logits : ndarray of shape (..., V)
    targets : integer ndarray of shape (...)
        From 0 to V - 1, or `ignore_index`.
    ignore_index : int
        The target of rows that do not count. The default is PyTorch's.

    Returns
    -------
    loss : scalar of the dtype of logits
        In nats.
    cache : (probabilities, targets, ignore_index)
        `probabilities` of shape (..., V): the softmax of the logits.

    Raises
    ------
    OptionError
        When no row counts: the mean of nothing is undefined.

    Examples
    --------
    >>> loss, _ = cross_entropy(np.log(np.array([[1.0, 3.0], [9.0, 1.0]])), np.array([1, -100]))
    >>> bool(np.isclose(loss, -np.log(0.75)))
    True
    """
    counted = _counted(targets, ignore_index)
    probabilities = logits - logits.max(axis=-1, keepdims=True)
    picked = probabilities[(*np.nonzero(counted), targets[counted])]
    np.exp(probabilities, out=probabilities)
    totals = row_sums(probabilities)
    probabilities /= totals
    loss = np.mean(np.log(totals[counted, 0]) - picked)
    return loss, (probabilities, targets, ignore_index)


def cross_entropy_backward(dloss: float, cache: F.Cache) -> Array:
    """Return dlogits of `cross_entropy`, of shape (..., V).

    In a row that counts, `dlogits = dloss / N * (probabilities - onehot(target))`, where N is the
    number of such rows; in other rows it is 0.

    Parameters
    ----------
    dloss : float
        The gradient with respect to this loss: 1, unless the loss is part of a larger sum.
    cache : (probabilities, targets, ignore_index)
    """
    probabilities, targets, ignore_index = cache
    counted = targets != ignore_index
    weight = float(dloss) / np.count_nonzero(counted)
    dlogits = probabilities * (counted * weight).astype(probabilities.dtype)[..., None]
    dlogits[(*np.nonzero(counted), targets[counted])] -= weight
    return dlogits


def _counted(targets: Ids, ignore_index: int) -> NDArray[np.bool_]:
    """Return which targets count, or raise OptionError if none does."""
    counted = targets != ignore_index
    if not counted.any():
        raise OptionError(
            f"cross-entropy: all {targets.size} targets are ignored ({ignore_index}); "
            "at least one must count"
        )
    return counted


def linear_cross_entropy(
    x: Array, weight: Array, targets: Ids, ignore_index: int = -100
) -> tuple[Array, F.Cache]:
    """Return the loss of the language model's head: `cross_entropy(unembed(x, weight), targets)`.

    With a large vocabulary the head is most of a small model's work, and the (N, V) array of logits
    is larger than all else together. So the two operations are computed as one, in one such array:
    the logits become their exponentials in place, `exps = exp(logits - max)`, and then, up to a
    factor for each row, their own gradient: `errors = exps - totals * onehot(target)`, where
    `totals` are the sums of the rows. In the backward the factors go into the (N, C) arrays.

    Parameters
    ----------
    x : ndarray of shape (..., C)
    weight : ndarray of shape (V, C)
    targets, ignore_index
        As for `cross_entropy`; targets of shape (...).

    Returns
    -------
    loss : scalar of the dtype of x
        In nats.
    cache : (x, weight, errors, totals, rows)
        `errors` of shape (M, V) and `totals` of shape (M, 1) for the M rows that count; `rows` are
        their numbers, the leading axes flattened to one. Rows that do not count cost nothing: of a
        conversation only the replies are learned.

    Raises
    ------
    OptionError
        When no row counts.
    """
    rows = np.flatnonzero(_counted(targets, ignore_index))
    goals = np.arange(len(rows)), targets.reshape(-1)[rows]
    errors = _rows(x, rows) @ weight.T
    errors -= errors.max(axis=-1, keepdims=True)
    picked = errors[goals]
    np.exp(errors, out=errors)
    totals = row_sums(errors)
    errors[goals] -= totals[:, 0]
    loss: Any = np.mean(np.log(totals[:, 0]) - picked)
    return loss, (x, weight, errors, totals, rows)


def linear_cross_entropy_backward(
    dloss: float, cache: F.Cache, *, frozen: bool = False
) -> tuple[Array, Array | None]:
    """Return dx and dweight of `linear_cross_entropy`; dweight is None for a frozen weight.

    The gradient in the logits of the rows that count is `dlogits = scale * errors`, with
    `scale = dloss / (M * totals)`. The products with it are computed without making it:
    `dx = dlogits @ weight = scale * (errors @ weight)` and
    `dweight = dlogits.T @ x = errors.T @ (scale * x)`. In the other rows dx is 0.

    Parameters
    ----------
    dloss : float
        As for `cross_entropy_backward`.
    cache : (x, weight, errors, totals, rows)
    frozen : bool

    Returns
    -------
    dx : ndarray of shape (..., C)
    dweight : ndarray of shape (V, C), or None
    """
    x, weight, errors, totals, rows = cache
    scale = float(dloss) / len(rows) / totals
    found = errors @ weight
    found *= scale
    if len(rows) == x.size // x.shape[-1]:
        dx = found
    else:
        dx = np.zeros((x.size // x.shape[-1], x.shape[-1]), x.dtype)
        dx[rows] = found
    dx = dx.reshape(x.shape)
    if frozen:
        return dx, None
    return dx, errors.T @ (scale * _rows(x, rows))


def _rows(x: Array, rows: Ids) -> Array:
    """Return these rows of x, its leading axes flattened to one; without a copy if it is all."""
    flat = x.reshape(-1, x.shape[-1])
    return flat if len(rows) == len(flat) else flat[rows]
