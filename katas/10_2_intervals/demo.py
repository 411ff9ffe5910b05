"""Experiments in which nothing is to be found, and how often each interval finds something."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.compare import bootstrap, statistics
from minilm.course.demos import Course

RESAMPLES = 199
EXPERIMENTS = 200
SEEDS, PRETRAININGS, ITEMS = 6, 3, 160
LUCK = 0.06  # of a labelled sample, at most


def run(course: Course) -> None:
    """Print the intervals by hand, then two null experiments many times; draw them."""
    by_hand()
    print()
    shown = [null(spread) for spread in (0.0, 0.04)]
    course.picture(draw(shown), "null")


def by_hand() -> None:
    """Print Wilson's interval of three results, and two resamples of a small table."""
    print("right   items   interval")
    for right, items in ((6, 6), (60, 100), (600, 1000)):
        low, high = statistics.wilson_interval(right, items)
        print(f"{right:5} {items:7}   {low:.2f} to {high:.2f}")
    outcomes = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    times_run, times_item = np.array([[1, 1], [2, 0]]), np.array([[1, 1, 1], [0, 2, 1]])
    for mean in bootstrap.resampled_means(outcomes, times_run.astype(float), times_item * 1.0):
        print(f"a resample's mean: {mean:.3f}")


def draw_outcomes(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Return the outcomes of one of two equal conditions: (seeds * pretrainings, items).

    Each item suits the condition well or badly, and stays so in all of its runs. Each labelled
    sample is a little better or worse on all items, and so is each pretraining.
    """
    suits = np.where(rng.random(ITEMS) < 0.5, 0.45, 0.75)
    luck = LUCK * (2 * rng.random((SEEDS, 1, 1)) - 1)
    luck = luck + spread * (2 * rng.random((1, PRETRAININGS, 1)) - 1)
    right = rng.random((SEEDS, PRETRAININGS, ITEMS)) < suits + luck
    return right.reshape(-1, ITEMS).astype(float)


KEYS = tuple((seed, p) for seed in range(SEEDS) for p in range(PRETRAININGS))
WAYS = ("seeds", "seeds, items", "seeds, items, pretrainings", "the same, widened")


def null(spread: float) -> np.ndarray:
    """Return the intervals of each way in each experiment: (ways, experiments, 2)."""
    rng = np.random.default_rng(4)
    found = np.array([intervals(rng, spread) for _ in range(EXPERIMENTS)]).swapaxes(0, 1)
    kind = f"pretrainings within {100 * spread:.0f} points" if spread else "all pretrainings equal"
    print(f"{EXPERIMENTS} null experiments; {kind}")
    for way, ends in zip(WAYS, found, strict=True):
        share, wide = claims(ends).mean(), np.ptp(ends, axis=1).mean()
        print(f"  {way:28} claims {share:4.0%}   width {wide:.2f}")
    return found


def intervals(rng: np.random.Generator, spread: float) -> list[tuple[float, float]]:
    """Return the interval of one experiment's difference, by each way."""
    outcomes = draw_outcomes(rng, spread) - draw_outcomes(rng, spread)
    times_seed = drawn(rng, SEEDS)
    times_item = drawn(rng, ITEMS)
    once, equal = np.ones((RESAMPLES, PRETRAININGS)), np.ones((RESAMPLES, ITEMS))
    seeds = bootstrap.run_times(KEYS, times_seed, once)
    both = bootstrap.run_times(KEYS, times_seed, drawn(rng, PRETRAININGS))
    means = [
        bootstrap.resampled_means(outcomes, seeds, equal),
        bootstrap.resampled_means(outcomes, seeds, times_item),
        bootstrap.resampled_means(outcomes, both, times_item),
    ]
    factor = bootstrap.small_sample_factor(outcomes, KEYS, means[2].var())
    means.append(outcomes.mean() + factor * (means[2] - outcomes.mean()))
    return [bootstrap.percentile_interval(one) for one in means]


def drawn(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return how often each of `size` things is in each resample: (resamples, size)."""
    picks = rng.integers(size, size=(RESAMPLES, size)) + size * np.arange(RESAMPLES)[:, np.newaxis]
    return np.bincount(picks.ravel(), minlength=picks.size).reshape(RESAMPLES, size).astype(float)


def claims(ends: np.ndarray) -> np.ndarray:
    """Return which intervals leave out zero: (experiments, 2) -> (experiments,)."""
    return (ends[:, 0] > 0) | (ends[:, 1] < 0)


def draw(shown: list[np.ndarray]) -> Figure:
    """Draw the intervals of the first experiments, by seeds alone and by all."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    for axes, way in zip(figure.subplots(1, 2, sharex=True, sharey=True), (0, 3), strict=True):
        ends = shown[1][way][:40]
        for row, ((low, high), wrong) in enumerate(zip(ends, claims(ends), strict=True)):
            color = drawing.COLORS[1] if wrong else drawing.COLORS[0]
            axes.plot([low, high], [row, row], color=color, linewidth=4 if wrong else 2)
        axes.axvline(0, color="black", linewidth=1)
        share = claims(shown[1][way]).mean()
        name = "everything, widened" if way else "seeds alone"
        axes.set(title=f"{name}: {share:.0%} claim a difference")
        axes.set(xlabel="difference in accuracy", yticks=[])
    return figure
