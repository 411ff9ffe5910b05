"""How to keep a model from forgetting old text while it learns new text.

    replay     every batch also has windows of old text                        (`replay.py`)
    ewc        springs hold the parameters that mattered for the old text
    lora       the old matrices are frozen, thin ones beside them learn        (`nn/lora.py`)
    average    afterwards, the model moves back toward the old one in a straight line

They can be combined. The cheapest protection is a low learning rate. Elastic weight consolidation
adds a penalty to the loss:

    penalty(theta) = strength / 2 * sum_i fisher_i * (theta_i - anchor_i)^2

`anchor` are the parameters before the new text. The Fisher information says how much the likelihood
of the old text falls when a parameter moves (Kirkpatrick et al. 2017, "Overcoming catastrophic
forgetting in neural networks", equation 3). With several old texts there is one anchor, the last
model, and their information is added (Huszár 2018, "Note on the quadratic penalties in elastic
weight consolidation").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from minilm.arrays import Array, Ids
from minilm.errors import OptionError
from minilm.models.batches import ShuffledWindows
from minilm.nn import architectures, lora
from minilm.nn.gpt import GPT
from minilm.nn.optim import AdamW
from minilm.nn.parallel import Model
from minilm.nn.parameters import Gradients, Parameters
from minilm.random import generator
from minilm.training import loop
from minilm.training.replay import Part, Replayed
from minilm.training.settings import Care

Cache = tuple[Any, ...]

_FISHER_WINDOWS = 256  # windows of old text over which the Fisher information is estimated


class Batches(Protocol):
    """Where batches come from."""

    def __getitem__(self, step: int) -> tuple[Ids, Ids]:
        """Return ids and targets of batch `step`."""
        ...


class Continuation:
    """A model ready to learn new text, step by step.

    It starts a new run, with a fresh optimizer and schedule. (Resuming is different: it continues
    an interrupted run as if nothing had happened.)

    Parameters
    ----------
    model : GPT
        Trained in place; with LoRA it does not change before `finish`.
    new : ShuffledWindows
        The new text.
    old : sequence of Part
        A sample of the old text; may be empty if `care` does not need it.
    care : Care
    weight_decay : float
    seed : int

    Attributes
    ----------
    gpt : GPT
        The model during training, with LoRA's adapter if there is one.
    trained : GPT or Anchored
        The model for `loop.train_step`: `gpt`, or `gpt` with the penalty.
    optimizer : AdamW
    batches : Batches

    Raises
    ------
    OptionError
        When `care` needs old text and there is none.
    """

    def __init__(
        self,
        model: GPT,
        new: ShuffledWindows,
        old: Sequence[Part],
        care: Care,
        *,
        weight_decay: float,
        seed: int,
    ) -> None:
        if care.needs_old_text and not old:
            raise OptionError(
                "replay and EWC need a sample of the old text, and this model has none; name "
                "the old text with --old-data, or leave them out"
            )
        self._old_parameters = model.parameters.flat.copy()
        self._model, self._average = model, care.average
        self.gpt = _adapted(model, care, seed) if care.lora else model
        self.trained: Model = self.gpt
        if care.ewc:
            fisher = old_information(model, old, seed=seed)
            self.trained = Anchored(self.gpt, self._old_parameters, fisher, care.ewc)
        self.optimizer = AdamW(self.gpt.parameters, betas=loop.BETAS, weight_decay=weight_decay)
        self.batches: Batches = Replayed(new, old, care.replay, seed) if care.replay else new

    def finish(self) -> GPT:
        """Return the trained model: LoRA merged in, then averaged with the old model."""
        if self.gpt.adapter is not None:
            merged = lora.merge(self.gpt.parameters, self.gpt.adapter)
            self._model.parameters.flat[...] = merged.flat
        if self._average:
            flat = self._model.parameters.flat
            flat[...] = averaged(flat, self._old_parameters, self._average)
        return self._model


def averaged(new: Array, old: Array, weight: float) -> Array:
    """Return the weighted mean of a model's parameters after and before training.

    Models with a common start are often joined by a path of low loss, so their mean is a good model
    too (M. Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").

    Parameters
    ----------
    new, old : ndarray of one shape, float
    weight : float
        The share of the old model: 0 gives the new one, 1 the old one.

    Returns
    -------
    ndarray of the same shape and dtype

    Examples
    --------
    >>> averaged(np.array([2.0, 8.0]), np.array([2.0, 4.0]), 0.25)
    array([2., 7.])
    """
    mean: Array = (1 - weight) * new + weight * old
    return mean


def old_information(model: GPT, old: Sequence[Part], *, seed: int) -> Array:
    """Return the sum of the old texts' Fisher information, each text with the same weight."""
    each = max(1, _FISHER_WINDOWS // len(old))
    total = np.zeros(model.parameters.count(), model.parameters.dtype)
    for number, part in enumerate(old):
        windows = part.windows[:each, :-1].astype(np.int64)
        total += fisher_diagonal(model, windows, rng=generator(seed, "fisher", number))
    return total


def _adapted(model: GPT, care: Care, seed: int) -> GPT:
    """Return the model with its matrices frozen and LoRA beside them."""
    config = model.config
    targets = lora.targets_for(config, care.targets)
    store = model.parameters.extended(lora.adapter_shapes(config, care.lora, targets))
    store.freeze(*model.parameters)
    alpha = 2.0 * care.lora if care.alpha is None else care.alpha
    adapter = lora.Adapter(care.lora, alpha, targets, store)
    lora.initialize(adapter, config, rng=generator(seed, "lora"))
    adapted = architectures.language_model(config, parameters=store)
    adapted.use(adapter)
    return adapted


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
    """Estimate the diagonal of a model's Fisher information, per predicted token.

    By definition `fisher_i = E[(d log p(y) / d theta_i)^2]`. The expectation is over texts and over
    next tokens y as *the model* predicts them, so the tokens are drawn from the model, not taken
    from the text. Given the text, the draws at different positions are independent and their scores
    have mean zero. So the squared sum of a window's scores has the same expectation as the sum of
    their squares, and one backward pass serves all positions of a window.

    Parameters
    ----------
    model : GPT
    windows : iterable of integer arrays of shape (T,)
        Inputs from the old text, one sequence at a time.
    rng : numpy.random.Generator
        Draws the next tokens.

    Returns
    -------
    ndarray of shape (n,)
        One entry for each parameter of `model.parameters.flat`; all of them must be trainable.

    References
    ----------
    J. Martens (2020), "New insights and perspectives on the natural gradient method", section 5,
    and F. Kunstner et al. (2019), "Limitations of the empirical Fisher approximation", on why the
    text's own next tokens estimate something else.
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
    """Draw a token at each position from the predicted distribution: (B, T, V) -> (B, T).

    The Gumbel-max trick: `argmax(logits + g)`, with g Gumbel-distributed, is a draw from
    `softmax(logits)`.

    Examples
    --------
    >>> sampled(np.array([[[0.0, 99.0], [99.0, 0.0]]]), rng=np.random.default_rng(0))
    array([[1, 0]])
    """
    return np.argmax(logits + rng.gumbel(size=logits.shape), axis=-1)


class Anchored:
    """A model whose gradient includes the gradient of the penalty.

    The loss it returns is the text's alone, so that it can be compared with other losses.

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
