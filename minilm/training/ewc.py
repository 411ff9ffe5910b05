"""Elastic weight consolidation: what mattered for the old text is held by springs.

    penalty(theta) = strength / 2 * sum_i fisher_i * (theta_i - anchor_i)^2

`anchor` are the parameters before the new text, and the Fisher information says how much the old
text's likelihood falls when a parameter moves (Kirkpatrick et al. 2017, "Overcoming catastrophic
forgetting in neural networks", equation 3). With several old texts there is one anchor, the last,
and their information is added (Huszár 2018, "Note on the quadratic penalties in elastic weight
consolidation").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minilm.arrays import Array, Ids
from minilm.nn.gpt import GPT
from minilm.nn.parameters import Gradients, Parameters

Cache = tuple[Any, ...]


def penalty(theta: Array, anchor: Array, fisher: Array, strength: float) -> tuple[Array, Cache]:
    """Return `strength / 2 * sum(fisher * (theta - anchor)**2)`, as an array of shape ().

    Parameters
    ----------
    theta, anchor, fisher : ndarray of one shape
    strength : float

    Returns
    -------
    penalty : ndarray of shape ()
    cache : (pull,)
        `pull = strength * fisher * (theta - anchor)`.

    Examples
    --------
    >>> value, cache = penalty(np.array([1.0, 5.0]), np.zeros(2), np.array([4.0, 0.0]), 2.0)
    >>> float(value), penalty_backward(1.0, cache)
    (4.0, array([8., 0.]))
    """
    moved = theta - anchor
    pull = fisher * moved
    pull *= strength
    return np.asarray(0.5 * np.vdot(pull, moved)), (pull,)


def penalty_backward(dy: float, cache: Cache) -> Array:
    """Return dtheta of `penalty`: `dy * strength * fisher * (theta - anchor)`."""
    (pull,) = cache
    return pull * dy


def fisher_diagonal(model: GPT, windows: Iterable[Ids], *, rng: np.random.Generator) -> Array:
    """Estimate the diagonal of a model's Fisher information, for each token that it predicts.

    By definition `fisher_i = E[(d log p(y) / d theta_i)^2]` with the expectation over texts and,
    for each, over next tokens y as *the model* predicts them; so they are drawn from the model and
    not taken from the text. Given the text, the draws at different places are independent and
    their scores have mean zero. So the square of a window's summed score has the expectation of
    the sum of squares, and one backward pass serves all places of a window.

    Parameters
    ----------
    model : GPT
    windows : iterable of integer arrays of shape (T,)
        Inputs out of the old text, one sequence at a time.
    rng : numpy.random.Generator
        Draws the next tokens.

    Returns
    -------
    ndarray of shape (n,)
        One entry for each parameter of `model.parameters.flat`; all of them must be trainable.

    References
    ----------
    J. Martens (2020), "New insights and perspectives on the natural gradient method", section 5,
    and F. Kunstner et al. (2019), "Limitations of the empirical Fisher approximation", for why
    the text's own next tokens would estimate something else.
    """
    total, places = np.zeros(model.parameters.count(), model.parameters.dtype), 0
    for window in windows:
        ids = np.asarray(window)[np.newaxis]
        _, gradient = model.loss_and_grad(ids, sampled(model.logits(ids), rng=rng))
        score = gradient.flat * ids.size  # the loss is a mean, the score a sum
        total += score * score
        places += ids.size
    return total / max(places, 1)


def sampled(logits: Array, *, rng: np.random.Generator) -> Ids:
    """Draw a token at each place from what is predicted there: (B, T, V) -> (B, T).

    The Gumbel-max trick: `argmax(logits + g)`, with g Gumbel-distributed, is a draw from
    `softmax(logits)`.

    Examples
    --------
    >>> sampled(np.array([[[0.0, 99.0], [99.0, 0.0]]]), rng=np.random.default_rng(0))
    array([[1, 0]])
    """
    return np.argmax(logits + rng.gumbel(size=logits.shape), axis=-1)


class Anchored:
    """A model whose gradient has that of the penalty in it; what `Shards` trains.

    The loss that it returns is the text's alone, so that it can be compared with any other.

    Parameters
    ----------
    model : GPT
    anchor, fisher : ndarray of shape (n,)
    strength : float
    """

    def __init__(self, model: GPT, anchor: Array, fisher: Array, strength: float) -> None:
        self.model = model
        self.parameters: Parameters = model.parameters
        self.anchor, self.fisher, self.strength = anchor, fisher, strength

    def gradients(
        self, *batch: Ids, share: float = 1.0, rng: np.random.Generator | None = None
    ) -> tuple[float, Gradients]:
        """Return the loss of a shard, and the gradient of `share * (loss + penalty)` by name."""
        loss, gradients = self.model.gradients(*batch, share=share, rng=rng)
        _, cache = penalty(self.parameters.flat, self.anchor, self.fisher, self.strength)
        pull = penalty_backward(share, cache)
        for name, gradient in gradients.items():
            gradients[name] = gradient + pull[self.parameters.slices[name]].reshape(gradient.shape)
        return loss, gradients
