"""Softmax and cross-entropy as people write them at first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.errors import OptionError

# --------------------------------------------------------------------------- softmax


@mistake("softmax")
def exp_overflows(x):
    """exp was taken of the scores as they are; large ones overflow to infinity.

    exp(710) is infinite in float64, exp(89) in float32, and infinity over infinity is not a
    number. Subtract the largest score of each row first: exp(x - m) / sum(exp(x - m)) is the same
    fraction, and its largest term is exp(0) = 1.
    """
    y = np.exp(x)
    y = y / y.sum(axis=-1, keepdims=True)
    return y, (y,)


@mistake("softmax")
def largest_of_the_whole_array(x):
    """one maximum was subtracted from the whole array, not each row's own.

    A row whose scores are all far below that maximum becomes exp(-3500) = 0 everywhere, and 0 / 0
    is not a number. Each row needs a term that is 1: x.max(axis=-1, keepdims=True).
    """
    y = np.exp(x - x.max())
    y = y / y.sum(axis=-1, keepdims=True)
    return y, (y,)


@mistake("softmax")
def scores_clipped(x):
    """the scores were clipped, so that all large ones count the same.

    Nothing overflows then, but 1000 and 1001 get equal probabilities. Subtract the largest score of
    each row: that changes no probability.
    """
    y = np.exp(np.clip(x, -50, 50))
    y = y / y.sum(axis=-1, keepdims=True)
    return y, (y,)


@mistake("softmax")
def over_the_first_axis(x):
    """the probabilities sum to one down the columns (axis 0), not along each row (axis -1).

    The last axis holds the alternatives, a row of them for each example. Over axis 0 the examples
    of a batch compete with each other.
    """
    y = np.exp(x - x.max(axis=0, keepdims=True))
    y = y / y.sum(axis=0, keepdims=True)
    return y, (y,)


@mistake("softmax")
def over_axis_one(x):
    """the sum runs over axis 1; the alternatives are on the last axis, -1.

    With two axes the two are the same, and the code looks right. With x of shape (B, T, K), axis 1
    is time. Write -1.
    """
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    y = y / y.sum(axis=1, keepdims=True)
    return y, (y,)


@mistake("softmax")
def over_the_whole_array(x):
    """the sum runs over the whole array: all rows together sum to one.

    np.sum without an axis adds up everything. Each row is a separate distribution:
    y.sum(axis=-1, keepdims=True).
    """
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    y = y / y.sum()
    return y, (y,)


@mistake("softmax")
def sums_without_keepdims(x):
    """the maxima and sums lost their axis: keepdims=True is missing.

    x of shape (6, 5) minus maxima of shape (6,) does not fit; worse, (5, 5) minus (5,) does fit,
    and subtracts from each *column*. With keepdims=True they have shape (6, 1) and stay with their
    rows.
    """
    y = np.exp(x - x.max(axis=-1))
    y = y / y.sum(axis=-1)
    return y, (y,)


@mistake("softmax")
def without_exp(x):
    """the scores themselves were divided by their sum, without exp.

    Scores may be negative, or sum to zero. exp makes each of them positive and keeps their order;
    the division comes after.
    """
    y = x / x.sum(axis=-1, keepdims=True)
    return y, (y,)


@mistake("softmax")
def logarithms_of_the_probabilities(x):
    """these are logarithms of probabilities (log-softmax), not probabilities.

    x - log(sum(exp(x))) is what the cross-entropy will want. Here the result is between 0 and 1.
    """
    y = x - x.max(axis=-1, keepdims=True)
    y = y - np.log(np.exp(y).sum(axis=-1, keepdims=True))
    return y, (y,)


@mistake("softmax")
def scores_in_the_cache(x):
    """the cache holds x; the backward needs y.

    y is right. The derivative of exp is exp itself, so the output is all that the backward needs:
    cache = (y,).
    """
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    return y / y.sum(axis=-1, keepdims=True), (x,)


@mistake("softmax")
def in_place_on_the_scores(x):
    """the maximum was subtracted in place: `x -= ...` changes the caller's array.

    What is passed in is not yours to write to. `y = x - x.max(...)` makes an array of your own, and
    from there on in place is fine.
    """
    x -= x.max(axis=-1, keepdims=True)
    y = np.exp(x)
    y /= y.sum(axis=-1, keepdims=True)
    return y, (y,)


# --------------------------------------------------------------------------- softmax_backward


@mistake("softmax_backward")
def only_the_diagonal(dy, cache):
    """the term that couples a row is missing: y * dy alone.

    Raising one score raises its own probability and lowers all others, since they sum to one. The
    lowering is minus sum(dy * y) over the row. With it, each row of dx sums to zero; look at yours.
    """
    return dy * cache[0]


@mistake("softmax_backward")
def derivative_of_a_sigmoid(dy, cache):
    """this is the derivative of a sigmoid, y * (1 - y) * dy.

    It says how a probability depends on its *own* score. It also depends on the other scores of its
    row, by -y_i * y_j, and those terms are missing.
    """
    return dy * cache[0] * (1 - cache[0])


@mistake("softmax_backward")
def sum_not_weighted(dy, cache):
    """the sum is of dy alone; it should be of dy * y.

    A change of a score is shared out among the row in proportion to the probabilities, so what
    comes back is the average of dy *weighted by y*.
    """
    return cache[0] * (dy - dy.sum(axis=-1, keepdims=True))


@mistake("softmax_backward")
def mean_in_place_of_the_sum(dy, cache):
    """the mean of dy * y was taken, not the sum.

    The sum is an average already, since the y of a row sum to one. Dividing by K makes it K times
    too small, and the rows of dx no longer sum to zero.
    """
    return cache[0] * (dy - (dy * cache[0]).mean(axis=-1, keepdims=True))


@mistake("softmax_backward")
def plain_mean(dy, cache):
    """the plain mean of dy is subtracted; it must be the mean weighted by the probabilities.

    That is the sum of dy * y over the row: a likely entry counts for more.
    """
    (y,) = cache
    return y * (dy - dy.mean(axis=-1, keepdims=True))


@mistake("softmax_backward")
def sum_over_the_first_axis(dy, cache):
    """the sum runs over axis 0, that is over the examples; it belongs to the row, axis -1.

    Probabilities compete within their row. What happens in another row of the batch cannot come
    into this one's gradient.
    """
    return cache[0] * (dy - (dy * cache[0]).sum(axis=0, keepdims=True))


@mistake("softmax_backward")
def factor_forgotten(dy, cache):
    """the factor y in front is missing: dy - sum(dy * y).

    A score whose probability is nearly 0 changes almost nothing. Multiply the parentheses by y.
    """
    return dy - (dy * cache[0]).sum(axis=-1, keepdims=True)


# --------------------------------------------------------------------------- cross_entropy


def _logarithms(logits: Any, axis: int = -1) -> Any:
    shifted = logits - logits.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _counted(targets: Any, ignore_index: int) -> Any:
    counted = targets != ignore_index
    if not counted.any():
        raise OptionError("cross-entropy: all targets are ignored; at least one must count")
    return counted


def _losses(logits: Any, targets: Any, ignore_index: int) -> Any:
    counted = _counted(targets, ignore_index)
    rows = _logarithms(logits)[counted]
    return -rows[np.arange(len(rows)), targets[counted]]


@mistake("cross_entropy")
def sum_in_place_of_the_mean(logits, targets, ignore_index=-100):
    """the loss is the sum over the rows, not the mean.

    With a sum, twice the batch gives twice the loss and twice the gradient, and the learning rate
    would have to change with it. The mean over the rows that count is comparable between batches.
    """
    losses = _losses(logits, targets, ignore_index)
    return losses.sum(), (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def divided_by_all_rows(logits, targets, ignore_index=-100):
    """the sum was divided by the number of all rows, the ignored ones too.

    Ignored rows are padding: a batch with more padding would seem to have a smaller loss. N is the
    number of rows that count, np.count_nonzero(targets != ignore_index).
    """
    losses = _losses(logits, targets, ignore_index)
    loss = losses.sum() / targets.size
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def divided_by_the_vocabulary_too(logits, targets, ignore_index=-100):
    """the mean was taken over the vocabulary too, so the loss is V times too small.

    np.mean(onehot * logarithms) counts V entries a row, all but one of them zero. Sum over the last
    axis, then take the mean over the rows; or pick the one entry.
    """
    loss = _losses(logits, targets, ignore_index).mean() / logits.shape[-1]
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def mean_over_the_classes(logits, targets, ignore_index=-100):
    """the mean is over the log-probabilities of all classes; only the target's counts.

    Each row adds one number: log_p[row, target]. The targets are not used otherwise.
    """
    counted = _counted(targets, ignore_index)
    log_p = _logarithms(logits)
    return -log_p[counted].mean(), (np.exp(log_p), targets, ignore_index)


@mistake("cross_entropy")
def ignored_rows_count_as_class_zero(logits, targets, ignore_index=-100):
    """rows to be ignored were counted, as if their target were class 0.

    np.where(targets == ignore_index, 0, targets) avoids the IndexError, and then the model
    learns class 0 wherever there is padding. Leave those rows out before the mean.
    """
    _counted(targets, ignore_index)
    filled = np.where(targets == ignore_index, 0, targets)
    logarithms = _logarithms(logits)
    loss = -np.take_along_axis(logarithms, filled[..., None], axis=-1).mean()
    return loss, (np.exp(logarithms), targets, ignore_index)


@mistake("cross_entropy")
def sign_forgotten(logits, targets, ignore_index=-100):
    """the loss is negative: the minus sign is missing.

    Probabilities are at most 1, so their logarithms are at most 0. The loss is *minus* the mean
    logarithm, so that going downhill makes the targets more probable.
    """
    loss = -_losses(logits, targets, ignore_index).mean()
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def in_bits(logits, targets, ignore_index=-100):
    """the loss is in bits, from a logarithm to base 2; it should be in nats.

    Bits are nats / ln 2, about 1.44 times as many. With the natural logarithm the gradient is
    simply probabilities minus one-hot, without a factor.
    """
    loss = _losses(logits, targets, ignore_index).mean() / math.log(2)
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def logarithm_of_a_rounded_probability(logits, targets, ignore_index=-100):
    """the logarithm was taken of a probability that was rounded to 0: the loss is infinite.

    Softmax of logits 0 and 1000 is 0 and 1: exp(-1000) is less than the smallest float. Its
    logarithm is simply -1000 if you never leave the logarithms:
    log(sum(exp(shifted))) - shifted[target].
    """
    counted = _counted(targets, ignore_index)
    probabilities = np.exp(_logarithms(logits))
    rows = probabilities[counted]
    loss = -np.log(rows[np.arange(len(rows)), targets[counted]]).mean()
    return loss, (probabilities, targets, ignore_index)


@mistake("cross_entropy")
def exp_of_the_logits_overflows(logits, targets, ignore_index=-100):
    """exp was taken of the logits as they are; large ones overflow to infinity.

    Subtract each row's largest logit first. It cancels: log(sum(exp(x - m))) - (x[target] - m).
    """
    counted = _counted(targets, ignore_index)
    exponentials = np.exp(logits)
    totals = exponentials.sum(axis=-1, keepdims=True)
    rows = (np.log(totals) - logits)[counted]
    loss = rows[np.arange(len(rows)), targets[counted]].mean()
    return loss, (exponentials / totals, targets, ignore_index)


@mistake("cross_entropy")
def softmax_twice(logits, targets, ignore_index=-100):
    """softmax was applied twice: the logits became probabilities, and these were used as logits.

    Logits are scores before any softmax. The second one flattens everything: a certain model's
    probabilities 0 and 1 become 0.27 and 0.73, and the loss can never get near zero.
    """
    loss = _losses(np.exp(_logarithms(logits)), targets, ignore_index).mean()
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def softmax_over_the_rows(logits, targets, ignore_index=-100):
    """the softmax runs over axis 0, so the rows of the batch compete, not the words.

    The alternatives are the V entries of the last axis. Look at the probabilities in your cache:
    each row should sum to one.
    """
    counted = _counted(targets, ignore_index)
    logarithms = _logarithms(logits, axis=0)
    rows = logarithms[counted]
    loss = -rows[np.arange(len(rows)), targets[counted]].mean()
    return loss, (np.exp(logarithms), targets, ignore_index)


@mistake("cross_entropy")
def every_row_with_every_target(logits, targets, ignore_index=-100):
    """each row was scored on the targets of all rows: rows[:, targets] picks N x N entries.

    A slice takes all rows for each target. To pick one entry from each row, index both axes:
    rows[np.arange(N), targets].
    """
    counted = _counted(targets, ignore_index)
    loss = -_logarithms(logits)[counted][:, targets[counted]].mean()
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def one_minus_the_probability(logits, targets, ignore_index=-100):
    """this is one minus the probability of the target, not minus its logarithm.

    1 - p is at most 1, however wrong the model is, and its gradient fades just when the model is
    certain and wrong. The logarithm keeps pulling.
    """
    loss = (1 - np.exp(-_losses(logits, targets, ignore_index))).mean()
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def silent_when_nothing_counts(logits, targets, ignore_index=-100):
    """nothing is raised when every target is ignored.

    The mean of no rows is not a number, and a NaN that starts here shows up a thousand steps
    later as a ruined model. Raise an OptionError that says what is wrong.
    """
    counted = targets != ignore_index
    if not counted.any():
        return 0.0, (np.exp(_logarithms(logits)), targets, ignore_index)
    loss = _losses(logits, targets, ignore_index).mean()
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


@mistake("cross_entropy")
def in_place_on_the_logits(logits, targets, ignore_index=-100):
    """the maximum was subtracted in place: `logits -= ...` changes the caller's array.

    `shifted = logits - logits.max(axis=-1, keepdims=True)` makes an array of your own.
    """
    loss = _losses(logits, targets, ignore_index).mean()
    logits -= logits.max(axis=-1, keepdims=True)
    return loss, (np.exp(_logarithms(logits)), targets, ignore_index)


# --------------------------------------------------------------------------- cross_entropy_backward


def _parts(cache: Any) -> tuple[Any, Any, Any]:
    """Return probabilities, one-hot rows (zero where ignored), and 1 or 0: does the row count?"""
    probabilities, targets, ignore_index = cache
    counted = targets != ignore_index
    onehot = np.zeros_like(probabilities)
    onehot[(*np.nonzero(counted), targets[counted])] = 1
    return probabilities, onehot, counted[..., None].astype(probabilities.dtype)


def _share(dloss: Any, counted: Any) -> float:
    return float(dloss) / int(np.count_nonzero(counted))


@mistake("cross_entropy_backward")
def not_divided_by_the_rows(dloss, cache):
    """the division by N is missing: the loss is a mean over N rows.

    Each row moves the mean by only 1/N of its own loss. N is the number of rows that count.
    """
    probabilities, onehot, counted = _parts(cache)
    return float(dloss) * counted * (probabilities - onehot)


@mistake("cross_entropy_backward")
def divided_by_the_ignored_rows_too(dloss, cache):
    """the gradient was divided by the number of all rows, the ignored ones too.

    The loss is a mean over the rows that count, so N is np.count_nonzero(targets != ignore_index).
    """
    probabilities, onehot, counted = _parts(cache)
    return float(dloss) / counted.size * counted * (probabilities - onehot)


@mistake("cross_entropy_backward")
def ignored_rows_get_a_gradient(dloss, cache):
    """rows that are ignored have a gradient: their probabilities were left in.

    They take no part in the loss, so nothing in them can change it: their rows of dlogits are 0.
    """
    probabilities, onehot, counted = _parts(cache)
    return _share(dloss, counted) * (probabilities - onehot)


@mistake("cross_entropy_backward")
def dloss_not_used(dloss, cache):
    """dloss is not used: the result is right only for dloss = 1.

    The loss may be one term of a larger one, or a share of a batch split over threads. Whatever
    comes after it sends its gradient back as dloss: multiply by it.
    """
    probabilities, onehot, counted = _parts(cache)
    return counted * (probabilities - onehot) * _share(1.0, counted)


@mistake("cross_entropy_backward")
def onehot_forgotten(dloss, cache):
    """the one-hot of the targets was not subtracted: these are the probabilities alone.

    This pushes every logit down, the right one too. Subtract 1 at the target of each row;
    then a row sums to zero, and the target is the only entry that is pushed up. If you did: was it
    in a copy? dlogits[counted][rows, targets] -= 1 changes a copy that is then dropped.
    """
    probabilities, _, counted = _parts(cache)
    return _share(dloss, counted) * counted * probabilities


@mistake("cross_entropy_backward")
def uphill(dloss, cache):
    """the sign is reversed: onehot - probabilities is the direction uphill.

    Raising the target's logit lowers the loss, so its gradient is negative: p - 1. Going *against*
    the gradient is the optimizer's job.
    """
    probabilities, onehot, counted = _parts(cache)
    return _share(dloss, counted) * counted * (onehot - probabilities)


@mistake("cross_entropy_backward")
def onehot_not_scaled(dloss, cache):
    """only the probabilities were scaled by dloss / N; the one-hot has the same factor.

    dlogits = dloss / N * (probabilities - onehot). Subtract 1 before scaling, or dloss / N after.
    """
    probabilities, onehot, counted = _parts(cache)
    return _share(dloss, counted) * counted * probabilities - onehot


@mistake("cross_entropy_backward")
def through_the_softmax_twice(dloss, cache):
    """probabilities - onehot was sent back through the softmax once more.

    probabilities - onehot *is* the gradient of the logits: the backward of the softmax and
    that of the logarithm are already in it, and most of both has cancelled.
    """
    probabilities, onehot, counted = _parts(cache)
    d = _share(dloss, counted) * counted * (probabilities - onehot)
    return probabilities * (d - (d * probabilities).sum(axis=-1, keepdims=True))


@mistake("cross_entropy_backward")
def one_taken_off_in_every_row(dloss, cache):
    """1 was subtracted in the columns of *all* targets: dlogits[:, targets] -= 1.

    A slice means every row. Each row has one target: index rows and columns together,
    dlogits[np.arange(N), targets] -= 1.
    """
    probabilities, onehot, counted = _parts(cache)
    columns = onehot.reshape(-1, onehot.shape[-1]).any(axis=0)
    return _share(dloss, counted) * counted * (probabilities - columns)


@mistake("cross_entropy_backward")
def in_place_on_the_probabilities(dloss, cache):
    """1 was subtracted in the cached probabilities themselves.

    `dlogits = probabilities` is a second name, not a second array: code that looks at the cache
    later finds probabilities of -0.9. Start from a product or from .copy().
    """
    probabilities, onehot, counted = _parts(cache)
    probabilities -= onehot
    return _share(dloss, counted) * counted * probabilities


@mistake("cross_entropy_backward")
def float64_from_a_numpy_scalar(dloss, cache):
    """float32 probabilities gave a float64 gradient: a NumPy scalar came in, such as counted.sum().

    A NumPy number is a float64 or int64 *scalar*, and in NumPy 2 it makes a float32 array float64:
    twice the memory, half the speed. float(dloss) / np.count_nonzero(counted) is a Python float,
    which takes the dtype of the array.
    """
    probabilities, onehot, counted = _parts(cache)
    return np.float64(dloss) / counted.sum() * counted * (probabilities - onehot)


@mistake("softmax")
def everything_over_axis_one(x):
    """maximum and sum are both over axis 1; the alternatives are on the last axis, -1.

    With two axes that is the same. With x of shape (B, T, K), axis 1 is time. Write axis=-1.
    """
    y = np.exp(x - x.max(axis=1, keepdims=True))
    y = y / y.sum(axis=1, keepdims=True)
    return y, (y,)


@mistake("cross_entropy")
def logarithm_of_a_probability_plus_epsilon(logits, targets, ignore_index=-100):
    """an epsilon was added inside the logarithm: log(p + 1e-9).

    It hides the zero that a small probability is rounded to: the loss can then never be above
    20.7, however wrong the model is. Stay with logarithms: log p = logit - log(sum(exp(logits))),
    with the largest logit subtracted first.
    """
    counted = _counted(targets, ignore_index)
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities = e / e.sum(axis=-1, keepdims=True)
    rows = probabilities[counted]
    loss = -np.log(rows[np.arange(len(rows)), targets[counted]] + 1e-9).mean()
    return loss, (probabilities, targets, ignore_index)


@mistake("softmax")
def each_score_by_itself(x):
    """these are sigmoids: each score was turned into a probability by itself.

    The alternatives of a row compete: what one gains the others lose. So the exponentials of a row
    are divided by their sum.
    """
    with np.errstate(over="ignore"):
        y = 1 / (1 + np.exp(-x))
    return y, (y,)


@mistake("softmax_backward")
def probability_subtracted(dy, cache):
    """y was subtracted from dy, as for the loss; here it is the weighted mean of dy.

    p - target is the gradient of softmax and cross-entropy together. Softmax alone subtracts from
    each dy of a row the sum of dy * y.
    """
    (y,) = cache
    return y * (dy - y)
