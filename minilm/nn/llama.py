"""Llama, forward and backward: what differs from GPT-2. Read `gpt.py` first.

Pre-norm blocks as there (Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language
Models", section 2.2), with four changes:

    x = embed_tokens[ids]                                     no table of positions
    x = x + attention(input_layernorm(x))                     for each layer
    x = x + mlp(post_attention_layernorm(x))
    hidden = norm(x)
    logits = hidden @ lm_head.T                               or the word embedding again

The norms are root mean squares (`F.rms_norm`); positions enter by turning queries and keys
(`F.rotary`); several heads of queries share one of keys (`F.grouped_query_attention`); the MLP has
a gate (`F.swiglu`). There are no biases. Matrices are stored output first, so a linear layer is
`F.unembed`, `x @ weight.T`.

The loops over the layers, the loss, generation and what freezing saves are `gpt.Body`'s and
`gpt.GPT`'s. SmolLM2, TinyLlama and Llama 1 to 3 are such models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from minilm.arrays import Array, Ids
from minilm.nn import functional as F
from minilm.nn import lora
from minilm.nn.functional import Cache
from minilm.nn.gpt import GPT, Body, Layer
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Gradients

# ---------------------------------------------------------------------------- one block


@dataclass(frozen=True)
class LlamaLayer(Layer):
    """What a block needs beside its input: what GPT-2's needs, and two things more.

    Attributes
    ----------
    kv_heads : int
        K, the heads of keys and values.
    rotation : (cos, sin)
        As `F.rotary_angles` returns them, for the positions of the input.
    """

    kv_heads: int = 1
    rotation: tuple[Array, ...] = ()


def block(
    x: Array,
    layer: LlamaLayer,
    *,
    rng: np.random.Generator | None = None,
    extend: F.Extend | None = None,
) -> tuple[Array, Cache]:
    """Add to the residual stream what attention finds, then what the MLP makes of it.

    `x = x + attention(input_layernorm(x))`, then `x = x + mlp(post_attention_layernorm(x))`.
    Parameters and results are those of `gpt.block`.
    """
    x, attention = _attention_half(x, layer, rng, extend)
    x, mlp = _mlp_half(x, layer)
    return x, (attention, mlp)


def block_backward(dy: Array, cache: Cache, layer: LlamaLayer) -> tuple[Array, Gradients]:
    """Return dx of `block`, and the gradients of its trained parameters by name."""
    attention, mlp = cache
    gradients: Gradients = {}
    dx = _mlp_half_backward(dy, mlp, layer, gradients)
    dx = _attention_half_backward(dx, attention, layer, gradients)
    return dx, {name: array for name, array in gradients.items() if layer.trains(name)}


def _attention_half(
    x: Array, layer: LlamaLayer, rng: np.random.Generator | None, extend: F.Extend | None
) -> tuple[Array, Cache]:
    """Return `x + o_proj(attention(rotary(q), rotary(k), v))`; q, k, v are of the normed x."""
    normed, norm = _norm(x, layer, "input_layernorm")
    q, q_fan = _linear(normed, layer, "self_attn.q_proj")
    k, k_fan = _linear(normed, layer, "self_attn.k_proj")
    v, v_fan = _linear(normed, layer, "self_attn.v_proj")
    # Keys are cached as they are turned: each for its own position, whatever follows.
    q, turn = F.rotary(F.split_heads(q, layer.heads), *layer.rotation)
    k, _ = F.rotary(F.split_heads(k, layer.kv_heads), *layer.rotation)
    v = F.split_heads(v, layer.kv_heads)
    if extend is not None:
        k, v = extend(k, v)
    shape = (*q.shape[:3], k.shape[2])
    keep = F.dropout_factors(shape, layer.attn_pdrop, x.dtype, rng=rng)
    mixed, mix = F.grouped_query_attention(q, k, v, keep)
    out, fan_in = _linear(F.merge_heads(mixed), layer, "self_attn.o_proj")
    return x + out, (norm, (q_fan, k_fan, v_fan), mix, turn, fan_in)


def _attention_half_backward(
    dy: Array, cache: Cache, layer: LlamaLayer, gradients: Gradients
) -> Array:
    norm, (q_fan, k_fan, v_fan), mix, turn, fan_in = cache
    dmixed = _linear_backward(dy, fan_in, layer, "self_attn.o_proj", gradients)
    dq, dk, dv = F.grouped_query_attention_backward(F.split_heads(dmixed, layer.heads), mix)
    dq, dk = F.rotary_backward(dq, turn), F.rotary_backward(dk, turn)
    dnormed = _linear_backward(F.merge_heads(dq), q_fan, layer, "self_attn.q_proj", gradients)
    dnormed += _linear_backward(F.merge_heads(dk), k_fan, layer, "self_attn.k_proj", gradients)
    dnormed += _linear_backward(F.merge_heads(dv), v_fan, layer, "self_attn.v_proj", gradients)
    return dy + _norm_backward(dnormed, norm, "input_layernorm", gradients)


def _mlp_half(x: Array, layer: LlamaLayer) -> tuple[Array, Cache]:
    """Return `x + down_proj(silu(gate_proj(normed)) * up_proj(normed))`."""
    normed, norm = _norm(x, layer, "post_attention_layernorm")
    gate, gate_fan = _linear(normed, layer, "mlp.gate_proj")
    up, up_fan = _linear(normed, layer, "mlp.up_proj")
    active, swiglu = F.swiglu(gate, up)
    out, fan_in = _linear(active, layer, "mlp.down_proj")
    return x + out, (norm, gate_fan, up_fan, swiglu, fan_in)


def _mlp_half_backward(dy: Array, cache: Cache, layer: LlamaLayer, gradients: Gradients) -> Array:
    norm, gate_fan, up_fan, swiglu, fan_in = cache
    dactive = _linear_backward(dy, fan_in, layer, "mlp.down_proj", gradients)
    dgate, dup = F.swiglu_backward(dactive, swiglu)
    dnormed = _linear_backward(dgate, gate_fan, layer, "mlp.gate_proj", gradients)
    dnormed += _linear_backward(dup, up_fan, layer, "mlp.up_proj", gradients)
    return dy + _norm_backward(dnormed, norm, "post_attention_layernorm", gradients)


# ---------------------------------------------------------------- operations with their parameters


def _norm(x: Array, layer: LlamaLayer, name: str) -> tuple[Array, Cache]:
    return F.rms_norm(x, layer.weights[f"{name}.weight"], layer.epsilon)


def _norm_backward(dy: Array, cache: Cache, name: str, gradients: Gradients) -> Array:
    dx, gradients[f"{name}.weight"] = F.rms_norm_backward(dy, cache)
    return dx


def _linear(x: Array, layer: LlamaLayer, name: str) -> tuple[Array, Cache]:
    """Return `x @ weight.T`, plus LoRA's share where the matrix has one."""
    y, cache = F.unembed(x, layer.weights[f"{name}.weight"])
    factor_a, factor_b = lora.factors(name)
    if factor_a not in layer.weights:
        return y, (cache, None)
    a, b = layer.weights[factor_a], layer.weights[factor_b]
    change, low_rank = lora.low_rank(x, a, b, layer.scaling)
    return y + change, (cache, low_rank)


def _linear_backward(
    dy: Array, cache: Cache, layer: LlamaLayer, name: str, gradients: Gradients
) -> Array:
    whole, low_rank = cache
    weight = f"{name}.weight"
    if layer.trains(weight):
        dx, gradients[weight] = F.unembed_backward(dy, whole)
    else:  # a frozen matrix only hands the gradient down: dx = dy @ weight
        dx, _ = F.unembed(dy, layer.weights[weight].T)
    if low_rank is not None:
        factor_a, factor_b = lora.factors(name)
        dchange, gradients[factor_a], gradients[factor_b] = lora.low_rank_backward(dy, low_rank)
        dx = dx + dchange
    return dx


# ------------------------------------------------------------------------------- the model


def rotary_frequencies(config: LlamaConfig) -> Array:
    """Return by how many radians each pair of channels turns from one position to the next.

    `rope_theta ** (-2 i / D)` for pair i. With `rope_scaling` of the kind "llama3" slow pairs turn
    `factor` times more slowly, fast ones as before, and those between are blended.

    Returns
    -------
    ndarray of shape (D / 2,), float64

    Examples
    --------
    >>> rotary_frequencies(LlamaConfig(9, 4, 4, 1, 1, rope_theta=100.0))
    array([1. , 0.1])
    """
    size = config.head_size
    frequencies: Array = config.rope_theta ** (-np.arange(0, size, 2) / size)
    scaling = config.rope_scaling
    if scaling is None:
        return frequencies
    turns = scaling.original_max_position_embeddings * frequencies / (2 * math.pi)
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    kept = np.clip((turns - low) / (high - low), 0.0, 1.0)
    return frequencies * (kept + (1 - kept) / scaling.factor)


@lru_cache(maxsize=8)
def _rotation(config: LlamaConfig, start: int, time: int, dtype: Any) -> tuple[Array, Array]:
    """Return cosines and sines for `time` positions from `start` on; every layer uses them."""
    cos, sin = F.rotary_angles(
        np.arange(start, start + time, dtype=float), rotary_frequencies(config)
    )
    return cos.astype(dtype), sin.astype(dtype)


class LlamaBody(Body):
    """Llama without a head. Parameters, attributes and errors are those of `gpt.Body`."""

    config: LlamaConfig

    def _embed(self, ids: Ids, rng: np.random.Generator | None, start: int) -> tuple[Array, Cache]:
        return F.embedding(ids, self.parameters[self.config.table])

    def _embed_backward(self, dx: Array, cache: Cache, gradients: Gradients) -> None:
        table = self.config.table
        dwords = F.embedding_backward(dx, cache)
        dwords += gradients.get(table, 0.0)
        gradients[table] = dwords

    def _block(
        self,
        x: Array,
        layer: LlamaLayer,
        rng: np.random.Generator | None = None,
        extend: F.Extend | None = None,
    ) -> tuple[Array, Cache]:
        return block(x, layer, rng=rng, extend=extend)

    def _block_backward(
        self, dy: Array, cache: Cache, layer: LlamaLayer
    ) -> tuple[Array, Gradients]:
        return block_backward(dy, cache, layer)

    def _final_norm(self, x: Array) -> tuple[Array, Cache]:
        return F.rms_norm(x, self.parameters["model.norm.weight"], self.config.rms_norm_eps)

    def _final_norm_backward(self, dy: Array, cache: Cache, gradients: Gradients) -> Array:
        dx, gradients["model.norm.weight"] = F.rms_norm_backward(dy, cache)
        return dx

    def _layer(self, number: int, start: int = 0, time: int = 0) -> LlamaLayer:
        config = self.config
        weights, trained = self._weights(number)
        return LlamaLayer(
            weights,
            config.n_head,
            config.rms_norm_eps,
            trained,
            scaling=1.0 if self.adapter is None else self.adapter.scaling,
            attn_pdrop=config.attention_dropout,
            kv_heads=config.kv_heads,
            rotation=_rotation(config, start, time, self.parameters.dtype),
        )


class Llama(LlamaBody, GPT):
    """A Llama language model; parameters are those of `gpt.GPT`, with a `LlamaConfig`.

    Examples
    --------
    >>> model = Llama(LlamaConfig(50, 12, 20, 2, 2, 1), rng=np.random.default_rng(0))
    >>> ids = np.array([[1, 2, 3, 4]])
    >>> model.logits(ids).shape
    (1, 4, 50)
    >>> loss, gradient = model.loss_and_grad(ids, np.array([[2, 3, 4, -100]]))
    >>> gradient["model.layers.1.self_attn.k_proj.weight"].shape
    (6, 12)
    """
