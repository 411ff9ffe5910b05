"""What people write in kata 4.5."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake

Array = np.ndarray
Cache = tuple[Any, ...]
Result = tuple[Array, Cache]


def _rows(x: Array) -> tuple[Array, Array]:
    """Return mean and variance as they should be."""
    return x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)


def _right(x: Array, epsilon: float) -> tuple[Array, Array]:
    """Return `normalized` and `rstd` as they should be."""
    mean, variance = _rows(x)
    rstd = 1 / np.sqrt(variance + epsilon)
    return (x - mean) * rstd, rstd


def _with(normalized: Array, rstd: Array, gain: Array, bias: Array) -> Result:
    return normalized * gain + bias, (normalized, rstd, gain)


@mistake("layer_norm")
def sample_variance(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the variance was divided by C - 1, as with ddof=1.

    Layer norm divides by C, as NumPy's `x.var(axis=-1)` does by default. The C - 1 belongs to a
    sample of something larger; here the row is all there is. (PyTorch's `Tensor.var` divides by C -
    1 by default, its LayerNorm does not.)
    """
    mean = x.mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(axis=-1, ddof=1, keepdims=True) + epsilon)
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def epsilon_outside_the_root(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """epsilon was added to the standard deviation; it belongs inside the root.

    rstd = 1 / sqrt(variance + epsilon). For rows whose entries differ little, epsilon in the root
    does more: the root of 0.00001 is 0.003. Weights that were trained with one formula need that
    formula.
    """
    mean, variance = _rows(x)
    rstd = 1 / (np.sqrt(variance) + epsilon)
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def epsilon_forgotten(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """epsilon is missing: a row of equal numbers has variance 0, and you divide by zero.

    rstd = 1 / sqrt(variance + epsilon). A row of padding can look like that.
    """
    mean, variance = _rows(x)
    rstd = 1 / np.sqrt(variance)
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def epsilon_always_the_default(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """epsilon is always 1e-5: the number is in the formula, not the argument.

    Models differ: 1e-5 in GPT-2, 1e-12 in BERT. Use the name `epsilon`.
    """
    normalized, rstd = _right(x, 1e-5)
    return _with(normalized, rstd, gain, bias)


@mistake("layer_norm")
def epsilon_after_the_division(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """epsilon was added after the root was taken and turned over: 1 / sqrt(variance) + epsilon.

    That does not help where the variance is 0. Add it to the variance, before the root.
    """
    mean, variance = _rows(x)
    rstd = 1 / np.sqrt(variance) + epsilon
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def over_the_batch(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """mean and variance are over axis 0, the batch: this is what batch norm does.

    Layer norm looks at one row at a time, so a text's result does not depend on the other
    texts in its batch. The last axis has the channels: axis=-1.
    """
    rstd = 1 / np.sqrt(x.var(axis=0, keepdims=True) + epsilon)
    return _with((x - x.mean(axis=0, keepdims=True)) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def over_axis_one(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """mean and variance are over axis 1, which is the last axis only where there are two.

    In the model x has shape (B, T, C), and axis 1 is time: each position would see later ones.
    Write axis=-1.
    """
    axis = min(1, x.ndim - 1)
    rstd = 1 / np.sqrt(x.var(axis=axis, keepdims=True) + epsilon)
    return _with((x - x.mean(axis=axis, keepdims=True)) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def over_everything(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """mean and variance have no axis, so there is one of each for the whole array.

    Each row has its own: axis=-1, with keepdims=True.
    """
    rstd = 1 / np.sqrt(x.var() + epsilon)
    return _with((x - x.mean()) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def over_everything_kept(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """mean and variance are over all axes together: there is one of each for the whole array.

    Each row has its own. Give the axis beside keepdims: axis=-1, keepdims=True.
    """
    rstd = 1 / np.sqrt(x.var(keepdims=True) + epsilon)
    return _with((x - x.mean(keepdims=True)) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def keepdims_forgotten(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the statistics lost their axis: keepdims=True is missing.

    From (5, 7) a mean over the last axis is (5,), and NumPy lines it up with the seven channels.
    With keepdims=True it is (5, 1), one number beside each row.
    """
    rstd = 1 / np.sqrt(x.var(axis=-1) + epsilon)
    return _with((x - x.mean(axis=-1)) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def rstd_without_its_axis(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """rstd in the cache has lost its last axis: its shape must be (..., 1). keepdims=True keeps it.

    The backward multiplies rows by it, and would have to put the axis back.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized * gain + bias, (normalized, rstd[..., 0], gain)


@mistake("layer_norm")
def root_forgotten(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the square root is missing: the row was divided by its variance.

    A variance is in squared units. To bring the spread to 1, divide by its root, the standard
    deviation.
    """
    mean, variance = _rows(x)
    rstd = 1 / (variance + epsilon)
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def multiplied_by_the_deviation(
    x: Array, gain: Array, bias: Array, epsilon: float = 1e-5
) -> Result:
    """the row was multiplied by its standard deviation; it must be divided.

    rstd is one over it (the r is for reciprocal): a row with a wide spread gets a small factor.
    """
    mean, variance = _rows(x)
    rstd = np.sqrt(variance + epsilon)
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def sum_of_squares(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the variance is a sum of squares: it was not divided by the number of channels.

    So rows have length 1, and the more channels there are, the smaller the entries get. A variance
    is a mean: of the squared distances from the mean.
    """
    centered = x - x.mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt((centered**2).sum(axis=-1, keepdims=True) + epsilon)
    return _with(centered * rstd, rstd, gain, bias)


@mistake("layer_norm")
def mean_kept(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the mean was not subtracted: the row is x * rstd.

    Then a row around 100 stays far from 0, in smaller units. First x - mean, then times rstd.
    """
    _, variance = _rows(x)
    rstd = 1 / np.sqrt(variance + epsilon)
    return _with(x * rstd, rstd, gain, bias)


@mistake("layer_norm")
def rms_norm(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """this is RMS norm: the row was divided by the root of its mean square, with the mean kept.

    Llama does this (kata 11.1). Layer norm subtracts the mean first.
    """
    rstd = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon)
    return _with(x * rstd, rstd, gain, bias)


@mistake("layer_norm")
def mean_square_of_x(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the variance was taken of x with the mean still in it: the mean of x**2.

    You subtracted the mean in `normalized`, but a variance is the mean of (x - mean)**2 too.
    """
    mean, _ = _rows(x)
    rstd = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon)
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def variance_as_a_difference(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the variance is mean(x**2) - mean(x)**2: a small difference of two large numbers.

    On paper it is the same. For a row far from zero, both have the same leading digits, and what is
    left of them is rounding: it may even be negative. Take the mean of (x - mean)**2.
    """
    mean, _ = _rows(x)
    rstd = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) - mean * mean + epsilon)
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def mean_absolute_deviation(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the row was divided by the mean of |x - mean|.

    The standard deviation is the root of the mean of (x - mean)**2; it gives more weight to what
    is far away.
    """
    centered = x - x.mean(axis=-1, keepdims=True)
    rstd = 1 / (np.abs(centered).mean(axis=-1, keepdims=True) + epsilon)
    return _with(centered * rstd, rstd, gain, bias)


@mistake("layer_norm")
def gain_forgotten(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the gain is missing from y.

    A new model has gains of 1, so nobody notices; a trained one does not.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized + bias, (normalized, rstd, gain)


@mistake("layer_norm")
def bias_forgotten(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the bias is missing from y.

    A new model has biases of 0, so nobody notices; a trained one does not.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized * gain, (normalized, rstd, gain)


@mistake("layer_norm")
def gain_and_bias_forgotten(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """y is `normalized`: the gain and the bias are missing.

    They come last: multiply by the gain, add the bias. With gains of 1 and biases of 0, as in a
    new model, nobody notices.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized.copy(), (normalized, rstd, gain)


@mistake("layer_norm")
def bias_before_the_gain(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the bias was added before the gain: (normalized + bias) * gain.

    Multiply first, then add: normalized * gain + bias.
    """
    normalized, rstd = _right(x, epsilon)
    return (normalized + bias) * gain, (normalized, rstd, gain)


@mistake("layer_norm")
def gain_and_bias_exchanged(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """gain and bias have changed places.

    The gain multiplies, the bias is added: normalized * gain + bias.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized * bias + gain, (normalized, rstd, gain)


@mistake("layer_norm")
def gain_on_x(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the gain and the bias were applied to x before it was normalized; they come last.

    Normalizing afterwards undoes part of what they did.
    """
    normalized, rstd = _right(x * gain + bias, epsilon)
    return normalized.copy(), (normalized, rstd, gain)


@mistake("layer_norm")
def deviation_in_the_cache(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """y is right, but the cache holds the standard deviation; rstd is one over it.

    The backward multiplies by rstd. A product is cheaper than a division, and it is done twice.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized * gain + bias, (normalized, 1 / rstd, gain)


@mistake("layer_norm")
def variance_in_the_cache(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """y is right, but the cache holds the variance; rstd is one over the standard deviation.

    rstd = 1 / sqrt(variance + epsilon).
    """
    normalized, _ = _right(x, epsilon)
    return normalized * gain + bias, (normalized, _rows(x)[1], gain)


@mistake("layer_norm")
def x_in_the_cache(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """y is right, but the cache holds x instead of `normalized`.

    The backward is a formula in `normalized`: with x it would have to compute the mean again.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized * gain + bias, (x, rstd, gain)


@mistake("layer_norm")
def centered_in_the_cache(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """y is right, but the cache holds x - mean instead of `normalized`.

    `normalized` is (x - mean) * rstd: what the gain multiplies.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized * gain + bias, (x - _rows(x)[0], rstd, gain)


@mistake("layer_norm")
def cache_overwritten(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """y is right, but `normalized` in the cache is y: it was multiplied by the gain in place.

    `y = normalized` makes no copy; both names mean the same array, and `y *= gain` changes what
    the cache holds. Write y = normalized * gain, which makes a new array.
    """
    normalized, rstd = _right(x, epsilon)
    y = normalized
    y *= gain
    y += bias
    return y, (normalized, rstd, gain)


@mistake("layer_norm")
def in_place_on_x(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the mean was subtracted from x in place (`x -= mean`).

    The array belongs to the caller. In a transformer the same x goes on along the residual
    connection, and would arrive there changed. Write centered = x - mean.
    """
    mean, variance = _rows(x)
    rstd = 1 / np.sqrt(variance + epsilon)
    x -= mean
    return _with(x * rstd, rstd, gain, bias)


@mistake("layer_norm")
def float64_from_np_zeros(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """float32 became float64: `np.zeros(shape)` makes float64, whatever goes into it.

    np.zeros_like(x), or np.zeros(x.shape, x.dtype), keeps the dtype. A model in float64 needs
    twice the memory and twice the time.
    """
    right, rstd = _right(x, epsilon)
    normalized = np.zeros(x.shape)
    normalized[...] = right
    return _with(normalized, rstd, gain, bias)


@mistake("layer_norm")
def epsilon_squared(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """epsilon was squared; it is added to the variance as it is.

    The variance has squared units, but epsilon is chosen for the variance itself.
    """
    mean, variance = _rows(x)
    rstd = 1 / np.sqrt(variance + epsilon**2)
    return _with((x - mean) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def one_mean_for_all_rows(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the mean has no axis: one mean was subtracted from all rows. (The variance is right.)

    Each row has its own mean: x.mean(axis=-1, keepdims=True).
    """
    rstd = 1 / np.sqrt(_rows(x)[1] + epsilon)
    return _with((x - x.mean()) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def one_variance_for_all_rows(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the variance has no axis: all rows were divided by the same number. (The mean is right.)

    Each row has its own variance: x.var(axis=-1, keepdims=True).
    """
    rstd = 1 / np.sqrt(x.var() + epsilon)
    return _with((x - _rows(x)[0]) * rstd, rstd, gain, bias)


@mistake("layer_norm")
def bias_subtracted(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the bias was subtracted; it is added: normalized * gain + bias.

    Only the mean is subtracted, at the beginning.
    """
    normalized, rstd = _right(x, epsilon)
    return normalized * gain - bias, (normalized, rstd, gain)


@mistake("layer_norm")
def parentheses_forgotten(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """only the mean was scaled, not x: parentheses are missing in (x - mean) * rstd.

    A product is computed before a difference: x - mean * rstd is x - (mean * rstd).
    """
    mean, variance = _rows(x)
    rstd = 1 / np.sqrt(variance + epsilon)
    return _with(x - mean * rstd, rstd, gain, bias)


@mistake("layer_norm")
def first_axis_only(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """mean and variance are over x[0], x[1], ...: each of these is a row only if x has two axes.

    In the model x has the shape (B, T, C), and x[0] is a whole sentence with T rows. Use axis=-1
    instead of the loop; it works for any number of axes.
    """
    normalized, rstd = np.zeros_like(x), np.zeros((len(x), 1), x.dtype)
    for i, part in enumerate(x):
        rstd[i] = 1 / np.sqrt(part.var() + epsilon)
        normalized[i] = (part - part.mean()) * rstd[i]
    return _with(normalized, rstd, gain, bias)


@mistake("layer_norm")
def median_for_mean(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the median was taken off, not the mean.

    The median is the middle one of the entries. Layer norm takes the mean off: then the row sums to
    zero.
    """
    off = x - np.median(x, axis=-1, keepdims=True)
    rstd = 1 / np.sqrt((off**2).mean(axis=-1, keepdims=True) + epsilon)
    return _with(off * rstd, rstd, gain, bias)


@mistake("layer_norm")
def divided_by_the_range(x: Array, gain: Array, bias: Array, epsilon: float = 1e-5) -> Result:
    """the row was divided by its range, largest minus smallest; it is its standard deviation.

    One far entry decides over a range. The standard deviation is the root of the mean of the
    squared distances from the mean.
    """
    spread = x.max(axis=-1, keepdims=True) - x.min(axis=-1, keepdims=True)
    rstd = 1 / (spread + epsilon)
    return _with((x - x.mean(axis=-1, keepdims=True)) * rstd, rstd, gain, bias)
