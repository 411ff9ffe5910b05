"""The library's faster operations, written out as the plain ones that they stand for.

The real model computes the scores of its head and their cross-entropy as one operation, which is
faster. It never calls `unembed` or `cross_entropy`, so it would never call a learner's. When the
learner's version of one of them is plugged in, these functions take the place of the fused ones.
In the same way, the optimizer calls the form of `adamw` that works in place; and a Llama keeps the
angles of its positions, and shares keys among heads of queries by broadcasting over an axis that a
learner's `attention` need not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minilm.arrays import Array, Ids
from minilm.nn import functional as F
from minilm.nn import llama, optim
from minilm.nn.functional import Cache


def linear_cross_entropy(
    x: Array, weight: Array, targets: Ids, ignore_index: int = -100
) -> tuple[Array, Cache]:
    """Return the loss of the head, and the caches of its two operations."""
    logits, head = F.unembed(x, weight)
    loss, cache = F.cross_entropy(logits, targets, ignore_index)
    return loss, (head, cache)


def linear_cross_entropy_backward(
    dloss: float, cache: Cache, *, frozen: bool = False
) -> tuple[Array, Array | None]:
    """Return dx and dweight of the head; dweight is None for a frozen weight."""
    head, cache = cache
    dx, dweight = F.unembed_backward(F.cross_entropy_backward(dloss, cache), head)
    return dx, None if frozen else dweight


def grouped_query_attention(
    q: Array, k: Array, v: Array, keep: Array | None = None
) -> tuple[Array, Cache]:
    """Return `attention` with every head of keys and values repeated."""
    group = q.shape[1] // k.shape[1]
    y, cache = F.attention(q, k.repeat(group, axis=1), v.repeat(group, axis=1), keep)
    return y, (q, k, v, *cache[3:])


def grouped_query_attention_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return dq, dk and dv; what the copies of a head get is added up."""
    q, k, v, *rest = cache
    group = q.shape[1] // k.shape[1]
    repeated = q, k.repeat(group, axis=1), v.repeat(group, axis=1), *rest
    dq, dk, dv = F.attention_backward(dy, repeated)
    shape = (*k.shape[:2], group, *k.shape[2:])
    return dq, dk.reshape(shape).sum(axis=2), dv.reshape(shape).sum(axis=2)


def adamw_in_place(p: Array, g: Array, mean: Array, square: Array, **settings: Any) -> None:
    """Write what `adamw` returns into `p`, `mean` and `square`."""
    p[...], mean[...], square[...] = optim.adamw(p, g, mean, square, **settings)


_HEAD: Mapping[str, Callable[..., Any]] = {
    "minilm.nn.functional.linear_cross_entropy": linear_cross_entropy,
    "minilm.nn.functional.linear_cross_entropy_backward": linear_cross_entropy_backward,
}
_GROUPS: Mapping[str, Callable[..., Any]] = {
    "minilm.nn.functional.grouped_query_attention": grouped_query_attention,
    "minilm.nn.functional.grouped_query_attention_backward": grouped_query_attention_backward,
}
#: By the path of a plain function: those that do its work faster, and what takes their place.
INSTEAD: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "minilm.nn.functional.cross_entropy": _HEAD,
    "minilm.nn.functional.cross_entropy_backward": _HEAD,
    "minilm.nn.functional.unembed": _HEAD,
    "minilm.nn.functional.unembed_backward": _HEAD,
    "minilm.nn.functional.attention": _GROUPS,
    "minilm.nn.functional.attention_backward": _GROUPS,
    "minilm.nn.functional.rotary_angles": {
        "minilm.nn.llama._rotation": llama._rotation.__wrapped__
    },
    "minilm.nn.optim.adamw": {"minilm.nn.optim.adamw_in_place": adamw_in_place},
}
