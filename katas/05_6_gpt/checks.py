"""Cases of the ends of a GPT: the table of parameters, the embeddings and the tied head."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F
from minilm.nn import gpt
from minilm.nn.config import SIZES, GPTConfig

_EMBED = ("x", ("ids", "V", "P", "start"))
_UNEMBED = ("y", ("x", "weight"))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases: B = 2, T = 3, P = 5, C = 4, V = 7."""
    configs = {
        "two layers": GPTConfig(7, 5, 4, 2, 2),
        "three layers, and an MLP of another width": GPTConfig(11, 6, 8, 3, 4, n_inner=13),
    }
    for name, config in configs.items():
        yield Call("param_shapes", {"config": config}, name=name)
    yield from _embeddings(rng)
    yield from _heads(rng)


def _embeddings(rng: np.random.Generator) -> Iterator[Case]:
    tables = {"words": rng.standard_normal((7, 4)), "positions": rng.standard_normal((5, 4))}
    ids = np.array([[1, 6, 1], [0, 1, 3]])
    examples = {
        "two sequences of three": {"ids": ids},
        "two sequences of three, from position 2 on": {"ids": ids, "start": 2},
        "one token": {"ids": ids[:1, :1], "start": 4},
    }
    single = {n: table.astype(np.float32) for n, table in tables.items()}
    for name, given in examples.items():
        yield Call("embed", {**given, **tables}, returns=_EMBED, name=name)
    yield Call("embed", {"ids": ids, **single}, returns=_EMBED, tolerance=1e-4, name="float32")
    for name, given in examples.items():
        yield Gradient("embed_backward", gpt.embed, tables, rng=rng, options=given, name=name)
    returns = ("dwords", "dpositions")
    for name, given in examples.items():
        x, cache = gpt.embed(**given, **tables)
        inputs = {
            "dx": rng.standard_normal(x.shape),
            "cache": cache,
            "dhead": rng.standard_normal((7, 4)),
        }
        yield Call("embed_backward", inputs, returns=returns, name=f"{name}; with a tied head")
    inputs = {
        "dx": rng.standard_normal((2, 3, 4), dtype=np.float32),
        "cache": (ids, 7, 5, 0),
        "dhead": rng.standard_normal((7, 4), dtype=np.float32),
    }
    yield Call("embed_backward", inputs, returns=returns, tolerance=1e-4, name="float32")


def _heads(rng: np.random.Generator) -> Iterator[Case]:
    weight = rng.standard_normal((7, 4))
    examples = {
        "six rows": {"x": rng.standard_normal((6, 4)), "weight": weight},
        "two sequences of three": {"x": rng.standard_normal((2, 3, 4)), "weight": weight},
        "as many words as channels": {
            "x": rng.standard_normal((2, 3, 4)),
            "weight": rng.standard_normal((4, 4)),
        },
    }
    single = {n: a.astype(np.float32) for n, a in examples["two sequences of three"].items()}
    about: dict[str, Any] = {"tolerance": 1e-3, "name": "float32"}
    for name, inputs in examples.items():
        yield Call("unembed", inputs, returns=_UNEMBED, name=name)
    yield Call("unembed", single, returns=_UNEMBED, **about)
    for name, inputs in examples.items():
        yield Gradient("unembed_backward", F.unembed, inputs, rng=rng, name=name)
    inputs = {
        "dy": rng.standard_normal((2, 3, 7), dtype=np.float32),
        "cache": (single["x"], single["weight"]),
    }
    yield Call("unembed_backward", inputs, returns=("dx", "dweight"), **about)


def the_smallest_gpt2(f: Any, rng: np.random.Generator) -> str | None:
    """Add up the table of the smallest GPT-2."""
    total = sum(math.prod(shape) for shape in f.param_shapes(SIZES["gpt2"].config).values())
    if total != 124_439_808:
        return f"the table adds up to {total:,}, but the smallest GPT-2 has 124,439,808 numbers"
    return None


def in_the_order_of_the_forward(f: Any, rng: np.random.Generator) -> str | None:
    """Look at the order of the names."""
    expected = ["wte.weight", "wpe.weight"]
    for layer in range(2):
        for part in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"):
            expected += [f"h.{layer}.{part}.weight", f"h.{layer}.{part}.bias"]
    expected += ["ln_f.weight", "ln_f.bias"]
    found = list(f.param_shapes(GPTConfig(7, 5, 4, 2, 2)))
    for place, (mine, right) in enumerate(zip(found, expected, strict=True)):
        if mine != right:
            return f"name {place} should be {right}, but is {mine}"
    return None


PROPERTIES = {
    "the smallest GPT-2 has 124,439,808 parameters": the_smallest_gpt2,
    "the names are in the order of the forward pass": in_the_order_of_the_forward,
}
