"""What the folder of a comparison holds, read back for the pictures and the report.

Only the folder is read, never the texts that it came from: what can be shown is what was written
down. Nothing is concluded here; `compare.summary` did that.
"""

from __future__ import annotations

import csv
import functools
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minilm import files
from minilm.compare.bootstrap import Keys
from minilm.compare.paired import Runs
from minilm.errors import InputError

SUMMARY = "summary.json"
PREDICTIONS = "predictions.npz"
Record = dict[str, Any]
_PARTS: dict[str, type] = {
    "tasks": list,
    "domains": dict,
    "names": list,
    "about": dict,
    "budgets": list,
    "seeds": int,
    "pretrainings": int,
    "test_items": dict,
    "chance": dict,
    "resolvable": dict,
    "conditions": list,
    "differences": list,
    "gains": list,
    "pretraining": list,
    "failed": list,
    "notes": list,
}


@dataclass(frozen=True)
class Predictions:
    """Which class every run gave to every test item of one domain.

    Parameters
    ----------
    runs : list of tuple
        (condition, corpus, words, budget, seed, pretraining) of each row.
    classes : tuple of str
        The labels.
    truth : ndarray of shape (N,), int
        Index of the right class.
    lines : ndarray of shape (N,), int
        Where each item is in its file.
    predicted : ndarray of shape (R, N), int
        The class that run r gave to item n.
    """

    runs: list[tuple[str, str, int, int, int, int]]
    classes: tuple[str, ...]
    truth: np.ndarray
    lines: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True)
class Results:
    """The content of a folder, as seen for one of its tasks.

    Parameters
    ----------
    folder : Path
        Where it was read.
    summary, probes, manifest : dict
        As in the files of these names; the last two are empty where there is no such file.
    task : str
        The task that pictures are about.
    """

    folder: Path
    summary: Record
    probes: Record = field(default_factory=dict)
    manifest: Record = field(default_factory=dict)
    task: str = ""

    @property
    def home(self) -> str:
        """The domain that the task's own test part is."""
        return str(self.domains[0])

    @property
    def domains(self) -> list[str]:
        """Everything that the task's classifiers were tested on, their own domain first."""
        return list(self.summary["domains"][self.task])

    @property
    def names(self) -> list[str]:
        """The conditions that have a figure for this task, in their order."""
        found = {cell["condition"] for cell in self.cells()}
        return [name for name in self.summary["names"] if name in found]

    @property
    def budgets(self) -> list[int]:
        """The numbers of labelled examples that have a figure for this task."""
        found = {cell["budget"] for cell in self.cells()}
        return [budget for budget in self.summary["budgets"] if budget in found]

    def about(self, name: str) -> Record:
        """Return what a condition is: summary, family, baseline, control, uses_text, settings."""
        return dict(self.summary["about"][name])

    def families(self) -> dict[str, list[str]]:
        """Return the conditions by family; a control is in the family of its baseline."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            about = self.about(name)
            family = about["family"]
            if about["control"] and about["baseline"] in self.summary["about"]:
                family = self.about(about["baseline"])["family"]
            found.setdefault(family, []).append(name)
        return found

    def chance(self, domain: str | None = None) -> float:
        """Return the accuracy of always giving the most common class."""
        return float(self.summary["chance"][self.task][domain or self.home])

    def cells(
        self, condition: str | None = None, domain: str | None = None, *, main: bool = True
    ) -> list[Record]:
        """Return the mean accuracies of the task, in the order of conditions and budgets.

        Parameters
        ----------
        condition : str, optional
            Of this one only.
        domain : str, optional
            Tested there; by default the task's own test part.
        main : bool
            Without the smaller amounts of text and the other corpora.
        """
        names = self.summary["names"]
        found = [
            cell
            for cell in self.summary["conditions"]
            if cell["task"] == self.task
            and cell["domain"] == (domain or self.home)
            and cell["mean"] is not None
            and condition in (None, cell["condition"])
            and (cell["main"] or not main)
        ]
        return sorted(found, key=lambda cell: (names.index(cell["condition"]), cell["budget"]))

    @property
    def main_text(self) -> str:
        """What text the main rows are about, such as "20,000 words of a"; empty if it is alone."""
        texts = {
            (cell["words"], cell["corpus"], cell["main"])
            for cell in self.cells(main=False)
            if cell["words"]
        }
        named = [f"{words:,} words of {corpus}" for words, corpus, main in texts if main]
        return named[0] if len(texts) > 1 and named else ""

    def rows(self, table: str, domain: str | None = None) -> list[Record]:
        """Return the main rows of `differences` or `gains` for a domain, as they are."""
        return [
            row
            for row in self.summary[table]
            if row["task"] == self.task and row["main"] and row["domain"] == (domain or self.home)
        ]

    def best(self) -> Record:
        """Return the cell of the most accurate condition, no control, at the largest budget."""
        cells = [
            cell
            for cell in self.cells()
            if cell["budget"] == self.budgets[-1] and not self.about(cell["condition"])["control"]
        ]
        return max(cells or self.cells(), key=lambda cell: cell["mean"])

    @functools.cached_property
    def predictions(self) -> Predictions:
        """Every prediction on the task's own test part."""
        path = self.folder / PREDICTIONS
        at = f"{self.task}/{self.home}"
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                runs, classes = arrays[f"{self.task}/runs"], arrays[f"{self.task}/classes"]
                truth, lines = arrays[f"{at}/truth"], arrays[f"{at}/lines"]
                predicted = arrays[f"{at}/predicted"]
                keys = [
                    (str(c), str(t), int(w), int(b), int(s), int(p)) for c, t, w, b, s, p in runs
                ]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"damaged ({error}); run the comparison again", path) from None
        if predicted.shape != (len(keys), len(truth)) or lines.shape != truth.shape:
            raise InputError("its parts do not fit together; run the comparison again", path)
        return Predictions(keys, tuple(map(str, classes)), truth, lines, predicted)

    def main_runs(self, budget: int) -> dict[str, Runs]:
        """Return the outcomes at a budget, by condition, with the text of the main rows.

        In the order of seeds and pretrainings. Empty where the folder has no predictions.
        """
        return {
            name: Runs(predicted == self.predictions.truth, keys)
            for name, (predicted, keys) in self.main_predictions(budget).items()
        }

    def main_predictions(self, budget: int) -> dict[str, tuple[np.ndarray, Keys]]:
        """Return the predictions at a budget, (R, N) by condition, with the keys of their runs."""
        if not (self.folder / PREDICTIONS).exists():
            return {}
        text = {c["condition"]: (c["corpus"], c["words"]) for c in self.cells()}
        rows: dict[str, list[int]] = {name: [] for name in self.names}
        runs = self.predictions.runs
        for i in sorted(range(len(runs)), key=lambda i: runs[i][-2:]):
            name, corpus, words, labels, *_ = runs[i]
            if labels == budget and text.get(name) == (corpus, words):
                rows[name].append(i)
        return {
            name: (self.predictions.predicted[found], tuple(runs[i][-2:] for i in found))
            for name, found in rows.items()
            if found
        }

    @functools.cached_property
    def texts(self) -> dict[int, str]:
        """The test items of the task's own domain by their line; empty where none were kept."""
        path = self.folder / "test_items.csv"
        if not path.exists():
            return {}
        try:
            with open(path, encoding="utf-8", newline="") as file:
                return {
                    int(row["line"]): row["text"]
                    for row in csv.DictReader(file)
                    if (row["task"], row["domain"]) == (self.task, self.home)
                }
        except (KeyError, ValueError, TypeError, csv.Error):
            raise InputError("damaged; run the comparison again", path) from None


def printable(text: str) -> str:
    """Return a text with what no page and no picture may hold, control characters, shown as �.

    >>> printable("a\\x00b\\tc")
    'a�b\\tc'
    """
    return "".join(
        "�" if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs") else c for c in text
    )


def read(folder: Path) -> list[Results]:
    """Read a folder: one view of it for each task, the first task first.

    Raises
    ------
    InputError
        When there is no summary of a comparison, or it is damaged.
    """
    path = folder / SUMMARY
    summary = files.read_json(path)
    if not isinstance(summary, dict) or not all(
        isinstance(summary.get(part), kind) for part, kind in _PARTS.items()
    ):
        raise InputError("not the summary of a comparison; run minilm compare again", path)
    probes, manifest = (_optional(folder / f"{name}.json") for name in ("probes", "manifest"))
    views = [Results(folder, summary, probes, manifest, task) for task in summary["tasks"]]
    views = [view for view in views if view.cells()]
    if not views:
        raise InputError("no run has a result; see the errors in results.csv", path)
    return views


def _optional(path: Path) -> Record:
    found = files.read_json(path) if path.exists() else {}
    if not isinstance(found, dict):
        raise InputError("is not a record; run minilm compare again", path)
    return found
