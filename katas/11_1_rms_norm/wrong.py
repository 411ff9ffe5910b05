"""What people write in kata 11.1."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _mean(x: Any) -> Any:
    return x.mean(axis=-1, keepdims=True)


def _with(x: Any, gain: Any, rstd: Any) -> Any:
    return x * rstd * gain, (x * rstd, rstd, gain)


def _rstd(x: Any, epsilon: float) -> Any:
    return 1 / np.sqrt(_mean(x * x) + epsilon)


@mistake("rms_norm")
def the_mean_is_taken_off(x, gain, epsilon=1e-5):
    """this is layer norm: the mean of the row was subtracted.

    RMS norm leaves the mean where it is. It only divides, by the root of the mean of the squares.
    """
    centered = x - _mean(x)
    return _with(centered, gain, _rstd(centered, epsilon))


@mistake("rms_norm")
def the_standard_deviation(x, gain, epsilon=1e-5):
    """the row was divided by its standard deviation, which is measured from the mean.

    The mean square is measured from zero: (x * x).mean(), not x.var(). The two are the same only
    for a row whose mean is 0.
    """
    return _with(x, gain, 1 / np.sqrt(x.var(axis=-1, keepdims=True) + epsilon))


@mistake("rms_norm")
def a_sum_for_the_mean(x, gain, epsilon=1e-5):
    """the sum of the squares was taken, not their mean.

    Then each row has length 1, and its entries shrink when the model gets wider. With the mean,
    an entry of y is about as large as the gain, whatever C is.
    """
    return _with(x, gain, 1 / np.sqrt((x * x).sum(axis=-1, keepdims=True) + epsilon))


@mistake("rms_norm")
def the_length_of_the_row(x, gain, epsilon=1e-5):
    """the row was divided by its length, the root of the sum of squares, plus epsilon.

    np.linalg.norm does not divide by C. The root mean square does: it is the length over sqrt(C).
    """
    return _with(x, gain, 1 / (np.linalg.norm(x, axis=-1, keepdims=True) + epsilon))


@mistake("rms_norm")
def epsilon_outside_the_root(x, gain, epsilon=1e-5):
    """epsilon was added after the root; it belongs inside, to the mean square.

    For large rows there is hardly a difference. But a model whose rows are small was trained with
    the other form.
    """
    return _with(x, gain, 1 / (np.sqrt(_mean(x * x)) + epsilon))


@mistake("rms_norm")
def no_epsilon(x, gain, epsilon=1e-5):
    """epsilon is missing: it is added to the mean square, under the root.

    Without it a row of zeros becomes 0 / 0.
    """
    return _with(x, gain, _rstd(x, 0.0))


@mistake("rms_norm")
def epsilon_fixed(x, gain, epsilon=1e-5):
    """the argument epsilon is not used: 1e-5 is written into the formula.

    Llama 2 has 1e-5, others have 1e-6: it comes with the model.
    """
    return _with(x, gain, _rstd(x, 1e-5))


@mistake("rms_norm")
def no_root(x, gain, epsilon=1e-5):
    """the root is missing: the row was divided by its mean square.

    Then a row that is twice as large comes out half as large.
    """
    return _with(x, gain, _rstd(x, epsilon) ** 2)


@mistake("rms_norm")
def divided_and_not_multiplied(x, gain, epsilon=1e-5):
    """the row was multiplied by its root mean square; it must be divided by it."""
    return _with(x, gain, 1 / _rstd(x, epsilon))


@mistake("rms_norm")
def the_square_of_the_mean(x, gain, epsilon=1e-5):
    """the mean was squared; you need the mean of the squares.

    Square first, then take the mean: entries of opposite signs must not cancel.
    """
    return _with(x, gain, 1 / np.sqrt(_mean(x) ** 2 + epsilon))


@mistake("rms_norm")
def the_mean_of_sizes(x, gain, epsilon=1e-5):
    """the mean of the absolute values was taken: np.abs(x) instead of x * x under a root."""
    return _with(x, gain, 1 / (_mean(np.abs(x)) + epsilon))


@mistake("rms_norm")
def one_number_for_all_rows(x, gain, epsilon=1e-5):
    """the mean has no axis, so it is over the whole array.

    Each row is divided by its own root mean square: .mean(axis=-1, keepdims=True).
    """
    rstd = 1 / np.sqrt((x * x).mean() + epsilon)
    return _with(x, gain, np.full((*x.shape[:-1], 1), rstd, x.dtype))


@mistake("rms_norm")
def over_the_rows(x, gain, epsilon=1e-5):
    """the mean is over axis 0, the rows; it must be over the last axis, the channels.

    A row must not depend on what else is in the batch.
    """
    return _with(x, gain, 1 / np.sqrt((x * x).mean(axis=0, keepdims=True) + epsilon))


@mistake("rms_norm")
def over_axis_one(x, gain, epsilon=1e-5):
    """the mean is over axis 1, which is the last axis only where there are two.

    In the model x has shape (B, T, C), and axis 1 is time. Write axis=-1.
    """
    axis = min(1, x.ndim - 1)
    return _with(x, gain, 1 / np.sqrt((x * x).mean(axis=axis, keepdims=True) + epsilon))


@mistake("rms_norm")
def no_gain(x, gain, epsilon=1e-5):
    """y was not multiplied by the gain.

    In a new model all gains are 1, and nobody notices. In a trained one they are far from it.
    """
    normalized = x * _rstd(x, epsilon)
    return normalized, (normalized, _rstd(x, epsilon), gain)


@mistake("rms_norm")
def one_plus_the_gain(x, gain, epsilon=1e-5):
    """y was multiplied by 1 + gain; here the gain itself multiplies.

    Gemma stores each gain minus 1. Llama does not.
    """
    y, cache = _with(x, 1 + gain, _rstd(x, epsilon))
    return y, (*cache[:2], gain)


@mistake("rms_norm")
def the_root_in_the_cache(x, gain, epsilon=1e-5):
    """the cache has the root; it must have one over it, `rstd`: 1 / np.sqrt(...)."""
    rstd = _rstd(x, epsilon)
    return x * rstd * gain, (x * rstd, 1 / rstd, gain)


@mistake("rms_norm")
def x_in_the_cache(x, gain, epsilon=1e-5):
    """the cache has x itself; it must have `normalized`, which is x * rstd."""
    rstd = _rstd(x, epsilon)
    return x * rstd * gain, (x, rstd, gain)


@mistake("rms_norm")
def y_in_the_cache(x, gain, epsilon=1e-5):
    """the cache has y; it must have `normalized`, which is y before the gain.

    The backward cannot divide by the gain to get it back: a gain may be 0.
    """
    rstd = _rstd(x, epsilon)
    return x * rstd * gain, (x * rstd * gain, rstd, gain)


@mistake("rms_norm")
def x_in_place(x, gain, epsilon=1e-5):
    """x was scaled in place (`x *= rstd`).

    The array belongs to the caller: the same x goes on along the residual stream, around the norm.
    """
    rstd = _rstd(x, epsilon)
    x *= rstd
    return x * gain, (x, rstd, gain)


def _sum(dy: Any, n: Any) -> Any:
    return (dy * n).sum(axis=tuple(range(dy.ndim - 1)))


def _dx(dy: Any, cache: Any) -> Any:
    n, rstd, gain = cache
    d = dy * gain
    return rstd * (d - n * _mean(d * n))


@mistake("rms_norm_backward")
def rstd_as_a_constant(dy, cache):
    """rstd was taken for a constant: dx is only dy * gain * rstd.

    It is made of the same x. A change of one entry moves the mean square of its row, and through it
    every entry of the row: that is the second term.
    """
    n, rstd, gain = cache
    return dy * gain * rstd, _sum(dy, n)


@mistake("rms_norm_backward")
def as_in_layer_norm(dy, cache):
    """dx has the term mean(d), which belongs to layer norm.

    That term is what goes back through the mean. RMS norm subtracts no mean, so two terms are left.
    """
    n, rstd, gain = cache
    d = dy * gain
    return rstd * (d - _mean(d) - n * _mean(d * n)), _sum(dy, n)


@mistake("rms_norm_backward")
def gain_left_out(dy, cache):
    """dx was made from dy, without the gain.

    On the way back the gain comes first: d = dy * gain, and the mean is of d * normalized.
    """
    n, rstd, _ = cache
    return rstd * (dy - n * _mean(dy * n)), _sum(dy, n)


@mistake("rms_norm_backward")
def gain_at_the_end(dy, cache):
    """the gain was multiplied in at the end, after the mean was taken of dy.

    It differs from channel to channel, so it does not come out of a mean over channels. Multiply
    first: d = dy * gain.
    """
    n, rstd, gain = cache
    return gain * rstd * (dy - n * _mean(dy * n)), _sum(dy, n)


@mistake("rms_norm_backward")
def a_sum_in_the_backward(dy, cache):
    """the mean in dx is a sum: it was not divided by the number of channels.

    The mean square of the forward is divided by C, so what goes back through it carries 1/C.
    """
    n, rstd, gain = cache
    d = dy * gain
    return rstd * (d - n * (d * n).sum(axis=-1, keepdims=True)), _sum(dy, n)


@mistake("rms_norm_backward")
def the_second_term_added(dy, cache):
    """the second term has the wrong sign: it was added.

    Stretch a row and RMS norm shrinks it again, so that term subtracts something. Each row of dx,
    multiplied by its row of `normalized` and summed, must give (nearly) zero.
    """
    n, rstd, gain = cache
    d = dy * gain
    return rstd * (d + n * _mean(d * n)), _sum(dy, n)


@mistake("rms_norm_backward")
def the_mean_alone(dy, cache):
    """the second term lacks its factor `normalized`: only the mean was subtracted.

    mean(d * normalized) says how much of the row's own direction is in d. Subtract that much of the
    row itself: normalized * mean(d * normalized).
    """
    n, rstd, gain = cache
    d = dy * gain
    return rstd * (d - _mean(d * n)), _sum(dy, n)


@mistake("rms_norm_backward")
def rstd_left_out(dy, cache):
    """dx was not multiplied by rstd.

    The forward multiplies by rstd; so does the backward, at the end.
    """
    n, _, gain = cache
    d = dy * gain
    return d - n * _mean(d * n), _sum(dy, n)


@mistake("rms_norm_backward")
def divided_by_rstd(dy, cache):
    """dx was divided by rstd instead of multiplied; rstd is one over the root already."""
    n, rstd, gain = cache
    d = dy * gain
    return (d - n * _mean(d * n)) / rstd, _sum(dy, n)


@mistake("rms_norm_backward")
def rstd_cubed(dy, cache):
    """the second term has rstd**3, which belongs to x; `normalized` has two of these in it already.

    With x the term is x * rstd**3 * mean(d * x). Written with normalized = x * rstd, one rstd is
    left.
    """
    n, rstd, gain = cache
    d = dy * gain
    return d * rstd - n * rstd**3 * _mean(d * n), _sum(dy, n)


@mistake("rms_norm_backward")
def only_the_first_axis_summed(dy, cache):
    """dgain was summed over axis 0 only; there may be more axes than two.

    In the model dy has shape (B, T, C): sum over batch and time, over all axes but the last.
    """
    return _dx(dy, cache), (dy * cache[0]).sum(axis=0)


@mistake("rms_norm_backward")
def dgain_without_normalized(dy, cache):
    """dgain is the sum of dy alone.

    The gain multiplies `normalized`, so its gradient is dy * normalized, summed over the rows.
    """
    return _dx(dy, cache), dy.sum(axis=tuple(range(dy.ndim - 1)))


@mistake("rms_norm_backward")
def dgain_with_the_gain(dy, cache):
    """dgain was summed from dy * gain * normalized; the gain is not part of its own gradient."""
    return _dx(dy, cache), _sum(dy, cache[0]) * cache[2]


@mistake("rms_norm_backward")
def dgain_as_a_mean(dy, cache):
    """dgain is a mean over the rows; it must be a sum.

    Every row used the same gain, and what each of them adds to the loss adds up.
    """
    return _dx(dy, cache), _sum(dy, cache[0]) / (dy.size // dy.shape[-1])


@mistake("rms_norm_backward")
def dy_in_place(dy, cache):
    """dy was multiplied by the gain in place (`dy *= gain`).

    The array belongs to the caller: in the model the same dy goes on along the residual stream.
    """
    dgain = _sum(dy, cache[0])
    n, rstd, gain = cache
    dy *= gain
    return rstd * (dy - n * _mean(dy * n)), dgain


@mistake("rms_norm_backward")
def dgain_first(dy, cache):
    """dx and dgain are swapped: the order is that of the arguments, x and then gain."""
    return _sum(dy, cache[0]), _dx(dy, cache)
