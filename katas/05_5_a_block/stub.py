"""Kata 5.5  A block: the residual stream, both ways

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 5.5    or on every save: minilm kata watch
    minilm kata read 5.5     the page
    minilm kata hint 5.5     a hint

The other half of the block is there already, and so are two layers that find their parameters by
name:

    x, cache = attention_half(x, layer, rng, extend)
    dx, gradients = attention_half_backward(dy, cache, layer)

    y, cache = norm(x, layer, "ln_2")                     "ln_1" is in the attention half
    y, cache = linear(x, layer, "mlp.c_fc")               or "mlp.c_proj"
    dx = norm_backward(dy, cache, "ln_2", gradients)
    dx = linear_backward(dy, cache, layer, "mlp.c_fc", gradients)

The two backwards put the gradients of their parameters into the dictionary that you pass. The rest
is `F.gelu(x)`, `F.dropout(x, rate, rng=rng)` and their backwards, from `F`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F
from minilm.nn.gpt import (
    Layer,
    attention_half,
    attention_half_backward,
    linear,
    linear_backward,
    norm,
    norm_backward,
)

Cache = tuple[Any, ...]
Gradients = dict[str, Array]


def mlp_half(x: Array, layer: Layer, rng: np.random.Generator | None) -> tuple[Array, Cache]:
    """Add to the stream what the MLP makes of it.

    The MLP gets the stream through the layer norm `ln_2`. It widens each position (`mlp.c_fc`),
    applies GELU, and narrows it again (`mlp.c_proj`). Dropout at the rate `layer.resid_pdrop` is
    the last step before the addition.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
    layer : Layer
    rng : numpy.random.Generator or None
        For the dropout.

    Returns
    -------
    y : ndarray of shape (B, T, C)
    cache : (norm_cache, fan_out, gelu, fan_in, drop)
        What the five steps returned as their caches, in their order.

    References
    ----------
    A. Radford and others (2019), "Language models are unsupervised multitask learners", section
    2.3.
    """
    raise NotImplementedError("not written yet")


def mlp_half_backward(dy: Array, cache: Cache, layer: Layer) -> tuple[Array, Gradients]:
    """Return dx of `mlp_half`, and the gradients of its parameters by name.

    Parameters
    ----------
    dy : ndarray of shape (B, T, C)
    cache : (norm_cache, fan_out, gelu, fan_in, drop)
    layer : Layer

    Returns
    -------
    dx : ndarray of shape (B, T, C)
    gradients : dict of str to ndarray
        As `norm_backward` and `linear_backward` fill it.
    """
    raise NotImplementedError("not written yet")


def block(
    x: Array,
    layer: Layer,
    *,
    rng: np.random.Generator | None = None,
    extend: F.Extend | None = None,
) -> tuple[Array, Cache]:
    """Send the stream through the attention half, then through the MLP half.

    Parameters
    ----------
    x : ndarray of shape (B, T, C)
    layer : Layer
    rng, extend
        For the halves.

    Returns
    -------
    y : ndarray of shape (B, T, C)
    cache : (cache of the attention half, cache of the MLP half)
    """
    raise NotImplementedError("not written yet")


def block_backward(dy: Array, cache: Cache, layer: Layer) -> tuple[Array, Gradients]:
    """Return dx of `block`, and the gradients of its trained parameters by name.

    Parameters
    ----------
    dy : ndarray of shape (B, T, C)
    cache : (cache of the attention half, cache of the MLP half)
    layer : Layer

    Returns
    -------
    dx : ndarray of shape (B, T, C)
    gradients : dict of str to ndarray
        Of both halves; only names for which `layer.trains(name)` is true.
    """
    raise NotImplementedError("not written yet")
