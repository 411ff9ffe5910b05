"""Cases of the backward of attention: as in training, with dropout, and beside a cache of keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: B = 2, H = 3, S queries of T positions, D = 5."""
    yield Gradient("attention_backward", F.attention, _qkv(rng, 4, 4), rng=rng, name="S = T = 4")
    yield Gradient(
        "attention_backward",
        F.attention,
        _qkv(rng, 4, 4),
        rng=rng,
        options={"keep": _keep(rng, 4, 4)},
        name="S = T = 4, with dropout",
    )
    yield Gradient(
        "attention_backward",
        F.attention,
        _qkv(rng, 4, 7),
        rng=rng,
        options={"keep": _keep(rng, 4, 7)},
        name="the last 4 of 7 positions, with dropout",
    )
    yield Gradient(
        "attention_backward", F.attention, _qkv(rng, 1, 6), rng=rng, name="the last of 6 positions"
    )
    single = {name: x.astype(np.float32) for name, x in _qkv(rng, 4, 4).items()}
    y, cache = F.attention(**single, keep=_keep(rng, 4, 4).astype(np.float32))
    yield Call(
        "attention_backward",
        {"dy": rng.standard_normal(y.shape, dtype=np.float32), "cache": cache},
        returns=("dq", "dk", "dv"),
        tolerance=1e-3,
        name="float32",
    )


def _qkv(rng: np.random.Generator, queries: int, keys: int) -> dict[str, Any]:
    return {
        "q": rng.standard_normal((2, 3, queries, 5)),
        "k": rng.standard_normal((2, 3, keys, 5)),
        "v": rng.standard_normal((2, 3, keys, 5)),
    }


def _keep(rng: np.random.Generator, queries: int, keys: int) -> Any:
    return F.dropout_factors((2, 3, queries, keys), 0.3, np.dtype(np.float64), rng=rng)


def the_future_gets_no_gradient(f: Any, rng: np.random.Generator) -> str | None:
    """Let the loss look at position 1 of 4 only."""
    y, cache = F.attention(**_qkv(rng, 4, 4))
    dy = np.zeros_like(y)
    dy[:, :, 1] = rng.standard_normal(dy[:, :, 1].shape)
    _, dk, dv = f.attention_backward(dy, cache)
    for name, gradient in (("dk", dk), ("dv", dv)):
        if gradient[:, :, 2:].any():
            worst = np.abs(gradient[:, :, 2:]).max()
            return (
                f"the loss depends on position 1 only, yet {name} of positions 2 and 3, which it "
                f"cannot see, is as large as {worst:.3g}"
            )
    return None


def moving_all_keys_alike_changes_nothing(f: Any, rng: np.random.Generator) -> str | None:
    """Sum dk over the keys."""
    y, cache = F.attention(**_qkv(rng, 4, 7))
    _, dk, _ = f.attention_backward(rng.standard_normal(y.shape), cache)
    total = np.abs(dk.sum(axis=-2)).max()
    if total > 1e-9 * np.abs(dk).max():
        return (
            "the same vector added to every key moves all scores of a row alike, which softmax "
            f"does not see; so the sum of dk over the keys is 0, but yours is {total:.3g}"
        )
    return None


PROPERTIES = {
    "no gradient reaches the future": the_future_gets_no_gradient,
    "the rows of dk sum to zero": moving_all_keys_alike_changes_nothing,
}


def _steps(dy: Any, cache: Any) -> dict[str, Any]:
    _, _, v, weights, keep = cache
    kept = weights if keep is None else weights * keep
    dkept = dy @ v.swapaxes(-1, -2)
    return {"kept": kept, "dkept": dkept, "dweights": dkept if keep is None else dkept * keep}


STEPS = {"attention_backward": _steps}
