"""Multi-head attentions as people write them at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.nn import functional as F


def _qkv(qkv: Any, heads: int) -> Any:
    return [F.split_heads(part, heads) for part in np.split(qkv, 3, axis=-1)]


def _finish(parts: Any, keep: Any, extend: Any) -> Any:
    q, k, v = parts
    if extend is not None:
        k, v = extend(k, v)
    y, cache = F.attention(q, k, v, keep)
    return F.merge_heads(y), cache


@mistake("multi_head_attention")
def heads_before_q_k_and_v(qkv, heads, keep=None, extend=None):
    """the channels were cut into heads first, and into q, k and v within each head.

    qkv is laid out as all queries, all keys, all values. So cut it into three parts first, and each
    of them into heads. The other order fits weights that were trained that way, not these.
    """
    return _finish(np.split(F.split_heads(qkv, heads), 3, axis=-1), keep, extend)


@mistake("multi_head_attention")
def keys_before_queries(qkv, heads, keep=None, extend=None):
    """queries and keys have changed places: the order in qkv is queries, keys, values."""
    k, q, v = _qkv(qkv, heads)
    return _finish((q, k, v), keep, extend)


@mistake("multi_head_attention")
def values_first(qkv, heads, keep=None, extend=None):
    """the order is wrong: the values were taken from the front of qkv.

    The order in qkv is queries, keys, values, C channels each.
    """
    v, q, k = _qkv(qkv, heads)
    return _finish((q, k, v), keep, extend)


@mistake("multi_head_attention")
def keys_and_values_exchanged(qkv, heads, keep=None, extend=None):
    """keys and values have changed places: the order in qkv is queries, keys, values.

    A key says what a position has to offer, a value is what it hands over. Your code compares each
    query with the values and mixes the keys.
    """
    q, v, k = _qkv(qkv, heads)
    return _finish((q, k, v), keep, extend)


@mistake("multi_head_attention")
def every_third_channel(qkv, heads, keep=None, extend=None):
    """q, k and v were taken as every third channel; they are three blocks of neighboring channels.

    np.split(qkv, 3, axis=-1), or slices: [..., :C], [..., C : 2 * C], [..., 2 * C :].
    """
    return _finish([F.split_heads(qkv[..., i::3], heads) for i in range(3)], keep, extend)


@mistake("multi_head_attention")
def split_along_the_time(qkv, heads, keep=None, extend=None):
    """np.split cut another axis than the channels: it needs axis=-1.

    Its default is axis 0, the batch.
    """
    return _finish([F.split_heads(part, heads) for part in np.split(qkv, 3)], keep, extend)


@mistake("multi_head_attention")
def a_single_head(qkv, heads, keep=None, extend=None):
    """there is only one head: q, k and v were not split.

    Each head has its own weights, from its own D channels, and the scores are divided by
    sqrt(D), with D = C / H.
    """
    return _finish(_qkv(qkv, 1), keep, extend)


@mistake("multi_head_attention")
def not_merged(qkv, heads, keep=None, extend=None):
    """the heads were not merged: y still has an axis for them.

    F.merge_heads(y) puts them side by side again, (B, T, C).
    """
    q, k, v = _qkv(qkv, heads)
    if extend is not None:
        k, v = extend(k, v)
    return F.attention(q, k, v, keep)


@mistake("multi_head_attention")
def merged_by_a_reshape(qkv, heads, keep=None, extend=None):
    """the heads were merged by a reshape alone, which mixes heads with positions.

    F.merge_heads(y) exchanges the axes first. The right shape does not mean the right place.
    """
    y, cache = not_merged(qkv, heads, keep, extend)
    batch, count, time, size = y.shape
    return y.reshape(batch, time, count * size), cache


@mistake("multi_head_attention")
def extend_not_called(qkv, heads, keep=None, extend=None):
    """extend is not used: earlier positions are not seen.

    When a model writes, the keys and values of earlier tokens come from it:
    `if extend is not None: k, v = extend(k, v)`, before attention.
    """
    return _finish(_qkv(qkv, heads), keep, None)


@mistake("multi_head_attention")
def values_not_extended(qkv, heads, keep=None, extend=None):
    """only the keys were extended: the values must be extended too.

    extend returns both: k, v = extend(k, v).
    """
    q, k, v = _qkv(qkv, heads)
    if extend is not None:
        k, _ = extend(k, v)
    y, cache = F.attention(q, k, v, keep)
    return F.merge_heads(y), cache


@mistake("multi_head_attention")
def keep_not_passed_on(qkv, heads, keep=None, extend=None):
    """keep was not passed on, so there is no dropout: F.attention(q, k, v, keep)."""
    return _finish(_qkv(qkv, heads), None, extend)


@mistake("multi_head_attention")
def the_pair_not_taken_apart(qkv, heads, keep=None, extend=None):
    """F.attention returns a pair, (y, cache), and the pair was used as if it were y.

    y, cache = F.attention(...), and then merge y.
    """
    q, k, v = _qkv(qkv, heads)
    if extend is not None:
        k, v = extend(k, v)
    pair = F.attention(q, k, v, keep)
    return F.merge_heads(pair), (q, k, v, keep)


@mistake("multi_head_attention_backward")
def dy_not_split(dy, cache):
    """dy was not split into heads.

    The last step of the forward was merge_heads, so the first step back is its inverse:
    F.split_heads(dy, heads).
    """
    parts = F.attention_backward(dy, cache)
    return np.concatenate([F.merge_heads(part) for part in parts], axis=-1)


@mistake("multi_head_attention_backward")
def dy_reshaped(dy, cache):
    """dy was reshaped to (B, H, T, D), which mixes heads with positions.

    The backward of merge_heads is split_heads: a reshape and a transpose.
    """
    parts = F.attention_backward(dy.reshape(cache[0].shape), cache)
    return np.concatenate([F.merge_heads(part) for part in parts], axis=-1)


@mistake("multi_head_attention_backward")
def size_taken_for_the_number(dy, cache):
    """the size of a head was taken for the number of heads.

    q has the shape (B, H, T, D): the number of heads is cache[0].shape[1].
    """
    parts = F.attention_backward(F.split_heads(dy, cache[0].shape[-1]), cache)
    return np.concatenate([F.merge_heads(part) for part in parts], axis=-1)


def _parts(dy: Any, cache: Any) -> Any:
    return F.attention_backward(F.split_heads(dy, cache[0].shape[1]), cache)


@mistake("multi_head_attention_backward")
def joined_along_the_time(dy, cache):
    """the three parts were joined along another axis than the channels: axis=-1.

    Forward, qkv was cut along its last axis; backward, the parts are joined along it.
    """
    return np.concatenate([F.merge_heads(part) for part in _parts(dy, cache)], axis=1)


@mistake("multi_head_attention_backward")
def joined_along_the_batch(dy, cache):
    """the three parts were joined along axis 0, the batch, which is the default: axis=-1.

    Forward, qkv was cut along its last axis; backward, the parts are joined along it.
    """
    return np.concatenate([F.merge_heads(part) for part in _parts(dy, cache)])


@mistake("multi_head_attention_backward")
def joined_within_each_head(dy, cache):
    """dq, dk and dv were joined within each head, before the heads were merged.

    The channels then go q, k, v of head 0, then q, k, v of head 1. In qkv all queries come first:
    merge each of the three, then join them.
    """
    return F.merge_heads(np.concatenate(_parts(dy, cache), axis=-1))


@mistake("multi_head_attention_backward")
def parts_reshaped(dy, cache):
    """dq, dk and dv were merged by a reshape alone, which mixes heads with positions.

    F.merge_heads exchanges the axes first.
    """
    return np.concatenate([part.reshape(dy.shape) for part in _parts(dy, cache)], axis=-1)


@mistake("multi_head_attention_backward")
def stacked(dy, cache):
    """the three parts were stacked on a new axis; they belong side by side in the channels.

    np.concatenate(parts, axis=-1) gives (B, T, 3 C).
    """
    return np.stack([F.merge_heads(part) for part in _parts(dy, cache)])


@mistake("multi_head_attention_backward")
def added_up(dy, cache):
    """dq, dk and dv were added up: each belongs to its own channels.

    You would add them if q, k and v were the same numbers. Here they are three parts of qkv, and
    their gradients are three parts of dqkv.
    """
    return F.merge_heads(sum(_parts(dy, cache)))


@mistake("multi_head_attention_backward")
def a_tuple_of_three(dy, cache):
    """this is a tuple of dq, dk and dv; one array is expected: np.concatenate(..., axis=-1)."""
    return tuple(F.merge_heads(part) for part in _parts(dy, cache))


@mistake("multi_head_attention_backward")
def values_in_front(dy, cache):
    """the order is wrong: dv is in front. The order is that of qkv: queries, keys, values."""
    dq, dk, dv = map(F.merge_heads, _parts(dy, cache))
    return np.concatenate([dv, dk, dq], axis=-1)


@mistake("multi_head_attention_backward")
def keys_in_front(dy, cache):
    """the order is wrong: dk is in front. The order is that of qkv: queries, keys, values."""
    dq, dk, dv = map(F.merge_heads, _parts(dy, cache))
    return np.concatenate([dk, dq, dv], axis=-1)


@mistake("multi_head_attention")
def extended_before_the_split(qkv, heads, keep=None, extend=None):
    """extend was called before k and v were split into heads: it takes (B, H, T, D).

    The earlier keys and values are stored by head. Split first, then extend.
    """
    q, k, v = np.split(qkv, 3, axis=-1)
    if extend is not None:
        k, v = extend(k, v)
    return _finish([F.split_heads(part, heads) for part in (q, k, v)], keep, None)


@mistake("multi_head_attention")
def extend_not_tested(qkv, heads, keep=None, extend=None):
    """extend may be None: in training there is none. `if extend is not None:` before the call."""
    q, k, v = _qkv(qkv, heads)
    k, v = extend(k, v)
    return _finish((q, k, v), keep, None)


@mistake("multi_head_attention")
def cache_of_the_new_positions(qkv, heads, keep=None, extend=None):
    """the cache has the k and v of the new positions only: it should be what F.attention returned.

    y is right. But the cache must have the keys and values that were attended to.
    """
    q, k, v = _qkv(qkv, heads)
    y, cache = _finish((q, k, v), keep, extend)
    return y, (q, k, v, *cache[3:])


@mistake("multi_head_attention_backward")
def parts_not_merged(dy, cache):
    """dq, dk and dv were joined, but not merged: dqkv still has an axis for the heads.

    F.merge_heads(part) for each of the three, and then np.concatenate.
    """
    return np.concatenate(_parts(dy, cache), axis=-1)


@mistake("multi_head_attention_backward")
def merged_where_split_belongs(dy, cache):
    """dy was merged, but it has no heads yet: its backward step is split_heads.

    The forward ended with merge_heads, so the backward begins with its inverse. In the same way,
    the backward of split_heads is merge_heads.
    """
    parts = F.attention_backward(F.merge_heads(dy), cache)
    return np.concatenate([F.split_heads(part, cache[0].shape[1]) for part in parts], axis=-1)


@mistake("multi_head_attention_backward")
def time_taken_for_the_number(dy, cache):
    """the number of positions was taken for the number of heads: dy.shape[1] is T.

    dy has no axis for the heads. q in the cache has: its shape is (B, H, T, D).
    """
    parts = F.attention_backward(F.split_heads(dy, dy.shape[1]), cache)
    return np.concatenate([F.merge_heads(part) for part in parts], axis=-1)
