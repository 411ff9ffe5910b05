"""The runs of a comparison of ways to continue: every way at one seed, measured after every stage.

The outcome is the loss on every test document after every stage. All ways share the model of the
first domain at a seed, so their differences are paired.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minilm.compare.forgetting import (
    NAIVE,
    RATE,
    REFERENCE,
    WAYS,
    WEIGHT_DECAY,
    Ids,
    Material,
    Way,
)
from minilm.nn.config import SIZES
from minilm.nn.gpt import GPT
from minilm.nn.optim import Optimizer
from minilm.nn.parallel import Model, Shards
from minilm.training import loop, replay
from minilm.training.batches import ShuffledWindows
from minilm.training.continual import Batches, Continuation
from minilm.training.loop import Plan
from minilm.training.randomness import generator
from minilm.training.replay import Part

Losses = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What one way did at one seed.

    Attributes
    ----------
    losses : float64 array of shape (stages + 1, documents)
        The sum of nats of each test document of `Material.measured`, before the first domain and
        after each.
    seconds : float
        Training after the first domain.
    """

    losses: Losses
    seconds: float


def run(material: Material, seed: int) -> dict[str, Outcome]:
    """Return the outcome of every way at one seed: a pure function of both, times apart."""
    with Shards(1) as shards:
        start = _start(material, seed)
        first = _learned(material, start, 0, WAYS[NAIVE], (), seed)
        common = [measure(start, material, shards), measure(first, material, shards)]
        return {name: _continue(material, start, first, common, name, seed) for name in WAYS}


def _continue(
    material: Material, start: GPT, first: GPT, common: list[Losses], name: str, seed: int
) -> Outcome:
    """Learn the domains after the first in one way."""
    way, losses, seconds = WAYS[name], list(common), 0.0
    model = _copy(first)
    for stage in range(1, len(material.domains)):
        begin = time.perf_counter()
        kept = _samples(material, stage, seed)
        if way.together:
            model = _relearned(material, start, stage, seed)
        else:
            model = _learned(material, first if way.apart else model, stage, way, kept, seed)
        seconds += time.perf_counter() - begin
        with Shards(1) as shards:
            found = measure(model, material, shards)
        if way.apart:  # each domain with its own adapter, and those to come with the last one
            known = _places(material, stage)
            found = np.where(known, losses[-1], found)
        losses.append(found)
    return Outcome(np.stack(losses), seconds)


def _places(material: Material, stage: int) -> NDArray[np.bool_]:
    """Return which test documents are of the base text or a domain before this stage."""
    before = {domain.name for domain in material.domains[:stage]}
    before |= {material.base.name} if material.base else set()
    return np.concatenate(
        [np.full(len(domain.test), domain.name in before) for domain in material.measured]
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


def _start(material: Material, seed: int) -> GPT:
    """Return the model before the first domain."""
    model = GPT(material.config, rng=generator(seed, "parameters"))
    if material.base is None:
        return model
    steps = material.settings.base_steps
    return _trained(material, model, material.base.train, WAYS[NAIVE], (), steps, seed)


def _learned(
    material: Material, model: GPT, stage: int, way: Way, kept: Sequence[Part], seed: int
) -> GPT:
    """Return a copy of a model that has learned one more domain."""
    train = material.domains[stage].train
    steps = _steps(material, stage, way)
    return _trained(material, _copy(model), train, way, kept, steps, seed)


def _relearned(material: Material, start: GPT, stage: int, seed: int) -> GPT:
    """Return what the beginning becomes on all domains so far at once, in as many steps."""
    train = np.concatenate([domain.train for domain in material.domains[: stage + 1]])
    steps = sum(_steps(material, k, WAYS[REFERENCE]) for k in range(stage + 1))
    return _trained(material, _copy(start), train, WAYS[REFERENCE], (), steps, seed)


def _steps(material: Material, stage: int, way: Way) -> int:
    settings = material.settings
    if stage == 0 and material.base is None:
        return settings.base_steps
    windows = len(material.domains[stage].train) // material.config.n_positions
    epochs = settings.epochs * windows / SIZES[settings.size].batch
    return max(1, round(min(epochs, settings.steps) * way.epochs))


def _trained(
    material: Material,
    model: GPT,
    train: Ids,
    way: Way,
    kept: Sequence[Part],
    steps: int,
    seed: int,
) -> GPT:
    batch = SIZES[material.settings.size].batch
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


def _samples(material: Material, stage: int, seed: int) -> tuple[Part, ...]:
    """Return what is kept of the texts before a stage: the base text and the domains."""
    before = material.measured[: stage + (material.base is not None)]
    time = material.config.n_positions
    return tuple(
        replay.drawn(
            domain.name,
            domain.train,
            domain.test[0],
            time,
            seed=seed,
            limit=round(material.settings.sample * len(domain.train)),
        )
        for domain in before
    )


def _copy(model: GPT) -> GPT:
    return GPT(model.config, parameters=model.parameters.extended({}))


def measure(model: GPT, material: Material, shards: Shards) -> Losses:
    """Return the sum of nats of every test document: (documents,)."""
    found = [document for domain in material.measured for document in domain.test]
    losses = np.empty(len(found))

    def work(number: int) -> None:
        losses[number] = document_loss(model, found[number])

    shards.each(work, range(len(found)))
    return losses


def document_loss(model: GPT, document: Ids) -> float:
    """Return the sum of nats of a document's tokens after the first, window by window."""
    time = model.config.n_positions
    rows = -(-(len(document) - 1) // time)
    ids = np.zeros(rows * time, np.int64)
    targets = np.full(rows * time, -100)
    ids[: len(document) - 1], targets[: len(document) - 1] = document[:-1], document[1:]
    return model.loss(ids.reshape(rows, time), targets.reshape(rows, time)) * (len(document) - 1)
