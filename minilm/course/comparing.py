"""The small comparison, done with the learner's functions in every process that takes part."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minilm import resources
from minilm.compare import comparison, executors
from minilm.compare.data import CompareSettings
from minilm.compare.executors import Groups, Place
from minilm.compare.run import Grid
from minilm.compare.transformer import TransformerSettings
from minilm.course import catalog, loading, targets

_WORKERS = 2

Files = tuple[tuple[str, str], ...]  # (number of a kata, the learner's file)


@dataclass(frozen=True)
class Design:
    """What a comparison of the course runs: every draw of the labels meets every pretraining.

    Parameters
    ----------
    conditions : tuple of str
    budgets : tuple of int
        Labels.
    draws, pretrainings : int
    task, corpus : str
        Files of `corpora/`: what is classified, and what is pretrained on.
    transformer : TransformerSettings
    """

    conditions: tuple[str, ...] = (
        "random",
        "cooccurrence",
        "cooccurrence-finetuned",
        "transformer-scratch",
        "transformer-lora",
    )
    budgets: tuple[int, ...] = (16, 64)
    draws: int = 2
    pretrainings: int = 2
    task: str = "movie_reviews.csv"
    corpus: str = "general.txt"
    transformer: TransformerSettings = field(
        default_factory=lambda: TransformerSettings(n_embd=32, vocabulary=2_000, steps=100)
    )

    @property
    def grid(self) -> Grid:
        """The same for `compare.comparison`."""
        return Grid(self.conditions, self.budgets, self.draws, self.pretrainings, crossed=True)


def compare(parts: Mapping[str, str], folder: Path, design: Design | None = None) -> dict[str, Any]:
    """Run a comparison with learner's functions, which are in this process already.

    Parameters
    ----------
    parts : mapping
        The learner's files by the katas' numbers.
    folder : Path
        Where the comparison is written; what is there is replaced.
    design : Design, optional

    Returns
    -------
    dict
        The content of summary.json.
    """
    design = design or Design()
    corpora = resources.corpora_dir()
    settings = CompareSettings(
        task=corpora / design.task,
        corpora=((corpora / design.corpus,),),
        transformer=design.transformer,
    )
    place = Plugged(executors.place(_WORKERS), tuple(sorted(parts.items())))
    with tempfile.TemporaryDirectory(prefix="minilm-cache-") as cache:
        # What the library's functions made is not to be found here, nor the learner's there.
        os.environ["MINILM_CACHE"] = cache
        return comparison.compare(
            settings, design.grid, folder, place=place, overwrite=True
        ).summary


class Plugged:
    """Does jobs with a learner's functions in place of the library's.

    Parameters
    ----------
    place : Place
        Where the jobs are really done.
    files : tuple of (str, str)
        Numbers of katas and the learner's files.
    """

    def __init__(self, place: Place, files: Files) -> None:
        self._place, self._files = place, files

    @property
    def width(self) -> int:
        """How many jobs are done at a time."""
        return self._place.width

    def map(
        self, function: Callable[[Any, Any], Any], shared: Any, groups: Groups
    ) -> Iterator[tuple[Any, Any]]:
        """Yield each job with its result."""
        return self._place.map(functools.partial(_job, self._files, function), shared, groups)

    def close(self) -> None:
        """Let go of processes."""
        self._place.close()


def _job(files: Files, function: Callable[[Any, Any], Any], shared: Any, job: Any) -> Any:
    """Do a job, once the learner's functions are in this process."""
    plug_in(files)
    return function(shared, job)


@functools.cache
def plug_in(files: Files) -> None:
    """Put learner's functions in the library's place, for as long as this process lives."""
    parts = {catalog.find(number): Path(file) for number, file in files}
    for path, part in loading.load_parts(parts).items():
        targets.replace(path, part)
