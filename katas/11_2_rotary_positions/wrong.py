"""What people write in kata 11.2."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


@mistake("rotary_angles")
def sines_first(positions, frequencies):
    """the sines come first; the order is cosines, then sines (swapped)."""
    angles = np.outer(positions, frequencies)
    return np.sin(angles), np.cos(angles)


@mistake("rotary_angles")
def frequencies_along_the_rows(positions, frequencies):
    """a transpose: the table has a row for each frequency; it needs one for each position.

    np.outer(positions, frequencies), in this order, has the shape (T, D / 2).
    """
    angles = np.outer(frequencies, positions)
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def added_and_not_multiplied(positions, frequencies):
    """positions and frequencies were added; an angle is their product.

    A pair that turns by 0.4 at each position has turned by 5 * 0.4 at position 5.
    """
    angles = positions[:, None] + frequencies
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def entry_by_entry(positions, frequencies):
    """positions * frequencies multiplies entry by entry; every position needs every frequency.

    Give the positions their own axis, positions[:, None], and the two broadcast to a table of shape
    (T, D / 2).
    """
    angles = positions * frequencies
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def in_degrees(positions, frequencies):
    """the angles were taken for degrees: frequencies are in radians, and np.cos takes radians."""
    angles = np.deg2rad(np.outer(positions, frequencies))
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def in_whole_turns(positions, frequencies):
    """the angles were multiplied by 2 pi, as if the frequencies were in whole turns.

    They are in radians for each position: the product is the angle.
    """
    angles = 2 * np.pi * np.outer(positions, frequencies)
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def divided_by_the_frequency(positions, frequencies):
    """the positions were divided by the frequencies; multiply.

    Formulas with `theta ** (2 i / D)` divide. Here the frequencies are `theta ** (-2 i / D)`
    already.
    """
    angles = positions[:, None] / frequencies
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def raised_to_the_power(positions, frequencies):
    """a power was taken where a product belongs: the angle is position times frequency.

    At each position a pair turns further by the same angle.
    """
    with np.errstate(all="ignore"):
        angles = frequencies ** positions[:, None]
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def always_from_zero(positions, frequencies):
    """the positions were counted from 0; take those that are given.

    When a model writes its 302nd token, there is one position, and it is 301.
    """
    angles = np.outer(np.arange(len(positions)), frequencies)
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def an_angle_for_each_channel(positions, frequencies):
    """the table is twice as wide as it should be: one angle for each pair, not for each channel.

    Hugging Face repeats the angles for the second half. Here `rotary` takes them once.
    """
    angles = np.outer(positions, frequencies)
    angles = np.concatenate([angles, angles], axis=-1)
    return np.cos(angles), np.sin(angles)


@mistake("rotary_angles")
def only_one_of_them(positions, frequencies):
    """the angles themselves were returned; `rotary` needs their cosines and sines."""
    angles = np.outer(positions, frequencies)
    return angles, angles


def _halves(x: Any) -> Any:
    return np.split(x, 2, axis=-1)


def _join(a: Any, b: Any) -> Any:
    return np.concatenate([a, b], axis=-1)


@mistake("rotary")
def neighbors_are_pairs(x, cos, sin):
    """neighbors were paired, channels 0 and 1; here the halves are: channels 0 and D / 2.

    The paper pairs neighbors, and both are rotary positions. But a model must be run with the pairs
    that it was trained with, and Llama's files pair the halves.
    """
    a, b = x[..., ::2], x[..., 1::2]
    return np.stack([a * cos - b * sin, b * cos + a * sin], axis=-1).reshape(x.shape), (cos, sin)


@mistake("rotary")
def neighbors_into_halves(x, cos, sin):
    """the pairs are neighbors on the way in (x[..., ::2], x[..., 1::2]), and halves on the way out.

    Cut x in two halves, as they are put together at the end.
    """
    a, b = x[..., ::2], x[..., 1::2]
    return _join(a * cos - b * sin, b * cos + a * sin), (cos, sin)


@mistake("rotary")
def the_other_direction(x, cos, sin):
    """the pairs turn the other way, by minus the angle.

    (1, 0) turned by a quarter is (0, 1): the first half has the minus sign, a * cos - b * sin.
    Distances still count as they should, but a pretrained model expects the direction of the stub.
    """
    a, b = _halves(x)
    return _join(a * cos + b * sin, b * cos - a * sin), (cos, sin)


@mistake("rotary")
def no_minus_sign(x, cos, sin):
    """the minus sign is missing in the first half: a * cos - b * sin.

    With two plus signs it is no turn: the pairs get longer or shorter.
    """
    a, b = _halves(x)
    return _join(a * cos + b * sin, b * cos + a * sin), (cos, sin)


@mistake("rotary")
def two_minus_signs(x, cos, sin):
    """the second half has a minus sign too; it is b * cos + a * sin.

    With two minus signs it is no turn: the pairs get longer or shorter.
    """
    a, b = _halves(x)
    return _join(a * cos - b * sin, b * cos - a * sin), (cos, sin)


@mistake("rotary")
def cosine_and_sine_exchanged(x, cos, sin):
    """cos and sin are swapped: at an angle of 0 nothing must happen, and cos 0 is 1."""
    a, b = _halves(x)
    return _join(a * sin - b * cos, b * sin + a * cos), (cos, sin)


@mistake("rotary")
def second_half_loses_itself(x, cos, sin):
    """the second half is only a * sin; b * cos is missing.

    At position 0 the angle is 0, and b must stay as it is.
    """
    a, b = _halves(x)
    return _join(a * cos - b * sin, a * sin), (cos, sin)


@mistake("rotary")
def first_half_loses_the_other(x, cos, sin):
    """the first half is only a * cos; - b * sin is missing.

    A turn moves something of each half into the other.
    """
    a, b = _halves(x)
    return _join(a * cos, b * cos + a * sin), (cos, sin)


@mistake("rotary")
def only_the_cosine(x, cos, sin):
    """both halves were only multiplied by cos; the parts with sin are missing.

    That shrinks the channels. A turn moves something of each half into the other.
    """
    a, b = _halves(x)
    return _join(a * cos, b * cos), (cos, sin)


@mistake("rotary")
def split_along_the_first_axis(x, cos, sin):
    """np.split cut another axis than the channels: it needs axis=-1.

    Its default is axis 0.
    """
    a, b = np.split(x, 2)
    return _join(a * cos - b * sin, b * cos + a * sin), (cos, sin)


@mistake("rotary")
def joined_along_the_first_axis(x, cos, sin):
    """the halves were joined along axis 0, the default of np.concatenate: axis=-1."""
    a, b = _halves(x)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin]), (cos, sin)


@mistake("rotary")
def stacked(x, cos, sin):
    """the halves were stacked on a new axis; they belong side by side in the last one.

    np.concatenate([...], axis=-1) has the shape of x.
    """
    a, b = _halves(x)
    return np.stack([a * cos - b * sin, b * cos + a * sin], axis=-1), (cos, sin)


@mistake("rotary")
def halves_exchanged(x, cos, sin):
    """the halves of the result are swapped: the order is that of x."""
    a, b = _halves(x)
    return _join(b * cos + a * sin, a * cos - b * sin), (cos, sin)


@mistake("rotary")
def overwritten_too_early(x, cos, sin):
    """the first half was overwritten before the second one used it.

    A slice is a view: once y[..., :half] is new, the old a is gone. Compute both halves first.
    """
    half = x.shape[-1] // 2
    y = x.copy()
    y[..., :half] = y[..., :half] * cos - y[..., half:] * sin
    y[..., half:] = y[..., half:] * cos + y[..., :half] * sin
    return y, (cos, sin)


@mistake("rotary")
def added_as_a_vector(x, cos, sin):
    """cos and sin were added to x, as the sinusoids of the first transformer were.

    Rotary positions turn: each pair (a, b) becomes (a cos - b sin, b cos + a sin).
    """
    return x + _join(cos, sin), (cos, sin)


@mistake("rotary")
def angles_along_the_heads(x, cos, sin):
    """the angles go along another axis than the time, which is the last but one.

    cos has shape (T, D / 2) and a has (..., T, D / 2): they broadcast as they are.
    """
    a, b = _halves(x)
    if x.ndim > 2:
        cos, sin = cos[:, None], sin[:, None]
    return _join(a * cos - b * sin, b * cos + a * sin), (cos, sin)


@mistake("rotary")
def x_in_the_cache(x, cos, sin):
    """the cache has x in it; it should be (cos, sin) only.

    A turn is linear in x, so its gradient needs the angles and not x. Keeping x costs memory in
    every layer.
    """
    return _turn(x, cos, sin), (x, cos, sin)


@mistake("rotary")
def turned_in_place(x, cos, sin):
    """x was turned in place; it belongs to the caller. Put the result in a new array."""
    a, b = (part.copy() for part in _halves(x))
    x[...] = _join(a * cos - b * sin, b * cos + a * sin)
    return x, (cos, sin)


def _turn(x: Any, cos: Any, sin: Any) -> Any:
    a, b = _halves(x)
    return _join(a * cos - b * sin, b * cos + a * sin)


@mistake("rotary_backward")
def the_same_way_again(dy, cache):
    """dy was turned the same way as x; it must be turned back, by minus the angle.

    cos stays as it is, and sin changes its sign: cos(-t) = cos(t), sin(-t) = -sin(t).
    """
    return _turn(dy, *cache)


@mistake("rotary_backward")
def minus_the_cosine(dy, cache):
    """the sign of cos was changed; it is sin that changes: cos(-t) = cos(t), sin(-t) = -sin(t)."""
    cos, sin = cache
    return _turn(dy, -cos, sin)


@mistake("rotary_backward")
def minus_both(dy, cache):
    """both signs were changed; only sin changes its sign: cos(-t) = cos(t)."""
    cos, sin = cache
    return _turn(dy, -cos, -sin)


@mistake("rotary_backward")
def a_pair_returned(dy, cache):
    """this is the pair (y, cache) that rotary returns; dx is its first part.

    rotary(...)[0], or dx, _ = rotary(...).
    """
    cos, sin = cache
    return _turn(dy, cos, -sin), (cos, -sin)


@mistake("rotary_backward")
def dy_as_it_is(dy, cache):
    """dy was passed on as it is; it must be turned back.

    Lengths do not change in a turn, but directions do.
    """
    return dy.copy()


@mistake("rotary_backward")
def cosine_alone_in_the_backward(dy, cache):
    """dx has only the parts with cos; those with sin are missing.

    a is used twice in the forward, in a * cos and in a * sin, so its gradient has two parts.
    """
    a, b = _halves(dy)
    return _join(a * cache[0], b * cache[0])


@mistake("rotary_backward")
def neighbors_in_the_backward(dy, cache):
    """the backward pairs neighbors, and the forward pairs halves: cut dy in two halves."""
    cos, sin = cache
    a, b = dy[..., ::2], dy[..., 1::2]
    return np.stack([a * cos + b * sin, b * cos - a * sin], axis=-1).reshape(dy.shape)


@mistake("rotary_backward")
def divided_by_the_cosine(dy, cache):
    """dy was divided by cos. What undoes a turn is a turn, not a division.

    da * cos + db * sin, and db * cos - da * sin.
    """
    cos, sin = cache
    a, b = _halves(dy)
    return _join(a / cos + b * sin, b / cos - a * sin)


@mistake("rotary_backward")
def sine_in_place(dy, cache):
    """sin was negated in place (`sin *= -1`): all layers of the model share these angles.

    -sin is a new array.
    """
    cos, sin = cache
    sin *= -1
    return _turn(dy, cos, sin)


@mistake("rotary_backward")
def plus_in_both(dy, cache):
    """a sign is wrong: the second half is db * cos - da * sin.

    The transpose of the turn has its minus sign in the other place.
    """
    cos, sin = cache
    a, b = _halves(dy)
    return _join(a * cos + b * sin, b * cos + a * sin)
