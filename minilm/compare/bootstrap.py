"""Resampling pretrainings, draws of labels and test items: the bootstrap behind every interval.

Three things vary between one comparison and the next: the pretraining (its order of documents and
its initial parameters), the draw of labelled examples, and the test items. All are resampled with
replacement:

    one pretraining          seeds, and independently items
    each seed has its own    pretrainings; within each that was drawn, its seeds; items
    all seeds with all       pretrainings, seeds and items, independently

Resampling one of them alone ignores the others' share of the variance. Resampling all counts what
remains when each has had its share (how well one run suits one item) three times (Owen 2007). And
a few pretrainings are a small sample, whose bootstrap gives intervals that are too narrow: it uses
the variance of P values without the factor P / (P - 1), and quantiles of the normal distribution in
place of Student's (Hesterberg 2015, section 4). So deviations from the mean are multiplied by

    f = t(nu) / z * sqrt(V / V_boot)

where V_boot is the variance of the resampled means, V a better estimate of the same, and t and z
are the 97.5 % quantiles. Where each seed has one pretraining, V is the estimate without bias from
the table of P pretrainings (means over their seeds) by N items, the two-way analysis of variance:

    V = A + B - C, at least A and B,    nu = (P - 1) * (V / A)**2

where A is the sample variance of the pretrainings' means divided by P, B that of the items' means
divided by N, and C the mean square of what remains divided by P * N, which is in A and in B. The
degrees of freedom nu are those of a sum of which only A is uncertain (Satterthwaite 1946). Where
all seeds have all pretrainings, V = V_boot + A / P, which errs on the safe side. Means that happen
to be alike do not prove that pretrainings are: nu is at most 4 (P - 1), as if they made up half of
V. Where nothing else varies, f is the factor of a t interval.

How often this is wrong was measured on simulated pairs of equal conditions, each with pretrainings
of its own, at the 5 % level (`tests/compare/test_null.py`; 400 pairs, 200 with 2,000 test items;
of the crossed design 1,400 and 1,500). Claimed differences, in per cent, without and with f:

    spread between pretrainings       1.2 points                    1.9 points
    test items                    464     1,000     2,000       464     1,000     2,000
    nine draws, one for each    1.0, 3.5  2.0, 3.5  5.5, 5.5  1.5, 3.8  3.0, 4.5  5.5, 5.0
    nine draws on three         1.8, 4.8  3.2, 3.8  4.0, 4.5  3.2, 6.2  5.5, 4.0  8.5, 3.0
    all draws with all three    1.3, 0.5            6.6, 1.9  4.5, 2.0           12.1, 4.5

With 1,000 items and 1.2 points, half an interval was 5.2 points with nine draws on three
pretrainings and without the subtraction of C; with one for each, and with it, 2.9.

With one pretraining, or where it has no part, 1,000 comparisons with five or ten seeds claimed a
difference in 2 to 3 %, and resampling seeds alone in 14 to 17 %. Fewer seeds show too little of
their own spread: with three it was 4 %, with two 6 %. With one seed only the items vary: the
interval is about that labelled sample alone, and read as one about the condition it was wrong in
18 %.

Sums of outcomes are whole numbers, exact in float64, so a result does not depend on the BLAS.

References
----------
Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 13 and 16.
Davison and Hinkley (1997), Bootstrap Methods and their Application, section 3.8 (nested samples).
Hesterberg (2015), What Teachers Should Know About the Bootstrap, The American Statistician 69(4).
Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1(2).
Searle, Casella and McCulloch (1992), Variance Components, chapter 4 (the two-way analysis).
Satterthwaite (1946), An Approximate Distribution of Estimates of Variance Components, Biometrics
Bulletin 2(6).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from minilm.errors import OptionError

# The seed and the pretraining of each run.
Keys = tuple[tuple[int, int], ...]

LEVEL = 0.05
# Items drawn at a time, so that the work on them stays in the cache. Another number takes the draws
# in another order, and so changes what a seed gives.
_DRAWS = 1 << 16
# Degrees of freedom beyond which Student's quantile is the normal one, to 0.1 %.
_MANY = 2_000.0
# How many times those of the pretrainings alone there are at most.
_MOST_FREEDOM = 4
_Z = NormalDist().inv_cdf(1 - LEVEL / 2)


def bootstrap_means(
    outcomes: np.ndarray, *, rng: np.random.Generator, resamples: int, keys: Keys | None = None
) -> np.ndarray:
    """Return the means of `outcomes`, runs and items resampled: (..., R, N) -> (..., resamples).

    All the leading axes get the same draws, so that differences of what is returned are paired. In
    each resample every item drawn meets every run drawn (`resampled_means`). Deviations from the
    mean of `outcomes` are then multiplied by the factor f (see the module).

    Parameters
    ----------
    outcomes : ndarray of shape (..., R, N), float64
        Whole numbers.
    rng : numpy.random.Generator
        Draws runs, then items, in blocks of about 65,536 items.
    resamples : int
        How many means to return.
    keys : tuple of (int, int), optional
        The seed and the pretraining of each run; by default R seeds with one pretraining.
    """
    *leading, runs, items = outcomes.shape
    keys = keys or tuple((seed, 0) for seed in range(runs))
    found = np.empty((*leading, resamples))
    block = max(1, _DRAWS // items)
    for first in range(0, resamples, block):
        count = min(block, resamples - first)
        times_run = resample_runs(keys, count, rng)
        times_item = _times_drawn(rng.integers(items, size=(count, items)), items)
        found[..., first : first + count] = resampled_means(outcomes, times_run, times_item)
    value = outcomes.mean(axis=(-2, -1))[..., np.newaxis]
    factor = small_sample_factor(outcomes, keys, found.var(axis=-1))
    # Exactly as they are where nothing is to be widened: a product would round.
    wider = value + factor[..., np.newaxis] * (found - value)
    return np.where(factor[..., np.newaxis] == 1, found, wider)


def resampled_means(
    outcomes: np.ndarray, times_run: np.ndarray, times_item: np.ndarray
) -> np.ndarray:
    """Return the mean of each resample: (..., R, N), (M, R), (M, N) -> (..., M).

    Every run drawn meets every item drawn. With how often each was drawn, a (R,) and b (N,), the
    mean of a resample is a @ outcomes @ b / (sum(a) * sum(b)).

    Parameters
    ----------
    outcomes : ndarray of shape (..., R, N), float64
    times_run : ndarray of shape (M, R), float64
        How often each run is in each of the M resamples.
    times_item : ndarray of shape (M, N), float64
        How often each item is.

    Examples
    --------
    Two runs, two items; the second run twice, with each item once:

    >>> outcomes = np.array([[1.0, 0.0], [1.0, 1.0]])
    >>> resampled_means(outcomes, np.array([[0.0, 2.0]]), np.array([[1.0, 1.0]]))
    array([1.])
    """
    *leading, runs, items = outcomes.shape
    by_run = outcomes.reshape(-1, items) @ times_item.T
    by_run = by_run.reshape(*leading, runs, len(times_item))
    sums = (by_run * times_run.T).sum(axis=-2)
    return sums / (times_item.sum(axis=1) * times_run.sum(axis=1))


def resample_runs(keys: Keys, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each run is in each resample: (count, R) float64.

    With one pretraining, seeds are drawn with replacement. Where each seed has one pretraining,
    pretrainings are drawn, and for each that was drawn as many of its own seeds as it has. Where
    all seeds have all pretrainings, both are drawn, and a run is in it as often as its pretraining
    times its seed.

    >>> rng = np.random.default_rng(0)
    >>> resample_runs(((0, 0), (1, 1), (2, 0), (3, 1)), 2, rng).sum(axis=1)
    array([4., 4.])
    """
    seeds = np.unique([seed for seed, _ in keys])
    pretrainings, pretraining_of = np.unique([p for _, p in keys], return_inverse=True)
    many = len(pretrainings)
    if many == 1:
        return _times_drawn(rng.integers(len(keys), size=(count, len(keys))), len(keys))
    if len(keys) == len(seeds):  # each seed has one pretraining
        members = [np.flatnonzero(pretraining_of == p) for p in range(many)]
        sizes = np.array([len(own) for own in members])
        table = np.zeros((many, sizes.max()), np.int64)
        for p, own in enumerate(members):
            table[p, : len(own)] = own
        drawn = rng.integers(many, size=(count, many))
        places = rng.random((count, many, sizes.max())) * sizes[drawn][..., np.newaxis]
        runs = table[drawn[..., np.newaxis], places.astype(np.int64)]
        there = np.arange(sizes.max()) < sizes[drawn][..., np.newaxis]
        flat = (runs + len(keys) * np.arange(count)[:, np.newaxis, np.newaxis])[there]
        times = np.bincount(flat, minlength=count * len(keys)).reshape(count, len(keys))
        return times.astype(np.float64)
    if len(keys) != len(seeds) * many:
        raise OptionError(
            f"{len(keys)} runs of {len(seeds)} seeds and {many} pretrainings; each seed must have "
            "one pretraining, or all of them"
        )
    times_p = _times_drawn(rng.integers(many, size=(count, many)), many)
    times_s = _times_drawn(rng.integers(len(seeds), size=(count, len(seeds))), len(seeds))
    return run_times(keys, times_s, times_p)


def run_times(keys: Keys, times_seed: np.ndarray, times_pretraining: np.ndarray) -> np.ndarray:
    """Return how often each run is in each resample: (M, K), (M, P) -> (M, R).

    Seeds and pretrainings are drawn independently of each other, and a run is in a resample as
    often as its seed times its pretraining.

    Parameters
    ----------
    keys : tuple of (int, int)
        The seed and the pretraining of each of the R runs.
    times_seed : ndarray of shape (M, K), float64
        How often each seed was drawn; in ascending order of seeds.
    times_pretraining : ndarray of shape (M, P), float64
        How often each pretraining was drawn; in ascending order of pretrainings.

    Examples
    --------
    Seed 5 was drawn twice, seed 9 not at all; each pretraining once:

    >>> keys = ((5, 0), (5, 1), (9, 0), (9, 1))
    >>> run_times(keys, np.array([[2.0, 0.0]]), np.array([[1.0, 1.0]]))
    array([[2., 2., 0., 0.]])
    """
    _, seed_of = np.unique([seed for seed, _ in keys], return_inverse=True)
    _, pretraining_of = np.unique([p for _, p in keys], return_inverse=True)
    return times_seed[:, seed_of] * times_pretraining[:, pretraining_of]


def small_sample_factor(outcomes: np.ndarray, keys: Keys, variance: np.ndarray) -> np.ndarray:
    """Return the factor f on deviations from the mean, for several pretrainings; see the module.

    Parameters
    ----------
    outcomes : ndarray of shape (..., R, N)
        Of runs by items.
    keys : tuple of (int, int)
        The seed and the pretraining of each run.
    variance : ndarray of shape (...)
        V_boot, of the resampled means.

    Returns
    -------
    ndarray of shape (...)
        1 with one pretraining, or where pretrainings do not differ.

    Examples
    --------
    Where nothing but the two pretrainings varies, the factor is Student's with one degree of
    freedom, times sqrt(2):

    >>> outcomes = np.array([[0.4], [0.6]])
    >>> factor = small_sample_factor(outcomes, ((0, 0), (1, 1)), np.array(0.005))
    >>> round(float(factor), 2), round(12.706 / 1.96 * math.sqrt(2), 2)
    (9.17, 9.17)
    """
    pretrainings = sorted({p for _, p in keys})
    many = len(pretrainings)
    if many == 1:
        return np.ones(outcomes.shape[:-2])
    own = np.array([p for _, p in keys])
    table = np.stack([outcomes[..., own == p, :].mean(axis=-2) for p in pretrainings], axis=-2)
    share = table.mean(axis=-1).var(axis=-1, ddof=1) / many
    crossed = len({seed for seed, _ in keys}) < len(keys)
    whole = variance + share / many if crossed else _variance_of_mean(table, share)
    varies = (share > 0) & (variance > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.minimum((many - 1) * (whole / share) ** 2, _MOST_FREEDOM * (many - 1))
        wider = student_quantile(np.where(varies, freedom, _MANY)) / _Z * np.sqrt(whole / variance)
    return np.where(varies, wider, 1.0)


def _variance_of_mean(table: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return V = A + B - C, at least A and B: (..., P, N) and A of shape (...) -> (...)."""
    many, items = table.shape[-2:]
    if items == 1:
        return share
    by_item = table.mean(axis=-2, keepdims=True)
    of_items = by_item[..., 0, :].var(axis=-1, ddof=1) / items
    rest = table - by_item
    rest -= rest.mean(axis=-1, keepdims=True)
    both = (rest * rest).sum(axis=(-2, -1)) / ((many - 1) * (items - 1) * many * items)
    return np.maximum(share + of_items - both, np.maximum(share, of_items))


def student_quantile(freedom: np.ndarray) -> np.ndarray:
    """Return the 97.5 % quantile of Student's t distribution, (...) -> (...), to four digits.

    With t = sqrt(nu) * tan(a), the density of t becomes proportional to cos(a)**(nu - 1) between
    -pi / 2 and pi / 2; it is summed by the trapezoidal rule.

    Parameters
    ----------
    freedom : ndarray
        Degrees of freedom nu, 1 or more, not necessarily whole.

    Examples
    --------
    >>> student_quantile(np.array([1.0, 2.0, 10.0, 1e9])).round(2)
    array([12.71,  4.3 ,  2.23,  1.96])
    """
    freedom = np.minimum(np.asarray(freedom, dtype=np.float64), _MANY)
    quantiles = np.empty(freedom.shape)
    for place, nu in np.ndenumerate(freedom):
        # The grid ends where the density has fallen below exp(-50), which has less than a bit.
        end = math.acos(math.exp(-50.0 / (nu - 1))) if nu > 1.01 else math.pi / 2
        angles = np.linspace(0.0, end, 2001)
        density = np.cos(angles) ** (nu - 1)
        below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
        angle = np.interp((1 - LEVEL) * below[-1], below, angles)
        quantiles[place] = math.sqrt(nu) * math.tan(angle)
    return quantiles


def _times_drawn(drawn: np.ndarray, size: int) -> np.ndarray:
    """Return how often each of `size` things is in each row: (R, n) int -> (R, size)."""
    count = len(drawn)
    flat = (drawn + size * np.arange(count)[:, np.newaxis]).ravel()
    return np.bincount(flat, minlength=count * size).reshape(count, size).astype(np.float64)


def percentile_interval(means: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 95 % percentile interval of R resampled means.

    With k = floor(0.025 * (R + 1)) they are the k-th smallest and the k-th largest (Davison and
    Hinkley 1997, Bootstrap Methods and their Application, section 5.2.1).

    Examples
    --------
    >>> percentile_interval(np.arange(1.0, 1000.0))
    (25.0, 975.0)
    """
    k = math.floor(LEVEL / 2 * (len(means) + 1))
    if k < 1:
        raise OptionError(f"resamples is {len(means)}; a 95 % interval needs 39 or more")
    ordered = np.sort(means)
    return float(ordered[k - 1]), float(ordered[-k])
