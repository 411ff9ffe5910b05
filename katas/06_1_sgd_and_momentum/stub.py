"""Kata 6.1  SGD and momentum

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 6.1    or on every save: minilm kata watch
    minilm kata read 6.1     the page
    minilm kata hint 6.1     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array


def sgd(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> tuple[Array, Array]:
    """Take one step of stochastic gradient descent with momentum.

    The velocity collects gradients: in each step it keeps a share `momentum` of what it was, and
    the whole new gradient comes in. The parameters then move against the new velocity. The learning
    rate scales that move; the velocity itself knows nothing of it. The arrays passed in stay as
    they are.

    Parameters
    ----------
    p, g, velocity : ndarray of one shape
        Parameters, their gradient, and the velocity: zero before the first step.
    learning_rate, momentum : float
        A momentum of 0 is plain gradient descent.

    Returns
    -------
    p', velocity' : ndarray of that shape
        New arrays, with the dtype of `p`.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013), "On the importance of initialization
    and momentum in deep learning", section 2; the learning rate outside the velocity, as in
    PyTorch.

    Examples
    --------
    >>> one = np.ones(1)
    >>> sgd(one, one, one, learning_rate=0.1, momentum=0.9)
    (array([0.81]), array([1.9]))
    """
    raise NotImplementedError("not written yet")
