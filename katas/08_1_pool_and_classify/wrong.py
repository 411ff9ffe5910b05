"""Pooling as people write it at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _real(x: Any, lengths: Any) -> Any:
    return np.arange(x.shape[1]) < lengths[:, None]


def _pooled(x: Any, shares: Any) -> Any:
    shares = shares.astype(x.dtype)
    return (shares[:, :, None] * x).sum(axis=1), (shares,)


def _ends(x: Any, at: Any, lengths: Any) -> Any:
    return x[np.arange(len(x)), at], (lengths, x.shape[1])


def _sent_to(dy: Any, cache: Any, chosen: Any) -> Any:
    return np.where(chosen[:, :, None], dy[:, None, :], np.zeros((), dy.dtype))


@mistake("mean_pool")
def padding_in_the_mean(x, lengths):
    """the padding is in the mean: x.mean(axis=1) takes all T positions.

    A short text then depends on how long the longest one of its batch is. Give padding a share of
    0, and divide by the length of each sequence.
    """
    return _pooled(x, np.full(x.shape[:2], 1 / x.shape[1]))


@mistake("mean_pool")
def divided_by_t(x, lengths):
    """the padding is left out of the sum, but the sum is divided by T.

    The shares of a sequence must sum to one. There are lengths[b] tokens: divide by that.
    """
    return _pooled(x, _real(x, lengths) / x.shape[1])


@mistake("mean_pool")
def a_share_for_each_position(x, lengths):
    """the padding has a share too: 1 / lengths[b] at every position, not only at the tokens.

    Padding can hold anything. Its share is 0: np.arange(T) < lengths[:, None] says where the tokens
    are.
    """
    return _pooled(x, np.repeat(1 / lengths[:, None], x.shape[1], axis=1))


@mistake("mean_pool")
def not_summed(x, lengths):
    """the rows were multiplied by their shares, but not added up over the time: y has T rows left.

    A mean is the sum of share times row: one row for each sequence, (shares[:, :, None] *
    x).sum(axis=1).
    """
    shares = (_real(x, lengths) / lengths[:, None]).astype(x.dtype)
    return shares[:, :, None] * x, (shares,)


@mistake("mean_pool")
def summed_over_the_channels(x, lengths):
    """the sum is over the channels; it must be over the time: y has one number for each position.

    Axis 1 is the time. With einsum: "bt,btc->bc".
    """
    shares = (_real(x, lengths) / lengths[:, None]).astype(x.dtype)
    return (shares[:, :, None] * x).sum(axis=2), (shares,)


@mistake("mean_pool")
def largest_of_the_tokens(x, lengths):
    """this is the largest of the tokens in each channel (max pooling), not their mean."""
    shares = (_real(x, lengths) / lengths[:, None]).astype(x.dtype)
    return np.where(shares[:, :, None] > 0, x, -np.inf).max(axis=1), (shares,)


@mistake("mean_pool")
def sum_of_the_tokens(x, lengths):
    """this is the sum of the tokens, not their mean.

    A text of 40 tokens would be ten times as loud as one of 4. Divide by lengths[:, None].
    """
    return _pooled(x, _real(x, lengths))


@mistake("mean_pool")
def one_position_too_many(x, lengths):
    """one position too many is counted as a token: `<=` where `<` is right (off by one).

    Positions start at 0. With a length of 2 the tokens are at 0 and 1, and 2 is padding.
    """
    real = np.arange(x.shape[1]) <= lengths[:, None]
    return _pooled(x, real / lengths[:, None])


@mistake("mean_pool")
def one_position_too_many_and_counted(x, lengths):
    """one position too many is averaged: lengths + 1 of them (off by one).

    Positions start at 0. With a length of 2 the tokens are at 0 and 1, and 2 is padding.
    """
    real = np.arange(x.shape[1]) <= lengths[:, None]
    return _pooled(x, real / real.sum(axis=1, keepdims=True))


@mistake("mean_pool")
def last_token_left_out(x, lengths):
    """the last token is left out: positions below lengths - 1 are averaged (off by one).

    With a length of 3 the tokens are at 0, 1 and 2, and all of them are below 3.
    """
    real = np.arange(x.shape[1]) < np.maximum(lengths - 1, 1)[:, None]
    return _pooled(x, real / real.sum(axis=1, keepdims=True))


@mistake("mean_pool")
def one_length_for_all(x, lengths):
    """all sequences are divided by the same number, the largest length.

    Each has its own length: lengths[:, None] is a column, one number for each row.
    """
    return _pooled(x, _real(x, lengths) / lengths.max())


@mistake("mean_pool")
def divided_by_all_tokens(x, lengths):
    """all sequences are divided by the number of tokens of the whole batch.

    Each is a mean over its own tokens: divide by lengths[:, None], one number for each row.
    """
    return _pooled(x, _real(x, lengths) / lengths.sum())


@mistake("mean_pool")
def mean_over_t_with_the_right_shares(x, lengths):
    """y was divided by T, with the padding as zeros; the shares in the cache are right.

    Use them: y is the sum over T of share times row. A mean over axis 1 counts the padding, too.
    """
    _, cache = _pooled(x, _real(x, lengths) / lengths[:, None])
    return (x * _real(x, lengths)[:, :, None]).mean(axis=1), cache


@mistake("mean_pool")
def mask_in_the_cache(x, lengths):
    """y is right, but the cache holds which positions are tokens (ones), not their shares.

    The backward gets the cache alone, without the lengths. Put 1 / lengths[b] where a token is.
    """
    y, _ = _pooled(x, _real(x, lengths) / lengths[:, None])
    return y, (_real(x, lengths).astype(x.dtype),)


@mistake("mean_pool")
def shares_in_float64(x, lengths):
    """the shares are float64, and so the result of a float32 model is float64 too.

    Dividing integers or booleans gives float64. Convert the shares: .astype(x.dtype).
    """
    shares = _real(x, lengths) / lengths[:, None]
    return (shares[:, :, None] * x).sum(axis=1), (shares,)


@mistake("mean_pool_backward")
def all_of_it_to_each_position(dy, cache):
    """every position, padding too, gets the whole of dy[b].

    The mean moves by a share of what one token moves by, and not at all with the padding. Multiply
    by shares[:, :, None].
    """
    (shares,) = cache
    return np.repeat(dy[:, None, :], shares.shape[1], axis=1)


@mistake("mean_pool_backward")
def all_of_it_to_each_token(dy, cache):
    """each token gets the whole of dy[b]: this is the backward of a sum.

    Forward, each token counted for one over the length. Backward it gets that share of dy.
    """
    (shares,) = cache
    return _sent_to(dy, cache, shares > 0)


@mistake("mean_pool_backward")
def divided_by_t_backward(dy, cache):
    """each position gets dy[b] / T, the padding too: that is the backward of x.mean(axis=1).

    The padding was not in the mean, and has no gradient. The cache knows each position's share.
    """
    (shares,) = cache
    return np.repeat(dy[:, None, :] / shares.shape[1], shares.shape[1], axis=1)


@mistake("mean_pool_backward")
def divided_by_all_tokens_backward(dy, cache):
    """each token gets dy[b] divided by the number of tokens of the whole batch.

    Forward each sequence was divided by its own length. Each token gets its share: shares[:, :,
    None] * dy[:, None, :].
    """
    (shares,) = cache
    return _sent_to(dy / np.count_nonzero(shares), cache, shares > 0)


@mistake("mean_pool_backward")
def a_share_for_the_padding(dy, cache):
    """each token gets its share, but the padding gets as much.

    Padding was not in the mean. If it changes, nothing changes: its gradient is 0.
    """
    (shares,) = cache
    return np.repeat(dy[:, None, :] * shares[:, :1, None], shares.shape[1], axis=1)


@mistake("mean_pool_backward")
def added_over_the_batch(dy, cache):
    """dy was added up over the batch; each text has its own gradient, dy[b].

    Texts of a batch have nothing to do with each other: dx[b] comes from dy[b] alone. dy[:, None,
    :] keeps them apart.
    """
    (shares,) = cache
    return shares[:, :, None] * dy.sum(axis=0)


@mistake("mean_pool_backward")
def shares_alone(dy, cache):
    """dx has the shares, but dy is not in it: the upstream gradient has to be multiplied in."""
    (shares,) = cache
    return np.repeat(shares[:, :, None], dy.shape[1], axis=2)


@mistake("last_token_pool")
def last_position(x, lengths):
    """x[:, -1] is the last position, and in all but the longest text that is padding.

    The last token of sequence b is at lengths[b] - 1.
    """
    return _ends(x, np.full(len(x), -1), lengths)


@mistake("last_token_pool")
def first_token(x, lengths):
    """this is the first token.

    BERT classifies by its first position, which sees the whole text. In a GPT the first position
    has seen only itself; the last token has seen everything.
    """
    return _ends(x, np.zeros(len(x), int), lengths)


@mistake("last_token_pool")
def token_before_the_last(x, lengths):
    """this is the token before the last one (off by one).

    A text of 3 tokens has its last one at 2, which is lengths - 1.
    """
    return _ends(x, lengths - 2, lengths)


@mistake("last_token_pool")
def position_after_the_last(x, lengths):
    """this is the position after the last token (off by one), which is padding.

    A text of 3 tokens has its last one at 2, which is lengths - 1.
    """
    return _ends(x, np.minimum(lengths, x.shape[1] - 1), lengths)


@mistake("last_token_pool")
def same_position_of_all(x, lengths):
    """the same position is taken from all sequences: the end of the longest one.

    Each sequence ends where its own length says. Index with two arrays of shape (B,): x[rows,
    lengths - 1].
    """
    return _ends(x, np.full(len(x), lengths.max() - 1), lengths)


@mistake("last_token_pool")
def end_of_the_first_text(x, lengths):
    """all texts were read where the first one ends: lengths[0] was used for all of them.

    Each text ends where its own length says. Index with two arrays of shape (B,): x[rows, lengths -
    1].
    """
    return _ends(x, np.full(len(x), lengths[0] - 1), lengths)


@mistake("last_token_pool")
def every_end_of_every_text(x, lengths):
    """y has one axis too many: x[:, lengths - 1] takes the end of every text from every text.

    `:` and an array do not go along together. Two arrays do: x[np.arange(B), lengths - 1] pairs
    text b with its own end.
    """
    return x[:, lengths - 1], (lengths, x.shape[1])


@mistake("last_token_pool")
def places_in_the_cache(x, lengths):
    """the cache has lengths - 1, the places; it must have the lengths as they came.

    The backward takes 1 off by itself, and would then hit the token before the last one.
    """
    y, (_, time) = _ends(x, lengths - 1, lengths)
    return y, (lengths - 1, time)


@mistake("last_token_pool_backward")
def gradient_to_all_positions(dy, cache):
    """all positions get dy[b], but only one position of each sequence was taken.

    The others were not used: their gradient is 0.
    """
    _, time = cache
    return np.repeat(dy[:, None, :], time, axis=1)


@mistake("last_token_pool_backward")
def gradient_to_all_tokens(dy, cache):
    """all tokens get dy[b], but only the last one was read.

    The gradient of the others is zero *here*. They get theirs further down, through the attention
    of the last token.
    """
    lengths, time = cache
    return _sent_to(dy, cache, np.arange(time) < lengths[:, None])


@mistake("last_token_pool_backward")
def gradient_to_the_last_position(dy, cache):
    """dy went to the last position, which is padding in all but the longest text.

    It belongs where the row was taken: at lengths[b] - 1.
    """
    _, time = cache
    return _sent_to(dy, cache, np.arange(time) == np.full((len(dy), 1), time - 1))


@mistake("last_token_pool_backward")
def gradient_after_the_last(dy, cache):
    """dy went to the position after the last token (off by one).

    The row was taken at lengths[b] - 1, and the gradient goes back to it.
    """
    lengths, time = cache
    return _sent_to(dy, cache, np.arange(time) == np.minimum(lengths, time - 1)[:, None])


@mistake("last_token_pool_backward")
def gradient_before_the_last(dy, cache):
    """dy went to the token before the last one (off by one).

    The row was taken at lengths[b] - 1, and the gradient goes back to it.
    """
    lengths, time = cache
    return _sent_to(dy, cache, np.arange(time) == (lengths[:, None] - 2) % time)


@mistake("last_token_pool_backward")
def ones_for_dy(dy, cache):
    """the places are right, but dy is not in it: put dy[b] there, not 1."""
    lengths, time = cache
    return _sent_to(np.ones_like(dy), cache, np.arange(time) == lengths[:, None] - 1)


@mistake("last_token_pool_backward")
def dy_of_the_first_text(dy, cache):
    """the places are right, but all texts get the gradient of the first one, dy[0].

    What text b gets back is dy[b].
    """
    lengths, time = cache
    same = np.broadcast_to(dy[0], dy.shape)
    return _sent_to(same, cache, np.arange(time) == lengths[:, None] - 1)


@mistake("last_token_pool_backward")
def to_every_end(dy, cache):
    """dy was written at the ends of all texts, in every text: dx[:, lengths - 1] = ...

    `:` and an array do not go along together. Two arrays do: dx[np.arange(B), lengths - 1] = dy.
    """
    lengths, time = cache
    return _sent_to(dy, cache, np.isin(np.arange(time), lengths - 1)[None, :])


@mistake("last_token_pool_backward")
def gradient_shared_out(dy, cache):
    """dy was shared out among the tokens: this is the backward of the mean.

    Only the last token was read, so it gets all of dy[b].
    """
    lengths, time = cache
    scaled = dy / lengths[:, None].astype(dy.dtype)
    return _sent_to(scaled, cache, np.arange(time) < lengths[:, None])
