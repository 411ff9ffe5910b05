"""Cases of softmax and cross-entropy: huge scores, ignored rows, three axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.errors import OptionError
from minilm.nn import functional as F

_RETURNS = ("loss", ("probabilities", "targets", "ignore_index"))
_IGNORED = -100


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the four functions."""
    yield from _softmax(rng)
    yield from _cross_entropy(rng)


def _softmax(rng: np.random.Generator) -> Iterator[Case]:
    returns = ("y", "cache")
    levels = np.array([[-2000.0], [0.0], [1500.0]]) + rng.standard_normal((3, 5))
    masked = rng.standard_normal((4, 3, 5))
    masked[:, 1, 2:] = -np.inf
    scores = {
        "six rows of five": rng.standard_normal((6, 5)),
        "a square of rows": rng.standard_normal((5, 5)),
        "three axes": rng.standard_normal((4, 3, 5)),
        "some scores minus infinity": masked,
        "rows around -2000, 0 and 1500": levels,
    }
    for name, x in scores.items():
        yield Call("softmax", {"x": x}, returns=returns, name=name)
    single = 30 * rng.standard_normal((2, 3, 5), dtype=np.float32)
    yield Call("softmax", {"x": single}, returns=returns, tolerance=1e-3, name="float32")
    for name in ("six rows of five", "a square of rows", "three axes"):
        arguments = {"x": scores[name]}
        yield Gradient("softmax_backward", F.softmax, arguments, rng=rng, name=name)
    _, cache = F.softmax(single)
    dy = rng.standard_normal(single.shape, dtype=np.float32)
    inputs = {"dy": dy, "cache": cache}
    yield Call("softmax_backward", inputs, returns="dx", tolerance=1e-3, name="float32")


def _cross_entropy(rng: np.random.Generator) -> Iterator[Case]:
    few = rng.integers(0, 7, (2, 4))
    few[0, 1] = few[1, 2] = few[1, 3] = _IGNORED
    rows = rng.integers(0, 7, 6)
    other = rng.integers(0, 7, 6)
    other[2] = other[4] = 5
    logits = {"six rows": rng.standard_normal((6, 7)), "three axes": rng.standard_normal((2, 4, 7))}
    far = 800 * rng.standard_normal((6, 7))
    examples: dict[str, dict[str, Any]] = {
        "six rows": {"logits": logits["six rows"], "targets": rows},
        "three axes, three of eight rows ignored": {"logits": logits["three axes"], "targets": few},
        "ignore_index=5": {"logits": logits["six rows"], "targets": other, "ignore_index": 5},
        "logits in the thousands": {"logits": far, "targets": rows},
    }
    for name, inputs in examples.items():
        yield Call("cross_entropy", inputs, returns=_RETURNS, name=name)
    yield Call(
        "cross_entropy",
        {"logits": logits["six rows"], "targets": np.full(6, _IGNORED)},
        raises=OptionError,
        name="all six targets ignored",
    )
    single = {"logits": logits["three axes"].astype(np.float32), "targets": few}
    yield Call("cross_entropy", single, returns=_RETURNS, tolerance=1e-3, name="float32")
    for name, inputs in examples.items():
        if name == "logits in the thousands":  # flat: differences of it say nothing
            continue
        options = {key: value for key, value in inputs.items() if key != "logits"}
        yield Gradient(
            "cross_entropy_backward",
            F.cross_entropy,
            {"logits": inputs["logits"]},
            rng=rng,
            options=options,
            name=name,
        )
    _, cache = F.cross_entropy(**single)
    inputs = {"dloss": 0.5, "cache": cache}
    yield Call("cross_entropy_backward", inputs, returns="dlogits", tolerance=1e-3, name="float32")


def rows_sum_to_one(f: Any, rng: np.random.Generator) -> str | None:
    """Sum the outputs of softmax."""
    sums = f.softmax(50 * rng.standard_normal((4, 3, 9)))[0].sum(axis=-1)
    worst = sums.flat[np.abs(sums - 1).argmax()]
    return None if abs(worst - 1) < 1e-9 else f"a row of probabilities sums to {worst:.6g}, not 1"


def levels_do_not_count(f: Any, rng: np.random.Generator) -> str | None:
    """Add a number of its own to each row."""
    logits, targets = rng.standard_normal((6, 7)), rng.integers(0, 7, 6)
    lifted = logits + 100 * rng.standard_normal((6, 1))
    one, other = f.cross_entropy(logits, targets)[0], f.cross_entropy(lifted, targets)[0]
    if abs(one - other) > 1e-9:
        return (
            "a number added to all logits of a row changes no probability, but your loss went from "
            f"{one:.6g} to {other:.6g}"
        )
    return None


def a_row_of_dlogits_sums_to_zero(f: Any, rng: np.random.Generator) -> str | None:
    """Sum the gradient over the vocabulary."""
    _, cache = f.cross_entropy(rng.standard_normal((6, 7)), rng.integers(0, 7, 6))
    worst = np.abs(f.cross_entropy_backward(2.0, cache).sum(axis=-1)).max()
    if worst > 1e-9:
        return (
            "what the target's logit should gain the others should lose: each row of dlogits sums "
            f"to 0, but one of yours to {worst:.4g}"
        )
    return None


PROPERTIES = {
    "rows of probabilities sum to one": rows_sum_to_one,
    "only differences of logits count": levels_do_not_count,
    "rows of dlogits sum to zero": a_row_of_dlogits_sums_to_zero,
}
