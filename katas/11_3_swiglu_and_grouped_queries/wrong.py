"""What people write in kata 11.3."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.nn import functional as F


def _sigmoid(x: Any) -> Any:
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def _silu(x: Any) -> Any:
    return x * _sigmoid(x), (x, _sigmoid(x))


def _silu_backward(dy: Any, cache: Any) -> Any:
    x, gate = cache
    return dy * gate * (1 + x * (1 - gate))


@mistake("silu")
def the_sigmoid_alone(x):
    """this is the sigmoid; silu is x times the sigmoid.

    The sigmoid says how much of x is let through: y = x * gate.
    """
    return _sigmoid(x), (x, _sigmoid(x))


@mistake("silu")
def the_sign_in_the_exponent(x):
    """the sign in the exponent is wrong: the sigmoid is 1 / (1 + exp(-x)).

    With exp(x) the gate is open for small x, and shut for large x.
    """
    gate = _sigmoid(-x)
    return x * gate, (x, gate)


@mistake("silu")
def relu(x):
    """this is ReLU: the gate is 0 or 1. A sigmoid opens little by little.

    So silu has a gradient for small negative numbers too.
    """
    gate = (x > 0).astype(x.dtype)
    return x * gate, (x, gate)


@mistake("silu")
def hard_sigmoid(x):
    """the gate is a straight line that is cut off at 0 and 1 (a hard sigmoid).

    It is a cheap stand-in for the sigmoid on small devices: 1 / (1 + exp(-x)) bends.
    """
    gate = np.clip((x + 3) / 6, 0, 1)
    return x * gate, (x, gate)


@mistake("silu")
def tanh_for_the_sigmoid(x):
    """tanh was taken for the sigmoid: it goes from -1 to 1, and the sigmoid from 0 to 1."""
    gate = np.tanh(x)
    return x * gate, (x, gate)


@mistake("silu")
def the_quick_gelu(x):
    """the factor 1.702 belongs to GELU's short form, x * sigmoid(1.702 x). silu has none."""
    gate = _sigmoid(1.702 * x)
    return x * gate, (x, gate)


@mistake("silu")
def tanh_of_the_whole(x):
    """tanh has x where it needs half of x: sigmoid(x) = (1 + tanh(x / 2)) / 2."""
    gate = 0.5 + 0.5 * np.tanh(x)
    return x * gate, (x, gate)


@mistake("silu")
def gelu(x):
    """this is GELU, as in GPT-2. Its gate is the normal distribution; silu's is the sigmoid."""
    gate = 0.5 + 0.5 * np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return x * gate, (x, gate)


@mistake("silu")
def overflows(x):
    """exp(x) / (1 + exp(x)) is infinity over infinity for large x, which is NaN.

    1 / (1 + exp(-x)) is the same, and stays finite.
    """
    gate = np.exp(x) / (1 + np.exp(x))
    return x * gate, (x, gate)


@mistake("silu")
def cache_in_another_order(x):
    """x and gate are swapped in the cache: the order is (x, gate), x first."""
    return x * _sigmoid(x), (_sigmoid(x), x)


@mistake("silu")
def y_in_the_cache_for_the_gate(x):
    """the cache has y where the gate belongs: (x, gate), with gate the sigmoid of x."""
    y = x * _sigmoid(x)
    return y, (x, y)


@mistake("silu_backward")
def the_gate_as_a_constant(dy, cache):
    """the way through the gate is missing: dx is only dy * gate.

    y = x * gate, and the gate is made of x too. By the product rule there is a second part,
    x * gate * (1 - gate).
    """
    return dy * cache[1]


@mistake("silu_backward")
def only_through_the_gate(dy, cache):
    """the direct way is missing: by the product rule, y = x * gate has two parts.

    gate, for x directly, plus x * gate * (1 - gate), for x through the gate.
    """
    x, gate = cache
    return dy * x * gate * (1 - gate)


@mistake("silu_backward")
def derivative_of_the_sigmoid(dy, cache):
    """gate * (1 - gate) is the derivative of the sigmoid; y is x times the sigmoid.

    The product rule: gate + x * gate * (1 - gate).
    """
    gate = cache[1]
    return dy * gate * (1 - gate)


@mistake("silu_backward")
def dy_forgotten(dy, cache):
    """dy is not used: this is the derivative alone. The gradient is dy times that."""
    return _silu_backward(1.0, cache)


@mistake("silu_backward")
def x_taken_off(dy, cache):
    """a sign is wrong: gate * (1 + x * (1 - gate)), with a plus before x."""
    x, gate = cache
    return dy * gate * (1 - x * (1 - gate))


@mistake("silu_backward")
def one_plus_the_gate(dy, cache):
    """a sign is wrong: the derivative of the sigmoid is gate * (1 - gate), not 1 + gate."""
    x, gate = cache
    return dy * gate * (1 + x * (1 + gate))


@mistake("silu_backward")
def gate_before_the_bracket_forgotten(dy, cache):
    """the factor gate is missing before the parenthesis: gate * (1 + x * (1 - gate))."""
    x, gate = cache
    return dy * (1 + x * (1 - gate))


@mistake("silu_backward")
def gate_as_in_tanh(dy, cache):
    """1 - gate**2 is the derivative of tanh. Of the sigmoid it is gate * (1 - gate)."""
    x, gate = cache
    return dy * (gate + x * (1 - gate**2))


@mistake("swiglu")
def up_is_activated(gate, up):
    """gate and up are swapped: silu belongs on the gate, and up multiplies as it is."""
    active, inner = _silu(up)
    return active * gate, (active, gate, inner)


@mistake("swiglu")
def both_are_activated(gate, up):
    """up went through silu as well; it multiplies as it is.

    Only the gate is bent. up carries the values, of either sign and any size.
    """
    active, inner = _silu(gate)
    return active * _silu(up)[0], (active, up, inner)


@mistake("swiglu")
def silu_left_out(gate, up):
    """silu is missing: y is gate * up.

    Then a gate can change the sign of up, but a very negative gate is wide open instead of shut.
    """
    return gate * up, (gate, up, _silu(gate)[1])


@mistake("swiglu")
def a_sum_for_the_product(gate, up):
    """the two were added; they must be multiplied: y = silu(gate) * up."""
    active, inner = _silu(gate)
    return active + up, (active, up, inner)


@mistake("swiglu")
def the_first_glu(gate, up):
    """this is the first GLU, sigmoid(gate) * up. SwiGLU has silu instead of the sigmoid."""
    active, inner = _silu(gate)
    return inner[1] * up, (active, up, inner)


@mistake("swiglu")
def gate_for_active_in_the_cache(gate, up):
    """the cache has the gate itself in its first place; it must have silu(gate).

    (active, up, inner): the backward multiplies dy by `active`.
    """
    active, inner = _silu(gate)
    return active * up, (gate, up, inner)


@mistake("swiglu")
def the_pair_multiplied(gate, up):
    """silu returns a pair, (y, cache), and the pair was used as if it were y.

    active, inner = silu(gate)
    """
    pair = _silu(gate)
    return pair * up, (pair, up, pair)


@mistake("swiglu_backward")
def gradients_exchanged(dy, cache):
    """dgate and dup are swapped: the order is that of the arguments, gate and then up."""
    active, up, inner = cache
    return dy * active, _silu_backward(dy * up, inner)


@mistake("swiglu_backward")
def silu_skipped(dy, cache):
    """dgate is only dy * up, which is the gradient of silu(gate); go back through silu, too.

    dgate = silu_backward(dy * up, inner).
    """
    active, up, _ = cache
    return dy * up, dy * active


@mistake("swiglu_backward")
def dgate_without_up(dy, cache):
    """dgate lacks the factor up: y = active * up, so the gradient of active is dy * up."""
    active, _, inner = cache
    return _silu_backward(dy, inner), dy * active


@mistake("swiglu_backward")
def dup_from_the_gate(dy, cache):
    """dup was multiplied by the gate itself; it is active, silu(gate), that multiplied up."""
    _, up, inner = cache
    return _silu_backward(dy * up, inner), dy * inner[0]


@mistake("swiglu_backward")
def dup_from_the_sigmoid(dy, cache):
    """dup was multiplied by the sigmoid; it is active, silu(gate), that multiplied up."""
    _, up, inner = cache
    return _silu_backward(dy * up, inner), dy * inner[1]


@mistake("swiglu_backward")
def dup_from_up(dy, cache):
    """dup was multiplied by up itself; each factor gets the other: dup = dy * active."""
    _, up, inner = cache
    return _silu_backward(dy * up, inner), dy * up


@mistake("swiglu_backward")
def dup_is_dy(dy, cache):
    """dup is dy as it came; up was multiplied by active, so its gradient is too: dy * active."""
    _, up, inner = cache
    return _silu_backward(dy * up, inner), dy.copy()


@mistake("swiglu_backward")
def up_multiplied_twice(dy, cache):
    """dgate has the factor up twice: once before silu_backward is enough."""
    active, up, inner = cache
    return _silu_backward(dy * up, inner) * up, dy * active


def _attend(q: Any, k: Any, v: Any, keep: Any, copies: Any) -> Any:
    y, cache = F.attention(q, *copies, keep)
    return y, (q, k, v, cache[3], keep)


def _repeated(q: Any, k: Any, v: Any) -> Any:
    group = q.shape[1] // k.shape[1]
    return np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)


@mistake("grouped_query_attention")
def tiled(q, k, v, keep=None):
    """the heads were tiled, 0 1 0 1 0 1; they must be repeated, 0 0 0 1 1 1.

    Query head h looks at key head h // G: heads of one group are neighbors. np.tile puts whole
    copies side by side, np.repeat each entry.
    """
    group = q.shape[1] // k.shape[1]
    copies = np.tile(k, (1, group, 1, 1)), np.tile(v, (1, group, 1, 1))
    return _attend(q, k, v, keep, copies)


@mistake("grouped_query_attention")
def values_tiled(q, k, v, keep=None):
    """the keys are repeated, 0 0 0 1 1 1, but the values are tiled, 0 1 0 1 0 1 (h // G)."""
    group = q.shape[1] // k.shape[1]
    copies = np.repeat(k, group, axis=1), np.tile(v, (1, group, 1, 1))
    return _attend(q, k, v, keep, copies)


@mistake("grouped_query_attention")
def repeated_k_times(q, k, v, keep=None):
    """the keys were repeated K times; repeat them G = H // K times.

    H heads of queries share K of keys, so each of the K is there G = H / K times.
    """
    copies = np.repeat(k, k.shape[1], axis=1), np.repeat(v, k.shape[1], axis=1)
    return _attend(q, k, v, keep, copies)


@mistake("grouped_query_attention")
def repeated_along_the_time(q, k, v, keep=None):
    """k and v were repeated along axis 2, the time; the heads are axis 1."""
    group = q.shape[1] // k.shape[1]
    copies = np.repeat(k, group, axis=2), np.repeat(v, group, axis=2)
    return _attend(q, k, v, keep, copies)


@mistake("grouped_query_attention")
def not_repeated(q, k, v, keep=None):
    """k and v were not repeated: they have K heads, and q has H.

    np.repeat(k, G, axis=1), with G = H // K, and the same for v.
    """
    return F.attention(q, k, v, keep)


@mistake("grouped_query_attention")
def values_not_repeated(q, k, v, keep=None):
    """only the keys were repeated; repeat the values as well.

    A head of keys and its head of values belong together.
    """
    return _attend(q, k, v, keep, (_repeated(q, k, v)[0], v))


@mistake("grouped_query_attention")
def copies_in_the_cache(q, k, v, keep=None):
    """the cache has the repeated keys and values; it must have k and v as they came.

    y is right. But the copies are G times as large, and saving that memory is the point.
    """
    return F.attention(q, *_repeated(q, k, v), keep)


@mistake("grouped_query_attention")
def keep_not_passed_on(q, k, v, keep=None):
    """keep was not passed on, so there is no dropout: F.attention(q, k, v, keep)."""
    y, cache = _attend(q, k, v, None, _repeated(q, k, v))
    return y, (*cache[:4], keep)


@mistake("grouped_query_attention")
def the_first_keys_for_all(q, k, v, keep=None):
    """all queries look at the first head of keys; each group has its own.

    That is multi-query attention, with K = 1. Query head h looks at key head h // G.
    """
    copies = (np.repeat(x[:, :1], q.shape[1], axis=1) for x in (k, v))
    return _attend(q, k, v, keep, copies)


@mistake("grouped_query_attention")
def one_query_for_a_group(q, k, v, keep=None):
    """the queries of a group were averaged: every head of queries asks for itself.

    It is only keys and values that are shared. y has H heads that differ.
    """
    batch, heads, time, size = q.shape
    groups = k.shape[1]
    mean = q.reshape(batch, groups, heads // groups, time, size).mean(axis=2)
    y, (_, _, _, weights, _) = F.attention(
        np.repeat(mean, heads // groups, axis=1), *_repeated(q, k, v), keep
    )
    return y, (q, k, v, weights, keep)


@mistake("grouped_query_attention")
def first_query_of_a_group(q, k, v, keep=None):
    """only the first head of queries of each group was asked; every one asks for itself.

    It is only keys and values that are shared. y has H heads that differ.
    """
    groups, copies = k.shape[1], q.shape[1] // k.shape[1]
    first = np.repeat(np.arange(groups) * copies, copies)
    dropped = None if keep is None else keep[:, first]
    y, (_, _, _, weights, _) = F.attention(q[:, first], *_repeated(q, k, v), dropped)
    return y, (q, k, v, weights, keep)


@mistake("grouped_query_attention")
def dropped_weights_in_the_cache(q, k, v, keep=None):
    """the weights in the cache have dropout in them; they must be those before dropout.

    F.attention's own cache has them right, in its fourth place.
    """
    y, (*_, weights, _) = _attend(q, k, v, keep, _repeated(q, k, v))
    return y, (q, k, v, weights if keep is None else weights * keep, keep)


def _backward(dy: Any, cache: Any) -> Any:
    """Return dq, and dk and dv of the copies, cut into groups."""
    q, k, v, weights, keep = cache
    dq, dk, dv = F.attention_backward(dy, (q, *_repeated(q, k, v), weights, keep))
    shape = (*k.shape[:2], q.shape[1] // k.shape[1], *k.shape[2:])
    return dq, dk.reshape(shape), dv.reshape(shape)


@mistake("grouped_query_attention_backward")
def copies_not_added_up(dy, cache):
    """dk and dv have a head for each head of queries: the copies were not added up.

    A key that served G heads of queries gets the sum of their gradients: cut the axis of heads into
    (K, G), and sum over G.
    """
    q, k, v, weights, keep = cache
    return F.attention_backward(dy, (q, *_repeated(q, k, v), weights, keep))


@mistake("grouped_query_attention_backward")
def a_mean_of_the_copies(dy, cache):
    """dk and dv are means over the group; they must be sums.

    Each of the G heads used the key, and what each of them wants adds up.
    """
    dq, dk, dv = _backward(dy, cache)
    return dq, dk.mean(axis=2), dv.mean(axis=2)


@mistake("grouped_query_attention_backward")
def one_of_each_group(dy, cache):
    """only one head of each group was taken; add up all of them: a sum over G."""
    dq, dk, dv = _backward(dy, cache)
    return dq, dk[:, :, 0], dv[:, :, 0]


@mistake("grouped_query_attention_backward")
def last_of_each_group(dy, cache):
    """dk and dv hold the last head of each group: assigned, not added up.

    dk[:, h // G] = ... replaces what the heads before it brought. Add: dk[:, h // G] += ...
    """
    dq, dk, dv = _backward(dy, cache)
    return dq, dk[:, :, -1], dv[:, :, -1]


@mistake("grouped_query_attention_backward")
def cut_as_g_and_k(dy, cache):
    """the heads were cut into (G, K); they are in the order (K, G).

    Heads of one group are neighbors: 0 0 0 1 1 1. So the first axis is the group, the second is
    the place within it.
    """
    dq, dk, dv = _backward(dy, cache)
    batch, groups, group, time, size = dk.shape
    dk, dv = (x.reshape(batch, group, groups, time, size).sum(axis=1) for x in (dk, dv))
    return dq, dk, dv


@mistake("grouped_query_attention_backward")
def summed_over_the_groups(dy, cache):
    """the sum is over another axis: over K, the groups, and not over G, the heads within one.

    After the reshape to (B, K, G, T, D) it is axis 2.
    """
    dq, dk, dv = _backward(dy, cache)
    return dq, dk.sum(axis=1), dv.sum(axis=1)


@mistake("grouped_query_attention_backward")
def not_repeated_in_the_backward(dy, cache):
    """k and v were not repeated: they have K heads, and dy has H.

    Take the same copies as in the forward, np.repeat(k, G, axis=1), and add up what they get.
    """
    return F.attention_backward(dy, cache)


@mistake("grouped_query_attention_backward")
def dropout_forgotten(dy, cache):
    """keep was not used: what dropout dropped has no gradient.

    F.attention_backward takes (q, k, v, weights, keep).
    """
    return tuple(
        x if i == 0 else x.sum(axis=2) for i, x in enumerate(_backward(dy, (*cache[:4], None)))
    )


@mistake("grouped_query_attention_backward")
def dv_not_added_up(dy, cache):
    """dv was not added up over the group: the values were shared like the keys."""
    q, k, v, weights, keep = cache
    dq, dk, _ = _backward(dy, cache)
    whole = F.attention_backward(dy, (q, *_repeated(q, k, v), weights, keep))
    return dq, dk.sum(axis=2), whole[2]


@mistake("grouped_query_attention_backward")
def repeated_again(dy, cache):
    """dk and dv were repeated again after the sum: they have the shape of k, with K heads."""
    dq, dk, dv = _backward(dy, cache)
    group = dk.shape[2]
    dk, dv = (np.repeat(x.sum(axis=2), group, axis=1) for x in (dk, dv))
    return dq, dk, dv


@mistake("grouped_query_attention_backward")
def queries_added_up_too(dy, cache):
    """dq was added up over the group as well: every head of queries is its own, (B, H, S, D)."""
    dq, dk, dv = _backward(dy, cache)
    shape = (*dk.shape[:3], *dq.shape[2:])
    return dq.reshape(shape).sum(axis=2), dk.sum(axis=2), dv.sum(axis=2)
