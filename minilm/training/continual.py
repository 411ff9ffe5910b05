"""Continuing to train a model on new text, with or without care for what it knew.

Four ways of care, which go together; the fifth is the plan's: a lower learning rate, fewer epochs.

    replay     windows of old text in every batch                              (`replay.py`)
    ewc        springs that hold what mattered for the old text                (`ewc.py`)
    lora       the old matrices frozen, thin ones beside them learn            (`nn/lora.py`)
    average    afterwards, back towards the old model, along a straight line

Continuing is not resuming: it begins a new run, with a fresh optimizer and a schedule of its own,
on other text. Resuming takes up a run that was interrupted, as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from minilm.arrays import Array, Ids
from minilm.errors import OptionError
from minilm.models.batches import ShuffledWindows
from minilm.nn import architectures, lora
from minilm.nn.gpt import GPT
from minilm.nn.optim import AdamW
from minilm.nn.parallel import Model
from minilm.nn.parameters import Parameters
from minilm.random import generator
from minilm.training import ewc, runs
from minilm.training.replay import Part, Replayed

_FISHER_WINDOWS = 256  # of old text, over which the Fisher information is estimated


@dataclass(frozen=True)
class Care:
    """What is done against forgetting; by default nothing.

    Attributes
    ----------
    replay : float
        Old windows in a batch for each new one.
    ewc : float
        The strength of elastic weight consolidation.
    average : float
        Afterwards, the weight of the old model in the mean of both; below 1.
    lora : int
        The rank of thin matrices that alone are trained; they are merged afterwards.

    Raises
    ------
    OptionError
        When a value cannot work.
    """

    replay: float = 0.0
    ewc: float = 0.0
    average: float = 0.0
    lora: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 <= self.replay <= 100:
            raise OptionError(f"replay is {self.replay}; expected 0 to 100 old windows a new one")
        if not 0 <= self.ewc < float("inf"):
            raise OptionError(f"ewc is {self.ewc}; expected a strength of 0 or more")
        if not 0 <= self.average < 1:
            raise OptionError(f"average is {self.average}; expected a weight from 0 to below 1")
        if self.lora < 0:
            raise OptionError(f"lora is {self.lora}; expected a rank of 0 or more")
        if self.lora and self.ewc:
            raise OptionError("EWC holds the old matrices and LoRA freezes them; use one of them")

    @property
    def needs_old_text(self) -> bool:
        """Whether it works with a sample of the old text."""
        return self.replay > 0 or self.ewc > 0


class Batches(Protocol):
    """What a batch is taken from."""

    def __getitem__(self, step: int) -> tuple[Ids, Ids]:
        """Return ids and targets of batch `step`."""
        ...


class Continuation:
    """A model that is to learn new text, ready to be trained step by step.

    Parameters
    ----------
    model : GPT
        Is not changed until `finish`, except by the training itself where `care.lora` is 0.
    new : ShuffledWindows
        The new text.
    old : sequence of Part
        A sample of the old text; may be empty where the care needs none.
    care : Care
    weight_decay : float
    seed : int

    Attributes
    ----------
    gpt : GPT
        What predicts, in the course of the training.
    trained : GPT or Anchored
        What `Shards` trains.
    optimizer : AdamW
    batches : Batches

    Raises
    ------
    OptionError
        When the care needs old text and there is none.
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
                "replay and EWC need a sample of the old text, and this model keeps none; name "
                "the old text with --old-data, or do without them"
            )
        self._old_parameters = model.parameters.flat.copy()
        self._model, self._average = model, care.average
        self.gpt = _adapted(model, care.lora, seed) if care.lora else model
        self.trained: Model = self.gpt
        if care.ewc:
            fisher = old_information(model, old, seed=seed)
            self.trained = ewc.Anchored(self.gpt, self._old_parameters, fisher, care.ewc)
        self.optimizer = AdamW(self.gpt.parameters, betas=runs.BETAS, weight_decay=weight_decay)
        self.batches: Batches = Replayed(new, old, care.replay, seed) if care.replay else new

    def finish(self) -> GPT:
        """Return the model after training: adapters merged, averaged with what it was before."""
        if self.gpt.adapter is not None:
            merged = lora.merge(self.gpt.parameters, self.gpt.adapter)
            self._model.parameters.flat[...] = merged.flat
        if self._average:
            averaged(self._model.parameters, self._old_parameters, self._average)
        return self._model


def averaged(parameters: Parameters, old: Array, weight: float) -> None:
    """Move parameters to `(1 - weight) * new + weight * old`, in place.

    Models that share their beginning are often joined by a path of low loss, so that their mean is
    a model too (M. Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
    """
    parameters.flat *= 1 - weight
    parameters.flat += weight * old


def old_information(model: GPT, old: Sequence[Part], *, seed: int) -> Array:
    """Return the Fisher information of the old texts together, each with the same weight."""
    each = max(1, _FISHER_WINDOWS // len(old))
    total = np.zeros(model.parameters.count(), model.parameters.dtype)
    for number, part in enumerate(old):
        windows = part.windows[:each, :-1].astype(np.int64)
        total += ewc.fisher_diagonal(model, windows, rng=generator(seed, "fisher", number))
    return total


def _adapted(model: GPT, rank: int, seed: int) -> GPT:
    """Return a model over a larger store, in which the old parameters are frozen."""
    config = model.config
    store = model.parameters.extended(lora.adapter_shapes(config, rank))
    store.freeze(*model.parameters)
    adapter = lora.Adapter(rank, 2.0 * rank, config.targets, store)
    lora.initialize(adapter, config, rng=generator(seed, "lora"))
    adapted = architectures.language_model(config, parameters=store)
    adapted.use(adapter)
    return adapted
