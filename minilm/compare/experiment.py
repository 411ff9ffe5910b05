"""Runs: each a pure function of its key and the material, so that any executor may do them.

The same labelled subset, drawn stratified by seed, serves every condition at that seed, and the
smaller subsets are the beginnings of the larger ones; differences between conditions are paired.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from minilm.classify import metrics
from minilm.compare.conditions import Condition
from minilm.compare.data import CompareData
from minilm.data import labelled
from minilm.errors import OptionError

_MOST_SEEDS = 10_000


class Key(NamedTuple):
    """What a run is a function of, beside the material.

    The text is "" and 0 words for a condition that uses none.
    """

    task: str
    corpus: str
    words: int
    condition: str
    budget: int
    seed: int


@dataclass(frozen=True)
class Grid:
    """Which runs a comparison asks for, for each task.

    Parameters
    ----------
    conditions : tuple of str
        Their names.
    budgets : tuple of int
        Numbers of labelled examples, ascending.
    seeds : int
        How many draws of the labelled examples; the seeds are 0, 1, ...
    """

    conditions: tuple[str, ...]
    budgets: tuple[int, ...]
    seeds: int

    def check(self) -> None:
        """Raise OptionError when the grid asks for nothing, or for what no machine can do."""
        if not self.conditions or not self.budgets or self.budgets[0] < 1 or self.seeds < 1:
            raise OptionError("--conditions, --budgets and --seeds each need one or more")
        if self.seeds > _MOST_SEEDS:
            raise OptionError(f"--seeds: {self.seeds}; at most {_MOST_SEEDS:,} make sense")

    def within(self, examples: int) -> Grid:
        """Return the grid without the budgets that are larger than the train part."""
        return replace(self, budgets=tuple(b for b in self.budgets if b <= examples))


@dataclass(frozen=True, eq=False)
class Shared:
    """What the runs of a comparison have in common, and a worker is told once.

    Parameters
    ----------
    materials : dict of (str, str, int) to CompareData
        By task, corpus and words. The text of a task's first entry is its main one.
    conditions : dict of str to Condition
        By name, in the order of the table.
    """

    materials: dict[tuple[str, str, int], CompareData]
    conditions: Mapping[str, Condition]

    def material(self, key: Key) -> CompareData:
        """Return what a run reads: of a condition without a text, the task's main material."""
        return self.materials[self.place(key)]

    def place(self, key: Key) -> tuple[str, str, int]:
        """Return the task, corpus and words under which a run's material stands."""
        if key.corpus:
            return key[:3]
        return next(place for place in self.materials if place[0] == key.task)

    def runs(self, grid: Grid) -> Iterator[Key]:
        """Yield the keys of all runs, in the order of the table."""
        done = set()
        for name in grid.conditions:
            for (task, corpus, words), material in self.materials.items():
                text = (corpus, words) if self.conditions[name].needs else ("", 0)
                for budget in grid.within(len(material.train.labels)).budgets:
                    for seed in range(grid.seeds):
                        key = Key(task, *text, name, budget, seed)
                        if key not in done:
                            done.add(key)
                            yield key


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one run found.

    Parameters
    ----------
    key : Key
        Which run.
    predicted : dict of str to ndarray of shape (N,), int16
        The class given to every item of every domain; empty if the run failed.
    seconds : float
        Training and evaluation, without the pretraining that all share.
    flops : float
        Operations of training.
    trainable_parameters : int
        How many numbers the labelled examples have set.
    error : str
        Why it failed, in one line; empty if it did not.
    """

    key: Key
    predicted: dict[str, np.ndarray]
    seconds: float
    flops: float = 0.0
    trainable_parameters: int = 0
    error: str = ""

    def accuracy(self, material: CompareData, domain: str) -> float:
        """Return the share of items of a domain that were classified rightly."""
        return float(np.mean(self.predicted[domain] == material.domains[domain].labels))

    def macro_f1(self, material: CompareData, domain: str) -> float:
        """Return the mean over the classes of the F1 score."""
        truth = material.domains[domain].labels
        return metrics.macro_f1(truth, self.predicted[domain], len(material.classes))


def failed(key: Key, error: str, seconds: float = 0.0) -> Outcome:
    """Return the outcome of a run that has none, with the reason in one line.

    >>> failed(Key("t", "", 0, "random", 8, 0), "no\\n memory").error
    'no memory'
    """
    return Outcome(key, {}, seconds, error=" ".join(error.split())[:300])


def run(shared: Shared, key: Key) -> Outcome:
    """Train one condition on one labelled subset and evaluate it on every domain.

    Whatever goes wrong in it is its outcome: the other runs go on.
    """
    material = shared.material(key)
    start = time.perf_counter()
    try:
        chosen = labelled.draw(material.train.labels, key.budget, key.seed)
        classifier = shared.conditions[key.condition].train(material, key.seed, chosen)
        predicted = {
            name: classifier.predict(examples).astype(np.int16)
            for name, examples in material.domains.items()
        }
    except Exception as error:
        return failed(key, f"{type(error).__name__}: {error}", time.perf_counter() - start)
    return Outcome(
        key,
        predicted,
        time.perf_counter() - start + classifier.seconds_elsewhere,
        float(classifier.flops),
        int(classifier.trainable_parameters),
    )
