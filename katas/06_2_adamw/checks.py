"""Cases of AdamW: the first step, one in the middle of a run, and a run of five."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Use

_RETURNS = ("p'", "mean'", "square'")
_UNLIKE = {"learning_rate": 0.02, "betas": (0.8, 0.95), "epsilon": 0.05, "weight_decay": 0.3}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; parameters of shape (3, 5)."""
    first = _arrays(rng) | {"mean": np.zeros((3, 5)), "square": np.zeros((3, 5))}
    still = _arrays(rng) | {"g": np.zeros((3, 5))}
    examples: dict[str, dict[str, Any]] = {
        "the first step": first | {"step": 1, "learning_rate": 0.1},
        "step 3, without decay": _arrays(rng) | {"step": 3, "learning_rate": 0.1},
        "step 7, every option unlike its default": _arrays(rng) | {"step": 7} | _UNLIKE,
        "step 2, gradient zero": still | {"step": 2, "learning_rate": 0.1, "weight_decay": 0.5},
    }
    for name, inputs in examples.items():
        yield Call("adamw", inputs, returns=_RETURNS, name=name)
    gradients = rng.standard_normal((5, 3, 5))
    p = rng.standard_normal((3, 5))
    yield Use(
        "adamw", five_steps, {"p": p, "gradients": gradients}, returns=_RETURNS, name="5 steps"
    )
    single = {name: x.astype(np.float32) for name, x in _arrays(rng).items()}
    inputs = single | {"step": 7} | _UNLIKE
    yield Call("adamw", inputs, returns=_RETURNS, tolerance=1e-3, name="float32")


def _arrays(rng: np.random.Generator) -> dict[str, Any]:
    """Draw parameters and a state as in the middle of a run."""
    p, g, mean = rng.standard_normal((3, 3, 5))
    return {"p": p, "g": g, "mean": 0.3 * mean, "square": rng.uniform(0.1, 2.0, (3, 5))}


def five_steps(adamw: Any, p: Any, gradients: Any) -> Any:
    """Run five steps from a state of zeros."""
    mean, square = np.zeros_like(p), np.zeros_like(p)
    for step, g in enumerate(gradients, start=1):
        p, mean, square = adamw(p, g, mean, square, step=step, learning_rate=0.05, weight_decay=0.2)
    return p, mean, square


def the_size_of_the_gradient_does_not_count(f: Any, rng: np.random.Generator) -> str | None:
    """Take the first step twice, the second time with a gradient a thousand times as large."""
    zero, g = np.zeros(6), rng.standard_normal(6)
    steps = [
        f.adamw(zero, scale * g, zero, zero, step=1, learning_rate=0.1, epsilon=0.0)[0]
        for scale in (1.0, 1000.0)
    ]
    if np.abs(steps[0] - steps[1]).max() > 1e-9:
        return (
            "the first step has the length of the learning rate whatever the gradient, but with "
            f"1000 times the gradient it went from {steps[0][0]:.4g} to {steps[1][0]:.4g}"
        )
    return None


def the_decay_knows_no_gradient(f: Any, rng: np.random.Generator) -> str | None:
    """Compare what the decay removes under a small gradient and under a large one."""
    p, zero = np.ones(6), np.zeros(6)
    g = rng.standard_normal(6)
    shares = []
    for scale in (0.01, 100.0):
        moved = [
            f.adamw(p, scale * g, zero, zero, step=1, learning_rate=0.1, weight_decay=decay)[0]
            for decay in (0.0, 0.5)
        ]
        shares.append(moved[0][0] - moved[1][0])
    if abs(shares[0] - shares[1]) > 1e-9:
        return (
            "the decay takes the same share of a parameter whatever its gradient, but yours takes "
            f"{shares[0]:.4g} under a small one and {shares[1]:.4g} under a large one"
        )
    return None


PROPERTIES = {
    "the first step has the length of the learning rate": the_size_of_the_gradient_does_not_count,
    "the decay does not depend on the gradient": the_decay_knows_no_gradient,
}


def _steps(**inputs: Any) -> dict[str, Any]:
    if "g" not in inputs:  # a run of several steps has no single m and s
        return {}
    step, (beta1, beta2) = inputs["step"], inputs.get("betas", (0.9, 0.999))
    mean = beta1 * inputs["mean"] + (1 - beta1) * inputs["g"]
    square = beta2 * inputs["square"] + (1 - beta2) * inputs["g"] ** 2
    return {"m": mean / (1 - beta1**step), "s": square / (1 - beta2**step)}


STEPS = {"adamw": _steps}
