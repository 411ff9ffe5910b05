"""Kata 5.4  Multi-head attention, both ways: a solution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F

Cache = tuple[Any, ...]
Extend = Callable[[Array, Array], tuple[Array, Array]]


def multi_head_attention(
    qkv: Array, heads: int, keep: Array | None = None, extend: Extend | None = None
) -> tuple[Array, Cache]:
    """Cut in three, split into heads, attend, merge."""
    q, k, v = (F.split_heads(part, heads) for part in np.split(qkv, 3, axis=-1))
    if extend is not None:
        k, v = extend(k, v)
    y, cache = F.attention(q, k, v, keep)
    return F.merge_heads(y), cache


def multi_head_attention_backward(dy: Array, cache: Cache) -> Array:
    """Split, attend backward, merge, join the three."""
    heads = cache[0].shape[1]
    dq, dk, dv = F.attention_backward(F.split_heads(dy, heads), cache)
    return np.concatenate([F.merge_heads(dq), F.merge_heads(dk), F.merge_heads(dv)], axis=-1)
