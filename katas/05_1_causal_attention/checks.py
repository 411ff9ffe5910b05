"""Cases of attention: as in training, with dropout, beside a cache of keys, with large scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.nn import functional as F

_RETURNS = ("y", ("q", "k", "v", "weights", "keep"))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: B = 2, H = 3, S queries of T positions, D = 5."""
    examples = {
        "S = T = 4": _qkv(rng, 4, 4),
        "S = T = 4, with dropout": _qkv(rng, 4, 4) | {"keep": _keep(rng, 4, 4)},
        "the last 4 of 7 positions, with dropout": _qkv(rng, 4, 7) | {"keep": _keep(rng, 4, 7)},
        "the last of 6 positions": _qkv(rng, 1, 6),
        "a single position": _qkv(rng, 1, 1),
    }
    large = _qkv(rng, 4, 4)
    examples["S = T = 4, scores in the thousands"] = large | {"q": 1000 * large["q"]}
    for name, inputs in examples.items():
        yield Call("attention", inputs, returns=_RETURNS, name=name)
    single = {n: x.astype(np.float32) for n, x in _qkv(rng, 4, 4).items()}
    yield Call("attention", single, returns=_RETURNS, tolerance=1e-3, name="float32")


def _qkv(rng: np.random.Generator, queries: int, keys: int) -> dict[str, Any]:
    return {
        "q": rng.standard_normal((2, 3, queries, 5)),
        "k": rng.standard_normal((2, 3, keys, 5)),
        "v": rng.standard_normal((2, 3, keys, 5)),
    }


def _keep(rng: np.random.Generator, queries: int, keys: int) -> Any:
    return F.dropout_factors((2, 3, queries, keys), 0.3, np.dtype(np.float64), rng=rng)


def no_position_sees_the_future(f: Any, rng: np.random.Generator) -> str | None:
    """Change the last key and value."""
    inputs = _qkv(rng, 5, 5)
    before, _ = f.attention(**inputs)
    changed = {n: x.copy() for n, x in inputs.items()}
    changed["k"][:, :, 4] += 1
    changed["v"][:, :, 4] += 1
    moved = np.abs(f.attention(**changed)[0] - before)[:, :, :4].max()
    if moved > 1e-12:
        return f"another token at position 4 changes y at earlier positions by up to {moved:.3g}"
    return None


def one_at_a_time_is_the_same(f: Any, rng: np.random.Generator) -> str | None:
    """Ask the last query alone, as in generation with a cache of keys."""
    inputs = _qkv(rng, 5, 5)
    together, _ = f.attention(**inputs)
    alone, _ = f.attention(inputs["q"][:, :, 4:], inputs["k"], inputs["v"])
    apart = np.abs(together[:, :, 4:] - alone).max()
    if apart > 1e-12:
        return f"the last query alone gives another y than among all queries: {apart:.3g} apart"
    return None


PROPERTIES = {
    "no position sees the future": no_position_sees_the_future,
    "the last query alone gives the same": one_at_a_time_is_the_same,
}


def _steps(q: Any, k: Any, v: Any, keep: Any = None) -> dict[str, Any]:
    weights = F.attention(q, k, v, keep)[1][3]
    return {"weights": weights, "kept": weights if keep is None else weights * keep}


STEPS = {"attention": _steps}
