"""Labelled texts: a table is read completely and every row checked; small samples are drawn."""

from __future__ import annotations

import os
import random
import reprlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minilm import files
from minilm.arrays import Ids
from minilm.data import columns, json_rows, lines
from minilm.data import labels as labels_
from minilm.data.columns import Columns
from minilm.data.documents import counted
from minilm.data.tables import PARTS, Table
from minilm.errors import InputError, listed
from minilm.random import generator

SPLITS = ("train", "dev", "test")
_LISTED = 5  # labels that a line of the report names


@dataclass(frozen=True)
class LabelledData:
    """Labelled texts with their part of the split.

    Parameters
    ----------
    path : Path
        The file they come from.
    texts, labels : tuple of str
        One of each per example.
    lines : tuple of int
        The line where each example starts; in a .json file, its place in the list, because the
        parser does not report lines. Both count from 1.
    splits : tuple of str or None
        "train", "dev" or "test" for each; None if the file has no split.
    taken : str
        Which columns were used, for a report.
    """

    path: Path
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    lines: tuple[int, ...]
    splits: tuple[str, ...] | None = None
    taken: str = ""

    def __repr__(self) -> str:
        """Return the file, the number of texts and the classes."""
        parts = "no split"
        if self.splits is not None:
            parts = ", ".join(f"{self.splits.count(name)} {name}" for name in SPLITS)
        return (
            f"LabelledData({self.path.name!r}, {len(self.texts):,} texts, "
            f"{len(self.classes)} class{'es' * (len(self.classes) != 1)}, {parts})"
        )

    def report(self) -> list[str]:
        """Return what was read from the file, and what to check in its labels, as lines."""
        found = labels_.findings(Counter(self.labels))
        for name in SPLITS if self.splits is not None else ():
            there = set(self.part(name).labels)
            if there and (absent := [label for label in self.classes if label not in there]):
                named = listed(absent, _LISTED)
                found.append(f"no text of the {name} part has the label {named}")
        line = f"{self.path.name}: {counted(len(self.texts))}, {self.taken}"
        return [line, *(f"{self.path.name}: {finding}" for finding in found)]

    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels, in alphabetical order."""
        return tuple(sorted(set(self.labels)))

    def part(self, name: str) -> LabelledData:
        """Return the examples of one part of the split; all of them if there is no split."""
        if self.splits is None:
            return self
        return self.take([i for i, split in enumerate(self.splits) if split == name])

    def with_splits(self, splits: tuple[str, ...]) -> LabelledData:
        """Return the same examples with the given parts."""
        return replace(self, splits=splits)

    def take(self, indices: Sequence[int]) -> LabelledData:
        """Return the examples at these places, in this order."""
        return replace(
            self,
            texts=tuple(self.texts[i] for i in indices),
            labels=tuple(self.labels[i] for i in indices),
            lines=tuple(self.lines[i] for i in indices),
            splits=None if self.splits is None else tuple(self.splits[i] for i in indices),
        )


def read_labelled(
    path: str | os.PathLike[str],
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    no_header: bool = False,
    encoding: str = "utf-8",
    evaluation_only: bool = False,
    training_only: bool = False,
) -> LabelledData:
    """Read a labelled table (.csv, .tsv, .json, .jsonl) and check every row.

    A column `split` with the values train, dev (or valid, validation) and test is used if there is
    one.

    Parameters
    ----------
    path : path-like
        The file.
    text_column, label_column : str, optional
        The columns, by name or by number; several texts, separated by commas, are joined. By
        default they are guessed; see `columns.choose`.
    no_header : bool
        Whether the first row of a .csv or .tsv file is data.
    encoding : str
        The encoding of the file.
    evaluation_only : bool
        Whether it is only used for testing: it then needs no train examples, and all of its labels
        may be the same.
    training_only : bool
        Whether it is only used for training: it then needs no test examples.

    Raises
    ------
    InputError
        When a column is missing or ambiguous, a text or label is empty or NaN, a split is unknown
        or lacks a part that is needed, or all labels are the same. The message names the line.
    """
    files.check_path(path, "the table")
    path = Path(path)
    lines.check_file(path, encoding)
    table = Table(path, encoding, no_header=no_header)
    if not table.sample:
        raise InputError("no rows; it needs a text and a label in each", path)
    chosen = columns.choose(table, text_column, label_column, labels="needed")
    rows = [_checked(row, chosen, table, number) for number, row in table]
    numbers, texts, labels, parts = zip(*rows, strict=True)
    for name in ["train"] * (not evaluation_only) + ["test"] * (not training_only):
        if chosen.split and name not in parts:
            raise InputError(f"no row has the split {name!r}", path)
    bare = labels_.without_blanks(labels)
    data = LabelledData(
        path,
        texts=texts,
        labels=tuple(bare[label] for label in labels),
        lines=numbers,
        splits=parts if chosen.split else None,
        taken=chosen.line(table),
    )
    if len(data.classes) < 2 and not evaluation_only:
        only = reprlib.repr(data.labels[0])
        raise InputError(f"every label is {only}; a task needs two classes or more", path)
    return data


def _checked(
    row: dict[str, Any], chosen: Columns, table: Table, number: int
) -> tuple[int, str, str, str]:
    """Return a row's number, text, label and part ("" if the file has no split)."""
    text, label = chosen.text_of(row, table, number), chosen.label_of(row, table, number)
    for kind, names, value in (("text", chosen.text, text), ("label", (chosen.label,), label)):
        if value.strip().lower() in ("", "nan"):
            fault = "NaN" if value.strip() else "no value"
            name = ", ".join(map(reprlib.repr, names))
            what = f"{fault} in the {kind} column {name}; fill it in, or leave the row out"
            raise json_rows.row_error(what, table.path, number)
        json_rows.check_letters(value, table.path, number)
    if not chosen.split:
        return number, text, label, ""
    part = chosen.part_of(row, table, number)
    if part not in PARTS:
        what = f"split {reprlib.repr(part)}; it must be train, dev or test"
        raise json_rows.row_error(what, table.path, number)
    return number, text, label, PARTS[part]


def stratified_split(
    labels: Sequence[str], seed: int, shares: tuple[float, float, float] = (0.6, 0.1, 0.3)
) -> tuple[str, ...]:
    """Assign each example to train, dev or test, in the same proportions for each class.

    Parameters
    ----------
    labels : sequence of str
        The class of each example.
    seed : int
        The same seed gives the same split on every system.
    shares : tuple of three floats
        The shares of train, dev and test.

    Returns
    -------
    tuple of str
        "train", "dev" or "test" for each example.

    Examples
    --------
    >>> splits = stratified_split(["yes"] * 10 + ["no"] * 20, seed=1)
    >>> [splits.count(part) for part in ("train", "dev", "test")]
    [18, 3, 9]
    """
    by_class: dict[str, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        by_class[label].append(i)
    generator = random.Random(seed)
    splits = [""] * len(labels)
    for label in sorted(by_class):
        members = by_class[label]
        generator.shuffle(members)
        dev_from = round(shares[0] * len(members))
        test_from = round((shares[0] + shares[1]) * len(members))
        for rank, i in enumerate(members):
            splits[i] = SPLITS[(rank >= dev_from) + (rank >= test_from)]
    return tuple(splits)


def draw(labels: Ids, budget: int, seed: int) -> Ids:
    """Return the indices of `budget` labelled examples: classes in proportion, none left out.

    The members of each class are shuffled. On a common line, the member of rank r among n is at
    (r + 1/2) / n, and the first of each class is before all others. The draw is the beginning of
    that line, so the draws of one seed are nested.

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
    rng = generator(seed, "draw")
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
        place[members[0]] = -1
    return np.argsort(place, kind="stable")[:budget]
