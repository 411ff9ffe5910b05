"""Sampling as people write it at first."""

from __future__ import annotations

from collections.abc import Callable
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


def _top_k(scores: Array, top_k: int | None, other: float = -np.inf) -> Array:
    if top_k is None or top_k >= scores.size:
        return scores
    return np.where(scores < np.sort(scores)[-top_k], other, scores)


def _softmax(scores: Array) -> Array:
    y = np.exp(scores - scores.max())
    return y / y.sum()


def _before(y: Array) -> Array:
    """Return for each token the sum of those that are likelier."""
    order = np.argsort(-y, kind="stable")
    sums = np.empty_like(y)
    sums[order] = np.cumsum(y[order]) - y[order]
    return sums


def _keeping(stays: Callable[[Array, float], Any]) -> Callable[..., Array]:
    """Return a top-p that keeps the tokens of which `stays(y, top_p)` is true."""

    def top_p_of(y: Array, top_p: float | None) -> Array:
        if top_p is None:
            return y
        y = np.where(stays(y, top_p), y, 0.0)
        return y / y.sum()

    return top_p_of


_top_p = _keeping(lambda y, p: _before(y) < p)


def _steps(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    zero: Any = _greedy,
    scaled: Any = _scaled,
    cut: Any = _top_k,
    softmax: Any = _softmax,
    kept: Any = _top_p,
) -> Any:
    """Take all steps; each mistake below changes one of them."""
    if temperature == 0 and zero is not None:
        return zero(logits)
    return kept(softmax(cut(scaled(logits, temperature), top_k)), top_p)


# --------------------------------------------------------------------------- temperature


@mistake("token_probabilities")
def multiplied_by_the_temperature(logits, **options):
    """the scores were multiplied by the temperature; divide by it.

    A high temperature brings the scores closer together, so that everything becomes possible. Yours
    makes the model more sure the hotter it is.
    """
    return _steps(logits, **options, scaled=lambda x, t: _scaled(x, 1 / t))


@mistake("token_probabilities")
def no_temperature(logits, **options):
    """the temperature has no effect, except at 0.

    Divide the scores by it, before the softmax. (If you divide probabilities by it and then scale
    them to sum to one, they are what they were.)
    """
    return _steps(logits, **options, scaled=lambda x, t: _scaled(x, 1.0))


@mistake("token_probabilities")
def probabilities_divided(logits, *, temperature=1.0, **options):
    """the probabilities were divided by the temperature, after the softmax: they no longer sum to
    one.

    Divide the scores, before the softmax. A factor on all probabilities changes neither their order
    nor their ratios.
    """
    if temperature == 0:
        return _greedy(logits)
    return _steps(logits, **options, softmax=lambda scores: _softmax(scores) / temperature)


@mistake("token_probabilities")
def zero_divides(logits, **options):
    """temperature 0 divides by zero.

    It means the limit: the likeliest token has probability 1. Treat it first, by itself.
    """
    divided = {"scaled": lambda x, t: x.astype(np.float64) / t}
    return _steps(logits, **options, zero=None, **divided)


@mistake("token_probabilities")
def zero_taken_for_one(logits, *, temperature=1.0, **options):
    """temperature 0 does what temperature 1 does: 0 counts as false.

    `if temperature:` and `temperature or 1.0` skip zero. At 0 the likeliest token has all of the
    probability.
    """
    return _steps(logits, temperature=temperature or 1.0, **options)


@mistake("token_probabilities")
def greedy_below_one(logits, *, temperature=1.0, **options):
    """every temperature below 1 is taken for 0.

    Only at 0 the likeliest token has all of the probability. Between 0 and 1 the scores are divided
    as usual.
    """
    return _steps(logits, temperature=0.0 if temperature < 1 else temperature, **options)


@mistake("token_probabilities")
def all_of_the_greatest(logits, **options):
    """at temperature 0 several tokens share the probability; the first of the best should have it
    all.

    Greedy leaves nothing to chance. argmax gives the first.
    """

    def shared(x: Array) -> Array:
        y = (x == x.max()).astype(np.float64)
        return y / y.sum()

    return _steps(logits, **options, zero=shared)


@mistake("token_probabilities")
def a_token_at_zero(logits, **options):
    """at temperature 0 the token itself is returned; return the probabilities of all tokens.

    They are 0 but for the likeliest token, which has 1: y = np.zeros(V), then y[logits.argmax()] =
    1.
    """
    return _steps(logits, **options, zero=lambda x: int(x.argmax()))


@mistake("token_probabilities")
def no_maximum_taken_off(logits, **options):
    """the exponential overflows: the maximum of the scores was not subtracted.

    exp(710) is more than a float can hold. The softmax stays the same if you subtract one number
    from all scores, and the best number is their maximum.
    """

    def plain(scores: Array) -> Array:
        y = np.exp(scores)
        return y / y.sum()

    divided = {"scaled": lambda x, t: x.astype(np.float64) / t}
    return _steps(logits, **options, softmax=plain, **divided)


@mistake("token_probabilities")
def softmax_twice(logits, **options):
    """the softmax was taken twice: once of the scores, and once of the probabilities.

    The second time all numbers are between 0 and 1, so what comes out is nearly even. Divide by the
    sum if they have to sum to one again.
    """
    return _steps(logits, **options, softmax=lambda scores: _softmax(_softmax(scores)))


# --------------------------------------------------------------------------- top-k


@mistake("token_probabilities")
def zero_score(logits, **options):
    """the scores outside of the top k were set to 0; exp(0) is 1, so they stay possible.

    Before the softmax, "impossible" is minus infinity.
    """
    divided = {"scaled": lambda x, t: x.astype(np.float64) / t}
    return _steps(logits, **options, cut=lambda s, k: _top_k(s, k, 0.0), **divided)


@mistake("token_probabilities")
def zero_score_after_the_maximum(logits, **options):
    """the scores outside of the top k were set to 0, which is the highest score once the maximum is
    subtracted.

    Before the softmax, "impossible" is minus infinity.
    """
    return _steps(logits, **options, cut=lambda s, k: _top_k(s, k, 0.0))


def _cutting(goes: Callable[[Array, int], Any]) -> Callable[..., Array]:
    """Return a top-k that removes the tokens of which `goes(scores, k)` is true."""

    def top_k_of(scores: Array, top_k: int | None) -> Array:
        if top_k is None or top_k >= scores.size:
            return scores
        return np.where(goes(scores, top_k), -np.inf, scores)

    return top_k_of


@mistake("token_probabilities")
def the_k_least_likely(logits, **options):
    """the k least likely tokens are left: np.sort goes upward.

    The k-th largest is np.sort(scores)[-k].
    """
    return _steps(logits, **options, cut=_cutting(lambda s, k: s > np.sort(s)[k - 1]))


@mistake("token_probabilities")
def one_too_few(logits, **options):
    """top-k leaves one token too few: the k-th itself is removed, `<=` where `<` belongs.

    What is *below* the k-th largest goes.
    """
    return _steps(logits, **options, cut=_cutting(lambda s, k: s <= np.sort(s)[-k]))


@mistake("token_probabilities")
def one_too_many(logits, **options):
    """top-k leaves one token too many: sorted downward, the k-th is at place k - 1.

    Or np.sort(scores)[-k], which needs no such thought.
    """
    return _steps(logits, **options, cut=_cutting(lambda s, k: s < np.sort(s)[::-1][k]))


@mistake("token_probabilities")
def ties_cut(logits, **options):
    """top-k leaves exactly k tokens, and cuts between some that are as likely as one another.

    Then their ids decide. Those that are as likely as the last of the k stay too: compare scores
    with the k-th largest.
    """

    def exactly(scores: Array, k: int) -> Any:
        return np.argsort(np.argsort(-scores, kind="stable"), kind="stable") >= k

    return _steps(logits, **options, cut=_cutting(exactly))


@mistake("token_probabilities")
def first_ids_kept(logits, **options):
    """the k tokens with the lowest ids are left, not the k likeliest.

    Ids say nothing about likelihood. Find the k-th largest score, np.sort(scores)[-k], and compare.
    """
    return _steps(logits, **options, cut=_cutting(lambda s, k: np.arange(s.size) >= k))


@mistake("token_probabilities")
def more_than_there_are(logits, **options):
    """top-k may be larger than the vocabulary: then there is no k-th largest, and every token
    stays.

    Check for that first.
    """

    def unchecked(scores: Array, top_k: int | None) -> Array:
        return (
            scores if top_k is None else np.where(scores < np.sort(scores)[-top_k], -np.inf, scores)
        )

    return _steps(logits, **options, cut=unchecked)


@mistake("token_probabilities")
def top_k_not_used(logits, **options):
    """top_k is not used.

    What is below the k-th largest score goes to minus infinity before the softmax.
    """
    return _steps(logits, **options, cut=lambda scores, k: scores)


@mistake("token_probabilities")
def top_k_not_scaled_to_one(logits, *, top_k=None, **options):
    """after top-k the probabilities no longer sum to one.

    The tokens that stay must get what the others lost: divide by what is left, or cut before the
    softmax.
    """
    if options.get("temperature") == 0:
        return _greedy(logits)

    def softmax(scores: Array) -> Array:
        return _top_k(_softmax(scores), top_k, 0.0)

    return _steps(logits, **options, softmax=softmax)


# --------------------------------------------------------------------------- top-p


@mistake("token_probabilities")
def top_p_not_used(logits, **options):
    """top_p is not used.

    Sort the probabilities from the largest down, and keep the first ones until they reach p.
    """
    return _steps(logits, **options, kept=lambda y, p: y)


@mistake("token_probabilities")
def not_scaled_to_one(logits, **options):
    """after top-p the probabilities no longer sum to one.

    The tokens that stay must get what the others lost: divide by what is left.
    """

    def unscaled(y: Array, top_p: float | None) -> Array:
        return y if top_p is None else np.where(_before(y) < top_p, y, 0.0)

    return _steps(logits, **options, kept=unscaled)


@mistake("token_probabilities")
def the_last_one_dropped(logits, **options):
    """top-p drops the token with which the sum reaches p; it must stay.

    The tokens that stay have *at least* the probability p together. With p = 0.01 yours leaves
    none. Look at the sum of those before a token.
    """
    return _steps(logits, **options, kept=_keeping(lambda y, p: _before(y) + y <= p))


@mistake("token_probabilities")
def one_more_than_p(logits, **options):
    """top-p keeps one token too many (off by one).

    The token with which the sum reaches p is the last one that stays. Count it once: with a sum of
    0.5, 0.8, 0.95 and p = 0.7 two tokens stay.
    """

    def one_more(y: Array, p: float) -> Any:
        place = np.argsort(np.argsort(-y, kind="stable"), kind="stable")
        return place <= np.count_nonzero(_before(y) < p)

    return _steps(logits, **options, kept=_keeping(one_more))


@mistake("token_probabilities")
def a_threshold(logits, **options):
    """top-p was taken for a threshold on each single token.

    It is about their sum, from the likeliest down. (What you wrote exists, with small numbers: it
    is called min-p.)
    """
    return _steps(logits, **options, kept=_keeping(lambda y, p: y >= p))


@mistake("token_probabilities")
def a_threshold_of_the_rest(logits, **options):
    """top-p was taken for a threshold on each single token, 1 - p.

    It is about the sum of probabilities, from the likeliest down (np.cumsum): what stays has p
    together. No token is judged by itself.
    """
    return _steps(logits, **options, kept=_keeping(lambda y, p: y >= 1 - p))


@mistake("token_probabilities")
def min_p(logits, **options):
    """this is min-p: tokens stay if they have a share p of the likeliest one's probability.

    That is a threshold on each token by itself. Top-p is about their sum, from the likeliest down.
    """
    return _steps(logits, **options, kept=_keeping(lambda y, p: y >= p * y.max()))


@mistake("token_probabilities")
def upward(logits, **options):
    """top-p adds up from the least likely token: argsort goes upward.

    Sort -y. What should go first is the long tail of unlikely tokens, and yours keeps it.
    """

    def from_below(y: Array, p: float) -> Any:
        order = np.argsort(y, kind="stable")
        stays = np.empty(y.size, bool)
        stays[order] = np.cumsum(y[order]) - y[order] < p
        return stays

    return _steps(logits, **options, kept=_keeping(from_below))


@mistake("token_probabilities")
def ties_backward(logits, **options):
    """top-p takes the highest ids first where tokens are equally likely; it must be the lowest.

    np.argsort(y)[::-1] turns the order of ties around too. np.argsort(-y, kind="stable") does not.
    """

    def backward(y: Array, p: float) -> Any:
        return _before(y[::-1])[::-1] < p

    return _steps(logits, **options, kept=_keeping(backward))


@mistake("token_probabilities")
def mask_in_another_order(logits, **options):
    """what top-p removes was found in sorted order, and removed in the order of the ids.

    Place i of the sorted list is token order[i]: y[order[...]] = 0.
    """

    def unordered(y: Array, p: float) -> Any:
        down = -np.sort(-y)
        return np.cumsum(down) - down < p

    return _steps(logits, **options, kept=_keeping(unordered))


@mistake("token_probabilities")
def left_in_sorted_order(logits, **options):
    """the probabilities came back in sorted order, the likeliest first; they belong to the ids.

    Whoever draws from them gets place i of the sorted list, and takes it for token i. Keep the
    order (np.argsort) and write back: y[order[...]] = 0 leaves each where it was.
    """

    def sorted_down(y: Array, top_p: float | None) -> Array:
        return y if top_p is None else _top_p(-np.sort(-y), top_p)

    return _steps(logits, **options, kept=sorted_down)


@mistake("token_probabilities")
def not_sorted(logits, **options):
    """top-p adds up in the order of the ids: the probabilities were not sorted.

    The likeliest come first, whatever their ids.
    """
    return _steps(logits, **options, kept=_keeping(lambda y, p: np.cumsum(y) - y < p))


@mistake("token_probabilities")
def scores_added_up(logits, *, temperature=1.0, top_k=None, top_p=None):
    """top-p adds up the scores; it must add up the probabilities, after the softmax.

    Scores are no shares of anything: they may be negative, and their sum means nothing.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _top_k(logits.astype(np.float64) / temperature, top_k)
    if top_p is not None:
        order = np.argsort(-scores, kind="stable")
        scores[order[np.cumsum(scores[order]) - scores[order] >= top_p]] = -np.inf
    return _softmax(scores)


@mistake("token_probabilities")
def exponentials_added_up(logits, **options):
    """top-p adds up the exponentials; divide them by their sum before it.

    Only then are they probabilities, and their sum can be compared with p.
    """

    def unscaled(scores: Array) -> Array:
        return np.exp(scores - scores.max())

    def kept(y: Array, top_p: float | None) -> Array:
        y = y if top_p is None else np.where(_before(y) < top_p, y, 0.0)
        return y / y.sum()

    return _steps(logits, **options, softmax=unscaled, kept=kept)


@mistake("token_probabilities")
def top_p_first(logits, *, temperature=1.0, top_k=None, top_p=None):
    """top-p was counted with probabilities of before top-k.

    Either top-p came first, or what top-k left was not scaled to sum to one before top-p. The
    probability p is a share of what top-k has left, which is more than the same share of all.
    """
    if temperature == 0:
        return _greedy(logits)
    y = _top_k(_top_p(_softmax(_scaled(logits, temperature)), top_p), top_k, 0.0)
    return y / y.sum()


@mistake("token_probabilities")
def top_p_without_temperature(logits, *, temperature=1.0, top_k=None, top_p=None):
    """top-p was found with the probabilities at temperature 1.

    The temperature comes first, and everything after it works on what it gives.
    """
    if temperature == 0:
        return _greedy(logits)
    scores = _top_k(_scaled(logits, temperature), top_k)
    if top_p is not None:
        scores[_top_p(_softmax(_scaled(logits, 1.0)), top_p) == 0] = -np.inf
    return _softmax(scores)


# --------------------------------------------------------------------------- the whole


@mistake("token_probabilities")
def a_token_returned(logits, **options):
    """a token was drawn; return the probabilities of all tokens, of shape (V,).

    Drawing is another function's work (`generate._choose`), with a generator of its own.
    """
    y = _steps(logits, **options)
    return int(np.random.default_rng(0).choice(len(y), p=y))


@mistake("token_probabilities")
def in_place_on_the_logits(logits, *, temperature=1.0, **options):
    """the logits were changed in place: `logits /= temperature` writes to the caller's array.

    astype makes a copy, and so does `logits / temperature`.
    """
    if temperature == 0:
        return _greedy(logits)
    logits /= temperature
    return _steps(logits, **options)
