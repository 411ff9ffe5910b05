"""The folder of a comparison: which files it holds, and how a stopped one is taken up again.

    results.csv       one row for each run and domain: how well it did, what it cost, any error
    predictions.npz   the class given to every test item in every run
    test_items.csv    the test items, in the order of the predictions
    split.csv         the seeded split, where a task file had none
    manifest.json     every setting, seed, version, the hash of each input, the machine
    summary.json      means, intervals, differences, verdicts
    probes.json       similarities, maps, and words with two senses
    bet.json          the order of the conditions that somebody bet on; bets.json those of a class
    report.html       all of it to read, with the pictures (*.png, *.svg); slides.html to show

Rows are written whole: after a kill at any moment the folder holds all runs finished some seconds
before, and `--resume` does the others.
"""

from __future__ import annotations

import csv
import math
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minilm import files
from minilm.compare import costs
from minilm.compare.data import CompareData
from minilm.compare.report import pictures
from minilm.compare.run import Key, Outcome, Shared
from minilm.compare.texts import name_of
from minilm.data.sources import nearest_folder
from minilm.errors import InputError, OutputError

COLUMNS = (
    "task",
    "corpus",
    "words",
    "condition",
    "budget",
    "seed",
    "pretraining",
    "domain",
    "accuracy",
    "macro_f1",
    "seconds",
    "flops",
    "trainable_parameters",
    "pretrain_seconds",
    "pretrain_flops",
    "money",
    "error",
)
RESULTS = "results.csv"
PREDICTIONS = "predictions.npz"
MANIFEST = "manifest.json"
ITEMS = "test_items.csv"
SPLIT = "split.csv"
BET = "bet.json"
CLASS_BETS = "bets.json"
_CONCLUSIONS = ("summary.json", "probes.json", "report.html", "slides.html")
_LONGEST_TEXT = 300
# What is in a row of `runs` in predictions.npz.
_RUN = ("condition", "corpus", "words", "budget", "seed", "pretraining")


class Store:
    """The outcomes of one comparison, in memory and in its folder.

    Parameters
    ----------
    folder : Path
        An existing folder, locked by the caller.
    shared : Shared
        What the outcomes are about.
    price_per_hour : float, optional
        Of a machine; then the table says what the runs cost.
    """

    def __init__(self, folder: Path, shared: Shared, price_per_hour: float | None = None) -> None:
        self.folder = folder
        self.shared = shared
        self.price_per_hour = price_per_hour
        self.outcomes: dict[Key, Outcome] = {}
        self._next_save = -math.inf

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome; the folder follows within a second, or as often as writing allows."""
        self.outcomes[outcome.key] = outcome
        if time.monotonic() > self._next_save:
            self.save()

    def save(self) -> None:
        """Write what is known, predictions first: a row in the table always has its predictions."""
        start = time.monotonic()
        order = self._in_order()
        with files.atomic_write(self.folder / PREDICTIONS, "wb") as file:
            np.savez_compressed(file, **self._arrays(order))
        with files.atomic_write(self.folder / RESULTS) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(row for key in order for row in self._rows(key))
        now = time.monotonic()
        self._next_save = now + max(1.0, 20 * (now - start))

    def _in_order(self) -> list[Key]:
        """Return the keys in the order of the table, whatever order the runs ended in."""
        names = {name: i for i, name in enumerate(self.shared.conditions)}
        tasks = list(dict.fromkeys(task for task, _, _ in self.shared.data))
        # What an earlier call had and this one has not comes last.
        return sorted(
            self.outcomes,
            key=lambda k: (tasks.index(k.task), names.get(k.condition, len(names)), *k[1:]),
        )

    def _arrays(self, order: list[Key]) -> dict[str, Any]:
        arrays: dict[str, Any] = {}
        for task, data in main_data(self.shared).items():
            mine = [key for key in order if key.task == task and not self.outcomes[key].error]
            runs = [[str(getattr(key, name)) for name in _RUN] for key in mine]
            arrays[f"{task}/runs"] = np.array(runs, dtype=str).reshape(len(runs), len(_RUN))
            arrays[f"{task}/classes"] = np.array(data.classes)
            for name, examples in data.domains.items():
                arrays[f"{task}/{name}/truth"] = examples.labels.astype(np.int16)
                arrays[f"{task}/{name}/lines"] = examples.lines
                arrays[f"{task}/{name}/predicted"] = np.array(
                    [self.outcomes[key].predicted[name] for key in mine], dtype=np.int16
                ).reshape(len(mine), len(examples.labels))
        return arrays

    def _rows(self, key: Key) -> Iterable[list[Any]]:
        outcome, data = self.outcomes[key], self.shared.data_of(key)
        money: float | str = ""
        if self.price_per_hour is not None:
            money = float(f"{costs.money(outcome.seconds, self.price_per_hour):.4g}")
        cost = [round(outcome.seconds, 4), outcome.flops, outcome.trainable_parameters]
        for domain in data.domains:
            yield [
                *key,
                domain,
                "" if outcome.error else outcome.accuracy(data, domain),
                "" if outcome.error else outcome.macro_f1(data, domain),
                *cost,
                *self._pretraining(key),
                money,
                outcome.error,
            ]

    def _pretraining(self, key: Key) -> tuple[float, float]:
        """Return the seconds and operations of the pretraining that a run builds on."""
        if key.condition not in self.shared.conditions:
            return 0.0, 0.0
        made = self.shared.data_of(key).text.made
        names = [name_of(k, key.pretraining) for k in self.shared.conditions[key.condition].needs]
        used = [made[name].details for name in names if name in made]
        return (
            round(math.fsum(found["seconds"] for found in used), 4),
            math.fsum(found["flops"] for found in used),
        )

    def load(self) -> None:
        """Take up the runs that the folder holds, except those that failed.

        Raises
        ------
        InputError
            When its files are damaged or are about other test items.
        """
        if not (self.folder / RESULTS).exists():
            return
        table = read(self.folder)
        for task, data in main_data(self.shared).items():
            for name, examples in data.domains.items():
                truth = table.truth.get((task, name))
                if truth is None or not np.array_equal(truth, examples.labels):
                    path = self.folder / PREDICTIONS
                    raise InputError("about other test items; start again with --overwrite", path)
        known = {task for task, _, _ in self.shared.data}
        for key, outcome in table.outcomes.items():
            place = key[:3] in self.shared.data
            if not outcome.error and key.task in known and (place or not key.corpus):
                self.outcomes[key] = outcome


@dataclass(frozen=True, eq=False)
class Table:
    """What results.csv and predictions.npz hold.

    Parameters
    ----------
    outcomes : dict of Key to Outcome
    rows : list of dict of str to str
        results.csv as it is.
    truth : dict of (str, str) to ndarray of shape (N,), int16
        The classes of the test items, by task and domain.
    classes : dict of str to list of str
        By task.
    """

    outcomes: dict[Key, Outcome]
    rows: list[dict[str, str]]
    truth: dict[tuple[str, str], np.ndarray]
    classes: dict[str, list[str]]


def read(folder: Path) -> Table:
    """Read the runs that a folder holds.

    Raises
    ------
    InputError
        When a file is missing or damaged.
    """
    rows = _read_rows(folder / RESULTS)
    path = folder / PREDICTIONS
    truth, classes = {}, {}
    outcomes: dict[Key, Outcome] = {}
    predicted: dict[Key, dict[str, np.ndarray]] = {}
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            for name in arrays.files:
                task, *domain, what = name.split("/")
                if what == "truth":
                    truth[task, "/".join(domain)] = arrays[name]
                elif what == "classes":
                    classes[task] = arrays[name].tolist()
                elif what == "runs":
                    keys = [_key(task, *run) for run in arrays[name].tolist()]
                    for other in arrays.files:
                        start, end = f"{task}/", "/predicted"
                        if other.startswith(start) and other.endswith(end):
                            found = arrays[other]
                            for key, row in zip(keys, found, strict=True):
                                own = predicted.setdefault(key, {})
                                own[other.removeprefix(start).removesuffix(end)] = row
        for row in rows:
            key = _key(row["task"], *(row[name] for name in _RUN))
            numbers = float(row["seconds"]), float(row["flops"]), int(row["trainable_parameters"])
            if row["error"]:
                outcomes[key] = Outcome(key, {}, *numbers, row["error"])
            elif key in predicted:
                outcomes[key] = Outcome(key, predicted[key], *numbers)
    except FileNotFoundError:
        raise InputError("missing; start again with --overwrite", path) from None
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"damaged ({error}); start again with --overwrite", path) from None
    return Table(outcomes, rows, truth, classes)


def _key(task: str, condition: str, corpus: str, words: str, *numbers: str) -> Key:
    budget, seed, pretraining = map(int, numbers)
    return Key(task, corpus, int(words), condition, budget, seed, pretraining)


def _read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of results.csv, checked to be whole."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except FileNotFoundError:
        raise InputError("no such file; is this the folder of a comparison?", path) from None
    except (csv.Error, UnicodeDecodeError):
        raise InputError("damaged; start again with --overwrite", path) from None
    whole = tuple(reader.fieldnames or ()) == COLUMNS
    if not whole or any(None in row or None in row.values() for row in rows):
        raise InputError("damaged; start again with --overwrite", path)
    return rows


def main_data(shared: Shared) -> dict[str, CompareData]:
    """Return the main data of each task."""
    found: dict[str, CompareData] = {}
    for (task, _, _), data in shared.data.items():
        found.setdefault(task, data)
    return found


def check_folder(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Raise when the folder holds a comparison that would be lost, or cannot be a folder."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: a file of this name is in the way; choose another --out")
    if resume and not holds_comparison(folder):
        near = nearest_folder(folder, holds_comparison)
        hint = f"did you mean {near}? To begin one" if near else "to begin one"
        raise OutputError(f"{folder}: no comparison to resume here; {hint}, leave out --resume")
    if holds_comparison(folder) and not (resume or overwrite):
        raise OutputError(
            f"{folder}: holds a comparison already; continue it (--resume), replace it "
            "(--overwrite) or choose another --out"
        )


def holds_comparison(folder: Path) -> bool:
    """Return whether a folder holds a comparison, finished or not."""
    return (folder / MANIFEST).exists() or (folder / RESULTS).exists()


def clear(folder: Path) -> None:
    """Remove the files of an earlier comparison, and nothing else."""
    clear_conclusions(folder)
    for name in (RESULTS, PREDICTIONS, MANIFEST, ITEMS, SPLIT, BET, CLASS_BETS):
        (folder / name).unlink(missing_ok=True)


def clear_conclusions(folder: Path) -> None:
    """Remove what was concluded from fewer runs than there will be."""
    for name in _CONCLUSIONS:
        (folder / name).unlink(missing_ok=True)
    pictures.remove(folder)


def write_items(shared: Shared, folder: Path) -> None:
    """Write the test items, and the seeded splits where there are some."""
    with files.atomic_write(folder / ITEMS) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["task", "domain", "line", "label", "text"])
        for task, data in main_data(shared).items():
            for domain, examples in data.domains.items():
                for text, label, line in zip(
                    examples.texts, examples.labels, examples.lines, strict=True
                ):
                    name = data.classes[label]
                    writer.writerow([task, domain, line, name, text[:_LONGEST_TEXT]])
    splits = {task: m.split for task, m in main_data(shared).items() if m.split is not None}
    if splits:
        with files.atomic_write(folder / SPLIT) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["task", "line", "split"])
            writer.writerows([task, *row] for task, split in splits.items() for row in split)
