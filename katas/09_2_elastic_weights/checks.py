"""Cases of kata 9.2: a model with two parameters, windows of several lengths, a real GPT.

A generator changes when it is used, so each run gets a new one, from a seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient, Use
from minilm.models.batches import ShuffledWindows
from minilm.nn.gpt import GPT, GPTConfig
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Parameters
from minilm.training import forgetting, loop, replay
from minilm.training.settings import Care


class Coin:
    """A language model with two tokens and two parameters: the logit of token 1 is w x + b."""

    def __init__(self, weight: float, bias: float) -> None:
        self.parameters = Parameters({"weight": (1,), "bias": (1,)}, np.float64)
        self.parameters.flat[...] = weight, bias

    def logits(self, ids: Any) -> Any:
        """Return the logits of both tokens: (B, T) -> (B, T, 2)."""
        if np.ndim(ids) != 2:
            raise ValueError(f"ids have shape {np.shape(ids)}, expected (batch, time)")
        weight, bias = self.parameters.flat
        return np.stack([np.zeros(ids.shape), weight * ids + bias], axis=-1)

    def loss_and_grad(self, ids: Any, targets: Any) -> tuple[float, Parameters]:
        """Return the mean loss and its gradient."""
        z = self.logits(ids)[..., 1]
        error = 1 / (1 + np.exp(-z)) - targets
        gradient = Parameters({"weight": (1,), "bias": (1,)}, np.float64)
        gradient.flat[...] = (error * ids).mean(), error.mean()
        return float((np.logaddexp(0, z) - targets * z).mean()), gradient


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the four functions."""
    for name, shape in (("two rows of three positions", (2, 3, 5)), ("one position", (1, 1, 4))):
        inputs = {"logits": 2 * rng.standard_normal(shape), "seed": 6}
        yield Use("sampled", _seeded, inputs, returns="tokens", name=name)
    inputs = {"logits": rng.standard_normal((3, 4, 6)).astype(np.float32), "seed": 7}
    yield Use("sampled", _seeded, inputs, returns="tokens", name="float32")
    yield from _information(rng)
    yield from _springs(rng)


def _seeded(implementation: Any, seed: int, **inputs: Any) -> Any:
    return implementation(**inputs, rng=np.random.default_rng(seed))


_CONFIG = GPTConfig(7, 6, 8, 1, 2)


def _of_coin(implementation: Any, parameters: Any, windows: Any, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return implementation(Coin(*parameters), iter(windows), rng=rng)


def _of_gpt(implementation: Any, parameters: Any, windows: Any, seed: int) -> Any:
    model = GPT(_CONFIG, rng=np.random.default_rng(0), dtype=parameters.dtype)
    model.parameters.flat[...] = parameters
    return implementation(model, iter(windows), rng=np.random.default_rng(seed))


def _information(rng: np.random.Generator) -> Iterator[Case]:
    examples: dict[str, Any] = {
        "two parameters, five windows of four": rng.integers(2, size=(5, 4)),
        "two parameters, windows of several lengths": [
            rng.integers(2, size=size) for size in (4, 3, 4, 2, 1, 5)
        ],
        "two parameters, one token": [np.array([1])],
        "two parameters, no windows": [],
    }
    for name, windows in examples.items():
        inputs = {"parameters": np.array([0.7, -0.4]), "windows": windows, "seed": 8}
        yield Use("fisher_diagonal", _of_coin, inputs, returns="fisher", name=name)
    parameters = 0.4 * rng.standard_normal(GPT(_CONFIG, rng=rng).parameters.count())
    windows = [rng.integers(7, size=size) for size in (6, 3, 5)]
    inputs = {"parameters": parameters, "windows": windows, "seed": 8}
    yield Use("fisher_diagonal", _of_gpt, inputs, returns="fisher", name="a GPT")
    inputs = inputs | {"parameters": parameters.astype(np.float32)}
    yield Use(
        "fisher_diagonal",
        _of_gpt,
        inputs,
        returns="fisher",
        tolerance=1e-3,
        name="a GPT in float32",
    )


def _springs(rng: np.random.Generator) -> Iterator[Case]:
    returns = ("penalty", ("pull",))
    for name, shape in (("seven parameters", (7,)), ("a matrix", (3, 4))):
        theta, anchor = rng.standard_normal((2, *shape))
        fisher = rng.random(shape)
        fisher.flat[1] = 0.0
        others = {"anchor": anchor, "fisher": fisher, "strength": 3.0}
        inputs = {"theta": theta, **others}
        yield Call("penalty", inputs, returns=returns, name=name)
        yield Gradient(
            "penalty_backward",
            forgetting.penalty,
            {"theta": theta},
            rng=rng,
            options=others,
            dy=1.7,
            name=name,
        )
    single = {
        key: value.astype(np.float32) if isinstance(value, np.ndarray) else value
        for key, value in inputs.items()
    }
    yield Call("penalty", single, returns=returns, tolerance=1e-3, name="float32")
    cache = forgetting.penalty(**single)[1]
    yield Call(
        "penalty_backward",
        {"dy": 0.6, "cache": cache},
        returns="dtheta",
        tolerance=1e-3,
        name="float32",
    )


def the_information_of_a_coin(f: Any, rng: np.random.Generator) -> str | None:
    """Compare with p (1 - p), which is the expectation by hand."""
    found = f.fisher_diagonal(Coin(0.0, float(np.log(3))), np.full((1000, 1), 2), rng=rng)
    if np.abs(found - [0.75, 0.1875]).max() > 0.1:
        return (
            f"a coin that falls on 1 three times in four has [0.75, 0.1875] after a token 2, and "
            f"yours gives {np.round(found, 3).tolist()} in 1,000 windows"
        )
    return None


PROPERTIES = {"a coin has the information p (1 - p)": the_information_of_a_coin}


def whole_model() -> dict[str, Any]:
    """Train a tiny GPT further for three steps, held by springs."""
    rng = np.random.default_rng(4)
    model = GPT(GPTConfig(11, 6, 8, 1, 2), rng=rng, dtype=np.float64)
    model.parameters.flat[...] = 0.3 * rng.standard_normal(model.parameters.count())
    old = [replay.drawn("old", rng.integers(11, size=60), rng.integers(11, size=9), 6, seed=1)]
    new = ShuffledWindows(rng.integers(11, size=60), 6, 3, seed=2)
    stage = forgetting.Continuation(model, new, old, Care(ewc=20.0), weight_decay=0.1, seed=5)
    with Shards(1) as shards:
        losses = [
            loop.train_step(
                stage.trained, new[step], stage.optimizer, learning_rate=0.03, shards=shards
            )
            for step in range(3)
        ]
    return {
        "the losses and gradient norms of an update with EWC": np.array(losses),
        "the loss after it": stage.finish().loss(*new[3]),
    }
