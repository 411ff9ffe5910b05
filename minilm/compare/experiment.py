"""Runs: each a pure function of (condition, budget, seed), so that any executor may do them.

The same labelled subset, drawn stratified by seed, serves every condition at that seed, and the
smaller subsets are the beginnings of the larger ones; differences between conditions are paired.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from minilm.classify import metrics
from minilm.compare import conditions
from minilm.compare.material import Material
from minilm.errors import OptionError

_MOST_SEEDS = 10_000


class Key(NamedTuple):
    """What a run is a function of, beside the material."""

    condition: str
    budget: int
    seed: int


@dataclass(frozen=True)
class Grid:
    """Which runs a comparison asks for.

    Parameters
    ----------
    conditions : tuple of str
        Names of `conditions.CONDITIONS`.
    budgets : tuple of int
        Numbers of labelled examples, ascending.
    seeds : int
        How many draws of the labelled examples; the seeds are 0, 1, ...
    """

    conditions: tuple[str, ...]
    budgets: tuple[int, ...]
    seeds: int

    def check(self) -> None:
        """Raise OptionError when the grid asks for something that does not exist."""
        for name in self.conditions:
            if name not in conditions.CONDITIONS:
                known = ", ".join(conditions.CONDITIONS)
                raise OptionError(f"--conditions: {name!r} is not one of {known}")
        if not self.conditions or not self.budgets or self.budgets[0] < 1 or self.seeds < 1:
            raise OptionError("--conditions, --budgets and --seeds each need one or more")
        if self.seeds > _MOST_SEEDS:
            raise OptionError(f"--seeds: {self.seeds}; at most {_MOST_SEEDS:,} make sense")

    def within(self, examples: int) -> Grid:
        """Return the grid without the budgets that are larger than the train part."""
        return replace(self, budgets=tuple(b for b in self.budgets if b <= examples))

    def runs(self) -> Iterator[Key]:
        """Yield the keys of all runs, in the order of the table."""
        for condition in self.conditions:
            for budget in self.budgets:
                for seed in range(self.seeds):
                    yield Key(condition, budget, seed)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one run found.

    Parameters
    ----------
    key : Key
        Which run.
    predicted : dict of str to ndarray of shape (N,), int16
        The class given to every item of every domain.
    seconds : float
        Training and evaluation, without the pretraining that all share.
    trainable_parameters : int
        How many numbers the labelled examples have set.
    """

    key: Key
    predicted: dict[str, np.ndarray]
    seconds: float
    trainable_parameters: int

    def accuracy(self, material: Material, domain: str) -> float:
        """Return the share of items of a domain that were classified rightly."""
        return float(np.mean(self.predicted[domain] == material.domains[domain].labels))

    def macro_f1(self, material: Material, domain: str) -> float:
        """Return the mean over the classes of the F1 score."""
        truth = material.domains[domain].labels
        return metrics.macro_f1(truth, self.predicted[domain], len(material.classes))


def draw(labels: np.ndarray, budget: int, seed: int) -> np.ndarray:
    """Return the indices of `budget` labelled examples, classes in proportion and none left out.

    The members of each class are shuffled; the member of rank r among n stands at (r + 1/2) / n on
    a common line, the first of each class before all others, and the beginning of that line is
    taken. So the draws of one seed are nested.

    Parameters
    ----------
    labels : ndarray of shape (N,), int
        Class indices.
    budget : int
        How many; at least the number of classes, at most N.
    seed : int
        Which draw.

    Returns
    -------
    ndarray of shape (budget,), int

    Examples
    --------
    >>> labels = np.array([0] * 30 + [1] * 10)
    >>> np.bincount(labels[draw(labels, 8, seed=0)])
    array([6, 2])
    """
    rng = conditions.generator(seed, "draw")
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
        place[members[0]] = -1
    return np.argsort(place, kind="stable")[:budget]


def run(material: Material, key: Key) -> Outcome:
    """Train one condition on one labelled subset and evaluate it on every domain."""
    start = time.perf_counter()
    chosen = draw(material.train.labels, key.budget, key.seed)
    classifier = conditions.CONDITIONS[key.condition].train(material, key.seed, chosen)
    predicted = {
        name: classifier.predict(examples).astype(np.int16)
        for name, examples in material.domains.items()
    }
    seconds = time.perf_counter() - start
    return Outcome(key, predicted, seconds, classifier.trainable_parameters)


def correct(
    material: Material, outcomes: Iterable[Outcome], domain: str
) -> dict[tuple[str, int], np.ndarray]:
    """Gather outcomes by condition and budget.

    Returns
    -------
    dict of (condition, budget) to ndarray of shape (S, N), bool
        Whether each test item was classified rightly at each seed, in the order of the seeds.
    """
    truth = material.domains[domain].labels
    rows: dict[tuple[str, int], list[np.ndarray]] = {}
    for outcome in sorted(outcomes, key=lambda outcome: outcome.key.seed):
        cell = (outcome.key.condition, outcome.key.budget)
        rows.setdefault(cell, []).append(outcome.predicted[domain] == truth)
    return {cell: np.stack(found) for cell, found in rows.items()}
