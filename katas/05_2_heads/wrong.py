"""Ways in which heads get mixed up."""

from __future__ import annotations

import numpy as np

from minilm.course.mistakes import mistake


@mistake("split_heads")
def reshaped_only(x, heads):
    """reshape straight to (B, H, T, D) mixes positions with heads: transpose after it.

    The shape is right, but a reshape never moves a number: it cuts the same row of numbers in
    another way. In x the channels of one position are neighbors, so "head 0" gets all channels of
    the first few positions. Cut the last axis first, (B, T, H, D), then exchange axes 1 and 2.
    """
    batch, time, channels = x.shape
    return x.reshape(batch, heads, time, channels // heads)


@mistake("split_heads")
def heads_left_behind_the_time(x, heads):
    """the heads are on axis 2, after time: the transpose is missing.

    Attention works on the last two axes. These must be time and D, with the heads in front, next to
    the batch: exchange axes 1 and 2.
    """
    batch, time, channels = x.shape
    return x.reshape(batch, time, heads, channels // heads)


@mistake("split_heads")
def channels_dealt_in_turn(x, heads):
    """the channels were dealt out in turn: head h got channels h, h + H, h + 2 H, ...

    Each head gets D neighbors: the channels from h * D up to (h + 1) * D. A new model could learn
    with either, but weights that were trained with one are nonsense with the other. Reshape to
    (B, T, H, D), the heads before the size.
    """
    batch, time, channels = x.shape
    return x.reshape(batch, time, channels // heads, heads).transpose(0, 3, 1, 2)


@mistake("split_heads")
def heads_taken_for_the_size(x, heads):
    """the number of heads was taken for the size of a head: there are C / H heads of size H.

    `heads` is how many there are. The size of each is D = C // heads.
    """
    batch, time, channels = x.shape
    return x.reshape(batch, time, channels // heads, heads).transpose(0, 2, 1, 3)


@mistake("split_heads")
def heads_before_the_batch(x, heads):
    """the heads are on axis 0, before the batch: the result should be (B, H, T, D).

    np.stack puts the new axis first; np.stack(parts, axis=1) puts it after the batch.
    """
    return np.stack(np.split(x, heads, axis=-1))


@mistake("split_heads")
def time_and_size_exchanged(x, heads):
    """the last two axes are exchanged: (B, H, D, T) instead of (B, H, T, D).

    That is how the keys look inside q @ k.T, but there attention exchanges the axes itself.
    """
    batch, time, channels = x.shape
    return x.reshape(batch, time, heads, channels // heads).transpose(0, 2, 3, 1)


@mistake("split_heads")
def a_list_of_heads(x, heads):
    """this is a list of H arrays; one array with an axis for the heads is expected.

    np.stack(parts, axis=1) makes one array of them. Or reshape and transpose, without a list.
    """
    return np.split(x, heads, axis=-1)


@mistake("split_heads")
def every_axis_reversed(x, heads):
    """`.T` reversed all four axes; only axes 1 and 2 change places.

    On an array with more than two axes, .T is seldom what you want: use transpose(0, 2, 1, 3) or
    swapaxes(1, 2).
    """
    batch, time, channels = x.shape
    return x.reshape(batch, time, heads, channels // heads).T


@mistake("split_heads")
def divided_with_a_slash(x, heads):
    """`/` gives a float, and a shape needs a whole number: channels // heads."""
    batch, time, channels = x.shape
    return x.reshape(batch, time, heads, channels / heads).transpose(0, 2, 1, 3)


@mistake("split_heads")
def the_last_heads_first(x, heads):
    """the heads are in reverse order: head 0 gets the first D channels.

    With [::-1] somewhere, or a stack filled from the end, the last head comes first.
    """
    batch, time, channels = x.shape
    parts = x.reshape(batch, time, heads, channels // heads).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(parts[:, ::-1])


@mistake("merge_heads")
def merged_by_reshape_alone(x):
    """reshape alone mixes heads with positions: transpose before it.

    The shape is right, but in x the positions of one head are neighbors. Exchange axes 1 and 2
    first, so that the heads of one
    position are next to each other, then reshape.
    """
    batch, heads, time, size = x.shape
    return x.reshape(batch, time, heads * size)


@mistake("merge_heads")
def merged_in_turn(x):
    """the channels of the heads are interleaved, not side by side.

    First all D channels of head 0, then all of head 1. Before the reshape the axes must be (B, T,
    H, D): the size last.
    """
    batch, heads, time, size = x.shape
    return x.transpose(0, 2, 3, 1).reshape(batch, time, heads * size)


@mistake("merge_heads")
def averaged(x):
    """the heads were averaged: this is their mean.

    Heads are not votes on one thing. Each has found something else, and you keep all of it: H * D
    channels, side by side.
    """
    return x.mean(axis=1)


@mistake("merge_heads")
def added_up(x):
    """the heads were added up: this is their sum.

    Each head has found something else, and you keep all of it: H * D channels, side by side.
    """
    return x.sum(axis=1)


@mistake("merge_heads")
def one_after_another_in_time(x):
    """the heads were put one after another in time: (B, H * T, D).

    They belong side by side in the channels, on the last axis: (B, T, H * D).
    """
    return np.concatenate([x[:, h] for h in range(x.shape[1])], axis=1)


@mistake("merge_heads")
def wrong_axes_joined(x):
    """the axes were exchanged, but then time and heads were joined: reshape to (B, T, H * D).

    After the transpose the axes are (B, T, H, D), and the last two become one.
    """
    batch, heads, time, size = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, heads * time, size)


@mistake("merge_heads")
def not_reshaped(x):
    """the axes are right, (B, T, H, D), but there are still four: a reshape is missing.

    Join the last two to one of H * D channels.
    """
    return x.transpose(0, 2, 1, 3)


@mistake("merge_heads")
def merged_in_reverse(x):
    """the heads are in reverse order: head 0 has the first D channels."""
    return np.concatenate([x[:, h] for h in range(x.shape[1])][::-1], axis=-1)


@mistake("merge_heads")
def the_last_head_is_missing(x):
    """the last head is left out: the loop over the heads stops one too early."""
    return np.concatenate([x[:, :-1][:, h] for h in range(x.shape[1] - 1)] or [x[:, 0]], axis=-1)


@mistake("split_heads")
def batch_and_heads_exchanged(x, heads):
    """the batch and the heads changed places: exchange the time and the heads, axes 1 and 2."""
    batch, time, channels = x.shape
    return x.reshape(batch, time, heads, channels // heads).swapaxes(0, 2)


@mistake("split_heads")
def transposed_before_the_reshape(x, heads):
    """time and channels were exchanged first, and then cut into heads with time in the way.

    Cut the channels first, while they are the last axis: reshape to (B, T, H, D), then exchange
    axes 1 and 2.
    """
    batch, time, channels = x.shape
    return x.swapaxes(1, 2).reshape(batch, heads, time, channels // heads)


@mistake("split_heads")
def one_head_too_few(x, heads):
    """the last head is left out: the loop over the heads stops one too early."""
    size = x.shape[-1] // heads
    parts = [x[..., h * size : (h + 1) * size] for h in range(max(heads - 1, 1))]
    return np.stack(parts, axis=1)
