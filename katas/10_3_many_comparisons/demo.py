"""Many comparisons in which nothing is to be found, and an experiment planned to answer."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.compare import statistics
from minilm.compare.statistics import Difference
from minilm.course.demos import Course

P_VALUES = (0.01, 0.04, 0.03)
FAMILIES = (1, 3, 10, 20)
TRIALS = 4_000
ITEMS = (100, 464, 1_000, 4_000)
SEEDS = (1, 5, 20)


def run(course: Course) -> None:
    """Print the example, the families and the plan; draw the last two."""
    by_hand()
    print()
    claimed = families()
    print()
    plan()
    course.picture(draw(claimed), "many")


def by_hand() -> None:
    """Print three p-values, adjusted, and three verdicts."""
    print("p-value   Holm")
    for p, adjusted in zip(P_VALUES, statistics.holm(P_VALUES), strict=True):
        print(f"{p:7.2f} {adjusted:6.2f}")
    print("difference   interval          Holm   verdict")
    for low, high, p in ((0.02, 0.08, 0.01), (0.001, 0.09, 0.06), (-0.02, 0.05, 0.4)):
        found = Difference((low + high) / 2, low, high, p)
        word = statistics.verdict(found, p)
        print(f"{found.difference:10.3f}   {low:.3f} to {high:.3f}   {p:.2f}   {word}")


def families() -> dict[str, list[float]]:
    """Return how often a family of null comparisons has a claim, without and with Holm."""
    rng = np.random.default_rng(5)
    claimed: dict[str, list[float]] = {"as they are": [], "after Holm": []}
    print("families with a false claim")
    print("comparisons   as they are   after Holm")
    for m in FAMILIES:
        p_values = rng.random((TRIALS, m))  # where there is no difference, any p is as likely
        adjusted = np.array([statistics.holm(row.tolist()) for row in p_values])
        for name, values in zip(claimed, (p_values, adjusted), strict=True):
            claimed[name].append(float((values <= statistics.LEVEL).any(axis=1).mean()))
        print(f"{m:11} {claimed['as they are'][-1]:13.0%} {claimed['after Holm'][-1]:12.0%}")
    return claimed


def plan() -> None:
    """Print what designs can resolve, and how many items a question needs."""
    print("smallest difference that can be told from zero")
    print("items      " + "".join(f"{s:3} seed{'s' * (s > 1):1}" for s in SEEDS))
    for items in ITEMS:
        found = [statistics.resolvable_difference(items, seeds) for seeds in SEEDS]
        print(f"{items:5}      " + "".join(f"{one:8.3f}" for one in found))
    for difference in (0.05, 0.02, 0.01):
        needed = [statistics.items_needed(difference, seeds) for seeds in (1, 5)]
        print(f"to see {difference:.2f}: {needed[0]:6} items; with 5 seeds {needed[1]:6}")


def draw(claimed: dict[str, list[float]]) -> Figure:
    """Draw false claims by the size of the family, and what designs can resolve."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, shares), color in zip(claimed.items(), drawing.COLORS[1::-1], strict=True):
        left.plot(FAMILIES, shares, "o-", color=color, label=name, markersize=9)
    left.axhline(statistics.LEVEL, color="gray", linestyle=":")
    left.set(title="families with a false claim", xlabel="comparisons", ylim=(0, 1))
    left.legend()
    items = np.unique(np.geomspace(50, 10_000, 40).astype(int))
    for seeds, color in zip(SEEDS, drawing.COLORS, strict=False):
        found = [statistics.resolvable_difference(int(n), seeds) for n in items]
        right.plot(items, found, color=color, label=f"{seeds} seed{'s' * (seeds > 1)}")
    right.set(xscale="log", title="what a test set can resolve", xlabel="test items")
    right.set(ylabel="difference in accuracy", ylim=(0, None))
    right.legend()
    return figure
