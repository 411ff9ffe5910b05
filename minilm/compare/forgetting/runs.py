"""The runs of a comparison of ways to continue: every way at one seed, measured after every stage.

The outcome is the loss on every test document after every stage. All ways share the model of the
first domain at a seed, so their differences are paired.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.compare.forgetting.ways import (
    NAIVE,
    RATE,
    REFERENCE,
    WAYS,
    WEIGHT_DECAY,
    ForgettingData,
    Ids,
    Way,
)
from minilm.models.batches import ShuffledWindows
from minilm.nn.config import SIZES
from minilm.nn.gpt import GPT
from minilm.nn.optim import Optimizer
from minilm.nn.parallel import Model, Shards
from minilm.random import generator
from minilm.training import loop, replay
from minilm.training.forgetting import Batches, Continuation
from minilm.training.loop import Plan
from minilm.training.replay import Part

Losses = NDArray[np.float64]

_WINDOWS = 64  # predicted at a time


@dataclass(frozen=True)
class Outcome:
    """What one way did at one seed.

    Attributes
    ----------
    losses : float64 array of shape (stages + 1, documents)
        The sum of nats of each test document of `ForgettingData.measured`, before the first
        domain and after each.
    seconds : float
        Training after the first domain.
    """

    losses: Losses
    seconds: float


def run(data: ForgettingData, seed: int) -> dict[str, Outcome]:
    """Return the outcome of every way at one seed: a pure function of both, times apart."""
    start = _start(data, seed)
    first = _learned(data, start, 0, WAYS[NAIVE], (), seed)
    common = [measure(start, data), measure(first, data)]
    return {name: _continue(data, start, first, common, name, seed) for name in WAYS}


def _continue(
    data: ForgettingData, start: GPT, first: GPT, common: list[Losses], name: str, seed: int
) -> Outcome:
    """Learn the domains after the first in one way."""
    way, losses, seconds = WAYS[name], list(common), 0.0
    model = _copy(first)
    for stage in range(1, len(data.domains)):
        begin = time.perf_counter()
        kept = _samples(data, stage, seed)
        if way.together:
            model = _relearned(data, start, stage, seed)
        else:
            model = _learned(data, first if way.apart else model, stage, way, kept, seed)
        seconds += time.perf_counter() - begin
        found = measure(model, data)
        if way.apart:  # each domain with its own adapter, and those to come with the last one
            known = _places(data, stage)
            found = np.where(known, losses[-1], found)
        losses.append(found)
    return Outcome(np.stack(losses), seconds)


def _places(data: ForgettingData, stage: int) -> NDArray[np.bool_]:
    """Return which test documents are of the base text or a domain before this stage."""
    before = {domain.name for domain in data.domains[:stage]}
    before |= {data.base.name} if data.base else set()
    return np.concatenate(
        [np.full(len(domain.test), domain.name in before) for domain in data.measured]
    )


@dataclass
class _Task:
    """A stage, as the training loop wants it."""

    model: Model
    optimizer: Optimizer
    batches: Batches

    def batch(self, step: int) -> tuple[Ids, Ids]:
        return self.batches[step]

    def evaluate(self, shards: Shards) -> None:
        """Look at nothing on the way."""


def _start(data: ForgettingData, seed: int) -> GPT:
    """Return the model before the first domain."""
    model = GPT(data.config, rng=generator(seed, "parameters"))
    if data.base is None:
        return model
    steps = data.settings.base_steps
    return _trained(data, model, data.base.train, WAYS[NAIVE], (), steps, seed)


def _learned(
    data: ForgettingData, model: GPT, stage: int, way: Way, kept: Sequence[Part], seed: int
) -> GPT:
    """Return a copy of a model that has learned one more domain."""
    train = data.domains[stage].train
    steps = _steps(data, stage, way)
    return _trained(data, _copy(model), train, way, kept, steps, seed)


def _relearned(data: ForgettingData, start: GPT, stage: int, seed: int) -> GPT:
    """Return what the beginning becomes on all domains so far at once, in as many steps."""
    train = np.concatenate([domain.train for domain in data.domains[: stage + 1]])
    steps = sum(_steps(data, k, WAYS[REFERENCE]) for k in range(stage + 1))
    return _trained(data, _copy(start), train, WAYS[REFERENCE], (), steps, seed)


def _steps(data: ForgettingData, stage: int, way: Way) -> int:
    settings = data.settings
    if stage == 0 and data.base is None:
        return settings.base_steps
    windows = len(data.domains[stage].train) // data.config.n_positions
    epochs = settings.epochs * windows / SIZES[settings.size].batch
    return max(1, round(min(epochs, settings.steps) * way.epochs))


def _trained(
    data: ForgettingData,
    model: GPT,
    train: Ids,
    way: Way,
    kept: Sequence[Part],
    steps: int,
    seed: int,
) -> GPT:
    batch = SIZES[data.settings.size].batch
    windows = ShuffledWindows(train, model.config.n_positions, batch, seed)
    stage = Continuation(model, windows, kept, way.care, weight_decay=WEIGHT_DECAY, seed=seed)
    plan = Plan(
        steps=steps,
        learning_rate=RATE * way.rate,
        warmup=min(200, steps // 20),
        seed=seed,
        threads=1,
        evaluate_every=steps,
    )
    loop.fit(_Task(stage.trained, stage.optimizer, stage.batches), plan)
    return stage.finish()


def _samples(data: ForgettingData, stage: int, seed: int) -> tuple[Part, ...]:
    """Return what is kept of the texts before a stage: the base text and the domains."""
    before = data.measured[: stage + (data.base is not None)]
    time = data.config.n_positions
    return tuple(
        replay.drawn(
            domain.name,
            domain.train,
            domain.test[0],
            time,
            seed=seed,
            limit=round(data.settings.sample * len(domain.train)),
        )
        for domain in before
    )


def _copy(model: GPT) -> GPT:
    return GPT(model.config, parameters=model.parameters.extended({}))


def measure(model: GPT, data: ForgettingData) -> Losses:
    """Return the sum of nats of every test document: (documents,)."""
    documents = [document for domain in data.measured for document in domain.test]
    ids, targets, owners = _windows(documents, model.config.n_positions)
    losses = np.zeros(len(documents))
    for start in range(0, len(ids), _WINDOWS):
        part = slice(start, start + _WINDOWS)
        found = token_losses(model.logits(ids[part]), targets[part])
        np.add.at(losses, owners[part], found.sum(axis=1))
    return losses


def _windows(documents: Sequence[Ids], time: int) -> tuple[Ids, Ids, Ids]:
    """Cut documents into windows: ids and targets of shape (N, T), and whose each is, (N,)."""
    ids, targets, owners = [], [], []
    for number, document in enumerate(documents):
        for start in range(0, len(document) - 1, time):
            piece = document[start : start + time + 1]
            row, asked = np.zeros(time, np.int64), np.full(time, -100)
            row[: len(piece) - 1], asked[: len(piece) - 1] = piece[:-1], piece[1:]
            ids.append(row)
            targets.append(asked)
            owners.append(number)
    return np.stack(ids), np.stack(targets), np.array(owners)


def token_losses(logits: NDArray[Any], targets: Ids) -> Losses:
    """Return the nats of each target, 0 where it is -100: (B, T, V), (B, T) -> (B, T).

    Examples
    --------
    >>> token_losses(np.log([[[0.25, 0.75], [0.5, 0.5]]]), np.array([[0, -100]])).round(4)
    array([[1.3863, 0.    ]])
    """
    counted = targets != -100
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    places = np.where(counted, targets, 0)[..., np.newaxis]
    picked = np.take_along_axis(shifted, places, axis=-1)[..., 0]
    found: Losses = (np.log(np.exp(shifted).sum(axis=-1)) - picked) * counted
    return found
