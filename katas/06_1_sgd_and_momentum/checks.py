"""Cases of SGD: in the middle of a run, the first step, no momentum, a run of five."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Use
from minilm.nn import optim
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.parameters import Parameters, param_shapes

_RETURNS = ("p'", "velocity'")


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; parameters of shape (3, 5)."""
    rates = {"learning_rate": 0.1, "momentum": 0.8}
    first = _arrays(rng) | {"velocity": np.zeros((3, 5))}
    still = _arrays(rng) | {"g": np.zeros((3, 5))}
    examples: dict[str, dict[str, Any]] = {
        "in the middle of a run": _arrays(rng) | rates,
        "the first step": first | rates,
        "no momentum": _arrays(rng) | {"learning_rate": 0.3, "momentum": 0.0},
        "the gradient is zero": still | {"learning_rate": 0.02, "momentum": 0.9},
    }
    for name, inputs in examples.items():
        yield Call("sgd", inputs, returns=_RETURNS, name=name)
    gradients = rng.standard_normal((5, 7))
    p = rng.standard_normal(7)
    yield Use("sgd", five_steps, {"p": p, "gradients": gradients}, returns=_RETURNS, name="5 steps")
    single = {name: x.astype(np.float32) for name, x in _arrays(rng).items()} | rates
    yield Call("sgd", single, returns=_RETURNS, tolerance=1e-4, name="float32")


def _arrays(rng: np.random.Generator) -> dict[str, Any]:
    p, g, velocity = rng.standard_normal((3, 3, 5))
    return {"p": p, "g": g, "velocity": 2 * velocity}


def five_steps(sgd: Any, p: Any, gradients: Any) -> Any:
    """Run five steps from a velocity of zero."""
    velocity = np.zeros_like(p)
    for g in gradients:
        p, velocity = sgd(p, g, velocity, learning_rate=0.05, momentum=0.7)
    return p, velocity


def a_steady_slope(f: Any, rng: np.random.Generator) -> str | None:
    """Go down a slope that never changes, until the velocity no longer grows."""
    p, velocity = np.zeros(1), np.zeros(1)
    for _ in range(200):
        before = p
        p, velocity = f.sgd(p, np.ones(1), velocity, learning_rate=0.1, momentum=0.8)
    step = float((before - p)[0])
    if abs(step - 0.5) > 1e-9:
        return (
            "with gradient 1, learning rate 0.1 and momentum 0.8 the steps grow to "
            f"0.1 / (1 - 0.8) = 0.5, but yours grow to {step:.4g}"
        )
    return None


PROPERTIES = {"on a steady slope, steps grow to 1 / (1 - momentum) times": a_steady_slope}


def whole_model() -> dict[str, Any]:
    """Train a tiny GPT for five steps with SGD, in float64."""
    rng = np.random.default_rng(8)
    config = GPTConfig(vocab_size=13, n_positions=7, n_embd=10, n_layer=1, n_head=2)
    parameters = Parameters(param_shapes(config), np.float64)
    parameters.flat[...] = 0.3 * rng.standard_normal(parameters.flat.shape)
    model = GPT(config, parameters=parameters)
    ids, targets = rng.integers(0, config.vocab_size, (2, 3, 7))
    optimizer = optim.SGD(parameters, momentum=0.8, weight_decay=0.1)
    for _ in range(5):
        _, gradient = model.loss_and_grad(ids, targets)
        optimizer.update(gradient, learning_rate=0.1)
    return {"the loss after five steps": model.loss(ids, targets)}
