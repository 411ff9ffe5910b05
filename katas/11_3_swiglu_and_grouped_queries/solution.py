"""Kata 11.3  SwiGLU and grouped queries, both ways: a solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.nn import functional as F

Cache = tuple[Any, ...]


def silu(x: Array) -> tuple[Array, Cache]:
    """Multiply by the sigmoid."""
    gate = 0.5 + 0.5 * np.tanh(0.5 * x)  # the sigmoid, without an overflow
    return x * gate, (x, gate)


def silu_backward(dy: Array, cache: Cache) -> Array:
    """Follow x directly, and through the sigmoid."""
    x, gate = cache
    return dy * (gate + x * gate * (1 - gate))


def swiglu(gate: Array, up: Array) -> tuple[Array, Cache]:
    """Let one half gate the other."""
    active, inner = silu(gate)
    return active * up, (active, up, inner)


def swiglu_backward(dy: Array, cache: Cache) -> tuple[Array, Array]:
    """Hand each factor the other one."""
    active, up, inner = cache
    return silu_backward(dy * up, inner), dy * active


def grouped_query_attention(
    q: Array, k: Array, v: Array, keep: Array | None = None
) -> tuple[Array, Cache]:
    """Give every query head a copy of its keys and values, and attend."""
    group = q.shape[1] // k.shape[1]
    copies = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    y, (_, _, _, weights, _) = F.attention(q, *copies, keep)
    return y, (q, k, v, weights, keep)


def grouped_query_attention_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Add up what the copies of a head get."""
    q, k, v, weights, keep = cache
    batch, heads, time, size = k.shape
    group = q.shape[1] // heads
    copies = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    dq, dk, dv = F.attention_backward(dy, (q, *copies, weights, keep))
    groups = (batch, heads, group, time, size)
    return dq, dk.reshape(groups).sum(axis=2), dv.reshape(groups).sum(axis=2)
