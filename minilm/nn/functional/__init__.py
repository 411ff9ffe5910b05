"""The operations of the transformer as pairs: a forward and, under it, its backward.

    y, cache = op(x, ...)                 dx, ... = op_backward(dy, cache)

`dy` is the gradient of the loss with respect to `y` and has the shape of `y`. The backward returns
the gradients with respect to the forward's float arguments, in the same order. Both halves are pure
functions in any float dtype: they never write to their arguments, so each can be called twice, and
work in place only on arrays that they have made. Each docstring says what the cache holds, because
your own backward has to work from it.

    matrices         embedding, linear, unembed
    elementwise      gelu, dropout
    norms            layer_norm
    self_attention   split_heads, merge_heads, attention, multi_head_attention
    losses           softmax, cross_entropy, linear_cross_entropy
    pooling          mean_pool, last_token_pool
    llama            what only Llama needs: rms_norm, rotary, swiglu, ...

Everyone calls them as `F.name`, the operations themselves too, so that your own in place of one is
used everywhere. Leaves out parameters, layers and checks of ids: `gpt.py` has those.

Letters in shapes: B batch, T time (positions), C channels (width), H heads, D = C / H, V
vocabulary, I and O inputs and outputs, S and T in attention the numbers of queries and of keys;
`...` is any number of leading axes.
"""

# ruff: noqa: F401

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minilm.arrays import Array
from minilm.nn.functional.elementwise import (
    dropout,
    dropout_backward,
    dropout_factors,
    gelu,
    gelu_backward,
)
from minilm.nn.functional.llama import (
    grouped_query_attention,
    grouped_query_attention_backward,
    rms_norm,
    rms_norm_backward,
    rotary,
    rotary_angles,
    rotary_backward,
    silu,
    silu_backward,
    swiglu,
    swiglu_backward,
)
from minilm.nn.functional.losses import (
    cross_entropy,
    cross_entropy_backward,
    linear_cross_entropy,
    linear_cross_entropy_backward,
    softmax,
    softmax_backward,
)
from minilm.nn.functional.matrices import (
    embedding,
    embedding_backward,
    linear,
    linear_backward,
    unembed,
    unembed_backward,
)
from minilm.nn.functional.norms import (
    layer_norm,
    layer_norm_backward,
)
from minilm.nn.functional.pooling import (
    last_token_pool,
    last_token_pool_backward,
    mean_pool,
    mean_pool_backward,
)
from minilm.nn.functional.self_attention import (
    attention,
    attention_backward,
    merge_heads,
    multi_head_attention,
    multi_head_attention_backward,
    split_heads,
)

Cache = tuple[Any, ...]
#: Appends new keys and values to the earlier ones and returns all of them.
Extend = Callable[[Array, Array], tuple[Array, Array]]
