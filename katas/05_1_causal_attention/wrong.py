"""Attentions as people write them at first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _t(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def _scores(q: Any, k: Any) -> Any:
    return q @ _t(k) / math.sqrt(q.shape[-1])


def _hidden(scores: Any, first: int | None = None, by: float = -np.inf) -> Any:
    """Hide the keys that are `first` places or more to the right of the diagonal."""
    queries, keys = scores.shape[-2:]
    first = 1 + keys - queries if first is None else first
    return np.where(np.triu(np.ones((queries, keys), bool), first), by, scores)


def _softmax(scores: Any, axis: int = -1) -> Any:
    with np.errstate(all="ignore"):
        exp = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return exp / exp.sum(axis=axis, keepdims=True)


def _mixed(q: Any, k: Any, v: Any, keep: Any, weights: Any) -> Any:
    kept = weights if keep is None else weights * keep
    return kept @ v, (q, k, v, weights, keep)


@mistake("attention")
def scale_forgotten(q, k, v, keep=None):
    """the scores are not divided by sqrt(D).

    A product of two vectors of D random entries grows like sqrt(D). Without the division, softmax
    puts nearly everything on one key once D is large, and learns nothing from the others.
    """
    return _mixed(q, k, v, keep, _softmax(_hidden(q @ _t(k))))


@mistake("attention")
def divided_by_the_size(q, k, v, keep=None):
    """the scores are divided by D; it should be by the root, sqrt(D).

    The *variance* of a product of D random entries grows like D, so its size grows like sqrt(D).
    Divided by D, all scores of a large head are near zero, and every key gets the same weight.
    """
    return _mixed(q, k, v, keep, _softmax(_hidden(q @ _t(k) / q.shape[-1])))


@mistake("attention")
def divided_by_the_root_of_the_positions(q, k, v, keep=None):
    """the scores are divided by the root of the number of positions, not of the head size D.

    Each score is a sum over the D entries of a query and a key, whatever the length of the text:
    math.sqrt(q.shape[-1]).
    """
    return _mixed(q, k, v, keep, _softmax(_hidden(q @ _t(k) / math.sqrt(k.shape[-2]))))


@mistake("attention")
def no_mask(q, k, v, keep=None):
    """there is no mask: positions see the future.

    In training, the token to predict *is* the next one. A position that may look at it copies
    it, the loss goes to zero, and the model has learned nothing that helps it write. Put minus
    infinity on the scores of later keys, before the softmax.
    """
    return _mixed(q, k, v, keep, _softmax(_scores(q, k)))


@mistake("attention")
def the_position_itself_is_hidden(q, k, v, keep=None):
    """the mask hides the position itself: a query sees the diagonal too.

    The first position then sees nothing at all, and the softmax of a row of minus infinities is
    NaN. Only *later* keys are hidden: np.triu(..., k=1 + T - S), one place right of the diagonal.
    """
    queries, keys = q.shape[-2], k.shape[-2]
    return _mixed(q, k, v, keep, _softmax(_hidden(_scores(q, k), keys - queries)))


@mistake("attention")
def one_of_the_future_is_seen(q, k, v, keep=None):
    """the mask starts one place too late: each position sees the next one.

    That next token is just the one that it has to predict. Hide everything to the right of the
    diagonal: np.triu(..., k=1 + T - S).
    """
    queries, keys = q.shape[-2], k.shape[-2]
    return _mixed(q, k, v, keep, _softmax(_hidden(_scores(q, k), 2 + keys - queries)))


@mistake("attention")
def the_past_is_hidden(q, k, v, keep=None):
    """the mask is the wrong way around: it hides the past and shows the future.

    np.triu keeps what is above the diagonal, np.tril what is below. Rows are queries and columns
    are keys, so the future of a query is to the right of the diagonal: above it.
    """
    scores = _scores(q, k)
    queries, keys = scores.shape[-2:]
    past = np.tril(np.ones((queries, keys), bool), keys - queries - 1)
    return _mixed(q, k, v, keep, _softmax(np.where(past, -np.inf, scores)))


@mistake("attention")
def queries_counted_from_the_left(q, k, v, keep=None):
    """with fewer queries than keys, you treat the queries as the first positions.

    They are the *last* S of the T positions: in generation the keys of earlier tokens come from a
    cache. Query s is at position T - S + s, so the mask starts at k=1 + T - S, not at k=1.
    """
    return _mixed(q, k, v, keep, _softmax(_hidden(_scores(q, k), 1)))


@mistake("attention")
def zero_in_place_of_minus_infinity(q, k, v, keep=None):
    """hidden scores are set to 0, but a score of 0 is a score like any other.

    exp(0) is 1, so the future gets weight. Only minus infinity (or a very large negative number)
    becomes a weight of zero: exp(-inf) is 0.
    """
    return _mixed(q, k, v, keep, _softmax(_hidden(_scores(q, k), by=0.0)))


@mistake("attention")
def masked_after_the_softmax(q, k, v, keep=None):
    """the mask was applied to the weights, after the softmax: the rows do not sum to one.

    The future took its share in the softmax's sum, and then that share was thrown away. Hide it
    before: minus infinity on the scores.
    """
    return _mixed(q, k, v, keep, _hidden(_softmax(_scores(q, k)), by=0.0))


@mistake("attention")
def softmax_over_the_queries(q, k, v, keep=None):
    """the softmax goes over the queries (axis -2); it should go over the keys (axis -1).

    A row of weights belongs to one query, and says how it divides its attention among the keys.
    So each row sums to one.
    """
    scores = _hidden(_scores(q, k))
    return _mixed(q, k, v, keep, _softmax(scores, -2))


@mistake("attention")
def no_softmax(q, k, v, keep=None):
    """there is no softmax: the values are mixed by the scores themselves.

    Scores may be negative, and they do not sum to one. The softmax turns each row into an average.
    """
    return _mixed(q, k, v, keep, _hidden(_scores(q, k), by=0.0))


@mistake("attention")
def dropout_ignored(q, k, v, keep=None):
    """keep is not used: no weight is dropped.

    Where keep is given, the values are mixed with weights * keep.
    """
    weights = _softmax(_hidden(_scores(q, k)))
    return weights @ v, (q, k, v, weights, keep)


@mistake("attention")
def dropped_weights_in_the_cache(q, k, v, keep=None):
    """the cache has the weights after dropout; it should have them before dropout.

    y is right. But the backward of the softmax needs what came out of the softmax, and it gets keep
    for the rest. Give the product another name, such as kept.
    """
    weights = _softmax(_hidden(_scores(q, k)))
    kept = weights if keep is None else weights * keep
    return kept @ v, (q, k, v, kept, keep)


@mistake("attention")
def dropout_on_the_scores(q, k, v, keep=None):
    """dropout was applied to the scores, before the softmax.

    A score that is set to 0 still gets a weight: exp(0) is 1. Dropout belongs after the softmax,
    on the weights.
    """
    scores = _scores(q, k)
    weights = _softmax(_hidden(scores if keep is None else scores * keep))
    return weights @ v, (q, k, v, weights, keep)


@mistake("attention")
def normalized_again_after_dropout(q, k, v, keep=None):
    """the rows were made to sum to one again after dropout.

    keep holds 0 and 1 / (1 - rate): that keeps the sum at one on average. Do nothing more.
    """
    weights = _softmax(_hidden(_scores(q, k)))
    if keep is None:
        return weights @ v, (q, k, v, weights, keep)
    kept = weights * keep
    with np.errstate(all="ignore"):
        return kept / kept.sum(axis=-1, keepdims=True) @ v, (q, k, v, weights, keep)


@mistake("attention")
def scaled_queries_in_the_cache(q, k, v, keep=None):
    """the cache has the queries divided by sqrt(D); it should have q as it came in.

    The backward divides by sqrt(D) itself. With scaled queries in the cache, dk would be divided
    twice.
    """
    scaled = q / math.sqrt(q.shape[-1])
    y, cache = _mixed(q, k, v, keep, _softmax(_hidden(scaled @ _t(k))))
    return y, (scaled, *cache[1:])


@mistake("attention")
def roles_exchanged(q, k, v, keep=None):
    """queries and keys have changed places: the scores are k @ q.T, so rows belong to keys.

    Each *query* has a row: q @ k.T, of shape (S, T).
    """
    scores = k @ _t(q) / math.sqrt(q.shape[-1])
    queries, keys = q.shape[-2], k.shape[-2]
    hidden = np.triu(np.ones((keys, keys), bool), 1)[:, :queries]
    return _mixed(q, k, v, keep, _softmax(np.where(hidden, -np.inf, scores)))


@mistake("attention")
def softmax_used_as_an_array(q, k, v, keep=None):
    """F.softmax returns a pair, (weights, cache): take it apart.

    `weights, _ = F.softmax(scores)`. Without that, weights is a tuple.
    """
    weights = (_softmax(_hidden(_scores(q, k))), ())
    return _mixed(q, k, v, keep, weights)


@mistake("attention")
def mixed_without_the_softmax_maximum(q, k, v, keep=None):
    """exp of large scores overflows: subtract each row's largest score first.

    exp(1000) is infinite, and infinity divided by infinity is NaN. Subtracting the same number from
    a whole row changes no weight. F.softmax does it for you.
    """
    with np.errstate(all="ignore"):
        exp = np.exp(_hidden(_scores(q, k)))
        return _mixed(q, k, v, keep, exp / exp.sum(axis=-1, keepdims=True))


@mistake("attention")
def a_mask_in_float64(q, k, v, keep=None):
    """float32 inputs gave float64 results: a mask or a root in float64 came in.

    np.full, np.zeros and np.ones make float64 by default, and np.sqrt(D) is a float64 scalar.
    float32 with float64 is float64: twice the memory, half the speed. Choose with np.where and a
    mask of booleans, and take math.sqrt, which gives a Python float.
    """
    scores = _scores(q, k)
    queries, keys = scores.shape[-2:]
    scores = scores + np.triu(np.full((queries, keys), -np.inf), 1 + keys - queries)
    return _mixed(q, k, v, keep, _softmax(scores))


@mistake("attention")
def scaled_in_place(q, k, v, keep=None):
    """q was divided in place, so the caller's array has changed.

    `q /= ...` writes to the array that was passed in. `q = q / ...` makes a new one.
    """
    q /= math.sqrt(q.shape[-1])
    return _mixed(q, k, v, keep, _softmax(_hidden(q @ _t(k))))


@mistake("attention")
def zero_times_infinity(q, k, v, keep=None):
    """the mask was made by multiplying with infinity: 0 * inf is NaN, and now all of it is NaN.

    Put minus infinity where the future is, and leave the other scores alone:
    np.where(future, -np.inf, scores).
    """
    scores = _scores(q, k)
    queries, keys = scores.shape[-2:]
    with np.errstate(all="ignore"):
        mask = (1 - np.tril(np.ones((queries, keys)), keys - queries)) * -np.inf
        return _mixed(q, k, v, keep, _softmax(scores + mask))


@mistake("attention")
def plus_infinity(q, k, v, keep=None):
    """the hidden scores are *plus* infinity: they must be minus infinity.

    exp(-inf) is 0, exp(inf) is infinite.
    """
    with np.errstate(all="ignore"):
        return _mixed(q, k, v, keep, _softmax(_hidden(_scores(q, k), by=np.inf)))


@mistake("attention")
def neither_scale_nor_mask(q, k, v, keep=None):
    """two steps are missing: the scale 1/sqrt(D) and the mask.

    Between the product q @ k.T and the softmax, the scores are divided by sqrt(D), and those in the
    future become minus infinity.
    """
    return _mixed(q, k, v, keep, _softmax(q @ _t(k)))


@mistake("attention")
def cache_in_another_order(q, k, v, keep=None):
    """the cache is in another order: (q, k, v, weights, keep), with keep at the end."""
    y, (*qkv, weights, _) = _mixed(q, k, v, keep, _softmax(_hidden(_scores(q, k))))
    return y, (*qkv, keep, weights)


@mistake("attention")
def scaled_after_the_softmax(q, k, v, keep=None):
    """the weights were divided by sqrt(D), after the softmax; the scores should be, before it.

    After the softmax the rows no longer sum to one, and what the scale is for has not happened:
    the scores went into the exponential at full size.
    """
    weights = _softmax(_hidden(q @ _t(k))) / math.sqrt(q.shape[-1])
    return _mixed(q, k, v, keep, weights)
