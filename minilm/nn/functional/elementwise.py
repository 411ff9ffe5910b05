"""What is done to each number alone: `gelu` and `dropout`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F

# GPT-2's approximation of the normal distribution function: 1/2 (1 + tanh(A (x + B x^3))).
_GELU_A = math.sqrt(2 / math.pi)
_GELU_B = 0.044715


def gelu(x: Array) -> tuple[Array, F.Cache]:
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


def gelu_backward(dy: Array, cache: F.Cache) -> Array:
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


def dropout(
    x: Array, rate: float, *, rng: np.random.Generator | None = None
) -> tuple[Array, F.Cache]:
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
    keep = F.dropout_factors(x.shape, rate, x.dtype, rng=rng)
    return (x if keep is None else x * keep), (keep,)


def dropout_backward(dy: Array, cache: F.Cache) -> Array:
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
