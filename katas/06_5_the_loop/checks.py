"""Cases of one step: a tiny GPT in float64, clipped and not, with dropout, over several steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilm.course.cases import Case, Use
from minilm.errors import TrainingError
from minilm.nn import optim
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Parameters, param_shapes
from minilm.training import loop

_CONFIG = GPTConfig(vocab_size=13, n_positions=7, n_embd=10, n_layer=1, n_head=2).with_dropout(0.2)
_RETURNS = ("loss", "norm", "parameters")


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases."""
    size = Parameters(param_shapes(_CONFIG), np.float64).flat.size
    inputs: dict[str, Any] = {
        "parameters": 0.7 * rng.standard_normal(size),
        "ids": rng.integers(0, _CONFIG.vocab_size, (3, 7)),
        "targets": rng.integers(0, _CONFIG.vocab_size, (3, 7)),
    }
    inputs["targets"][1, 4:] = -100
    for name, options in {
        "one step, clipped as by default": {},
        "one step, no limit": {"clip": None},
        "one step, a limit that is never reached": {"clip": 1000.0},
        "one step, clipped to 0.2": {"clip": 0.2},
        "four steps with momentum": {"steps": 4},
        "three steps with AdamW": {"steps": 3, "optimizer": "AdamW", "clip": 0.7},
        "with dropout, on two threads": {"seed": 5, "threads": 2},
    }.items():
        yield Use("train_step", train, inputs | options, returns=_RETURNS, name=name)
    broken = inputs | {"broken": True}
    yield Use("train_step", train, broken, raises=TrainingError, name="an infinite gradient")


class _Broken(GPT):
    """A model whose gradient is not finite in one entry, though its loss is."""

    def gradients(self, *batch: Any, **options: Any) -> Any:
        loss, found = super().gradients(*batch, **options)
        next(iter(found.values())).reshape(-1)[0] = np.inf
        return loss, found


def train(
    train_step: Any,
    parameters: Any,
    ids: Any,
    targets: Any,
    *,
    steps: int = 1,
    optimizer: str = "SGD",
    threads: int = 1,
    seed: int | None = None,
    broken: bool = False,
    **options: Any,
) -> Any:
    """Take steps with a tiny model; return the last loss and norm, and the parameters."""
    model = _model(parameters, broken)
    chosen = optim.AdamW if optimizer == "AdamW" else optim.SGD
    made = chosen(model.parameters, weight_decay=0.1)
    rng = None if seed is None else np.random.default_rng(seed)
    with Shards(threads) as shards:
        for step in range(steps):
            rate = 0.1 / (1 + step)
            returned = train_step(
                model, (ids, targets), made, learning_rate=rate, shards=shards, rng=rng, **options
            )
            if not isinstance(returned, tuple):
                return returned
    return *returned, model.parameters.flat.copy()


def _model(values: Any, broken: bool = False) -> GPT:
    parameters = Parameters(param_shapes(_CONFIG), np.float64)
    parameters.flat[...] = values
    return (_Broken if broken else GPT)(_CONFIG, parameters=parameters)


def nothing_is_changed_by_a_step_that_is_refused(f: Any, rng: np.random.Generator) -> str | None:
    """Give it an infinite gradient, and look at the parameters afterwards."""
    values = 0.3 * rng.standard_normal(Parameters(param_shapes(_CONFIG), np.float64).flat.size)
    model = _model(values, broken=True)
    ids = rng.integers(0, _CONFIG.vocab_size, (2, 2, 7))
    with Shards(1) as shards:
        try:
            f.train_step(
                model, tuple(ids), optim.SGD(model.parameters), learning_rate=0.1, shards=shards
            )
        except Exception:  # which one is looked at among the refusals
            if not np.array_equal(model.parameters.flat, values):
                return (
                    "the step is refused, but the parameters have been changed before; "
                    "a model that was saved now would be ruined"
                )
    return None


PROPERTIES = {
    "a step that is refused changes nothing": nothing_is_changed_by_a_step_that_is_refused
}


@dataclass
class _Task:
    """What the loop trains here."""

    model: GPT
    optimizer: optim.Optimizer
    tokens: np.ndarray

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        return self.tokens[step % 2, :, :-1], self.tokens[step % 2, :, 1:]

    def evaluate(self, shards: Shards) -> None:
        """Evaluate nothing on the way."""


def whole_model() -> dict[str, Any]:
    """Train for six steps in the library's loop, with dropout."""
    rng = np.random.default_rng(8)
    size = Parameters(param_shapes(_CONFIG), np.float64).flat.size
    model = _model(0.7 * rng.standard_normal(size))
    tokens = rng.integers(0, _CONFIG.vocab_size, (2, 3, 8))
    task = _Task(model, optim.AdamW(model.parameters), tokens)
    loop.fit(task, loop.Plan(6, 0.01, 2, seed=0, threads=1, evaluate_every=6))
    return {"the loss after six steps": model.loss(*task.batch(0))}
