"""Kata 9.2  Elastic weights

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 9.2    or on every save: minilm kata watch
    minilm kata read 9.2     the page
    minilm kata hint 9.2     a hint
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minilm.arrays import Array, Ids
from minilm.nn.gpt import GPT

Cache = tuple[Any, ...]


def sampled(logits: Array, *, rng: np.random.Generator) -> Ids:
    """Draw a token at each position from the predicted distribution.

    Use the Gumbel-max trick: the largest of the logits is no draw, but it is one after a
    Gumbel-distributed number was added to each. Draw all of these with one call,
    `rng.gumbel(size=logits.shape)`; the same rng then draws the same tokens.

    Parameters
    ----------
    logits : ndarray of shape (B, T, V)
    rng : numpy.random.Generator

    Returns
    -------
    integer array of shape (B, T)
    """
    raise NotImplementedError("not written yet")


def fisher_diagonal(model: GPT, windows: Iterable[Ids], *, rng: np.random.Generator) -> Array:
    """Estimate the diagonal of a model's Fisher information, per predicted token.

    One entry says how much the likelihood of the model's predictions falls when that parameter
    moves: the expected square of the score, which is the derivative of the log-likelihood. The next
    tokens are drawn from the model with `sampled`, once for each window, in order.

    Parameters
    ----------
    model : GPT
        Or anything with these three. `model.logits(ids)` gives an array of shape (B, T, V).
        `model.loss_and_grad(ids, targets)` gives the loss, which is the mean over all B T targets,
        and its gradient, whose `flat` has shape (n,). `model.parameters` has `count()`, which is n,
        and `dtype`.
    windows : iterable of integer arrays of shape (T,)
        Inputs from the old text, one sequence at a time. T may differ between them. It can be gone
        through only once, and may be empty: then the estimate is zero.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n,), dtype of the parameters

    References
    ----------
    J. Kirkpatrick et al. (2017), "Overcoming catastrophic forgetting in neural
    networks", section 2.
    F. Kunstner et al. (2019), "Limitations of the empirical Fisher approximation".
    """
    raise NotImplementedError("not written yet")


def penalty(theta: Array, anchor: Array, fisher: Array, strength: float) -> tuple[Array, Cache]:
    """Return the energy of the springs that hold the parameters.

    There is one spring for each parameter, at rest at its anchor. Its stiffness is `strength` times
    the parameter's information.

    Parameters
    ----------
    theta, anchor, fisher : ndarray of one shape
        The parameters now, the parameters before the new text, the information.
    strength : float

    Returns
    -------
    penalty : ndarray of shape ()
        The energy of all springs together.
    cache : (pull,)
        A tuple of one: what each spring pulls with, an array of the shape of `theta`. It is
        positive where the parameter is above its anchor.

    References
    ----------
    J. Kirkpatrick et al. (2017), as above, equation 3.
    """
    raise NotImplementedError("not written yet")


def penalty_backward(dy: float, cache: Cache) -> Array:
    """Return dtheta of `penalty`.

    Parameters
    ----------
    dy : float
        The upstream gradient.
    cache : (pull,)
        As returned by `penalty`.

    Returns
    -------
    ndarray of the shape of theta
    """
    raise NotImplementedError("not written yet")
