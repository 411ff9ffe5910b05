"""Runs: each a pure function of its key and the data, so that any executor may do them.

The same labelled subset, drawn stratified by seed, serves every condition at that seed, and the
smaller subsets are the beginnings of the larger ones; differences between conditions are paired.
"""

from __future__ import annotations

import itertools
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
_MOST_PRETRAININGS = 100


class Key(NamedTuple):
    """What a run is a function of, beside the data.

    The text is "" and 0 words for a condition that uses none. The pretraining is 0 for a condition
    that chance in pretraining has no part in.
    """

    task: str
    corpus: str
    words: int
    condition: str
    budget: int
    seed: int
    pretraining: int = 0


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
    pretrainings : int
        How many pretrainings (and initial parameters); numbered 0, 1, ...
    crossed : bool
        Whether each draw meets every pretraining. By default it has one: draw d has pretraining
        d modulo their number, so that adding draws later changes none that are there.
    """

    conditions: tuple[str, ...]
    budgets: tuple[int, ...]
    seeds: int
    pretrainings: int = 1
    crossed: bool = False

    def check(self) -> None:
        """Raise OptionError when the grid asks for nothing, or for what no machine can do."""
        if not self.conditions or not self.budgets or self.budgets[0] < 1 or self.seeds < 1:
            raise OptionError("--conditions, --budgets and --seeds each need one or more")
        if self.seeds > _MOST_SEEDS:
            raise OptionError(f"--seeds: {self.seeds}; at most {_MOST_SEEDS:,} make sense")
        if not 1 <= self.pretrainings <= _MOST_PRETRAININGS:
            raise OptionError(f"--pretrainings: {self.pretrainings}; use 1 to {_MOST_PRETRAININGS}")
        if self.pretrainings > self.seeds and not self.crossed:
            raise OptionError(
                f"--pretrainings: {self.pretrainings} with {self.seeds} draws, of which each has "
                "one pretraining; use as many --seeds, or --preset study"
            )

    def within(self, examples: int) -> Grid:
        """Return the grid without the budgets that are larger than the train part."""
        return replace(self, budgets=tuple(b for b in self.budgets if b <= examples))

    def draws(self, drawn: bool) -> list[tuple[int, int]]:
        """Return the seed and the pretraining of each run of a condition at a budget.

        Parameters
        ----------
        drawn : bool
            Whether pretrainings differ for the condition.

        Examples
        --------
        >>> Grid(("a",), (8,), seeds=4, pretrainings=2).draws(True)
        [(0, 0), (1, 1), (2, 0), (3, 1)]
        >>> Grid(("a",), (8,), seeds=2, pretrainings=2, crossed=True).draws(True)
        [(0, 0), (0, 1), (1, 0), (1, 1)]
        """
        if not drawn:
            return [(seed, 0) for seed in range(self.seeds)]
        if self.crossed:
            return list(itertools.product(range(self.seeds), range(self.pretrainings)))
        return [(seed, seed % self.pretrainings) for seed in range(self.seeds)]


@dataclass(frozen=True, eq=False)
class Shared:
    """What the runs of a comparison have in common, which a worker gets once.

    Parameters
    ----------
    data : dict of (str, str, int) to CompareData
        By task, corpus and words. The text of a task's first entry is its main one.
    conditions : dict of str to Condition
        By name, in the order of the table.
    """

    data: dict[tuple[str, str, int], CompareData]
    conditions: Mapping[str, Condition]

    def data_of(self, key: Key) -> CompareData:
        """Return what a run reads: of a condition without a text, the task's main data."""
        return self.data[self.place(key)]

    def place(self, key: Key) -> tuple[str, str, int]:
        """Return the task, corpus and words under which a run's data is."""
        if key.corpus:
            return key[:3]
        return next(place for place in self.data if place[0] == key.task)

    def runs(self, grid: Grid) -> Iterator[Key]:
        """Yield the keys of all runs, in the order of the table."""
        done = set()
        for name in grid.conditions:
            for (task, corpus, words), data in self.data.items():
                text = (corpus, words) if self.conditions[name].needs else ("", 0)
                draws = grid.draws(self.conditions[name].drawn)
                for budget in grid.within(len(data.train.labels)).budgets:
                    for seed, pretraining in draws:
                        key = Key(task, *text, name, budget, seed, pretraining)
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

    def accuracy(self, data: CompareData, domain: str) -> float:
        """Return the share of items of a domain that were classified rightly."""
        return float(np.mean(self.predicted[domain] == data.domains[domain].labels))

    def macro_f1(self, data: CompareData, domain: str) -> float:
        """Return the mean over the classes of the F1 score."""
        truth = data.domains[domain].labels
        return metrics.macro_f1(truth, self.predicted[domain], len(data.classes))


def failed(key: Key, error: str, seconds: float = 0.0) -> Outcome:
    """Return the outcome of a run that has none, with the reason in one line.

    >>> failed(Key("t", "", 0, "random", 8, 0), "no\\n memory").error
    'no memory'
    """
    return Outcome(key, {}, seconds, error=" ".join(error.split())[:300])


def run(shared: Shared, key: Key) -> Outcome:
    """Train one condition on one labelled subset and evaluate it on every domain.

    Whatever goes wrong in it is its outcome: the other runs continue.
    """
    data = replace(shared.data_of(key), pretraining=key.pretraining)
    start = time.perf_counter()
    try:
        chosen = labelled.draw(data.train.labels, key.budget, key.seed)
        classifier = shared.conditions[key.condition].train(data, key.seed, chosen)
        predicted = {
            name: classifier.predict(examples).astype(np.int16)
            for name, examples in data.domains.items()
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
