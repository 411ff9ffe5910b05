"""Kata 5.6  GPT: tied head, table, first loss: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array, Ids
from minilm.nn import functional as F
from minilm.nn.config import GPTConfig

Cache = tuple[Any, ...]
Shapes = dict[str, tuple[int, ...]]


def param_shapes(config: GPTConfig) -> dict[str, tuple[int, ...]]:
    """Follow the forward pass and note each array."""
    width, inner = config.n_embd, config.inner
    shapes: Shapes = {
        "wte.weight": (config.vocab_size, width),
        "wpe.weight": (config.n_positions, width),
    }
    for layer in range(config.n_layer):
        block: Shapes = {
            "ln_1.weight": (width,),
            "ln_1.bias": (width,),
            "attn.c_attn.weight": (width, 3 * width),
            "attn.c_attn.bias": (3 * width,),
            "attn.c_proj.weight": (width, width),
            "attn.c_proj.bias": (width,),
            "ln_2.weight": (width,),
            "ln_2.bias": (width,),
            "mlp.c_fc.weight": (width, inner),
            "mlp.c_fc.bias": (inner,),
            "mlp.c_proj.weight": (inner, width),
            "mlp.c_proj.bias": (width,),
        }
        shapes.update({f"h.{layer}.{name}": shape for name, shape in block.items()})
    shapes.update({"ln_f.weight": (width,), "ln_f.bias": (width,)})
    return shapes


def embed(ids: Ids, words: Array, positions: Array, start: int = 0) -> tuple[Array, Cache]:
    """Add the row of the word and the row of the position."""
    x = words[ids] + positions[start : start + ids.shape[1]]
    return x, (ids, len(words), len(positions), start)


def embed_backward(dx: Array, cache: Cache, dhead: Array | None = None) -> tuple[Array, Array]:
    """Sum over all places where a row was used, the head among them."""
    ids, vocabulary, context, start = cache
    dwords = F.embedding_backward(dx, (ids, vocabulary))
    if dhead is not None:
        dwords = dwords + dhead
    dpositions = np.zeros((context, dx.shape[-1]), dx.dtype)
    dpositions[start : start + ids.shape[1]] = dx.sum(axis=0)
    return dwords, dpositions


def unembed(x: Array, weight: Array) -> tuple[Array, Cache]:
    """Score each row against each row of the table."""
    return x @ weight.T, (x, weight)


def unembed_backward(dy: Array, cache: Cache) -> tuple[Array, Array]:
    """Return dx and dweight; the rows of all leading axes are summed."""
    x, weight = cache
    rows = dy.reshape(-1, dy.shape[-1])
    return dy @ weight, rows.T @ x.reshape(-1, x.shape[-1])
