"""Cases of the schedule and of clipping: one step of each part, whole runs, the odd ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Use
from minilm.errors import OptionError
from minilm.nn import optim
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Parameters, param_shapes
from minilm.training import loop

_RUN = {"peak": 0.6, "warmup": 4, "total": 13, "floor": 0.05}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: single steps, then the rates of whole runs."""
    for step, name in ((6, "a step of the fall"), (1, "a step of the rise")):
        yield Call("warmup_decay", {"step": step} | _RUN, returns="rate", name=name)
    runs: dict[str, dict[str, Any]] = {
        "a whole run, and beyond": _RUN,
        "a whole run, linear": _RUN | {"shape": "linear"},
        "a whole run, constant": _RUN | {"shape": "constant"},
        "no floor given": {"peak": 2.0, "warmup": 3, "total": 11},
        "no warm-up": _RUN | {"warmup": 0, "total": 5},
        "a single step of fall": _RUN | {"warmup": 4, "total": 5},
    }
    for name, inputs in runs.items():
        yield Use("warmup_decay", rates, inputs, returns="rates", name=name)
    for step in (0, 4):
        inputs = {"step": step} | _RUN | {"warmup": 5, "total": 5}
        yield Call("warmup_decay", inputs, returns="rate", name="nothing but warm-up")
    unknown = {"step": 6, "shape": "cubic"} | _RUN
    yield Call("warmup_decay", unknown, raises=OptionError, name="shape 'cubic'")
    for norm, largest, name in (
        (4.0, 1.5, "a norm of 4, at most 1.5"),
        (0.7, 1.5, "a norm of 0.7, at most 1.5"),
        (0.0, 1.0, "a gradient of zero"),
        (0.004, 0.001, "a norm of 0.004, at most 0.001"),
        (1e9, 3.0, "a huge norm"),
    ):
        inputs = {"norm": norm, "largest": largest}
        yield Call("clip_factor", inputs, returns="factor", name=name)


def rates(warmup_decay: Any, **options: Any) -> Any:
    """Return the rates of every step of a run, and of three after it."""
    return np.array([warmup_decay(step, **options) for step in range(options["total"] + 3)])


def never_longer(f: Any, rng: np.random.Generator) -> str | None:
    """Clip gradients of many lengths."""
    for norm in (0.0, 0.3, 1.0, 2.5, 7.0, 1e6):
        clipped = norm * f.clip_factor(norm, 2.0)
        if not min(norm, 2.0) - 1e-5 <= clipped <= 2.0:
            return f"a gradient of norm {norm:g} comes out with norm {clipped:.6g}, at most 2 asked"
    return None


PROPERTIES = {"no gradient comes out longer than asked, none shorter": never_longer}


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
    """Train a tiny GPT for eight steps in the library's loop, in float64."""
    rng = np.random.default_rng(8)
    config = GPTConfig(vocab_size=13, n_positions=7, n_embd=10, n_layer=1, n_head=2)
    parameters = Parameters(param_shapes(config), np.float64)
    parameters.flat[...] = 0.3 * rng.standard_normal(parameters.flat.shape)
    model = GPT(config, parameters=parameters)
    tokens = rng.integers(0, config.vocab_size, (2, 3, 8))
    task = _Task(model, optim.SGD(parameters), tokens)
    plan = loop.Plan(8, 0.1, 3, seed=0, threads=1, evaluate_every=8)
    loop.fit(task, plan)
    return {"the loss after eight steps": model.loss(*task.batch(0))}
