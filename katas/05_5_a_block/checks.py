"""Cases of a block: plain, with dropout, partly frozen, with LoRA, beside a cache of keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Case, Use
from minilm.nn import gpt

HEADS, WIDTH, INNER = 2, 6, 10
SHAPES = {
    "ln_1.weight": (WIDTH,),
    "ln_1.bias": (WIDTH,),
    "attn.c_attn.weight": (WIDTH, 3 * WIDTH),
    "attn.c_attn.bias": (3 * WIDTH,),
    "attn.c_proj.weight": (WIDTH, WIDTH),
    "attn.c_proj.bias": (WIDTH,),
    "ln_2.weight": (WIDTH,),
    "ln_2.bias": (WIDTH,),
    "mlp.c_fc.weight": (WIDTH, INNER),
    "mlp.c_fc.bias": (INNER,),
    "mlp.c_proj.weight": (INNER, WIDTH),
    "mlp.c_proj.bias": (WIDTH,),
}
MLP = [name for name in SHAPES if name.startswith(("ln_2", "mlp"))]
FROZEN = frozenset({"ln_2.bias", "mlp.c_proj.weight", "mlp.c_proj.bias", "ln_1.weight"})
_HALF = ("y", ("norm_cache", "fan_out", "gelu", "fan_in", "drop"))
_BLOCK = ("y", ("attention", "mlp"))
_SEED = 4


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: B = 2, T = 4, C = 6, H = 2, and 10 hidden units in the MLP."""
    x, dy = rng.standard_normal((2, 2, 4, WIDTH))
    layers = {
        "four positions": _layer(rng),
        "four positions, with dropout": _layer(rng, attn_pdrop=0.2, resid_pdrop=0.3),
    }
    frozen = _layer(rng, trained=FROZEN)
    for name, layer in layers.items():
        yield Use("mlp_half", _half, {"x": x, "layer": layer}, returns=_HALF, name=name)
        yield _gradient("mlp_half_backward", gpt.mlp_half, x, dy, layer, name)
    yield _by_name("mlp_half_backward", gpt.mlp_half, x, dy, frozen, "some parameters are frozen")
    for name, layer in layers.items():
        yield Use("block", _block, {"x": x, "layer": layer}, returns=_BLOCK, name=name)
        yield _gradient("block_backward", _forward, x, dy, layer, name)
    past = rng.standard_normal((2, 2, HEADS, 3, WIDTH // HEADS))
    inputs = {"x": x[:, :1], "layer": layers["four positions"], "past": past}
    yield Use("block", _beside, inputs, returns=_BLOCK, name="one position after three earlier")
    yield _by_name("block_backward", _forward, x, dy, frozen, "some parameters are frozen")
    single = _single(layers["four positions"])
    x, dy = x.astype(np.float32), dy.astype(np.float32)
    about: dict[str, Any] = {"tolerance": 1e-3, "name": "float32"}
    yield Use("mlp_half", _half, {"x": x, "layer": single}, returns=_HALF, **about)
    yield _by_name("mlp_half_backward", gpt.mlp_half, x, dy, single, "float32", 1e-3)
    yield Use("block", _block, {"x": x, "layer": single}, returns=_BLOCK, **about)
    yield _by_name("block_backward", _forward, x, dy, single, "float32", 1e-3)


def _layer(rng: np.random.Generator, **options: Any) -> gpt.Layer:
    weights = {name: 0.5 * rng.standard_normal(shape) for name, shape in SHAPES.items()}
    return gpt.Layer(weights, HEADS, **options)


def _single(layer: gpt.Layer) -> gpt.Layer:
    return gpt.Layer({n: w.astype(np.float32) for n, w in layer.weights.items()}, HEADS)


def _half(implementation: Any, x: Any, layer: gpt.Layer) -> Any:
    return implementation(x, layer, np.random.default_rng(_SEED))


def _block(implementation: Any, x: Any, layer: gpt.Layer) -> Any:
    return implementation(x, layer, rng=np.random.default_rng(_SEED))


def _beside(implementation: Any, x: Any, layer: gpt.Layer, past: Any) -> Any:
    def extend(k: Any, v: Any) -> Any:
        return np.concatenate([past[0], k], axis=2), np.concatenate([past[1], v], axis=2)

    return implementation(x, layer, extend=extend)


def _forward(x: Any, layer: gpt.Layer, rng: Any) -> Any:
    return gpt.block(x, layer, rng=rng)


def _gradient(target: str, forward: Any, x: Any, dy: Any, layer: gpt.Layer, name: str) -> Case:
    """Return a case whose gradients are looked at one by one."""
    names = MLP if target.startswith("mlp") else list(SHAPES)

    def rates(weights: Any) -> gpt.Layer:
        return gpt.Layer(weights, HEADS, attn_pdrop=layer.attn_pdrop, resid_pdrop=layer.resid_pdrop)

    def along(**moved: Any) -> float:
        there = rates({**layer.weights, **{n: moved[n] for n in names}})
        return float(np.vdot(dy, forward(moved["x"], there, np.random.default_rng(_SEED))[0]))

    def run(implementation: Any, dy: Any, cache: Any, layer: gpt.Layer) -> Any:
        returned = implementation(dy, cache, layer)
        if not isinstance(returned, tuple) or len(returned) != 2:
            return returned
        dx, gradients = returned
        if not isinstance(gradients, dict):
            return dx, *[gradients] * len(names)
        return dx, *(gradients.get(n) for n in names)

    _, cache = forward(x, layer, np.random.default_rng(_SEED))
    return Case(
        target,
        run,
        {"dy": dy, "cache": cache, "layer": layer},
        returns=("dx", *(f"d{n}" for n in names)),
        forward=along,
        arguments={"x": x, **{n: layer.weights[n] for n in names}},
        name=name,
    )


def _by_name(
    target: str,
    forward: Any,
    x: Any,
    dy: Any,
    layer: gpt.Layer,
    name: str,
    tolerance: float = 1e-7,
) -> Case:
    """Return a case whose gradients are looked at as a dictionary."""
    _, cache = forward(x, layer, None)
    return Use(
        target,
        _call_backward,
        {"dy": dy, "cache": cache, "layer": layer},
        returns=("dx", "gradients"),
        name=name,
        tolerance=tolerance,
    )


def _call_backward(implementation: Any, dy: Any, cache: Any, layer: gpt.Layer) -> Any:
    return implementation(dy, cache, layer)


def a_silent_block_changes_nothing(f: Any, rng: np.random.Generator) -> str | None:
    """Set both matrices that write into the stream to zero."""
    x, dy = rng.standard_normal((2, 2, 3, WIDTH))
    layer = _layer(rng)
    silent = {n: 0 * w if "c_proj" in n else w for n, w in layer.weights.items()}
    layer = gpt.Layer(silent, HEADS)
    y, cache = f.block(x, layer)
    dx, _ = f.block_backward(dy, cache, layer)
    for what, one, other in (("y", y, x), ("dx", dx, dy)):
        far = np.abs(one - other).max()
        if far > 1e-12:
            return f"with both c_proj zero, {what} should be what came in, but is {far:.3g} off"
    return None


PROPERTIES = {"a silent block changes nothing": a_silent_block_changes_nothing}
