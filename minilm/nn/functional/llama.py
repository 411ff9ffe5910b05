"""The operations that Llama has and GPT-2 has not: a plainer norm, rotated positions, a gated MLP.

They are part of `functional`: callers write `F.rms_norm`, `F.rotary`. The conventions are the same,
`y, cache = op(x, ...)` and `dx, ... = op_backward(dy, cache)`, and so are the letters in shapes;
besides, K is the number of heads of keys and G = H / K how many heads of queries share one.
"""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F


def rms_norm(x: Array, gain: Array, epsilon: float = 1e-5) -> tuple[Array, F.Cache]:
    """Divide each row by its root mean square, then scale: layer norm without mean and bias.

    `normalized = x * rstd`, `y = normalized * gain`, where `rstd = 1 / sqrt(mean(x**2) + epsilon)`
    and the mean is over the last axis.

    Parameters
    ----------
    x : ndarray of shape (..., C)
    gain : ndarray of shape (C,)
    epsilon : float

    Returns
    -------
    y : ndarray of shape (..., C)
    cache : (normalized, rstd, gain)
        Shapes (..., C), (..., 1) and (C,).

    References
    ----------
    B. Zhang and R. Sennrich (2019), "Root Mean Square Layer Normalization", equation 4.

    Examples
    --------
    >>> rms_norm(np.array([[1.0, 7.0]]), np.array([1.0, 10.0]), 0.0)[0]
    array([[ 0.2, 14. ]])
    """
    mean_square = np.vecdot(x, x)[..., None] / x.shape[-1]
    rstd = 1 / np.sqrt(mean_square + epsilon)
    normalized = x * rstd
    return normalized * gain, (normalized, rstd, gain)


def rms_norm_backward(dy: Array, cache: F.Cache) -> tuple[Array, Array]:
    """Return dx and dgain of `rms_norm`.

    With `d = dy * gain` and the mean over the last axis,
    `dx = rstd * (d - normalized * mean(d * normalized))`; `dgain` is the sum of `dy * normalized`
    over all axes but the last.

    Parameters
    ----------
    dy : ndarray of shape (..., C)
    cache : (normalized, rstd, gain)

    Returns
    -------
    dx : ndarray of shape (..., C)
    dgain : ndarray of shape (C,)
    """
    normalized, rstd, gain = cache
    product = dy * normalized
    dgain = product.sum(axis=tuple(range(dy.ndim - 1)))
    mean_dn = (product @ gain / len(gain))[..., None]
    dx = dy * gain
    dx -= np.multiply(normalized, mean_dn, out=product)
    dx *= rstd
    return dx, dgain


def rotary_angles(positions: Array, frequencies: Array) -> tuple[Array, Array]:
    """Return the cosines and sines by which `rotary` turns each pair of channels.

    The angle of pair i at position t is `t * frequencies[i]`; early pairs turn fast and tell near
    positions apart, late ones slowly.

    Parameters
    ----------
    positions : ndarray of shape (T,)
    frequencies : ndarray of shape (D / 2,)
        In radians for each position.

    Returns
    -------
    cos, sin : ndarray of shape (T, D / 2)
    """
    angles = np.outer(positions, frequencies)
    return np.cos(angles), np.sin(angles)


def rotary(x: Array, cos: Array, sin: Array) -> tuple[Array, F.Cache]:
    """Turn pairs of channels by angles that grow with the position.

    Channel i and channel `i + D / 2` are one pair, `(a, b)`:
    `y = (a * cos - b * sin, b * cos + a * sin)`. The product of a query and a key that are turned
    so depends on how far apart they are, not on where they are.

    Parameters
    ----------
    x : ndarray of shape (..., T, D)
        D is even.
    cos, sin : ndarray of shape (T, D / 2)
        As `rotary_angles` returns them; constants, without a gradient.

    Returns
    -------
    y : ndarray of shape (..., T, D)
    cache : (cos, sin)

    References
    ----------
    J. Su et al. (2021), "RoFormer: Enhanced Transformer with Rotary Position Embedding", equation
    34. There neighbors are a pair; Hugging Face pairs the halves, which is the same up to the order
    of the channels.

    Examples
    --------
    >>> quarter = rotary_angles(np.array([1.0]), np.array([np.pi / 2]))
    >>> rotary(np.array([[3.0, 4.0]]), *quarter)[0].round(9)
    array([[-4.,  3.]])
    """
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1), (cos, sin)


def rotary_backward(dy: Array, cache: F.Cache) -> Array:
    """Return dx of `rotary`: the same turn the other way, by minus the angle.

    Parameters
    ----------
    dy : ndarray of shape (..., T, D)
    cache : (cos, sin)
    """
    cos, sin = cache
    return F.rotary(dy, cos, -sin)[0]


def silu(x: Array) -> tuple[Array, F.Cache]:
    """Sigmoid linear unit, element by element: `y = x * gate`, where `gate = sigmoid(x)`.

    Parameters
    ----------
    x : ndarray of any shape

    Returns
    -------
    y : ndarray of the shape of x
    cache : (x, gate)

    References
    ----------
    S. Elfwing, E. Uchibe and K. Doya (2018), "Sigmoid-Weighted Linear Units for Neural Network
    Function Approximation in Reinforcement Learning", equation 6.

    Examples
    --------
    >>> silu(np.array([-1.0, 0.0, 1.0]))[0].round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    gate = np.tanh(x * 0.5)  # sigmoid(x) = (1 + tanh(x / 2)) / 2 cannot overflow, as exp(-x) can
    gate *= 0.5
    gate += 0.5
    return x * gate, (x, gate)


def silu_backward(dy: Array, cache: F.Cache) -> Array:
    """Return dx of `silu`: `dx = dy * gate * (1 + x * (1 - gate))`.

    Parameters
    ----------
    dy : ndarray of any shape
    cache : (x, gate)
    """
    x, gate = cache
    dx = 1 - gate
    dx *= x
    dx += 1
    dx *= gate
    dx *= dy
    return dx


def swiglu(gate: Array, up: Array) -> tuple[Array, F.Cache]:
    """Let one half of the MLP's hidden layer gate the other: `y = silu(gate) * up`.

    Parameters
    ----------
    gate, up : ndarray of one shape

    Returns
    -------
    y : ndarray of that shape
    cache : (active, up, cache of `silu`)
        `active = silu(gate)`.

    References
    ----------
    N. Shazeer (2020), "GLU Variants Improve Transformer", equation 6.
    """
    active, inner = F.silu(gate)
    return active * up, (active, up, inner)


def swiglu_backward(dy: Array, cache: F.Cache) -> tuple[Array, Array]:
    """Return dgate and dup of `swiglu`: `silu_backward(dy * up)` and `dy * active`.

    Parameters
    ----------
    dy : ndarray of the forward's shape
    cache : (active, up, cache of `silu`)
    """
    active, up, inner = cache
    return F.silu_backward(dy * up, inner), dy * active


def grouped_query_attention(
    q: Array, k: Array, v: Array, keep: Array | None = None
) -> tuple[Array, F.Cache]:
    """Causal attention in which each head of keys and values serves several heads of queries.

    Query head h looks at key head `h // G`. That is `attention` with every key head repeated G
    times; here it is repeated by broadcasting, so nothing is copied. With K = H it is plain
    attention, with K = 1 "multi-query attention".

    Parameters
    ----------
    q : ndarray of shape (B, H, S, D)
    k, v : ndarray of shape (B, K, T, D)
        K divides H.
    keep : ndarray of shape (B, H, S, T), optional
        Dropout on the weights; see `attention`.

    Returns
    -------
    y : ndarray of shape (B, H, S, D)
    cache : (q, k, v, weights, keep)
        As in `attention`: `weights` of shape (B, H, S, T), before dropout; k and v as they came.

    References
    ----------
    J. Ainslie et al. (2023), "GQA: Training Generalized Multi-Query Transformer Models from
    Multi-Head Checkpoints", section 2.2.
    """
    groups = k.shape[1]
    factors = None if keep is None else _grouped(keep, groups)
    y, cache = F.attention(_grouped(q, groups), k[:, :, None], v[:, :, None], factors)
    weights = cache[3].reshape(*q.shape[:-1], k.shape[2])
    return y.reshape(q.shape), (q, k, v, weights, keep)


def grouped_query_attention_backward(dy: Array, cache: F.Cache) -> tuple[Array, Array, Array]:
    """Return dq, dk and dv of `grouped_query_attention`.

    As in `attention_backward`; a key that served G heads of queries gets the sum of their
    gradients.

    Parameters
    ----------
    dy : ndarray of shape (B, H, S, D)
    cache : (q, k, v, weights, keep)

    Returns
    -------
    dq : ndarray of shape (B, H, S, D)
    dk, dv : ndarray of shape (B, K, T, D)
    """
    q, k, v, weights, keep = cache
    groups = k.shape[1]
    factors = None if keep is None else _grouped(keep, groups)
    grouped = _grouped(q, groups), k[:, :, None], v[:, :, None], _grouped(weights, groups), factors
    dq, dk, dv = F.attention_backward(_grouped(dy, groups), grouped)
    return dq.reshape(dy.shape), dk.sum(axis=2), dv.sum(axis=2)


def _grouped(x: Array, groups: int) -> Array:
    """Return heads sorted by the key head that they look at: (B, H, ...) -> (B, K, G, ...)."""
    return x.reshape(x.shape[0], groups, -1, *x.shape[2:])
