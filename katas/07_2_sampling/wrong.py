"""Sampling as people write it at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.course.mistakes import mistake


def _greedy(logits: Array) -> Array:
    y = np.zeros(logits.size)
    y[logits.argmax()] = 1
    return y


def _scaled(logits: Array, temperature: float) -> Array:
    scores: Array = logits.astype(np.float64)
    return (scores - scores.max()) / temperature


def _top_k(scores: Array, top_k: int | None) -> Array:
    if top_k is None or top_k >= scores.size:
        return scores
    return np.where(scores < np.sort(scores)[-top_k], -np.inf, scores)


def _softmax(scores: Array) -> Array:
    y = np.exp(scores - scores.max())
    return y / y.sum()


def _top_p(y: Array, top_p: float | None) -> Array:
    if top_p is None:
        return y
    order = np.argsort(-y, kind="stable")
    y = y.copy()
    y[order[np.cumsum(y[order]) - y[order] >= top_p]] = 0
    return y / y.sum()


@mistake("token_probabilities")
def multiplied_by_the_temperature(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """the scores were multiplied by the temperature; divide by it.

    A high temperature brings the scores closer together, so that everything becomes possible. Yours
    makes the model more sure the hotter it is.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, 1 / temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def no_temperature(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """the temperature has no effect, except at 0.

    Divide the scores by it, before the softmax. (If you divide probabilities by it and then scale
    them to sum to one, they are what they were.)
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, 1.0)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def probabilities_divided(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """the probabilities were divided by the temperature, after the softmax: they no longer sum to
    one.

    Divide the scores, before the softmax. A factor on all probabilities changes neither their order
    nor their ratios.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, 1.0)
    scores = _top_k(scores, top_k)
    return _top_p(_softmax(scores) / temperature, top_p)


@mistake("token_probabilities")
def zero_divides(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """temperature 0 divides by zero.

    It means the limit: the likeliest token has probability 1. Treat it first, by itself.
    """
    scores = logits.astype(np.float64) / temperature
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def all_of_the_greatest(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """at temperature 0 several tokens share the probability; the first of the best should have it
    all.

    Greedy leaves nothing to chance. argmax gives the first.
    """
    if temperature == 0:
        y = (logits == logits.max()).astype(np.float64)
        return y / y.sum()
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def no_maximum_taken_off(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """the exponential overflows: the maximum of the scores was not subtracted.

    exp(710) is more than a float can hold. The softmax stays the same if you subtract one number
    from all scores, and the best number is their maximum.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = logits.astype(np.float64) / temperature
    scores = _top_k(scores, top_k)
    y = np.exp(scores)
    y = y / y.sum()
    return _top_p(y, top_p)


@mistake("token_probabilities")
def zero_score(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """the scores outside of the top k were set to 0; exp(0) is 1, so they stay possible.

    Before the softmax, "impossible" is minus infinity.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = logits.astype(np.float64) / temperature
    if top_k is not None and top_k < scores.size:
        scores[scores < np.sort(scores)[-top_k]] = 0
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def zero_score_after_the_maximum(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """the scores outside of the top k were set to 0, which is the highest score once the maximum is
    subtracted.

    Before the softmax, "impossible" is minus infinity.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    if top_k is not None and top_k < scores.size:
        scores[scores < np.sort(scores)[-top_k]] = 0
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def the_k_least_likely(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """the k least likely tokens are left: np.sort goes upward.

    The k-th largest is np.sort(scores)[-k].
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    if top_k is not None and top_k < scores.size:
        scores[scores > np.sort(scores)[top_k - 1]] = -np.inf
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def one_too_few(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-k leaves one token too few: the k-th itself is removed, `<=` where `<` belongs.

    What is *below* the k-th largest goes.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    if top_k is not None and top_k < scores.size:
        scores[scores <= np.sort(scores)[-top_k]] = -np.inf
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def one_too_many(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-k leaves one token too many: sorted downward, the k-th is at place k - 1.

    Or np.sort(scores)[-k], which needs no such thought.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    if top_k is not None and top_k < scores.size:
        scores[scores < np.sort(scores)[::-1][top_k]] = -np.inf
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def ties_cut(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-k leaves exactly k tokens, and cuts between some that are as likely as one another.

    Then their ids decide. Those that are as likely as the last of the k stay too: compare scores
    with the k-th largest.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    if top_k is not None:
        scores[np.argsort(-scores, kind="stable")[top_k:]] = -np.inf
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def more_than_there_are(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-k may be larger than the vocabulary: then there is no k-th largest, and every token
    stays.

    Check for that first.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    if top_k is not None:
        scores[scores < np.sort(scores)[-top_k]] = -np.inf
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def top_k_not_used(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top_k is not used.

    What is below the k-th largest score goes to minus infinity before the softmax.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    y = _softmax(scores)
    return _top_p(y, top_p)


@mistake("token_probabilities")
def top_p_not_used(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top_p is not used.

    Sort the probabilities from the largest down, and keep the first ones until they reach p.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    return _softmax(scores)


@mistake("token_probabilities")
def not_scaled_to_one(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """after top-p the probabilities no longer sum to one.

    The tokens that stay must get what the others lost: divide by what is left.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    if top_p is not None:
        order = np.argsort(-y, kind="stable")
        y[order[np.cumsum(y[order]) - y[order] >= top_p]] = 0
    return y


@mistake("token_probabilities")
def top_k_not_scaled_to_one(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """after top-k the probabilities no longer sum to one.

    The tokens that stay must get what the others lost: divide by what is left, or cut before the
    softmax.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    y = _softmax(scores)
    if top_k is not None and top_k < y.size:
        y[y < np.sort(y)[-top_k]] = 0
    return _top_p(y, top_p) if top_p is not None else y


@mistake("token_probabilities")
def the_last_one_dropped(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-p drops the token with which the sum reaches p; it must stay.

    The tokens that stay have *at least* the probability p together. With p = 0.01 yours leaves
    none. Look at the sum of those before a token.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    if top_p is not None:
        order = np.argsort(-y, kind="stable")
        y[order[np.cumsum(y[order]) > top_p]] = 0
        y = y / y.sum()
    return y


@mistake("token_probabilities")
def a_threshold(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-p was taken for a threshold on each single token.

    It is about their sum, from the likeliest down. (What you wrote exists, with small numbers: it
    is called min-p.)
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    if top_p is not None:
        y = np.where(y < top_p, 0.0, y)
        y = y / y.sum()
    return y


@mistake("token_probabilities")
def upward(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-p adds up from the least likely token: argsort goes upward.

    Sort -y. What should go first is the long tail of unlikely tokens, and yours keeps it.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    if top_p is not None:
        order = np.argsort(y, kind="stable")
        y[order[np.cumsum(y[order]) - y[order] >= top_p]] = 0
        y = y / y.sum()
    return y


@mistake("token_probabilities")
def mask_in_another_order(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """what top-p removes was found in sorted order, and removed in the order of the ids.

    Place i of the sorted list is token order[i]: y[order[...]] = 0.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    if top_p is not None:
        down = -np.sort(-y)
        y[np.cumsum(down) - down >= top_p] = 0
        y = y / y.sum()
    return y


@mistake("token_probabilities")
def not_sorted(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-p adds up in the order of the ids: the probabilities were not sorted.

    The likeliest come first, whatever their ids.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    if top_p is not None:
        y[np.cumsum(y) - y >= top_p] = 0
        y = y / y.sum()
    return y


@mistake("token_probabilities")
def top_p_first(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-p came first, then top-k; the order is top-k first.

    The probability p is a share of what top-k has left, which is more than the same share of all.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    y = _top_p(_softmax(scores), top_p)
    if top_k is not None and top_k < y.size:
        y[y < np.sort(y)[-top_k]] = 0
        y = y / y.sum()
    return y


@mistake("token_probabilities")
def top_p_without_temperature(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """top-p was found with the probabilities at temperature 1.

    The temperature comes first, and everything after it works on what it gives.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    if top_p is not None:
        before = _softmax(_scaled(logits, 1.0))
        scores[_top_p(before, top_p) == 0] = -np.inf
    return _softmax(scores)


@mistake("token_probabilities")
def a_token_returned(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """a token was drawn; return the probabilities of all tokens, of shape (V,).

    Drawing is another function's work (`generate._choose`), with a generator of its own.
    """
    if temperature == 0:
        return int(logits.argmax())
    scores = _scaled(logits, temperature)
    scores = _top_k(scores, top_k)
    y = _softmax(scores)
    y = _top_p(y, top_p)
    return int(np.random.default_rng(0).choice(len(y), p=y))


@mistake("token_probabilities")
def in_place_on_the_logits(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Any:
    """the logits were changed in place: `logits /= temperature` writes to the caller's array.

    astype makes a copy, and so does `logits / temperature`.
    """
    if temperature == 0:
        return _greedy(logits)
    logits /= temperature
    if top_k is not None and top_k < logits.size:
        logits[logits < np.sort(logits)[-top_k]] = -np.inf
    y = _softmax(logits.astype(np.float64) - logits.max())
    return _top_p(y, top_p)
