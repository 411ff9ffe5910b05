"""Kata 11.3  SwiGLU and grouped queries, both ways

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 11.3    or on every save: minilm kata watch
    minilm kata read 11.3     the page
    minilm kata hint 11.3     a hint

Your functions may call each other. For the scores use `F.attention` and `F.attention_backward`,
with four axes each and as many heads in k and v as in q: then your own of katas 5.1 and 5.3 are
used where they have passed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F

Cache = tuple[Any, ...]


def silu(x: Array) -> tuple[Array, Cache]:
    """Multiply each element by its own sigmoid.

    Parameters
    ----------
    x : ndarray of any shape

    Returns
    -------
    y : ndarray of the shape of x
    cache : (x, gate)
        `gate` is the sigmoid of x, between 0 and 1.

    References
    ----------
    S. Elfwing, E. Uchibe and K. Doya (2018), "Sigmoid-Weighted Linear Units for Neural Network
    Function Approximation in Reinforcement Learning", equation 6.

    Examples
    --------
    >>> silu(np.array([-1.0, 0.0, 1.0]))[0].round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    raise NotImplementedError("not written yet")


def silu_backward(dy: Array, cache: Cache) -> Array:
    """Return dx of `silu`.

    Parameters
    ----------
    dy : ndarray of any shape
    cache : (x, gate)

    Returns
    -------
    dx : ndarray of the shape of dy
    """
    raise NotImplementedError("not written yet")


def swiglu(gate: Array, up: Array) -> tuple[Array, Cache]:
    """Let one half of the MLP's hidden layer gate the other: `silu(gate)` times `up`.

    Parameters
    ----------
    gate, up : ndarray of one shape

    Returns
    -------
    y : ndarray of that shape
    cache : (active, up, inner)
        `active` is what `silu` made of the gate, and `inner` the cache of `silu`.

    References
    ----------
    N. Shazeer (2020), "GLU Variants Improve Transformer", equation 6.
    """
    raise NotImplementedError("not written yet")


def swiglu_backward(dy: Array, cache: Cache) -> tuple[Array, Array]:
    """Return dgate and dup of `swiglu`.

    Parameters
    ----------
    dy : ndarray of the forward's shape
    cache : (active, up, inner)

    Returns
    -------
    dgate, dup : ndarray of that shape
    """
    raise NotImplementedError("not written yet")


def grouped_query_attention(
    q: Array, k: Array, v: Array, keep: Array | None = None
) -> tuple[Array, Cache]:
    """Causal attention in which each head of keys and values serves several heads of queries.

    With G = H / K, the first G heads of queries look at the first head of keys, the next G at the
    second, and so on.

    Parameters
    ----------
    q : ndarray of shape (B, H, S, D)
    k, v : ndarray of shape (B, K, T, D)
        K divides H.
    keep : ndarray of shape (B, H, S, T), optional
        Dropout on the weights, for `attention`.

    Returns
    -------
    y : ndarray of shape (B, H, S, D)
    cache : (q, k, v, weights, keep)
        q, k, v and keep as they came; `weights` of shape (B, H, S, T) are those of `attention`.

    References
    ----------
    J. Ainslie et al. (2023), "GQA: Training Generalized Multi-Query Transformer Models from
    Multi-Head Checkpoints", section 2.2.
    """
    raise NotImplementedError("not written yet")


def grouped_query_attention_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return dq, dk and dv of `grouped_query_attention`.

    Parameters
    ----------
    dy : ndarray of shape (B, H, S, D)
    cache : (q, k, v, weights, keep)

    Returns
    -------
    dq : ndarray of shape (B, H, S, D)
    dk, dv : ndarray of shape (B, K, T, D)
    """
    raise NotImplementedError("not written yet")
