"""What people write in kata 10.3. Each docstring is what the learner reads."""

from __future__ import annotations

import math
from statistics import NormalDist

from minilm.course.mistakes import mistake
from minilm.errors import OptionError

LEVEL = 0.05
Z = NormalDist().inv_cdf(1 - LEVEL / 2)


def _order(p_values):
    return sorted(range(len(p_values)), key=lambda i: p_values[i])


def _stepped(p_values, factors, most=1.0, running=True):
    """Return each p times its rank's factor."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for i, factor in zip(_order(p_values), factors, strict=True):
        value = min(most, factor * p_values[i])
        largest = max(largest, value) if running else value
        adjusted[i] = largest
    return adjusted


def _down(m):
    return range(m, 0, -1)


@mistake("holm")
def bonferroni(p_values):
    """this is Bonferroni's correction: each p-value times m.

    It keeps the same promise and finds less. Once the smallest is settled, only m - 1 tests are
    open; so the i-th smallest, from 0, gets the factor m - i.
    """
    return [min(1.0, len(p_values) * p) for p in p_values]


@mistake("holm")
def no_running_maximum(p_values):
    """a smaller p-value got a larger adjusted one: the running maximum is missing.

    0.03 * 2 = 0.06, and then 0.04 * 1 = 0.04. Where a test fails, all that come after it fail too,
    so an adjusted value is never below the one before it.
    """
    return _stepped(p_values, _down(len(p_values)), running=False)


@mistake("holm")
def a_running_minimum(p_values):
    """the running minimum was taken; it must be the maximum.

    Adjusted values go up with the p-values: where a test fails, all that come after it fail too.
    """
    adjusted, smallest = [0.0] * len(p_values), 1.0
    for i, factor in zip(_order(p_values), _down(len(p_values)), strict=True):
        smallest = min(smallest, factor * p_values[i])
        adjusted[i] = smallest
    return adjusted


@mistake("holm")
def above_one(p_values):
    """an adjusted p-value is above 1: take min(1.0, ...). A probability ends there."""
    return _stepped(p_values, _down(len(p_values)), most=math.inf)


@mistake("holm")
def in_sorted_order(p_values):
    """the adjusted values are in the order of size; return them in the order of `p_values`.

    Sort indices, not values: then adjusted[i] belongs to p_values[i].
    """
    return sorted(_stepped(p_values, _down(len(p_values))))


@mistake("holm")
def factors_upside_down(p_values):
    """the factors are upside down: the smallest p-value gets m, the largest gets 1.

    With rank counted from 0 it is m - rank, not rank + 1. The smallest of many is the one that
    luck has helped.
    """
    return _stepped(p_values, range(1, len(p_values) + 1))


@mistake("holm")
def one_too_few(p_values):
    """each factor is one too small: off by one. With rank counted from 0 it is m - rank.

    The smallest of m gets m. The largest gets 1, not 0.
    """
    return _stepped(p_values, range(len(p_values) - 1, -1, -1))


@mistake("holm")
def benjamini_hochberg(p_values):
    """this is Benjamini and Hochberg's correction, which controls the false discovery rate.

    It promises that few of your claims are false. Holm's promises that probably *none* is. With a
    handful of comparisons that are read one by one, you want the second.
    """
    m, smallest = len(p_values), 1.0
    adjusted = [0.0] * m
    for rank, i in reversed(list(enumerate(_order(p_values)))):
        smallest = min(smallest, p_values[i] * m / (rank + 1))
        adjusted[i] = smallest
    return adjusted


@mistake("holm")
def hochberg(p_values):
    """this is Hochberg's correction: it goes from the largest p-value, with a running minimum.

    It finds a little more, and needs an assumption for it. Holm goes from the smallest, with a
    running maximum.
    """
    adjusted, smallest = [0.0] * len(p_values), 1.0
    for factor, i in enumerate(reversed(_order(p_values)), start=1):
        smallest = min(smallest, factor * p_values[i])
        adjusted[i] = smallest
    return adjusted


@mistake("holm")
def nothing_after_the_first_failure(p_values):
    """the rest is 1 after the first value above LEVEL: it stopped there.

    They can no longer be claims, but they keep their adjusted values: max over those before, at
    most 1.
    """
    stepped = _stepped(p_values, _down(len(p_values)))
    return [1.0 if p > LEVEL else p for p in stepped]


@mistake("holm")
def not_adjusted(p_values):
    """nothing is adjusted: these are the p-values that came in.

    The smallest one of m has had m chances.
    """
    return list(p_values)


@mistake("holm")
def argsort_is_not_the_rank(p_values):
    """the sorted order was taken for the ranks: order[i] is who is in place i, not the place of i.

    That is the argsort trap. Walk through the order: for rank, i in enumerate(order).
    """
    m, order = len(p_values), _order(p_values)
    found = [min(1.0, (m - order[i]) * p_values[i]) for i in range(m)]
    adjusted, largest = [0.0] * m, 0.0
    for i in order:
        largest = max(largest, found[i])
        adjusted[i] = largest
    return adjusted


@mistake("holm")
def in_the_order_given(p_values):
    """the p-values were not sorted: the factors went from m down in the order given.

    Start with the smallest p-value, wherever it is in the list.
    """
    m, largest, adjusted = len(p_values), 0.0, []
    for i, p in enumerate(p_values):
        largest = max(largest, min(1.0, (m - i) * p))
        adjusted.append(largest)
    return adjusted


@mistake("holm")
def from_the_largest(p_values):
    """you began with the largest p-value; begin with the smallest, which gets the factor m.

    The strongest claim goes first, while all tests are open.
    """
    m, largest, adjusted = len(p_values), 0.0, [0.0] * len(p_values)
    for rank, i in enumerate(reversed(_order(p_values))):
        largest = max(largest, min(1.0, (m - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


@mistake("holm")
def divided(p_values):
    """you divided the p-values by m - rank; multiply them. It is the level that is divided.

    p <= 0.05 / m and p * m <= 0.05 say the same. An adjusted p-value is never below its own p.
    """
    adjusted = [0.0] * len(p_values)
    for i, factor in zip(_order(p_values), _down(len(p_values)), strict=True):
        adjusted[i] = p_values[i] / factor
    return adjusted


# --------------------------------------------------------------------------- verdict


def _zero_inside(difference):
    return difference.low <= 0 <= difference.high


def _by_sign(difference):
    return "better" if difference.difference > 0 else "worse"


@mistake("verdict")
def interval_not_asked(difference, adjusted_p):
    """the interval is not used: with zero inside it, the verdict is "cannot tell", whatever p is.

    Two ways to one verdict: p is too large, or zero is in the interval.
    """
    return "cannot tell" if adjusted_p > LEVEL else _by_sign(difference)


@mistake("verdict")
def p_not_asked(difference, adjusted_p):
    """adjusted_p is not used: the interval alone knows nothing of the other comparisons.

    It is at 95 % for one comparison. An adjusted p above LEVEL is "cannot tell" too.
    """
    return "cannot tell" if _zero_inside(difference) else _by_sign(difference)


@mistake("verdict")
def its_own_p(difference, adjusted_p):
    """you used difference.p, its own p-value, which is not adjusted; use adjusted_p.

    Its own p does not know how many comparisons were made.
    """
    if difference.p > LEVEL or _zero_inside(difference):
        return "cannot tell"
    return _by_sign(difference)


@mistake("verdict")
def one_of_both_is_enough(difference, adjusted_p):
    """a claim needs both, and you made it when either is there: `and` must be `or`.

    p above LEVEL *or* zero in the interval: each of the two is enough for "cannot tell".
    """
    if adjusted_p > LEVEL and _zero_inside(difference):
        return "cannot tell"
    return _by_sign(difference)


@mistake("verdict")
def better_and_worse_exchanged(difference, adjusted_p):
    """better and worse are swapped: the difference is condition minus baseline.

    Above zero, the condition is more accurate than its baseline.
    """
    if adjusted_p > LEVEL or _zero_inside(difference):
        return "cannot tell"
    return "worse" if difference.difference > 0 else "better"


@mistake("verdict")
def level_itself_left_out(difference, adjusted_p):
    """an adjusted p of exactly 0.05 is a claim: LEVEL or less, so "cannot tell" is p > LEVEL.

    Fix the rule before you see the results, also at its edge.
    """
    if adjusted_p >= LEVEL or _zero_inside(difference):
        return "cannot tell"
    return _by_sign(difference)


@mistake("verdict")
def ends_left_out(difference, adjusted_p):
    """an interval that ends exactly at zero holds zero: low <= 0 <= high, with <=.

    What is in the interval is what the data allow, ends included.
    """
    if adjusted_p > LEVEL or difference.low < 0 < difference.high:
        return "cannot tell"
    return _by_sign(difference)


@mistake("verdict")
def equal(difference, adjusted_p):
    """ "equal" is not a verdict; the words are "better", "worse" and "cannot tell".

    Absence of evidence is not evidence of absence: too few items give the same picture.
    """
    if adjusted_p > LEVEL or _zero_inside(difference):
        return "equal"
    return _by_sign(difference)


@mistake("verdict")
def never_worse(difference, adjusted_p):
    """ "worse" never comes out: whatever is a claim is called "better".

    Look at the sign of the difference. A method that does harm must be called that.
    """
    return "cannot tell" if adjusted_p > LEVEL or _zero_inside(difference) else "better"


@mistake("verdict")
def only_better(difference, adjusted_p):
    """the verdict is never "worse": an interval that is all below zero was called "cannot tell".

    The interval leaves out zero on either side: low above 0 is better, high below 0 is worse.
    """
    return "better" if adjusted_p <= LEVEL and difference.low > 0 else "cannot tell"


@mistake("verdict")
def worse_by_its_low_end(difference, adjusted_p):
    """it is "worse" as soon as the low end is below zero; it must be the high end.

    The whole interval has to be below zero: difference.high < 0. With zero inside, nobody can tell.
    """
    if adjusted_p > LEVEL or difference.low == 0:
        return "cannot tell"
    return "better" if difference.low > 0 else "worse"


@mistake("verdict")
def too_small_to_count(difference, adjusted_p):
    """a difference below 0.05 was called "cannot tell"; LEVEL is about the adjusted p alone.

    A small difference is a claim if its interval leaves out zero. Whether it matters is another
    question.
    """
    if abs(difference.difference) < LEVEL or adjusted_p > LEVEL:
        return "cannot tell"
    if difference.low <= 0 <= difference.high:
        return "cannot tell"
    return "better" if difference.difference > 0 else "worse"


# --------------------------------------------------------------------------- resolvable_difference


def _checked(items, seeds):
    if items < 1 or seeds < 1:
        raise OptionError("no")


@mistake("resolvable_difference")
def seeds_as_items(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """correlation is not used: S outcomes of one item were counted as S independent items.

    With a correlation r they weigh as much as S / (1 + (S - 1) r). At r = 0.2, no number of seeds
    counts for more than five.
    """
    _checked(items, seeds)
    return Z * math.sqrt(disagreement / (seeds * items))


@mistake("resolvable_difference")
def no_root(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """the square root is missing: this is Z times the variance, not Z times the standard error."""
    _checked(items, seeds)
    return Z * disagreement * (1 + (seeds - 1) * correlation) / (seeds * items)


@mistake("resolvable_difference")
def no_z(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """this is one standard error; the factor Z is missing.

    A difference of one standard error comes out by luck one time in three.
    """
    _checked(items, seeds)
    return math.sqrt(disagreement * (1 + (seeds - 1) * correlation) / (seeds * items))


def _error(items, seeds, disagreement, correlation):
    if items < 1 or seeds < 1:
        raise OptionError("no design")
    return math.sqrt(disagreement * (1 + (seeds - 1) * correlation) / (seeds * items))


@mistake("resolvable_difference")
def one_sided(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """the factor is that of a one-sided test, 1.645; a difference can have either sign.

    At 95 % 2.5 % are left on each side: use the Z of the stub.
    """
    z = NormalDist().inv_cdf(1 - LEVEL)
    return z * _error(items, seeds, disagreement, correlation)


@mistake("resolvable_difference")
def with_power(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """0.84 was added to Z, for a power of 80 %; asked for is a difference of Z standard errors.

    With that sum a difference is found four times in five. With Z alone it is found every other
    time, when it is exactly that large.
    """
    return (Z + NormalDist().inv_cdf(0.8)) * _error(items, seeds, disagreement, correlation)


@mistake("resolvable_difference")
def s_instead_of_s_minus_one(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """the design effect is 1 + (seeds - 1) * correlation; yours has seeds, without the - 1.

    With one seed there is nothing to be correlated with, and the effect must be 1.
    """
    _checked(items, seeds)
    return Z * math.sqrt(disagreement * (1 + seeds * correlation) / (seeds * items))


@mistake("resolvable_difference")
def seeds_not_used(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """seeds are not used: more runs on the same items help, up to a point.

    The variance is that of S * N outcomes, times 1 + (S - 1) r.
    """
    _checked(items, seeds)
    return Z * math.sqrt(disagreement / items)


@mistake("resolvable_difference")
def variance_of_a_share(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """you used q (1 - q), the variance of a share; that of a difference is the disagreement q.

    A paired outcome is -1, 0 or 1. Its square is 1 with probability q, and its mean is near 0, so
    its variance is q.
    """
    _checked(items, seeds)
    variance = disagreement * (1 - disagreement)
    return Z * math.sqrt(variance * (1 + (seeds - 1) * correlation) / (seeds * items))


@mistake("resolvable_difference")
def effect_upside_down(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """the design effect is upside down: correlation must make the difference larger, not smaller.

    Divide the number of outcomes by 1 + (S - 1) r, or multiply the variance by it.
    """
    _checked(items, seeds)
    return Z * math.sqrt(disagreement / (1 + (seeds - 1) * correlation) / (seeds * items))


@mistake("resolvable_difference")
def not_divided_by_seeds(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """the variance was not divided by the number of seeds: only by the items.

    There are S * N outcomes. The design effect takes some of that back.
    """
    _checked(items, seeds)
    return Z * math.sqrt(disagreement * (1 + (seeds - 1) * correlation) / items)


@mistake("resolvable_difference")
def nothing_is_refused(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """nothing is refused: a design without items or without seeds must raise OptionError.

    -3 items and -2 seeds make 6 outcomes, and a number that looks fine.
    """
    variance = disagreement * abs(1 + (seeds - 1) * correlation) / max(1, seeds * items)
    return Z * math.sqrt(variance)


@mistake("resolvable_difference")
def z_by_hand(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """Z is typed in as 1.96; use the Z of the stub, which has all the digits."""
    _checked(items, seeds)
    return 1.96 * math.sqrt(disagreement * (1 + (seeds - 1) * correlation) / (seeds * items))


@mistake("resolvable_difference")
def disagreement_outside_the_root(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """the disagreement is outside the square root; it is a variance, so it goes inside.

    A standard error is the root of a variance over a number of outcomes.
    """
    _checked(items, seeds)
    return Z * disagreement * math.sqrt((1 + (seeds - 1) * correlation) / (seeds * items))


@mistake("resolvable_difference")
def variance_twice(items, seeds=1, *, disagreement=0.5, correlation=0.2):
    """the variance is doubled; the disagreement is already that of the difference of the two.

    2 q would be right for two separate test sets with variance q each. Here the outcomes are
    paired, item by item.
    """
    _checked(items, seeds)
    return Z * math.sqrt(2 * disagreement * (1 + (seeds - 1) * correlation) / (seeds * items))
