"""The operations of the transformer as pairs: a forward and, under it, its backward.

    y, cache = op(x, ...)                 dx, ... = op_backward(dy, cache)

`dy` is the gradient of the loss with respect to `y` and has the shape of `y`. The backward returns
the gradients with respect to the forward's float arguments, in the same order. Both halves are pure
functions in any float dtype: they never write to their arguments, so each can be called twice, and
work in place only on arrays that they have made. Each docstring says what the cache holds, because
your own backward has to work from it.

The operations that only Llama needs are in `functional/llama.py`; callers find all of them here, as
`F.name`. Leaves out parameters, layers and checks of ids: `gpt.py` has those.

Letters in shapes: B batch, T time (positions), C channels (width), H heads, D = C / H, V
vocabulary, I and O inputs and outputs, S and T in attention the numbers of queries and of keys;
`...` is any number of leading axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.arrays import Array, Ids
from minilm.errors import OptionError

Cache = tuple[Any, ...]
#: Appends new keys and values to the earlier ones and returns all of them.
Extend = Callable[[Array, Array], tuple[Array, Array]]


def embedding(ids: Ids, weight: Array) -> tuple[Array, Cache]:
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


def embedding_backward(dy: Array, cache: Cache) -> Array:
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


def linear(x: Array, weight: Array, bias: Array) -> tuple[Array, Cache]:
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


def linear_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
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
    return dx, dweight, _column_sums(rows)


def unembed(x: Array, weight: Array) -> tuple[Array, Cache]:
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


def unembed_backward(dy: Array, cache: Cache) -> tuple[Array, Array]:
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


# GPT-2's approximation of the normal distribution function: 1/2 (1 + tanh(A (x + B x^3))).
_GELU_A = math.sqrt(2 / math.pi)
_GELU_B = 0.044715


def gelu(x: Array) -> tuple[Array, Cache]:
    """Gaussian error linear unit in the tanh form that GPT-2 uses, element by element.

    `y = x * gate` with `gate = 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`.

    Parameters
    ----------
    x : ndarray of any shape

    Returns
    -------
    y : ndarray of the shape of x
    cache : (x, gate)

    References
    ----------
    D. Hendrycks and K. Gimpel (2016), "Gaussian Error Linear Units", section 2.

    Examples
    --------
    >>> gelu(np.array([-1.0, 0.0, 1.0]))[0].round(4)
    array([-0.1588,  0.    ,  0.8412])
    """
    gate = x * x  # not x**3, which NumPy computes hundreds of times more slowly
    gate *= _GELU_A * _GELU_B
    gate += _GELU_A
    gate *= x
    np.tanh(gate, out=gate)
    gate *= 0.5
    gate += 0.5
    return x * gate, (x, gate)


def gelu_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `gelu`: `dx = dy * (gate + x * dgate/dx)`.

    As tanh' = 1 - tanh^2 and tanh = 2 gate - 1,
    `dgate/dx = 2 * gate * (1 - gate) * sqrt(2 / pi) * (1 + 3 * 0.044715 * x**2)`.

    Parameters
    ----------
    dy : ndarray of any shape
    cache : (x, gate)
    """
    x, gate = cache
    dx = x * x
    dx *= 6 * _GELU_A * _GELU_B
    dx += 2 * _GELU_A
    dx *= x
    dx *= gate
    dx *= 1 - gate
    dx += gate
    dx *= dy
    return dx


def layer_norm(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> tuple[Array, Cache]:
    """Normalize each row to mean 0 and variance 1 over its channels, then scale and shift.

    `normalized = (x - mean) * rstd`, `y = normalized * gain + bias`, where mean and variance (the
    population's: divided by C) are over the last axis and `rstd = 1 / sqrt(variance + epsilon)`.

    Parameters
    ----------
    x : ndarray of shape (..., C)
    gain, bias : ndarray of shape (C,)
    epsilon : float

    Returns
    -------
    y : ndarray of shape (..., C)
    cache : (normalized, rstd, gain)
        Shapes (..., C), (..., 1) and (C,).

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton (2016), "Layer Normalization", equations 3 and 4.

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), 0.0)[0]
    array([[-1.,  1.]])
    """
    normalized = x - _row_sums(x) / x.shape[-1]
    variance = np.vecdot(normalized, normalized)[..., None] / x.shape[-1]
    rstd = 1 / np.sqrt(variance + epsilon)
    normalized *= rstd
    y = normalized * gain
    y += bias
    return y, (normalized, rstd, gain)


def layer_norm_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return dx, dgain and dbias of `layer_norm`.

    With `d = dy * gain` and means over the last axis,
    `dx = rstd * (d - mean(d) - normalized * mean(d * normalized))`;
    `dgain` and `dbias` are the sums of `dy * normalized` and of `dy` over all axes but the last.

    Parameters
    ----------
    dy : ndarray of shape (..., C)
    cache : (normalized, rstd, gain)

    Returns
    -------
    dx : ndarray of shape (..., C)
    dgain, dbias : ndarray of shape (C,)
    """
    normalized, rstd, gain = cache
    channels = len(gain)
    product = dy * normalized
    dgain, dbias = _column_sums(product), _column_sums(dy)
    # Both means are products with the gain, which need no separate pass over the array.
    mean_d = (dy @ gain / channels)[..., None]
    mean_dn = (product @ gain / channels)[..., None]
    dx = dy * gain
    dx -= mean_d
    dx -= np.multiply(normalized, mean_dn, out=product)
    dx *= rstd
    return dx, dgain, dbias


def _row_sums(x: Array) -> Array:
    """Return the sums over the last axis, kept: (..., N) -> (..., 1).

    A product with ones, which BLAS computes three times as fast as `x.sum` where rows are short.
    """
    rows = x.reshape(-1, x.shape[-1])
    return (rows @ np.ones(x.shape[-1], x.dtype)).reshape(*x.shape[:-1], 1)


def _column_sums(x: Array) -> Array:
    """Return the sums over all axes but the last: (..., N) -> (N,), as a product with ones too."""
    rows = x.reshape(-1, x.shape[-1])
    return np.ones(len(rows), x.dtype) @ rows


def softmax(x: Array) -> tuple[Array, Cache]:
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
    y /= _row_sums(y)
    return y, (y,)


def softmax_backward(dy: Array, cache: Cache) -> Array:
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


def dropout(
    x: Array, rate: float, *, rng: np.random.Generator | None = None
) -> tuple[Array, Cache]:
    """Set each element to zero with probability `rate` and divide the others by `1 - rate`.

    The expected value of each element stays the same, so nothing is done at test time: without
    `rng`, or with a rate of 0, `y` is `x`.

    Parameters
    ----------
    x : ndarray of any shape
    rate : float
        From 0 to below 1.
    rng : numpy.random.Generator, optional
        Draws what is dropped; without it nothing is dropped.

    Returns
    -------
    y : ndarray of the shape of x
    cache : (keep,)
        The factors: an ndarray of the shape of x with entries 0 and `1 / (1 - rate)`; None if
        nothing is dropped.

    References
    ----------
    N. Srivastava et al. (2014), "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting", section 4.
    """
    keep = dropout_factors(x.shape, rate, x.dtype, rng=rng)
    return (x if keep is None else x * keep), (keep,)


def dropout_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `dropout`: `dx = dy * keep`, or `dy` if nothing was dropped."""
    (keep,) = cache
    return dy if keep is None else dy * keep


def dropout_factors(
    shape: tuple[int, ...], rate: float, dtype: np.dtype[Any], *, rng: np.random.Generator | None
) -> Array | None:
    """Draw the factors of `dropout`: 0 with probability `rate`, else `1 / (1 - rate)`.

    Returns None without `rng` or with a rate of 0: then there is nothing to multiply by.
    """
    if rng is None or rate == 0:
        return None
    kept = rng.random(shape, dtype=np.float32) >= rate
    return np.multiply(kept, 1 / (1 - rate), dtype=dtype)


def split_heads(x: Array, heads: int) -> Array:
    """Give each head its share of the channels: (B, T, C) -> (B, H, T, C / H), a view.

    Head h gets the channels from `h * D` up to `(h + 1) * D`. `merge_heads` is the inverse, and
    also the backward; in the same way this is the backward of `merge_heads`.
    """
    batch, time, channels = x.shape
    return x.reshape(batch, time, heads, channels // heads).transpose(0, 2, 1, 3)


def merge_heads(x: Array) -> Array:
    """Put the heads' channels side by side again: (B, H, T, D) -> (B, T, H * D)."""
    batch, heads, time, size = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, time, heads * size)


def attention(q: Array, k: Array, v: Array, keep: Array | None = None) -> tuple[Array, Cache]:
    """Causal scaled dot-product attention: each query averages the values it may see, by weight.

    `weights = softmax(q @ k.T / sqrt(D) + mask)`, `y = weights @ v`. The queries are the last S of
    the T positions, so query s sees the keys up to `T - S + s`: the mask is 0 there and minus
    infinity elsewhere. S = T in training; S = 1 when one token follows a cache of keys.

    Parameters
    ----------
    q : ndarray of shape (B, H, S, D)
    k, v : ndarray of shape (B, H, T, D)
    keep : ndarray of shape (B, H, S, T), optional
        Dropout on the weights (after the softmax): the factors that `dropout_factors` draws.

    Returns
    -------
    y : ndarray of shape (B, H, S, D)
    cache : (q, k, v, weights, keep)
        `weights` of shape (B, H, S, T), before dropout.

    References
    ----------
    A. Vaswani et al. (2017), "Attention Is All You Need", equation 1.
    """
    queries, keys = q.shape[-2], k.shape[-2]
    # Scaling the queries is cheaper than scaling the scores, which are more numbers.
    scores = (q * (1 / math.sqrt(q.shape[-1]))) @ k.swapaxes(-1, -2)
    if queries > 1:  # a single query is the last position and sees everything
        scores += _future(queries, keys, q.dtype)
    weights, _ = softmax(scores)
    kept = weights if keep is None else weights * keep
    return kept @ v, (q, k, v, weights, keep)


@lru_cache(maxsize=64)
def _future(queries: int, keys: int, dtype: np.dtype[Any]) -> Array:
    """Return the mask of `attention`, (S, T): minus infinity where a key is after the query."""
    mask = np.triu(np.full((queries, keys), -np.inf, dtype), k=1 + keys - queries)
    mask.flags.writeable = False
    return mask


def attention_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return dq, dk and dv of `attention`.

    `dv = kept.T @ dy` and `dkept = dy @ v.T`, where `kept = weights * keep`;
    `dweights = dkept * keep`; `dscores = softmax_backward(dweights)`;
    `dq = dscores @ k / sqrt(D)`, `dk = dscores.T @ q / sqrt(D)`. Masked scores need no
    special case: their weight is 0, and so is their gradient.

    Parameters
    ----------
    dy : ndarray of shape (B, H, S, D)
    cache : (q, k, v, weights, keep)

    Returns
    -------
    dq : ndarray of shape (B, H, S, D)
    dk, dv : ndarray of shape (B, H, T, D)
    """
    q, k, v, weights, keep = cache
    scale = 1 / math.sqrt(q.shape[-1])
    kept = weights if keep is None else weights * keep
    dv = kept.swapaxes(-1, -2) @ dy
    dweights = dy @ v.swapaxes(-1, -2)
    if keep is not None:
        dweights *= keep
    dscores = softmax_backward(dweights, (weights,))
    dq = dscores @ k
    dq *= scale
    dk = dscores.swapaxes(-1, -2) @ q
    dk *= scale
    return dq, dk, dv


def multi_head_attention(
    qkv: Array, heads: int, keep: Array | None = None, extend: Extend | None = None
) -> tuple[Array, Cache]:
    """Causal self-attention of all heads, from the fused projection to the merged result.

    The channels of `qkv` are C each for the queries, the keys and the values; each C is split among
    the heads (`split_heads`). Each head attends on its own (`attention`), and the results are
    put side by side (`merge_heads`).

    Parameters
    ----------
    qkv : ndarray of shape (B, T, 3 C)
    heads : int
        H, a divisor of C.
    keep : ndarray of shape (B, H, T, T), optional
        Dropout on the attention weights; see `attention`.
    extend : callable, optional
        For generation with a cache: takes k and v of these positions, (B, H, T, D), and returns
        the keys and values of all positions up to here.

    Returns
    -------
    y : ndarray of shape (B, T, C)
    cache : the cache of `attention`

    References
    ----------
    A. Vaswani et al. (2017), "Attention Is All You Need", section 3.2.2.
    """
    batch, time, channels = qkv.shape
    parts = qkv.reshape(batch, time, 3, channels // 3).transpose(2, 0, 1, 3)
    q, k, v = (split_heads(part, heads) for part in parts)
    if extend is not None:
        k, v = extend(k, v)
    y, cache = attention(q, k, v, keep)
    return merge_heads(y), cache


def multi_head_attention_backward(dy: Array, cache: Cache) -> Array:
    """Return dqkv of `multi_head_attention`: split `dy`, `attention_backward`, merge each part.

    Parameters
    ----------
    dy : ndarray of shape (B, T, C)
    cache : the cache of `attention`

    Returns
    -------
    dqkv : ndarray of shape (B, T, 3 C)
    """
    heads = cache[0].shape[1]
    parts = attention_backward(split_heads(dy, heads), cache)
    return np.concatenate([merge_heads(part) for part in parts], axis=-1)


def cross_entropy(logits: Array, targets: Ids, ignore_index: int = -100) -> tuple[Array, Cache]:
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
    totals = _row_sums(probabilities)
    probabilities /= totals
    loss = np.mean(np.log(totals[counted, 0]) - picked)
    return loss, (probabilities, targets, ignore_index)


def cross_entropy_backward(dloss: float, cache: Cache) -> Array:
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
) -> tuple[Array, Cache]:
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
    totals = _row_sums(errors)
    errors[goals] -= totals[:, 0]
    loss: Any = np.mean(np.log(totals[:, 0]) - picked)
    return loss, (x, weight, errors, totals, rows)


def linear_cross_entropy_backward(
    dloss: float, cache: Cache, *, frozen: bool = False
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


def mean_pool(x: Array, lengths: Ids) -> tuple[Array, Cache]:
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


def mean_pool_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `mean_pool`, of shape (B, T, C): `dx[b, t] = shares[b, t] * dy[b]`."""
    (shares,) = cache
    return shares[:, :, None] * dy[:, None, :]


def last_token_pool(x: Array, lengths: Ids) -> tuple[Array, Cache]:
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


def last_token_pool_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `last_token_pool`, of shape (B, T, C): `dy[b]` at the position taken, else 0."""
    lengths, time = cache
    dx = np.zeros((len(dy), time, dy.shape[-1]), dy.dtype)
    dx[np.arange(len(dy)), lengths - 1] = dy
    return dx


# Last, because they use what is defined above.
from minilm.nn.functional.llama import (  # noqa: E402, F401
    grouped_query_attention,
    grouped_query_attention_backward,
    rms_norm,
    rms_norm_backward,
    rotary,
    rotary_angles,
    rotary_backward,
    silu,
    silu_backward,
    swiglu,
    swiglu_backward,
)
