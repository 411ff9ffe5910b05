"""What people write in kata 4.6."""

import numpy as np

from minilm.course.mistakes import mistake

Array = np.ndarray
Cache = tuple[Array, Array, Array]


def _sums(dy: Array, normalized: Array) -> tuple[Array, Array]:
    """Return dgain and dbias as they should be."""
    rows = tuple(range(dy.ndim - 1))
    return (dy * normalized).sum(axis=rows), dy.sum(axis=rows)


def _mean(x: Array) -> Array:
    return x.mean(axis=-1, keepdims=True)


@mistake("layer_norm_backward")
def means_over_the_batch(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the means were taken over the batch (axis 0) instead of the channels (axis -1).

    Layer norm looks at one row at a time, and so does its gradient: no row may
    influence the dx of another one. Both means are over the last axis, with keepdims=True.
    """
    normalized, rstd, gain = cache
    d = dy * gain
    dx = rstd * (d - d.mean(axis=0) - normalized * (d * normalized).mean(axis=0))
    return dx, *_sums(dy, normalized)


@mistake("layer_norm_backward")
def statistics_as_constants(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """mean and variance were taken for constants: dx is only dy * gain * rstd.

    They are made of the same x. A change of one entry moves the mean and the variance of its row,
    and through them every entry of the row: these are the other two terms.
    """
    normalized, rstd, gain = cache
    return dy * gain * rstd, *_sums(dy, normalized)


@mistake("layer_norm_backward")
def without_the_way_through_the_mean(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the term mean(d) is missing from dx: the way through the mean of the row.

    Raise a whole row by a constant, and layer norm subtracts it again, so each row of dx must sum
    to zero. Without this term it does not.
    """
    normalized, rstd, gain = cache
    d = dy * gain
    return rstd * (d - normalized * _mean(d * normalized)), *_sums(dy, normalized)


@mistake("layer_norm_backward")
def without_the_way_through_the_variance(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the term normalized * mean(d * normalized) is missing from dx: the way through the variance.

    Stretch a row, and layer norm shrinks it again: dx must have no part along the row itself. Each
    row of dx, multiplied by its row of `normalized` and summed, must give (nearly) zero.
    """
    normalized, rstd, gain = cache
    d = dy * gain
    return rstd * (d - _mean(d)), *_sums(dy, normalized)


@mistake("layer_norm_backward")
def gain_left_out(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dx was made from dy, without the gain.

    On the way back the gain comes first: d = dy * gain is the gradient of `normalized`, and all
    means are of d. At the start of training the gain is 1, so nobody notices.
    """
    normalized, rstd, _ = cache
    dx = rstd * (dy - _mean(dy) - normalized * _mean(dy * normalized))
    return dx, *_sums(dy, normalized)


@mistake("layer_norm_backward")
def gain_at_the_end(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the gain was multiplied in at the end, after the means were taken of dy.

    It differs from channel to channel, so you cannot pull it out of a mean over channels. Multiply
    first, d = dy * gain, and take the means of d.
    """
    normalized, rstd, gain = cache
    dx = gain * rstd * (dy - _mean(dy) - normalized * _mean(dy * normalized))
    return dx, *_sums(dy, normalized)


@mistake("layer_norm_backward")
def rstd_left_out(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dx was not multiplied by rstd.

    The forward multiplies by rstd after it has subtracted the mean; so does the backward. Without
    it every row has the right direction and the wrong length.
    """
    normalized, _, gain = cache
    d = dy * gain
    return d - _mean(d) - normalized * _mean(d * normalized), *_sums(dy, normalized)


@mistake("layer_norm_backward")
def divided_by_the_deviation_again(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dx was divided by rstd instead of multiplied.

    `rstd` is already the reciprocal of the standard deviation.
    """
    normalized, rstd, gain = cache
    d = dy * gain
    return (d - _mean(d) - normalized * _mean(d * normalized)) / rstd, *_sums(dy, normalized)


@mistake("layer_norm_backward")
def sums_for_means(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the two means in dx are sums: they were not divided by the number of channels.

    The mean and the variance of the forward are divided by C, so each way through them has a 1/C.
    """
    normalized, rstd, gain = cache
    d = dy * gain
    channels = d.shape[-1]
    dx = rstd * (d - channels * _mean(d) - normalized * channels * _mean(d * normalized))
    return dx, *_sums(dy, normalized)


@mistake("layer_norm_backward")
def sample_variance(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the way through the variance was divided by C - 1, as for a variance with ddof=1.

    Layer norm has the variance of the population, divided by C, as `np.var` does by default.
    (PyTorch's `Tensor.var` divides by C - 1 by default.)
    """
    normalized, rstd, gain = cache
    d = dy * gain
    product = (d * normalized).sum(axis=-1, keepdims=True) / (d.shape[-1] - 1)
    return rstd * (d - _mean(d) - normalized * product), *_sums(dy, normalized)


@mistake("layer_norm_backward")
def dgain_without_normalized(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dgain is the sum of dy alone, which is dbias.

    The gain multiplies `normalized`, so its gradient is dy * normalized, summed over the rows.
    """
    dx, _, dbias = _right(dy, cache)
    return dx, dbias, dbias


@mistake("layer_norm_backward")
def results_in_another_order(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dgain and dbias have changed places.

    Return the gradients in the order of the forward's arguments: x, gain, bias.
    """
    dx, dgain, dbias = _right(dy, cache)
    return dx, dbias, dgain


@mistake("layer_norm_backward")
def mean_over_the_rows(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dgain and dbias are means over the rows; they must be sums.

    Every row used the same gain and the same bias, and what each of them adds to the loss adds up.
    If the loss is a mean, dy has its 1/N already.
    """
    dx, dgain, dbias = _right(dy, cache)
    count = dy.size // dy.shape[-1]
    return dx, dgain / count, dbias / count


@mistake("layer_norm_backward")
def only_the_first_axis_summed(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dgain and dbias were summed over axis 0 only; there may be more axes than two.

    In the model dy has shape (B, T, C): sum over batch and time, over all axes but the last.
    """
    dx, _, _ = _right(dy, cache)
    return dx, (dy * cache[0]).sum(axis=0), dy.sum(axis=0)


@mistake("layer_norm_backward")
def in_place_on_dy(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dy was multiplied by the gain in place (`dy *= gain`).

    The array belongs to the caller. In a transformer the same dy goes on along the residual
    connection, and would arrive there changed. Write d = dy * gain instead.
    """
    sums = _sums(dy, cache[0])
    normalized, rstd, gain = cache
    dy *= gain
    return rstd * (dy - _mean(dy) - normalized * _mean(dy * normalized)), *sums


def _right(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    normalized, rstd, gain = cache
    d = dy * gain
    return rstd * (d - _mean(d) - normalized * _mean(d * normalized)), *_sums(dy, normalized)


@mistake("layer_norm_backward")
def means_over_axis_one(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the means are over axis 1, which is the last axis only where there are two.

    In the model dy has shape (B, T, C), and axis 1 is time. Write axis=-1.
    """
    normalized, rstd, gain = cache
    d = dy * gain
    axis = min(1, d.ndim - 1)
    product = (d * normalized).mean(axis=axis, keepdims=True)
    dx = rstd * (d - d.mean(axis=axis, keepdims=True) - normalized * product)
    return dx, *_sums(dy, normalized)


@mistake("layer_norm_backward")
def means_over_everything(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the means have no axis, so they are over the whole array.

    Each row has its own mean and its own variance. Both means in dx are over the last axis:
    .mean(axis=-1, keepdims=True).
    """
    normalized, rstd, gain = cache
    d = dy * gain
    return rstd * (d - d.mean() - normalized * (d * normalized).mean()), *_sums(dy, normalized)


@mistake("layer_norm_backward")
def variance_added(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """the way through the variance has the wrong sign: it was added.

    Stretch a row and layer norm shrinks it again, so this term takes something away. Each row of
    dx, multiplied by its row of `normalized` and summed, must give (nearly) zero.
    """
    normalized, rstd, gain = cache
    d = dy * gain
    return rstd * (d - _mean(d) + normalized * _mean(d * normalized)), *_sums(dy, normalized)


@mistake("layer_norm_backward")
def dbias_with_the_gain(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dbias was summed from dy * gain; the bias is added after the gain.

    On the way back it comes first: its gradient is the sum of dy itself over the rows.
    """
    dx, dgain, dbias = _right(dy, cache)
    return dx, dgain, dbias * cache[2]


@mistake("layer_norm_backward")
def dgain_with_the_gain(dy: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """dgain was summed from dy * gain * normalized; the gain isn't part of its own gradient.

    y = gain * normalized + bias: what multiplies the gain is `normalized`, so dgain is the sum of
    dy * normalized over the rows.
    """
    dx, dgain, dbias = _right(dy, cache)
    return dx, dgain * cache[2], dbias
