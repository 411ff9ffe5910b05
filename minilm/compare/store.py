"""The folder of a comparison: which files it holds, and how a stopped one is taken up again.

    results.csv       one row a run and domain: condition, budget, seed, task, domain, accuracy, ...
    predictions.npz   the class given to every test item in every run
    split.csv         the seeded split, when the task file had none
    manifest.json     every setting, seed, version, the hash of each input, the machine
    summary.json      means, intervals, differences, verdicts
    probes.json       similarities and a map of the probe words
    *.png, *.svg      pictures of the above

Rows are written whole: after a kill at any moment the folder holds all runs finished a second
before, and `--resume` does the others.
"""

from __future__ import annotations

import csv
import os
import platform
import time
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

import minilm
from minilm import files
from minilm.compare import conditions, plots, statistics
from minilm.compare.experiment import Grid, Key, Outcome
from minilm.compare.material import Material, Settings
from minilm.errors import InputError, OutputError
from minilm.text import corpus

COLUMNS = (
    "condition",
    "budget",
    "seed",
    "task",
    "domain",
    "accuracy",
    "macro_f1",
    "seconds",
    "trainable_parameters",
)
RESULTS = "results.csv"
PREDICTIONS = "predictions.npz"
MANIFEST = "manifest.json"
_CONCLUSIONS = (
    "summary.json",
    "probes.json",
    *(name + suffix for name in plots.PICTURES for suffix in (".png", ".svg")),
)
# What decides the numbers beside the settings; other versions may round otherwise.
_VERSIONS = ("minilm", "numpy")


# Settings that decide the numbers: all but where the files are.
_DECISIVE = tuple(f.name for f in fields(Settings) if f.name not in ("task", "corpus", "transfer"))


class Store:
    """The outcomes of one comparison, in memory and in its folder.

    Parameters
    ----------
    folder : Path
        An existing folder, locked by the caller.
    material : Material
        What the outcomes are about.
    """

    def __init__(self, folder: Path, material: Material) -> None:
        self.folder = folder
        self.material = material
        self.outcomes: dict[Key, Outcome] = {}
        self._saved = float("-inf")

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome; the folder is brought up to date at most once a second."""
        self.outcomes[outcome.key] = outcome
        if time.monotonic() - self._saved > 1:
            self.save()

    def save(self) -> None:
        """Write what is known, predictions first: a row in the table always has its predictions."""
        order = self._in_order()
        arrays: dict[str, Any] = {
            "runs": np.array([[k.condition, str(k.budget), str(k.seed)] for k in order], dtype=str),
            "classes": np.array(self.material.classes),
        }
        for name, examples in self.material.domains.items():
            arrays[f"{name}.truth"] = examples.labels.astype(np.int16)
            arrays[f"{name}.lines"] = examples.lines
            arrays[f"{name}.predicted"] = np.array(
                [self.outcomes[key].predicted[name] for key in order], dtype=np.int16
            ).reshape(len(order), len(examples.labels))
        with files.atomic_write(self.folder / PREDICTIONS, "wb") as file:
            np.savez_compressed(file, **arrays)
        with files.atomic_write(self.folder / RESULTS) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(self._rows(order))
        self._saved = time.monotonic()

    def _in_order(self) -> list[Key]:
        """Return the keys in the order of the table, whatever order the runs ended in."""
        names = list(conditions.CONDITIONS)
        return sorted(self.outcomes, key=lambda k: (names.index(k.condition), k.budget, k.seed))

    def _rows(self, order: Iterable[Key]) -> Iterable[list[Any]]:
        task = self.material.settings.task.stem
        for key in order:
            outcome = self.outcomes[key]
            for domain in self.material.domains:
                yield [
                    *key,
                    task,
                    domain,
                    outcome.accuracy(self.material, domain),
                    outcome.macro_f1(self.material, domain),
                    round(outcome.seconds, 4),
                    outcome.trainable_parameters,
                ]

    def load(self) -> None:
        """Take up the runs that the folder holds.

        Raises
        ------
        InputError
            When its files are damaged or are about other test items.
        """
        if not (self.folder / RESULTS).exists():
            return
        details = self._details()
        path = self.folder / PREDICTIONS
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                runs = arrays["runs"]
                predicted = {name: arrays[f"{name}.predicted"] for name in self.material.domains}
                truth = {name: arrays[f"{name}.truth"] for name in self.material.domains}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"damaged ({error}); start again with --overwrite", path) from None
        for name, examples in self.material.domains.items():
            shape = (len(runs), len(examples.labels))
            if predicted[name].shape != shape or not np.array_equal(truth[name], examples.labels):
                raise InputError("about other test items; start again with --overwrite", path)
        for i, (condition, budget, seed) in enumerate(runs):
            key = Key(str(condition), int(budget), int(seed))
            if key in details:
                seconds, parameters = details[key]
                row = {name: predicted[name][i] for name in predicted}
                self.outcomes[key] = Outcome(key, row, seconds, parameters)

    def _details(self) -> dict[Key, tuple[float, int]]:
        """Return the columns of the table that predictions do not hold."""
        path = self.folder / RESULTS
        try:
            with open(path, encoding="utf-8", newline="") as file:
                return {
                    Key(row["condition"], int(row["budget"]), int(row["seed"])): (
                        float(row["seconds"]),
                        int(row["trainable_parameters"]),
                    )
                    for row in csv.DictReader(file)
                }
        except (KeyError, ValueError, TypeError, csv.Error):
            raise InputError("damaged; start again with --overwrite", path) from None


def manifest(material: Material, grid: Grid) -> dict[str, Any]:
    """Return all that would be needed to do the comparison again, and what it was done on."""
    settings = material.settings
    labelled = [p for p in (settings.task, settings.transfer) if p is not None]
    inputs = [*labelled, *corpus.find_files(settings.corpus)]
    return {
        "versions": {
            "minilm": minilm.__version__,
            "numpy": np.__version__,
            "matplotlib": matplotlib.__version__,
            "python": platform.python_version(),
        },
        "settings": _plain(settings),
        "classifiers": {
            "tfidf_l2": conditions.TFIDF_L2,
            "vectors_l2": conditions.VECTORS_L2,
            "finetuned_l2": conditions.FINETUNED_L2,
        },
        "bootstrap_resamples": statistics.RESAMPLES,
        "inputs": {path.as_posix(): files.sha256(path) for path in inputs},
        "grid": {
            "conditions": list(grid.conditions),
            "budgets": list(grid.budgets),
            "seeds": list(range(grid.seeds)),
        },
        "data": {
            "classes": list(material.classes),
            "train": len(material.train.labels),
            "test": {name: len(part.labels) for name, part in material.domains.items()},
            "split": "column of the file" if material.split is None else "seed 0, in split.csv",
            "corpus_words": int(np.count_nonzero(material.corpus_ids >= 0)),
            "vocabulary": len(material.vocabulary),
            "notes": list(material.notes),
        },
        "machine": {
            "platform": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def _plain(settings: Settings) -> dict[str, Any]:
    plain = asdict(settings)
    plain["task"] = settings.task.as_posix()
    plain["transfer"] = None if settings.transfer is None else settings.transfer.as_posix()
    plain["corpus"] = [path.as_posix() for path in settings.corpus]
    return plain


def check_resumable(folder: Path, now: dict[str, Any]) -> None:
    """Raise unless the folder's runs are results of the same settings, inputs and versions.

    The grid may differ: more seeds, budgets or conditions are added to what is there. The inputs
    may have moved: what counts is what is in them.

    Raises
    ------
    InputError
        Naming the first setting or input that differs.
    """
    path = folder / MANIFEST
    before = files.read_json(path)
    if not isinstance(before, dict) or not all(
        isinstance(before.get(part), dict) for part in ("settings", "inputs", "versions")
    ):
        raise InputError("not the manifest of a comparison; use --overwrite", path)
    if sorted(before["inputs"].values()) != sorted(now["inputs"].values()):
        raise InputError("other files or other contents now; use --overwrite to start again", path)
    for part, names in (("settings", _DECISIVE), ("versions", _VERSIONS)):
        for name in names:
            old, new = before[part].get(name), now[part][name]
            if old != new:
                raise InputError(
                    f"{name} was {old!r} and is now {new!r}; resume with what it was, or use "
                    "--overwrite",
                    path,
                )


def check_folder(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Raise when the folder holds a comparison that would be lost, or cannot be a folder."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: a file of this name is in the way; choose another --out")
    if holds_comparison(folder) and not (resume or overwrite):
        raise OutputError(
            f"{folder}: holds a comparison already; go on with it (--resume), replace it "
            "(--overwrite) or choose another --out"
        )


def holds_comparison(folder: Path) -> bool:
    """Return whether a folder holds a comparison, finished or not."""
    return (folder / MANIFEST).exists() or (folder / RESULTS).exists()


def clear(folder: Path) -> None:
    """Remove the files of an earlier comparison, and nothing else."""
    clear_conclusions(folder)
    for name in (RESULTS, PREDICTIONS, MANIFEST, "split.csv"):
        (folder / name).unlink(missing_ok=True)


def clear_conclusions(folder: Path) -> None:
    """Remove what was concluded from fewer runs than there will be."""
    for name in _CONCLUSIONS:
        (folder / name).unlink(missing_ok=True)


def write_split(material: Material, folder: Path) -> None:
    """Record the seeded split, when there is one."""
    if material.split is None:
        return
    with files.atomic_write(folder / "split.csv") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["line", "split"])
        writer.writerows(material.split)
