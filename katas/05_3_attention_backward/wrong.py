"""Backwards of attention as people write them at first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _t(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def _kept(cache: Any) -> Any:
    _, _, _, weights, keep = cache
    return weights if keep is None else weights * keep


def _dweights(dy: Any, cache: Any) -> Any:
    _, _, v, _, keep = cache
    dkept = dy @ _t(v)
    return dkept if keep is None else dkept * keep


def _through_softmax(dweights: Any, weights: Any) -> Any:
    return weights * (dweights - (dweights * weights).sum(axis=-1, keepdims=True))


def _finish(dscores: Any, dy: Any, cache: Any) -> Any:
    q, k = cache[:2]
    scale = 1 / math.sqrt(q.shape[-1])
    return dscores @ k * scale, _t(dscores) @ q * scale, _t(_kept(cache)) @ dy


@mistake("attention_backward")
def scale_forgotten(dy, cache):
    """the scale 1/sqrt(D) is missing from dq and dk.

    The forward divided the scores by sqrt(D), so divide whatever comes back through the scores by
    it too. Both gradients are sqrt(D) times too long; dv does not pass through the scores and
    is right. Multiply dscores, or both products, by 1/sqrt(D).
    """
    dscores = _through_softmax(_dweights(dy, cache), cache[3])
    return dscores @ cache[1], _t(dscores) @ cache[0], _t(_kept(cache)) @ dy


@mistake("attention_backward")
def scale_on_the_queries_only(dy, cache):
    """dq is scaled by 1/sqrt(D) but dk is not.

    The scale belongs to the product q @ k.T, whose gradient goes to both factors. It is easy to
    lose for dk if the forward has a variable for the scaled queries: the cache holds q unscaled.
    """
    dq, dk, dv = _finish(_through_softmax(_dweights(dy, cache), cache[3]), dy, cache)
    return dq, dk * math.sqrt(dk.shape[-1]), dv


@mistake("attention_backward")
def scale_twice(dy, cache):
    """1/sqrt(D) was applied twice, so that dq and dk are divided by D.

    Scale either dscores or the two products after it, not both. The forward scales once.
    """
    dq, dk, dv = _finish(_through_softmax(_dweights(dy, cache), cache[3]), dy, cache)
    scale = 1 / math.sqrt(dq.shape[-1])
    return dq * scale, dk * scale, dv


@mistake("attention_backward")
def softmax_left_out(dy, cache):
    """dweights was used as dscores: the gradient did not go back through the softmax.

    Between scores and weights there is a softmax, and each score moves every weight of its row.
    Without its backward, scores in the future get a gradient too, because the zeros of the weights
    never take effect. dscores = F.softmax_backward(dweights, (weights,)).
    """
    return _finish(_dweights(dy, cache), dy, cache)


@mistake("attention_backward")
def only_the_diagonal(dy, cache):
    """the softmax's backward lacks the term that couples a row: weights * dweights alone.

    Raising one score lowers all other weights of the row, since they sum to one. That is the term
    minus sum(dweights * weights) over the keys. With it, each row of dscores sums to zero; look at
    yours.
    """
    return _finish(_dweights(dy, cache) * cache[3], dy, cache)


@mistake("attention_backward")
def derivative_of_a_sigmoid(dy, cache):
    """the softmax was treated as a sigmoid: weights * (1 - weights) * dweights.

    weights * (1 - weights) is how a weight depends on *its own* score. It also depends on the
    other scores of its row, by -weight_i * weight_j. Sum over the row, or call softmax_backward.
    """
    weights = cache[3]
    return _finish(_dweights(dy, cache) * weights * (1 - weights), dy, cache)


@mistake("attention_backward")
def sum_over_the_queries(dy, cache):
    """the sum in the softmax's backward runs over the queries (axis -2), not the keys (axis -1).

    A row of weights belongs to one query and sums to one over its keys. So the coupling is among
    the keys of that query: sum over axis -1, with keepdims=True.
    """
    weights, dweights = cache[3], _dweights(dy, cache)
    row = (dweights * weights).sum(axis=-2, keepdims=True)
    return _finish(weights * (dweights - row), dy, cache)


@mistake("attention_backward")
def mean_in_place_of_the_sum(dy, cache):
    """the softmax's backward takes the mean of dweights * weights over the keys, not the sum.

    The sum is already an average: the weights in it sum to one. Dividing by the number of keys
    again makes the term T times too small, and the rows of dscores no longer sum to zero.
    """
    weights, dweights = cache[3], _dweights(dy, cache)
    row = (dweights * weights).mean(axis=-1, keepdims=True)
    return _finish(weights * (dweights - row), dy, cache)


@mistake("attention_backward")
def dk_not_transposed(dy, cache):
    """dk lacks a transpose: dscores @ q instead of dscores.T @ q.

    Row t of dk collects from every query that looked at key t, so it needs *column* t of dscores.
    The shapes only agree without the transpose when there are as many queries as keys. Exchange
    the last two axes: dscores.swapaxes(-1, -2).
    """
    dscores = _through_softmax(_dweights(dy, cache), cache[3])
    dq, _, dv = _finish(dscores, dy, cache)
    return dq, dscores @ cache[0] / math.sqrt(dq.shape[-1]), dv


@mistake("attention_backward")
def dv_not_transposed(dy, cache):
    """dv lacks a transpose: kept @ dy instead of kept.T @ dy.

    kept @ v mixes values into queries; on the way back each value collects from the queries that
    used it, which is the transposed mix. Look at the last row of dv: only the last query can see
    the last value, so it must be one weight times one row of dy.
    """
    dq, dk, _ = _finish(_through_softmax(_dweights(dy, cache), cache[3]), dy, cache)
    return dq, dk, _kept(cache) @ dy


@mistake("attention_backward")
def queries_and_keys_exchanged(dy, cache):
    """dq was made from q and dk from k: the gradient of a factor needs the other factor.

    For a product c = a @ b.T, da = dc @ b and db = dc.T @ a. So k is in dq, and q in dk.
    """
    dscores = _through_softmax(_dweights(dy, cache), cache[3])
    dq, dk, dv = _finish(dscores, dy, (cache[1], cache[0], *cache[2:]))
    return dq, dk, dv


@mistake("attention_backward")
def dv_without_dropout(dy, cache):
    """dv uses the weights before dropout.

    y was mixed with kept = weights * keep. A weight that was dropped sent nothing forward, so its
    value gets nothing back: dv = kept.T @ dy.
    """
    dq, dk, _ = _finish(_through_softmax(_dweights(dy, cache), cache[3]), dy, cache)
    return dq, dk, _t(cache[3]) @ dy


@mistake("attention_backward")
def dropout_forgotten_on_the_way_to_the_scores(dy, cache):
    """dweights lacks the dropout factors: dkept * keep.

    dy @ v.T is the gradient of the kept weights. One line further back is the product
    kept = weights * keep, so dweights = dkept * keep before it goes through the softmax.
    """
    _, _, v, weights, _ = cache
    return _finish(_through_softmax(dy @ _t(v), weights), dy, cache)


@mistake("attention_backward")
def dropout_after_the_softmax_backward(dy, cache):
    """the dropout factors were applied to dscores; they belong to dweights, before the softmax.

    Backward goes through the steps in reverse. Forward: softmax, then dropout. Backward: dropout,
    then softmax. A dropped weight still takes part in its row's sum, so the order matters.
    """
    _, _, v, weights, keep = cache
    dscores = _through_softmax(dy @ _t(v), weights)
    return _finish(dscores if keep is None else dscores * keep, dy, cache)


@mistake("attention_backward")
def softmax_backward_at_the_dropped_weights(dy, cache):
    """the softmax's backward was given kept instead of weights.

    What came out of the softmax is weights, whose rows sum to one; kept is what dropout made of
    them. The formula weights * (dweights - sum) holds only for the softmax's own output.
    """
    return _finish(_through_softmax(_dweights(dy, cache), _kept(cache)), dy, cache)


@mistake("attention_backward")
def masked_again(dy, cache):
    """the mask of minus infinity was added to the gradient, which is now not finite.

    Minus infinity belongs to scores, where softmax turns it into a weight of 0. In the backward
    those zeros do the masking: dscores = weights * (...) is 0 wherever the weight is. Write no
    mask at all (or zeros, if you like to be explicit).
    """
    dscores = _through_softmax(_dweights(dy, cache), cache[3])
    queries, keys = dscores.shape[-2:]
    if queries > 1:
        dscores = dscores + np.triu(np.full((queries, keys), -np.inf, dy.dtype), 1 + keys - queries)
    return _finish(dscores, dy, cache)


@mistake("attention_backward")
def in_place_on_the_cache(dy, cache):
    """dscores was computed in place on the cached weights.

    What is passed in is not yours to write to: a second call with the same cache would give
    different gradients. `weights *= ...` changes the array in the cache; `dscores = weights * ...`
    makes a new one.
    """
    weights, dweights = cache[3], _dweights(dy, cache)
    dv = _t(_kept(cache)) @ dy
    weights *= dweights - (dweights * weights).sum(axis=-1, keepdims=True)
    dq, dk, _ = _finish(weights, dy, cache)
    return dq, dk, dv


@mistake("attention_backward")
def float64_from_a_numpy_scalar(dy, cache):
    """float32 inputs gave float64 gradients: a NumPy scalar came in, such as np.sqrt(D).

    np.sqrt of a Python number is a float64 *scalar*, and in NumPy 2 float64 times a float32 array
    is float64: twice the memory, half the speed. math.sqrt gives a Python float, which takes the
    dtype of the array.
    """
    q, k = cache[:2]
    dscores = _through_softmax(_dweights(dy, cache), cache[3]) / np.sqrt(q.shape[-1])
    return dscores @ k, _t(dscores) @ q, _t(_kept(cache)) @ dy


@mistake("attention_backward")
def scale_upside_down(dy, cache):
    """dq and dk were multiplied by sqrt(D); the forward divided the scores by it.

    A factor of the forward is the same factor on the way back, not its reciprocal: 1/sqrt(D).
    """
    dq, dk, dv = _finish(_through_softmax(_dweights(dy, cache), cache[3]), dy, cache)
    return dq * dq.shape[-1], dk * dk.shape[-1], dv
