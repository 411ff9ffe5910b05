"""Cases of LoRA: thin matrices, a start at zero, and sizes that are all equal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import lora

_RETURNS = ("y", ("x", "narrow", "a", "b", "scaling"))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: I = 5, R = 2, O = 4, and one in which all are 3."""
    examples = {
        "six rows, rank 2": _arrays(rng, (6,), 5, 2, 4),
        "sequences: x of shape (2, 3, 5)": _arrays(rng, (2, 3), 5, 2, 4),
        "all sizes 3": _arrays(rng, (7,), 3, 3, 3),
        "b zero, as at the start": _arrays(rng, (6,), 5, 2, 4) | {"b": np.zeros((4, 2))},
    }
    for name, arrays in examples.items():
        inputs = arrays | {"scaling": 0.7}
        yield Call("low_rank", inputs, returns=_RETURNS, name=name)
        yield Gradient(
            "low_rank_backward",
            lora.low_rank,
            arrays,
            rng=rng,
            options={"scaling": 0.7},
            name=name,
        )
    single = {n: x.astype(np.float32) for n, x in _arrays(rng, (2, 3), 5, 2, 4).items()}
    inputs = single | {"scaling": 2.0}
    yield Call("low_rank", inputs, returns=_RETURNS, tolerance=1e-3, name="float32")
    y, cache = lora.low_rank(**inputs)
    yield Call(
        "low_rank_backward",
        {"dy": rng.standard_normal(y.shape, dtype=np.float32), "cache": cache},
        returns=("dx", "da", "db"),
        tolerance=1e-3,
        name="float32",
    )
    for name in ("six rows, rank 2", "all sizes 3"):
        factors = {n: x for n, x in examples[name].items() if n != "x"}
        weight = rng.standard_normal((factors["a"].shape[1], len(factors["b"])))
        inputs = {"weight": weight, **factors, "scaling": 0.7}
        yield Call("merged_weight", inputs, name=name.removeprefix("six rows, "))
    inputs = {"weight": weight.astype(np.float32)} | {
        n: x.astype(np.float32) for n, x in factors.items()
    }
    yield Call("merged_weight", inputs | {"scaling": 2.0}, tolerance=1e-3, name="float32")


def _arrays(
    rng: np.random.Generator, leading: tuple[int, ...], inputs: int, rank: int, outputs: int
) -> dict[str, Any]:
    return {
        "x": rng.standard_normal((*leading, inputs)),
        "a": rng.standard_normal((rank, inputs)),
        "b": rng.standard_normal((outputs, rank)),
    }


def merged_does_what_both_do(f: Any, rng: np.random.Generator) -> str | None:
    """Multiply by the merged matrix, and by the two beside one another."""
    arrays, weight = _arrays(rng, (6,), 5, 2, 4), rng.standard_normal((5, 4))
    merged = f.merged_weight(weight, arrays["a"], arrays["b"], 0.7)
    beside = arrays["x"] @ weight + f.low_rank(**arrays, scaling=0.7)[0]
    farthest = np.abs(arrays["x"] @ merged - beside).max()
    if farthest > 1e-9:
        return (
            "x @ merged_weight(...) and x @ weight + low_rank(...) are the same numbers, but yours "
            f"differ by {farthest:.3g}"
        )
    return None


PROPERTIES = {"the merged matrix does what both did": merged_does_what_both_do}


def _steps(dy: Any, cache: Any) -> dict[str, Any]:
    _, _, _, b, scaling = cache
    return {"dnarrow": scaling * dy.reshape(-1, dy.shape[-1]) @ b}


STEPS = {"low_rank_backward": _steps}
