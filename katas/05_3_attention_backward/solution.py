"""Kata 5.3  Attention, backward: a solution."""

from __future__ import annotations

import math
from typing import Any

from minilm.arrays import Array
from minilm.nn import functional as F

Cache = tuple[Any, ...]


def attention_backward(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Return dq, dk and dv: the forward's lines in reverse."""
    q, k, v, weights, keep = cache
    kept = weights if keep is None else weights * keep
    dv = kept.swapaxes(-1, -2) @ dy
    dkept = dy @ v.swapaxes(-1, -2)
    dweights = dkept if keep is None else dkept * keep
    dscores = F.softmax_backward(dweights, (weights,)) / math.sqrt(q.shape[-1])
    return dscores @ k, dscores.swapaxes(-1, -2) @ q, dv
