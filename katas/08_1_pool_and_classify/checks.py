"""Cases of pooling: sequences of several lengths, whose padding holds random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F
from minilm.nn.config import GPTConfig
from minilm.nn.heads import SequenceClassifier

_RETURNS = {"mean_pool": ("y", ("shares",)), "last_token_pool": ("y", ("lengths", "time"))}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: B sequences, T positions, C channels."""
    examples = {
        "lengths 3, 5, 1 and 2 of T = 5": (np.array([3, 5, 1, 2]), 5, 3),
        "no sequence fills its row": (np.array([2, 4, 3]), 6, 2),
        "all filled to the end": (np.array([4, 4]), 4, 5),
        "one sequence of one token": (np.array([1]), 3, 4),
        "all sizes 3": (np.array([2, 1, 3]), 3, 3),
    }
    for name, (lengths, time, channels) in examples.items():
        x = rng.standard_normal((len(lengths), time, channels))
        for target, returns in _RETURNS.items():
            inputs = {"x": x, "lengths": lengths}
            yield Call(target, inputs, returns=returns, name=name)
            yield Gradient(
                f"{target}_backward",
                getattr(F, target),
                {"x": x},
                rng=rng,
                options={"lengths": lengths},
                name=name,
            )
    lengths = np.array([3, 5, 1, 2])
    x = rng.standard_normal((4, 5, 3), dtype=np.float32)
    for target, returns in _RETURNS.items():
        inputs = {"x": x, "lengths": lengths}
        yield Call(target, inputs, returns=returns, tolerance=1e-4, name="float32")
        y, cache = getattr(F, target)(**inputs)
        yield Call(
            f"{target}_backward",
            {"dy": rng.standard_normal(y.shape, dtype=np.float32), "cache": cache},
            returns="dx",
            tolerance=1e-4,
            name="float32",
        )


def padding_makes_no_difference(f: Any, rng: np.random.Generator) -> str | None:
    """Pool the same tokens with other padding, and with more of it."""
    lengths = np.array([3, 5, 1, 2])
    x = rng.standard_normal((4, 7, 3))
    longer = np.concatenate([x, rng.standard_normal((4, 2, 3))], axis=1)
    for name in _RETURNS:
        pool = getattr(f, name)
        if np.abs(pool(x, lengths)[0] - pool(longer, lengths)[0]).max() > 1e-9:
            return f"two more positions of padding change what {name} returns"
    return None


PROPERTIES = {"padding makes no difference": padding_makes_no_difference}


def whole_model() -> dict[str, Any]:
    """Classify sequences by a small GPT: loss and gradient, with either pooling."""
    config = GPTConfig(11, 6, 8, 2, 2)
    rng = np.random.default_rng(4)
    ids, targets = rng.integers(0, 11, (4, 6)), np.array([1, 0, 2, 1])
    lengths = np.array([6, 2, 4, 1])
    results: dict[str, Any] = {}
    for pooling in ("mean", "last"):
        model = SequenceClassifier(config, labels=3, rng=rng, dtype=np.float64, pooling=pooling)
        loss, gradients = model.gradients(ids, lengths, targets)
        results[f"the loss of a classifier (pooling {pooling})"] = loss
        results[f"the gradient of its loss (pooling {pooling})"] = gradients["wte.weight"]
    return results


def _shares(x: Any, lengths: Any) -> dict[str, Any]:
    real = np.arange(x.shape[1]) < lengths[:, None]
    shares = real / lengths[:, None]
    return {"real": real, "mask": real, "shares": shares}


STEPS = {"mean_pool": _shares}
