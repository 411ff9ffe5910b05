"""The statistics of a comparison: worked examples, slow versions, and how often they are wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minilm.compare import bootstrap, statistics
from minilm.compare.statistics import Difference
from minilm.errors import OptionError


def simulate(
    rng: np.random.Generator, seeds: int, items: int, advantage: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the outcomes of two conditions that are equally good but for an advantage of the first.

    What makes an outcome likely adds up on the scale of log-odds: the item's difficulty and the
    labelled sample's worth, which both conditions share, then how the item, the sample, and the
    two together suit the one condition.
    """
    shared = 0.3 + rng.normal(0, 1.0, (1, items)) + rng.normal(0, 0.2, (seeds, 1))
    outcomes = []
    for gain in (advantage, 0.0):
        own = (
            rng.normal(0, 0.7, (1, items))
            + rng.normal(0, 0.2, (seeds, 1))
            + rng.normal(0, 0.5, (seeds, items))
        )
        chance = 1 / (1 + np.exp(-(shared + gain + own)))
        outcomes.append(rng.random((seeds, items)) < chance)
    return outcomes[0], outcomes[1]


def claims_by_seeds_alone(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> bool:
    """The wrong way: each seed's mean difference resampled, the test items taken as given."""
    by_seed = (a.astype(float) - b).mean(axis=1)
    means = by_seed[rng.integers(len(by_seed), size=(499, len(by_seed)))].mean(axis=1)
    low, high = bootstrap.percentile_interval(means)
    return not low <= 0 <= high


@pytest.mark.parametrize("seeds", [5, 10])
def test_claims_no_difference_where_there_is_none(seeds):
    rng = np.random.default_rng(0)
    trials, ours, seeds_alone = 400, 0, 0
    for _ in range(trials):
        a, b = simulate(rng, seeds, 200)
        result = statistics.paired_difference(a, b, rng=rng, resamples=499)
        ours += statistics.verdict(result, result.p) != "cannot tell"
        seeds_alone += claims_by_seeds_alone(a, b, rng)
    assert ours / trials <= 0.04
    assert seeds_alone / trials >= 0.10


def test_sees_a_difference_that_is_there():
    rng = np.random.default_rng(1)
    results = [
        statistics.paired_difference(*simulate(rng, 10, 200, 0.5), rng=rng, resamples=499)
        for _ in range(100)
    ]
    verdicts = [statistics.verdict(result, result.p) for result in results]
    assert verdicts.count("better") >= 75
    assert verdicts.count("worse") == 0


def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    truth = np.mean([simulate(rng, 50, 2000)[0].mean() for _ in range(40)])
    trials = 400
    inside = 0
    for _ in range(trials):
        correct, _ = simulate(rng, 10, 200)
        estimate = statistics.mean_and_interval(correct, rng=rng, resamples=499)
        inside += estimate.low <= truth <= estimate.high
    assert 0.94 <= inside / trials <= 0.99


def test_bootstrap_means_equal_the_slow_version():
    """Same draws; then each resample's table of seeds by items is written out and averaged."""
    outcomes = np.random.default_rng(3).integers(-1, 2, size=(4, 9)).astype(float)
    fast = bootstrap.bootstrap_means(outcomes, rng=np.random.default_rng(4), resamples=100)
    rng = np.random.default_rng(4)
    drawn_seeds = rng.integers(4, size=(100, 4))
    drawn_items = rng.integers(9, size=(100, 9))
    slow = [
        outcomes[np.ix_(seeds, items)].mean()
        for seeds, items in zip(drawn_seeds, drawn_items, strict=True)
    ]
    np.testing.assert_allclose(fast, slow, atol=1e-15)


@pytest.mark.parametrize("vary", ["items", "seeds"])
def test_bootstrap_spread_is_the_standard_error_where_only_one_factor_varies(vary):
    values = np.random.default_rng(5).random(40) < 0.3
    outcomes = (
        np.repeat(values[np.newaxis], 6, axis=0) if vary == "items" else values[:, np.newaxis]
    )
    means = bootstrap.bootstrap_means(
        np.ascontiguousarray(outcomes, dtype=float), rng=np.random.default_rng(6), resamples=20_000
    )
    assert means.std() == pytest.approx(values.std() / math.sqrt(40), rel=0.03)
    assert means.mean() == pytest.approx(values.mean(), abs=0.002)


def test_one_seed_is_a_bootstrap_over_items():
    correct = np.random.default_rng(7).random((1, 300)) < 0.6
    estimate = statistics.mean_and_interval(correct, rng=np.random.default_rng(8))
    half_width = 1.96 * correct.std() / math.sqrt(300)
    assert estimate.mean == pytest.approx(correct.mean(), abs=1e-15)
    assert (estimate.high - estimate.low) / 2 == pytest.approx(half_width, rel=0.05)


def test_the_same_generator_gives_the_same_bits():
    a, b = simulate(np.random.default_rng(9), 10, 300)
    first, second = (
        statistics.paired_difference(a, b, rng=np.random.default_rng(10)) for _ in range(2)
    )
    assert first == second
    other = statistics.paired_difference(a, b, rng=np.random.default_rng(11))
    assert other.difference == first.difference
    assert other != first


def test_swapping_the_conditions_turns_everything_round():
    a, b = simulate(np.random.default_rng(12), 5, 100, 0.4)
    ab = statistics.paired_difference(a, b, rng=np.random.default_rng(13), resamples=999)
    ba = statistics.paired_difference(b, a, rng=np.random.default_rng(13), resamples=999)
    assert ba == Difference(-ab.difference, -ab.high, -ab.low, ab.p)


def test_what_the_conditions_share_cancels():
    """Pairing: outcomes that vary much and together have a difference that varies little."""
    rng = np.random.default_rng(14)
    b = np.repeat(rng.random((1, 200)) < 0.5, 10, axis=0)
    a = b.copy()
    a[:, np.flatnonzero(~b[0])[:12]] = True
    result = statistics.paired_difference(a, b, rng=rng, resamples=999)
    alone = statistics.mean_and_interval(a, rng=rng, resamples=999)
    assert result.difference == pytest.approx(0.06)
    assert result.low > 0.02
    assert alone.high - alone.low > 2 * (result.high - result.low)


def test_p_and_interval_never_contradict_each_other():
    rng = np.random.default_rng(15)
    significant = 0
    for trial in range(300):
        a, b = simulate(rng, 4, 40, rng.normal(0, 0.6))
        result = statistics.paired_difference(a, b, rng=rng, resamples=100 + trial)
        assert (result.p <= 0.05) == (not result.low <= 0 <= result.high)
        assert result.low <= result.difference <= result.high
        significant += result.p <= 0.05
    assert 30 < significant < 270


def test_p_is_never_zero_and_one_where_nothing_differs():
    right, wrong = np.ones((3, 20), dtype=bool), np.zeros((3, 20), dtype=bool)
    rng = np.random.default_rng(16)
    extreme = statistics.paired_difference(right, wrong, rng=rng, resamples=999)
    assert extreme == Difference(1.0, 1.0, 1.0, 2 / 1000)
    assert statistics.paired_difference(right, right, rng=rng).p == 1.0
    assert statistics.mean_and_interval(right, rng=rng) == statistics.Estimate(1.0, 1.0, 1.0)


def test_holm_worked_by_hand():
    # In order 0.005, 0.01, 0.03, 0.04: times 4, 3, 2, 1 gives 0.02, 0.03, 0.06, 0.04; the last may
    # not fall below the one before it.
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([0.5, 0.6]) == [1.0, 1.0]
    assert statistics.holm([0.02]) == [0.02]
    assert statistics.holm([]) == []


@pytest.mark.parametrize(
    ("low", "high", "adjusted_p", "expected"),
    [
        (0.01, 0.05, 0.05, "better"),
        (-0.05, -0.01, 0.05, "worse"),
        (0.01, 0.05, 0.051, "cannot tell"),
        (0.0, 0.05, 0.01, "cannot tell"),
        (-0.05, 0.0, 0.01, "cannot tell"),
    ],
)
def test_verdict_needs_the_interval_and_the_adjusted_p(low, high, adjusted_p, expected):
    difference = Difference((low + high) / 2, low, high, 0.01)
    assert statistics.verdict(difference, adjusted_p) == expected


def test_resolvable_difference_equals_its_formula():
    # A single run near chance: 1.96 * sqrt(0.5 / 440).
    assert statistics.resolvable_difference(440) == pytest.approx(0.066071, abs=1e-6)
    # Ten seeds whose outcomes repeat one another tell no more than one; independent ones do.
    repeat = statistics.resolvable_difference(440, 10, correlation=1.0)
    assert repeat == pytest.approx(statistics.resolvable_difference(440), rel=1e-12)
    fresh = statistics.resolvable_difference(440, 10, correlation=0.0)
    assert fresh == pytest.approx(statistics.resolvable_difference(4400), rel=1e-12)
    assert statistics.resolvable_difference(440, disagreement=0.125) == pytest.approx(
        statistics.resolvable_difference(440) / 2, rel=1e-12
    )


def test_resolvable_difference_is_the_half_width_where_only_items_vary():
    rng = np.random.default_rng(18)
    a, b = rng.random((2, 1, 500)) < 0.5
    result = statistics.paired_difference(a, b, rng=rng)
    expected = statistics.resolvable_difference(500, disagreement=float((a != b).mean()))
    assert (result.high - result.low) / 2 == pytest.approx(expected, rel=0.05)


def test_several_conditions_get_the_draws_of_one():
    rng = np.random.default_rng(19)
    outcomes = rng.integers(0, 2, size=(2, 3, 5, 40)).astype(float)
    together = bootstrap.bootstrap_means(outcomes, rng=np.random.default_rng(20), resamples=50)
    assert together.shape == (2, 3, 50)
    alone = bootstrap.bootstrap_means(outcomes[1, 2], rng=np.random.default_rng(20), resamples=50)
    assert np.array_equal(together[1, 2], alone)


def test_a_handful_of_items_claims_no_more_than_a_sign_test():
    """Five items that all differ: the smallest two-sided p of a sign test is 2 / 2**5."""
    ours, theirs = np.ones((9, 5), bool), np.zeros((9, 5), bool)
    result = statistics.paired_difference(ours, theirs, rng=np.random.default_rng(0))
    assert result.p == 2 / 2**5
    assert statistics.verdict(result, result.p) == "cannot tell"


def test_items_needed_is_the_inverse_of_what_they_resolve():
    for seeds in (1, 5, 30):
        for difference in (0.01, 0.07, 0.4):
            items = statistics.items_needed(difference, seeds)
            assert statistics.resolvable_difference(items, seeds) <= difference
            assert items == 1 or statistics.resolvable_difference(items - 1, seeds) > difference


@pytest.mark.peers
def test_wilson_intervals_are_scipys(peer):
    binomial = peer("scipy.stats").binomtest
    for right, items in ((0, 6), (6, 6), (1, 9), (230, 464), (463, 464)):
        theirs = binomial(right, items).proportion_ci(0.95, method="wilson")
        ours = statistics.wilson_interval(right, items)
        assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.peers
def test_holm_is_stepwise_bonferroni_on_scipys_p_values(peer):
    """SciPy has no Holm: its sign tests give p-values, and the rule is followed step by step."""
    binomial = peer("scipy.stats").binomtest
    p = [float(binomial(k, 40).pvalue) for k in (12, 20, 9, 27, 30)]
    adjusted = statistics.holm(p)
    claimed, left = set(), sorted(range(5), key=p.__getitem__)
    while left and p[left[0]] <= 0.05 / len(left):
        claimed.add(left.pop(0))
    assert {i for i in range(5) if adjusted[i] <= 0.05} == claimed
    assert 0 < len(claimed) < 5


@pytest.mark.peers
def test_one_seed_has_the_percentile_interval_of_scipys_bootstrap(peer):
    right = np.random.default_rng(21).random((1, 400)) < 0.7
    theirs = peer("scipy.stats").bootstrap(
        (right[0].astype(float),),
        np.mean,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    ours = statistics.mean_and_interval(right, rng=np.random.default_rng(0), resamples=20_000)
    found = theirs.confidence_interval
    assert (ours.low, ours.high) == pytest.approx((found.low, found.high), abs=0.004)


GOOD = np.ones((2, 5), dtype=bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: statistics.mean_and_interval(GOOD[0], rng=rng), r"shape \(5,\)"),
        (lambda rng: statistics.mean_and_interval(GOOD * 1.0, rng=rng), "type float64"),
        (lambda rng: statistics.mean_and_interval(GOOD[:0], rng=rng), "at least one of each"),
        (lambda rng: statistics.mean_and_interval(GOOD, rng=rng, resamples=38), "39 or more"),
        (lambda rng: statistics.paired_difference(GOOD, GOOD[:1], rng=rng), "cannot be paired"),
        (lambda rng: statistics.items_needed(0.0), r"a difference of 0\.0"),
        (lambda rng: statistics.wilson_interval(3, 2), "3 right of 2 items"),
        (lambda rng: statistics.resolvable_difference(0), "0 test items and 1 seeds"),
        (lambda rng: statistics.resolvable_difference(5, 0), "5 test items and 0 seeds"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(call, message):
    with pytest.raises(OptionError, match=message) as caught:
        call(np.random.default_rng(0))
    assert "\n" not in str(caught.value)
