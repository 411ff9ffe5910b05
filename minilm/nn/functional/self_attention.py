"""Causal self-attention: heads split and merged, one head's attention, all heads at once."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F


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


def attention(q: Array, k: Array, v: Array, keep: Array | None = None) -> tuple[Array, F.Cache]:
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
    weights, _ = F.softmax(scores)
    kept = weights if keep is None else weights * keep
    return kept @ v, (q, k, v, weights, keep)


@lru_cache(maxsize=64)
def _future(queries: int, keys: int, dtype: np.dtype[Any]) -> Array:
    """Return the mask of `attention`, (S, T): minus infinity where a key is after the query."""
    mask = np.triu(np.full((queries, keys), -np.inf, dtype), k=1 + keys - queries)
    mask.flags.writeable = False
    return mask


def attention_backward(dy: Array, cache: F.Cache) -> tuple[Array, Array, Array]:
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
    dscores = F.softmax_backward(dweights, (weights,))
    dq = dscores @ k
    dq *= scale
    dk = dscores.swapaxes(-1, -2) @ q
    dk *= scale
    return dq, dk, dv


def multi_head_attention(
    qkv: Array, heads: int, keep: Array | None = None, extend: F.Extend | None = None
) -> tuple[Array, F.Cache]:
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
    q, k, v = (F.split_heads(part, heads) for part in parts)
    if extend is not None:
        k, v = extend(k, v)
    y, cache = F.attention(q, k, v, keep)
    return F.merge_heads(y), cache


def multi_head_attention_backward(dy: Array, cache: F.Cache) -> Array:
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
    parts = F.attention_backward(F.split_heads(dy, heads), cache)
    return np.concatenate([F.merge_heads(part) for part in parts], axis=-1)
