"""Cases of softmax regression: a penalty or none, a class without a row, huge logits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.classify.logistic import SoftmaxRegression
from minilm.course.cases import Call, Case
from minilm.nn import gradcheck

_RETURNS = ("loss", "d_weights", "d_bias")


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: N rows, D features, K classes."""
    plain = _inputs(rng, 6, 4, 3, 0.7)
    absent = _inputs(rng, 5, 3, 4, 1.5)
    absent["labels"] = np.array([3, 0, 1, 3, 0])
    far = _inputs(rng, 7, 3, 4, 0.2)
    far["weights"] = 500 * far["weights"]
    examples = {
        "six rows, four features, three classes": plain,
        "no penalty": {**plain, "l2": 0.0},
        "as many features as classes": _inputs(rng, 8, 5, 5, 0.3),
        "a class without a row": absent,
        "one row": _inputs(rng, 1, 4, 3, 2.0),
        "two classes": _inputs(rng, 9, 3, 2, 0.1),
        "logits in the thousands": far,
    }
    for name, inputs in examples.items():
        yield Call("loss_and_gradient", inputs, returns=_RETURNS, name=name)


def _inputs(rng: np.random.Generator, rows: int, width: int, classes: int, l2: float) -> Any:
    return {
        "weights": rng.standard_normal((width, classes)),
        "bias": rng.standard_normal(classes),
        "features": rng.standard_normal((rows, width)) + 0.5,
        "labels": rng.permutation(np.arange(rows) % classes),
        "l2": l2,
    }


def slopes_of_the_loss(f: Any, rng: np.random.Generator) -> str | None:
    """Compare the gradients with central differences of the learner's own loss."""
    inputs = _inputs(rng, 6, 4, 3, 0.5)

    def loss(**moved: Any) -> float:
        return float(f.loss_and_gradient(**{**inputs, **moved})[0])

    _, d_weights, d_bias = f.loss_and_gradient(**inputs)
    point = {name: inputs[name] for name in ("weights", "bias")}
    gradients = {"weights": d_weights, "bias": d_bias}
    found = gradcheck.element_errors(loss, point, gradients)
    return None if not found else f"your gradient is not the slope of your loss: {found[0]}"


def twice_the_data(f: Any, rng: np.random.Generator) -> str | None:
    """Repeat every row, and double the penalty: nothing must change."""
    inputs = _inputs(rng, 6, 4, 3, 0.5)
    twice = {name: np.concatenate([inputs[name]] * 2) for name in ("features", "labels")}
    one = f.loss_and_gradient(**inputs)[0]
    other = f.loss_and_gradient(**{**inputs, **twice, "l2": 1.0})[0]
    if abs(one - other) > 1e-9:
        return (
            "every row twice and twice the penalty is the same objective, but your loss went from "
            f"{one:.6g} to {other:.6g}"
        )
    return None


PROPERTIES = {
    "the gradient is the slope of the loss": slopes_of_the_loss,
    "twice the data, twice the penalty: the same loss": twice_the_data,
}


def whole_model() -> dict[str, Any]:
    """Fit a classifier, for some steps of gradient descent and of L-BFGS."""
    rng = np.random.default_rng(3)
    labels = np.arange(30) % 3
    features = rng.standard_normal((30, 5)) + np.eye(3, 5)[labels]
    results: dict[str, Any] = {}
    for solver in ("gd", "lbfgs"):
        model = SoftmaxRegression(l2=0.5, solver=solver, max_iterations=6)
        model.fit(features, labels)
        results[f"the loss after six steps ({solver})"] = model.loss_
        results[f"the weights after six steps ({solver})"] = model.weights_
    return results


def _steps(weights: Any, bias: Any, features: Any, labels: Any, l2: float) -> dict[str, Any]:
    logits = features @ weights + bias
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    return {"logits": logits, "log_p": log_p, "probabilities": p, "p": p}


STEPS = {"loss_and_gradient": _steps}
