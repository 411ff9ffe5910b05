"""What people write in kata 10.2. Each docstring is what the learner reads."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from minilm.course.mistakes import mistake
from minilm.errors import OptionError

Z = NormalDist().inv_cdf(0.975)


def _parts(right, items, z=Z):
    if items < 1 or not 0 <= right <= items:
        raise OptionError("no")
    share, z2 = right / items, z * z / items
    middle = (share + z2 / 2) / (1 + z2)
    half = z / (1 + z2) * math.sqrt(share * (1 - share) / items + z2 / (4 * items))
    return share, z2, middle, half


@mistake("wilson_interval")
def the_standard_error_of_what_was_seen(right, items):
    """this is the Wald interval, the share plus and minus Z standard errors of that share.

    With 6 of 6 right its standard error is 0, and so the interval claims to be certain. Ask instead
    which true p are within Z of *their own* standard errors, and solve for p.
    """
    share, *_ = _parts(right, items)
    half = Z * math.sqrt(share * (1 - share) / items)
    return share - half, share + half


@mistake("wilson_interval")
def wald_cut_off(right, items):
    """this is the Wald interval, share plus and minus Z standard errors, cut off at 0 and 1.

    Cutting hides the symptom only: 6 of 6 still gives 1 to 1. Solve for the p that are within Z of
    their own standard errors; then nothing needs to be cut.
    """
    share, *_ = _parts(right, items)
    half = Z * math.sqrt(share * (1 - share) / items)
    return max(0.0, share - half), min(1.0, share + half)


@mistake("wilson_interval")
def z_not_squared(right, items):
    """Z is not squared where it must be: the terms added to the share and to 1 have Z * Z / items.

    You squared both sides of |share - p| = Z * sqrt(...), so Z became Z * Z.
    """
    share, *_ = _parts(right, items)
    z2 = Z / items
    middle = (share + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * math.sqrt(share * (1 - share) / items + z2 / (4 * items))
    return middle - half, middle + half


@mistake("wilson_interval")
def agresti_coull(right, items):
    """this is Agresti and Coull's interval: Z*Z / 2 right and wrong ones were added, then Wald.

    Its middle is Wilson's, but it is wider. Solve the quadratic: its two roots are middle plus and
    minus half.
    """
    _, _, middle, _ = _parts(right, items)
    half = Z * math.sqrt(middle * (1 - middle) / (items + Z * Z))
    return middle - half, middle + half


@mistake("wilson_interval")
def middle_is_the_share(right, items):
    """the interval is around the share itself; its middle must be pulled toward a half.

    The middle is (share + Z*Z / (2 items)) / (1 + Z*Z / items). With few items it is far from what
    was seen: 6 of 6 cannot have 1 in its middle.
    """
    share, _, _, half = _parts(right, items)
    return share - half, share + half


@mistake("wilson_interval")
def not_divided(right, items):
    """both the middle and the half-width must be divided by 1 + Z*Z / items.

    That is the factor of p squared in the quadratic. Without it 6 of 6 ends above 1.
    """
    _, z2, middle, half = _parts(right, items)
    return (middle - half) * (1 + z2), (middle + half) * (1 + z2)


@mistake("wilson_interval")
def middle_not_divided(right, items):
    """the middle was not divided by 1 + Z*Z / items; only the half-width was.

    Both are: they are the two parts of the roots of one quadratic.
    """
    _, z2, middle, half = _parts(right, items)
    return middle * (1 + z2) - half, middle * (1 + z2) + half


@mistake("wilson_interval")
def half_not_divided(right, items):
    """the half-width was not divided by 1 + Z*Z / items; only the middle was.

    Both are: they are the two parts of the roots of one quadratic.
    """
    _, z2, middle, half = _parts(right, items)
    return middle - half * (1 + z2), middle + half * (1 + z2)


@mistake("wilson_interval")
def z_by_hand(right, items):
    """Z is typed in as 1.96; use the Z of the stub, which has all the digits.

    The fourth digit hardly matters for the interval, but a check compares more of them.
    """
    _, _, middle, half = _parts(right, items, 1.96)
    return middle - half, middle + half


@mistake("wilson_interval")
def one_sided(right, items):
    """Z is the 95 % quantile, 1.645; a two-sided interval of 95 % leaves 2.5 % on each side.

    So it takes the 97.5 % quantile, 1.96.
    """
    _, _, middle, half = _parts(right, items, NormalDist().inv_cdf(0.95))
    return middle - half, middle + half


@mistake("wilson_interval")
def first_term_only(right, items):
    """under the root, Z*Z / (4 items * items) is missing.

    It is what is left when all or none are right, and share * (1 - share) is 0.
    """
    share, z2, middle, _ = _parts(right, items)
    half = Z / (1 + z2) * math.sqrt(share * (1 - share) / items)
    return middle - half, middle + half


@mistake("wilson_interval")
def four_forgotten(right, items):
    """under the root, the second term is Z*Z / (4 items * items); the 4 is missing.

    It comes from halving: the roots of p*p - 2mp + c are m plus and minus sqrt(m*m - c).
    """
    share, z2, middle, _ = _parts(right, items)
    half = Z / (1 + z2) * math.sqrt(share * (1 - share) / items + z2 / items)
    return middle - half, middle + half


@mistake("wilson_interval")
def middle_and_half(right, items):
    """you returned the middle and the half-width; return the two ends.

    They are the middle minus the half-width, and the middle plus it.
    """
    return _parts(right, items)[2:]


@mistake("wilson_interval")
def upper_end_first(right, items):
    """the two ends are in the wrong order: the lower one comes first."""
    _, _, middle, half = _parts(right, items)
    return middle + half, middle - half


@mistake("wilson_interval")
def not_halved(right, items):
    """the middle has Z*Z / items added to the share; it must be half of that, Z*Z / (2 items).

    The share is pulled toward a half: toward (share + u/2) / (1 + u).
    """
    share, z2, _, half = _parts(right, items)
    middle = (share + z2) / (1 + z2)
    return middle - half, middle + half


@mistake("wilson_interval")
def z_squared_not_divided(right, items):
    """Z*Z is not divided by the number of items, so it does not shrink as the number of items
    grows.

    With u = Z*Z / items: middle (s + u/2) / (1 + u). With a million items u is nearly 0.
    """
    share, *_ = _parts(right, items)
    z2 = Z * Z
    middle = (share + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * math.sqrt(share * (1 - share) / items + z2 / (4 * items))
    return middle - half, middle + half


@mistake("wilson_interval")
def half_without_z(right, items):
    """the half-width has 1 / (1 + u) before the root; the factor Z is missing.

    This is about one standard error, which holds 68 %, not 95 %.
    """
    _, _, middle, half = _parts(right, items)
    return middle - half / Z, middle + half / Z


@mistake("wilson_interval")
def in_percent(right, items):
    """these are percent; the ends must be fractions of 1, without the factor 100."""
    _, _, middle, half = _parts(right, items)
    return 100 * (middle - half), 100 * (middle + half)


@mistake("wilson_interval")
def in_items(right, items):
    """these are numbers of items; the ends must be fractions of 1, without the factor `items`."""
    *_, middle, half = _parts(right, items)
    return items * (middle - half), items * (middle + half)


@mistake("wilson_interval")
def nothing_refused(right, items):
    """nothing is refused: 7 right of 6 items, or no items at all, must raise OptionError.

    An interval for 7 of 6 looks like any other. It is the caller's mistake that stays hidden.
    """
    if items < 1:
        return 0.0, 1.0
    share, z2 = right / items, Z * Z / items
    middle = (share + z2 / 2) / (1 + z2)
    under = max(0.0, share * (1 - share) / items + z2 / (4 * items))
    half = Z / (1 + z2) * math.sqrt(under)
    return middle - half, middle + half


# --------------------------------------------------------------------------- resampled_means


def _sums(outcomes, times_run, times_item):
    return np.einsum("...rn,mr,mn->...m", outcomes, times_run, times_item)


def _means(outcomes, times_run, times_item):
    weights = times_run.sum(axis=1) * times_item.sum(axis=1)
    return _sums(outcomes, times_run, times_item) / weights


@mistake("resampled_means")
def items_not_resampled(outcomes, times_run, times_item):
    """only the runs are resampled: times_item is not used.

    Then your test items count as all the items there are, and the interval knows nothing about
    their luck. This is the mistake that this kata is about: it claims differences that are not
    there in a fifth of all experiments.
    """
    return _means(outcomes, times_run, np.ones_like(times_item))


@mistake("resampled_means")
def runs_not_resampled(outcomes, times_run, times_item):
    """only the items are resampled: times_run is not used.

    Then the labelled samples that you drew count as all the samples there are.
    """
    return _means(outcomes, np.ones_like(times_run), times_item)


@mistake("resampled_means")
def sums_not_means(outcomes, times_run, times_item):
    """these are sums; a mean is divided by the sum of the weights.

    The weight of an outcome is its run's times its item's. Their sum is times_run[m].sum() *
    times_item[m].sum().
    """
    return _sums(outcomes, times_run, times_item)


@mistake("resampled_means")
def divided_by_the_size(outcomes, times_run, times_item):
    """you divided by R * N, the size of the table; divide by how many were drawn.

    Resamples may have more runs than the table or fewer: where pretrainings have different
    numbers of seeds, the sums of times_run differ. Divide by the sum of the weights.
    """
    return _sums(outcomes, times_run, times_item) / (outcomes.shape[-2] * outcomes.shape[-1])


@mistake("resampled_means")
def divided_by_the_columns(outcomes, times_run, times_item):
    """you divided by the number of items, N; divide by how many were drawn, the sum of times_item.

    They are the same only where as many were drawn as there are.
    """
    return _sums(outcomes, times_run, times_item) / times_run.sum(axis=1) / outcomes.shape[-1]


@mistake("resampled_means")
def divided_by_the_rows(outcomes, times_run, times_item):
    """you divided by the number of runs, R; divide by how many were drawn, the sum of times_run.

    Where pretrainings have different numbers of seeds, the sums differ.
    """
    return _sums(outcomes, times_run, times_item) / times_item.sum(axis=1) / outcomes.shape[-2]


@mistake("resampled_means")
def divided_by_the_runs_only(outcomes, times_run, times_item):
    """you divided by the number of runs drawn only; divide by that of the items too.

    Each run that was drawn meets each item that was drawn: the weights sum to the product.
    """
    return _sums(outcomes, times_run, times_item) / times_run.sum(axis=1)


@mistake("resampled_means")
def divided_by_the_items_only(outcomes, times_run, times_item):
    """you divided by the number of items drawn only; divide by that of the runs too.

    Each run that was drawn meets each item that was drawn: the weights sum to the product.
    """
    return _sums(outcomes, times_run, times_item) / times_item.sum(axis=1)


@mistake("resampled_means")
def every_pair_of_resamples(outcomes, times_run, times_item):
    """you combined each resample of runs with every resample of items: M x M means, not M.

    Row m of times_run belongs with row m of times_item. Take one m after the other, or sum over the
    product with the same m: np.einsum("...rn,mr,mn->...m", ...).
    """
    sums = np.einsum("...rn,ar,bn->...ab", outcomes, times_run, times_item)
    return sums / np.outer(times_run.sum(axis=1), times_item.sum(axis=1))


@mistake("resampled_means")
def the_mean_of_the_means(outcomes, times_run, times_item):
    """this is the mean of all the resampled means; return one mean for each of the M resamples.

    How much they differ is what you are here for.
    """
    return _means(outcomes, times_run, times_item).mean(axis=-1)


@mistake("resampled_means")
def resamples_first(outcomes, times_run, times_item):
    """the M resamples are along the first axis; they must be along the last one.

    With one condition there is no difference. With two stacked, (2, R, N), the result is (2, M):
    np.stack(means, axis=-1).
    """
    return np.moveaxis(_means(outcomes, times_run, times_item), -1, 0)


@mistake("resampled_means")
def drawn_or_not(outcomes, times_run, times_item):
    """each thing counts once if it was drawn at all; it must count as often as it was drawn.

    Drawing with replacement means that some are in a resample twice or three times. Leave that out,
    and the means vary too little.
    """
    return _means(outcomes, (times_run > 0).astype(float), (times_item > 0).astype(float))


@mistake("resampled_means")
def conditions_averaged_too(outcomes, times_run, times_item):
    """the leading axes were averaged away; each condition keeps its own means.

    Outcomes of shape (2, R, N) give means of shape (2, M), both from the same resamples. So a
    difference of the two is paired.
    """
    return _means(outcomes.reshape(-1, *outcomes.shape[-2:]).mean(axis=0), times_run, times_item)


# --------------------------------------------------------------------------- run_times


def _columns(keys):
    seeds, pretrainings = (sorted({key[i] for key in keys}) for i in (0, 1))
    return [seeds.index(s) for s, _ in keys], [pretrainings.index(p) for _, p in keys]


@mistake("run_times")
def added(keys, times_seed, times_pretraining):
    """you added the two counts; a run is in a resample seed *times* pretraining.

    A run whose seed was not drawn is not in the resample, however often its pretraining was.
    """
    seed_of, pretraining_of = _columns(keys)
    return times_seed[:, seed_of] + times_pretraining[:, pretraining_of]


@mistake("run_times")
def seeds_as_columns(keys, times_seed, times_pretraining):
    """the seed itself was used as the index of a column; look up its position instead.

    Seeds are any numbers: with seeds 2, 5 and 7, the column of 5 is number 1. Sort the seeds that
    occur, and find each one's place.
    """
    seeds, pretrainings = zip(*keys, strict=True)
    return times_seed[:, list(seeds)] * times_pretraining[:, list(pretrainings)]


@mistake("run_times")
def seeds_less_the_smallest(keys, times_seed, times_pretraining):
    """the smallest seed was subtracted to get a column; seeds may have gaps between them.

    With seeds 2, 5 and 7, the column of 5 is number 1, not 3. Sort the seeds that occur, and find
    each one's place.
    """
    seeds, pretrainings = (np.array(column) - min(column) for column in zip(*keys, strict=True))
    return times_seed[:, seeds] * times_pretraining[:, pretrainings]


@mistake("run_times")
def around_and_around(keys, times_seed, times_pretraining):
    """the seed modulo the number of columns was taken for its column; look up its position instead.

    With seeds 2, 5 and 7, the column of 5 is number 1. Sort the seeds that occur, and find each
    one's place.
    """
    _, pretraining_of = _columns(keys)
    seeds = [seed % times_seed.shape[1] for seed, _ in keys]
    return times_seed[:, seeds] * times_pretraining[:, pretraining_of]


@mistake("run_times")
def order_of_appearance(keys, times_seed, times_pretraining):
    """the columns were taken in the order in which seeds appear; they are in ascending order.

    Sort the seeds that occur before you look one up, and the pretrainings too.
    """
    seeds, pretrainings = (list(dict.fromkeys(key[i] for key in keys)) for i in (0, 1))
    seed_of = [seeds.index(s) for s, _ in keys]
    pretraining_of = [pretrainings.index(p) for _, p in keys]
    return times_seed[:, seed_of] * times_pretraining[:, pretraining_of]


@mistake("run_times")
def seeds_only(keys, times_seed, times_pretraining):
    """only the seeds are resampled: times_pretraining is not used.

    Then your pretrainings count as all there are. But two shuffles of one text gave 0.597 and 0.581
    with everything else the same.
    """
    return times_seed[:, _columns(keys)[0]]


@mistake("run_times")
def pretrainings_only(keys, times_seed, times_pretraining):
    """only the pretrainings are resampled: times_seed is not used.

    Multiply by how often the run's seed was drawn.
    """
    return times_pretraining[:, _columns(keys)[1]]


@mistake("run_times")
def order_of_keys_ignored(keys, times_seed, times_pretraining):
    """the columns are seed by seed, whatever the order of the keys; column r belongs to keys[r].

    Multiplying all seeds with all pretrainings gives the right numbers in another order. The
    outcomes are in the order of the keys.
    """
    times = times_seed[:, :, np.newaxis] * times_pretraining[:, np.newaxis, :]
    return times.reshape(len(times), -1)


@mistake("run_times")
def pretraining_by_pretraining(keys, times_seed, times_pretraining):
    """the columns are pretraining by pretraining, whatever the order of the keys: r is keys[r]'s.

    Multiplying all pretrainings with all seeds gives the right numbers in another order. The
    outcomes are in the order of the keys.
    """
    times = times_pretraining[:, :, np.newaxis] * times_seed[:, np.newaxis, :]
    return times.reshape(len(times), -1)


@mistake("run_times")
def runs_by_resamples(keys, times_seed, times_pretraining):
    """this is the transpose, (R, M): a row must be a resample, and a column a run.

    np.stack(columns, axis=1) puts columns side by side; np.array(columns) makes rows of them.
    """
    seed_of, pretraining_of = _columns(keys)
    return (times_seed[:, seed_of] * times_pretraining[:, pretraining_of]).T


@mistake("run_times")
def drawn_at_all(keys, times_seed, times_pretraining):
    """this says whether a run was drawn at all; return how often.

    A seed drawn twice with a pretraining drawn three times is in the resample six times.
    """
    seed_of, pretraining_of = _columns(keys)
    return np.minimum(times_seed[:, seed_of] * times_pretraining[:, pretraining_of], 1.0)


@mistake("run_times")
def the_smaller_of_the_two(keys, times_seed, times_pretraining):
    """you took the smaller of the two counts; a run is in a resample seed *times* pretraining.

    A seed drawn twice with a pretraining drawn three times is in it six times, not twice.
    """
    seed_of, pretraining_of = _columns(keys)
    return np.minimum(times_seed[:, seed_of], times_pretraining[:, pretraining_of])
