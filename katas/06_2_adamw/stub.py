"""Kata 6.2  AdamW

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 6.2    or on every save: minilm kata watch
    minilm kata read 6.2     the page
    minilm kata hint 6.2     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def adamw(
    p: Array,
    g: Array,
    mean: Array,
    square: Array,
    *,
    step: int,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Take one step of Adam with decoupled weight decay.

    Both running means start at zero, which the step corrects for. The weight decay takes a share of
    the parameters themselves, scaled by the learning rate. The arrays passed in stay as they are.

    Parameters
    ----------
    p, g, mean, square : ndarray of one shape
        Parameters, their gradient, and the running means of the gradient and of its square.
    step : int
        The number of this step, from 1.
    learning_rate, weight_decay : float
    betas : tuple of float
        What the two running means keep of their old value.
    epsilon : float
        Keeps the division from being one by zero; added after the root.

    Returns
    -------
    p', mean', square' : ndarray of that shape
        `mean'` and `square'` as they run on, without the correction.

    References
    ----------
    I. Loshchilov and F. Hutter (2019), "Decoupled Weight Decay Regularization", algorithm 2, with
    the decay scaled by the learning rate as in PyTorch.

    Examples
    --------
    The first step has the length of the learning rate, whatever the gradient's:

    >>> zero = np.zeros(2)
    >>> adamw(zero, np.array([5.0, -0.1]), zero, zero, step=1, learning_rate=0.1)[0].round(6)
    array([-0.1,  0.1])
    """
    raise NotImplementedError("not written yet")
