"""The library's fused operations, written out as the plain ones that they fuse.

The real model computes the scores of its head and their cross-entropy as one operation, which is
faster. It never calls `unembed` or `cross_entropy`, so it would never call a learner's. When the
learner's version of one of them is plugged in, these functions take the place of the fused ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minilm.arrays import Array, Ids
from minilm.nn import functional as F
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


_HEAD: Mapping[str, Callable[..., Any]] = {
    "minilm.nn.functional.linear_cross_entropy": linear_cross_entropy,
    "minilm.nn.functional.linear_cross_entropy_backward": linear_cross_entropy_backward,
}
#: By the path of a plain function: the fused ones that do its work, and what takes their place.
INSTEAD: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "minilm.nn.functional.cross_entropy": _HEAD,
    "minilm.nn.functional.cross_entropy_backward": _HEAD,
    "minilm.nn.functional.unembed": _HEAD,
    "minilm.nn.functional.unembed_backward": _HEAD,
}
