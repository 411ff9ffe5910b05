"""Kata 4.6  Layer norm, backward

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 4.6    or on every save: minilm kata watch
    minilm kata read 4.6     the page
    minilm kata hint 4.6     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array

Cache = tuple[Any, ...]


def layer_norm_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return the gradients of `layer_norm`: dx, dgain and dbias.

    The forward subtracts each row's mean, divides by its standard deviation (this gives
    `normalized`), multiplies by the gain and adds the bias.

    Parameters
    ----------
    dy : ndarray of shape (..., C)
    cache : (normalized, rstd, gain)
        Of shapes (..., C), (..., 1) and (C,); `rstd` is one over the standard deviation.

    Returns
    -------
    dx : ndarray of shape (..., C)
    dgain, dbias : ndarray of shape (C,)

    References
    ----------
    J. Ba, J. Kiros and G. Hinton (2016), "Layer normalization".
    """
    raise NotImplementedError("not written yet")
