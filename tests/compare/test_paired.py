"""Pairing runs: by seed, and by pretraining where both have several."""

import numpy as np
import pytest

from minilm.compare import bootstrap, paired, statistics
from minilm.compare.paired import Runs
from minilm.errors import OptionError

NESTED = tuple((seed, seed % 3) for seed in range(9))
CROSSED = tuple((seed, p) for seed in range(4) for p in range(3))


def outcomes(keys, *, seed=0, items=50, right=0.6):
    rng = np.random.default_rng(seed)
    return Runs(rng.random((len(keys), items)) < right, keys)


def test_a_condition_without_pretraining_meets_every_pretraining_of_the_other():
    plain = outcomes(tuple((seed, 0) for seed in range(4)))
    drawn = outcomes(CROSSED, seed=1)
    ours, theirs = paired.pair(drawn, plain)
    assert ours.keys == theirs.keys == CROSSED
    assert np.array_equal(ours.right, drawn.right)
    assert np.array_equal(theirs.right, np.repeat(plain.right, 3, axis=0))
    (difference,) = paired.differences([(drawn, plain)])
    assert difference.difference == pytest.approx(drawn.right.mean() - plain.right.mean())
    (turned,) = paired.differences([(plain, drawn)])
    assert (turned.low, turned.high) == pytest.approx((-difference.high, -difference.low))


def test_runs_that_one_side_lacks_are_left_out():
    whole, part = outcomes(NESTED), outcomes(NESTED[2:], seed=1)
    ours, theirs = paired.pair(whole, part)
    assert ours.keys == theirs.keys == NESTED[2:]
    assert np.array_equal(ours.right, whole.right[2:])
    assert paired.pair(outcomes(((0, 0),)), outcomes(((1, 0),))) is None
    assert paired.differences([(outcomes(((0, 0),)), outcomes(((1, 0),)))]) == [None]


def test_many_at_once_are_each_alone():
    cells = [outcomes(NESTED), outcomes(CROSSED, seed=1), outcomes(NESTED, seed=2)]
    for cell, found in zip(cells, paired.estimates(cells), strict=True):
        alone = statistics.mean_and_interval(
            cell.right, rng=np.random.default_rng(0), keys=cell.keys
        )
        assert (found.mean, found.low, found.high) == pytest.approx(
            (alone.mean, alone.low, alone.high), abs=1e-12
        )


@pytest.mark.parametrize("keys", [NESTED, CROSSED])
def test_resampled_runs_keep_the_design(keys):
    times = bootstrap.resample_runs(keys, 4000, np.random.default_rng(0))
    assert np.all(times.sum(axis=1) == len(keys))
    # Each run is drawn once on average (4,000 resamples: five standard errors of its spread).
    error = 5 * times.std(axis=0) / np.sqrt(4000)
    assert np.all(np.abs(times.mean(axis=0) - 1) < error)
    # Runs of one pretraining come together: their shares vary as three draws of three do.
    by_pretraining = np.stack([times[:, [p == k for _, p in keys]].sum(axis=1) for k in range(3)])
    shares = by_pretraining / len(keys)
    assert shares.var(axis=1) == pytest.approx(3 * (1 / 3) * (2 / 3) / 9, rel=0.1)


def test_a_run_is_drawn_as_often_as_its_seed_times_its_pretraining():
    keys = ((7, 1), (2, 4), (2, 1), (7, 4))
    times = bootstrap.run_times(keys, np.array([[3.0, 2.0], [0, 2]]), np.array([[1.0, 4.0]] * 2))
    np.testing.assert_array_equal(times, [[2, 12, 3, 8], [2, 0, 0, 8]])


def test_resampled_means_are_weighted_means_of_each_condition():
    rng = np.random.default_rng(2)
    outcomes = rng.random((2, 3, 5))
    times_run, times_item = rng.integers(1, 4, (4, 3)), rng.integers(0, 3, (4, 5)) + 1.0
    means = bootstrap.resampled_means(outcomes, times_run.astype(float), times_item)
    for m, (a, b) in enumerate(zip(times_run, times_item, strict=True)):
        repeated = np.repeat(np.repeat(outcomes, a, axis=1), b.astype(int), axis=2)
        np.testing.assert_allclose(means[:, m], repeated.mean(axis=(1, 2)), rtol=1e-12)


def test_designs_between_nested_and_crossed_are_refused():
    with pytest.raises(OptionError, match="5 runs of 4 seeds and 2 pretrainings"):
        bootstrap.resample_runs(
            ((0, 0), (0, 1), (1, 0), (2, 1), (3, 0)), 5, np.random.default_rng(0)
        )


def test_the_interval_of_few_pretrainings_is_wider_and_that_of_many_hardly():
    rng = np.random.default_rng(0)
    widths = {}
    for many in (3, 30):
        keys = tuple((p, p) for p in range(many))
        means = 0.6 + 0.05 * rng.standard_normal(many)
        outcomes = means[np.newaxis, :, np.newaxis]
        variance = np.array([means.var() / many])
        widths[many] = float(bootstrap.small_sample_factor(outcomes, keys, variance)[0])
    assert widths[3] == pytest.approx(4.303 / 1.96 * np.sqrt(3 / 2), rel=1e-3)
    assert 1 < widths[30] < 1.1


def test_resampled_means_vary_as_much_as_the_mean_of_a_two_way_table_does():
    """Runs and items vary, and so does how they suit each other: 3, 2 and 20 points."""
    rng = np.random.default_rng(6)
    runs, items = 30, 200
    keys = tuple((run, run) for run in range(runs))

    def normal(deviation, *shape):
        return deviation * rng.standard_normal((60, *shape))

    tables = normal(0.03, runs, 1) + normal(0.02, 1, items) + normal(0.2, runs, items)
    truth = 0.03**2 / runs + 0.02**2 / items + 0.2**2 / (runs * items)
    means = bootstrap.bootstrap_means(tables, rng=rng, resamples=400, keys=keys)
    # 30 pretrainings: Student's quantile is 2 % above the normal one, and so are the deviations.
    assert np.mean(means.var(axis=1)) == pytest.approx(1.04 * truth, rel=0.1)


@pytest.mark.peers
def test_students_quantiles_are_scipys(peer):
    freedom = np.array([1.0, 1.5, 2.0, 3.7, 8.0, 25.0, 400.0])
    expected = peer("scipy.stats").t.ppf(0.975, freedom)
    assert bootstrap.student_quantile(freedom) == pytest.approx(expected, rel=1e-4)
