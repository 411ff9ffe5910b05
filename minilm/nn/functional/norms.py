"""Layer norm. Llama's plainer norm is in `llama.py`."""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F
from minilm.nn.functional.sums import column_sums, row_sums


def layer_norm(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> tuple[Array, F.Cache]:
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
    normalized = x - row_sums(x) / x.shape[-1]
    variance = np.vecdot(normalized, normalized)[..., None] / x.shape[-1]
    rstd = 1 / np.sqrt(variance + epsilon)
    normalized *= rstd
    y = normalized * gain
    y += bias
    return y, (normalized, rstd, gain)


def layer_norm_backward(dy: Array, cache: F.Cache) -> tuple[Array, Array, Array]:
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
    dgain, dbias = column_sums(product), column_sums(dy)
    # Both means are products with the gain, which need no separate pass over the array.
    mean_d = (dy @ gain / channels)[..., None]
    mean_dn = (product @ gain / channels)[..., None]
    dx = dy * gain
    dx -= mean_d
    dx -= np.multiply(normalized, mean_dn, out=product)
    dx *= rstd
    return dx, dgain, dbias
