"""Cases of kata 9.1: old texts of very different sizes, windows of three lengths, several weights.

A generator changes when it is used, so each run gets a new one, from a seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Use
from minilm.models.batches import ShuffledWindows
from minilm.nn.gpt import GPT, GPTConfig
from minilm.nn.parallel import Shards
from minilm.training import loop, replay
from minilm.training.forgetting import Continuation
from minilm.training.settings import Care


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the three functions."""
    examples = {
        "a text of 2 windows and one of 30": ((2, 5), (30, 5)),
        "three texts, windows of three lengths": ((7, 5), (1, 9), (12, 3)),
        "one text": ((6, 4),),
    }
    for name, shapes in examples.items():
        texts = [rng.integers(100, 1000, shape) for shape in shapes]
        inputs = {"texts": texts, "count": 8, "seed": 3}
        yield Use("old_windows", _drawn, inputs, returns="windows", name=name)
    ids, targets = _batch(rng, 3, 4)
    lengths = {
        "windows as long as the batch's": (5, 5),
        "a longer window": (5, 8),
        "a shorter one, and one of two tokens": (3, 5, 2),
        "no windows": (),
        "more windows than sequences": (5, 4, 9, 5, 5),
    }
    for name, sizes in lengths.items():
        windows = [rng.integers(100, 1000, size) for size in sizes]
        inputs = {"ids": ids, "targets": targets, "windows": windows}
        yield Call("mixed", inputs, returns=("ids", "targets"), name=name)
    windows = [rng.integers(100, 1000, size).astype(np.int32) for size in (5, 3)]
    inputs = {"ids": ids, "targets": targets, "windows": windows}
    yield Call("mixed", inputs, returns=("ids", "targets"), name="windows in int32")
    for name, shape, weight in (
        ("seven parameters, weight 0.3", (7,), 0.3),
        ("a matrix, weight 0.9", (3, 4), 0.9),
        ("weight 0", (5,), 0.0),
        ("weight 1", (5,), 1.0),
    ):
        inputs = {
            "new": rng.standard_normal(shape),
            "old": rng.standard_normal(shape),
            "weight": weight,
        }
        yield Call("averaged", inputs, returns="mean", name=name)
    single = {name: rng.standard_normal(6, dtype=np.float32) for name in ("new", "old")}
    yield Call("averaged", single | {"weight": 0.3}, returns="mean", tolerance=1e-4, name="float32")


def _batch(rng: np.random.Generator, batch: int, time: int) -> tuple[Any, Any]:
    tokens = rng.integers(1, 50, (batch, time + 1))
    return tokens[:, :-1].copy(), tokens[:, 1:].copy()


def _drawn(implementation: Any, texts: Any, count: int, seed: int) -> Any:
    return implementation(texts, count, rng=np.random.default_rng(seed))


def whole_model() -> dict[str, Any]:
    """Train a tiny GPT further for three steps, with replay, and average it with the old one."""
    rng = np.random.default_rng(4)
    model = GPT(GPTConfig(11, 6, 8, 1, 2), rng=rng, dtype=np.float64)
    old = [
        replay.drawn(name, rng.integers(11, size=n), rng.integers(11, size=9), time, seed=1)
        for name, n, time in (("long", 90, 8), ("short", 12, 4))
    ]
    new = ShuffledWindows(rng.integers(11, size=60), 6, 3, seed=2)
    care = Care(replay=0.7, average=0.4)
    stage = Continuation(model, new, old, care, weight_decay=0.1, seed=5)
    losses = []
    with Shards(1) as shards:
        for step in range(3):
            batch = stage.batches[step]
            found = loop.train_step(
                stage.trained, batch, stage.optimizer, learning_rate=0.01, shards=shards
            )
            losses.append(found[0])
    return {
        "the losses of an update with replay": np.array(losses),
        "the loss after averaging": stage.finish().loss(*new[3]),
    }
