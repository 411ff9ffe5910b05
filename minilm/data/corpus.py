"""Documents and labelled examples out of the user's files.

Unlabelled documents stream (`read_documents`); a labelled file is small and is read whole and
checked (`read_labelled`). Encodings are named, never guessed.
"""

from __future__ import annotations

import os
import random
import reprlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from minilm.data import tables
from minilm.errors import InputError, OptionError

TEXT_SUFFIXES = (".txt", ".md")
SUFFIXES = TEXT_SUFFIXES + tables.TABLE_SUFFIXES
SPLITS = ("train", "dev", "test")


def find_files(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the files meant by paths: a file stands for itself, a folder for the texts below it.

    Files of a folder are in alphabetical order of their path, so that a run can be repeated on
    another system.

    Raises
    ------
    InputError
        When a path does not exist or a folder holds no file of a known kind.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            tables.check_file(path, "utf-8")
            if path.suffix.lower() not in SUFFIXES:
                raise InputError(f"unknown kind of file; known are {', '.join(SUFFIXES)}", path)
            found.append(path)
            continue
        inside = [p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
        if not inside:
            raise InputError(f"a folder without text ({', '.join(SUFFIXES)})", path)
        found.extend(sorted(inside, key=lambda p: p.relative_to(path).as_posix()))
    return found


def read_documents(
    paths: Iterable[str | os.PathLike[str]],
    *,
    unit: str = "lines",
    encoding: str = "utf-8",
    text_column: str | None = None,
) -> Iterator[str]:
    """Yield the documents of files and folders, in order, without blank ones.

    Parameters
    ----------
    paths : iterable of path-like
        Files (.txt, .md, .csv, .tsv, .json, .jsonl) or folders of them.
    unit : {"lines", "paragraphs"}
        What a document is in a .txt or .md file: a line, or lines up to a blank one.
    encoding : str
        The encoding of all the files.
    text_column : str, optional
        The column that holds the text, where the file has columns.

    Raises
    ------
    InputError
        When a file cannot be used, naming file and line; when no document is found at all.
    """
    if unit not in ("lines", "paragraphs"):
        raise OptionError(f"documents are lines or paragraphs, not {unit!r}")
    found = find_files(paths)
    empty = True
    for path in found:
        for document in _documents_of(path, unit, encoding, text_column):
            if document and not document.isspace():
                empty = False
                yield document
    if empty:
        raise InputError("no text in it, only blank lines", found[0] if found else None)


def read_texts(
    path: str | os.PathLike[str], *, encoding: str = "utf-8", text_column: str | None = None
) -> list[str]:
    """Read the texts of one file that are to be judged one by one, so that none goes missing.

    Lines of .txt and .md come without their ends; blank lines only set them apart.

    Raises
    ------
    InputError
        When the file cannot be used, or a row of a table has no text; with the line.
    """
    path = Path(path)
    tables.check_file(path, encoding)
    if path.suffix.lower() in TEXT_SUFFIXES:
        return [text.rstrip("\n") for text in read_documents([path], encoding=encoding)]
    found: list[str] = []
    column = ""
    for number, row in tables.read_rows(path, encoding):
        column = column or tables.choose_columns(list(row), {"text": text_column}, path)["text"]
        if not row.get(column, "").strip():
            what = f"no text in the column {reprlib.repr(column)}; fill it in, or leave the row out"
            raise tables.row_error(what, path, number)
        found.append(row[column])
    if not found:
        raise InputError("no rows; it needs a text in each", path)
    return found


def _documents_of(path: Path, unit: str, encoding: str, text_column: str | None) -> Iterator[str]:
    if path.suffix.lower() in TEXT_SUFFIXES:
        lines = tables.read_lines(path, encoding)
        yield from lines if unit == "lines" else _paragraphs(lines)
        return
    rows = tables.read_rows(path, encoding)
    first = next(rows, None)
    if first is None:
        return
    column = tables.choose_columns(list(first[1]), {"text": text_column}, path)["text"]
    for number, row in chain([first], rows):
        if column not in row:
            raise tables.row_error(f"no column {reprlib.repr(column)} here", path, number)
        yield row[column]


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Join lines up to a blank one."""
    block: list[str] = []
    for line in lines:
        if line.strip():
            block.append(line)
        elif block:
            yield "".join(block)
            block = []
    if block:
        yield "".join(block)


@dataclass(frozen=True)
class LabelledData:
    """Labelled texts with their part of the split.

    Parameters
    ----------
    path : Path
        The file they come from.
    texts, labels : tuple of str
        One each for an example.
    lines : tuple of int
        The line of the file where each example starts; in a .json file, whose parser does not tell
        lines, its place in the list. Both count from 1.
    splits : tuple of str or None
        "train", "dev" or "test" for each; None when the file does not say.
    """

    path: Path
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    lines: tuple[int, ...]
    splits: tuple[str, ...] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels, in alphabetical order."""
        return tuple(sorted(set(self.labels)))

    def part(self, name: str) -> LabelledData:
        """Return the examples of one part of the split; all of them where there is no split."""
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
    encoding: str = "utf-8",
    evaluation_only: bool = False,
    training_only: bool = False,
) -> LabelledData:
    """Read a labelled table (.csv, .tsv, .json, .jsonl) and check every row of it.

    A column `split` with the values train, dev and test is used where there is one.

    Parameters
    ----------
    path : path-like
        The file.
    text_column, label_column : str, optional
        The columns; guessed unless said, as `tables.choose_columns` does.
    encoding : str
        The encoding of the file.
    evaluation_only : bool
        Whether models are only tested on it, not trained: then it may lack train examples, and all
        of its labels may be the same.
    training_only : bool
        Whether nothing is tested on it: then it may lack test examples.

    Raises
    ------
    InputError
        When a column is missing or ambiguous, a text or label is empty or NaN, a split has another
        name or none that is needed, or all labels are the same; with the line or item.
    """
    path = Path(path)
    tables.check_file(path, encoding)
    rows = list(tables.read_rows(path, encoding))
    if not rows:
        raise InputError("no rows; it needs a text and a label in each", path)
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    asked = {"text": text_column, "label": label_column}
    chosen = tables.choose_columns(columns, asked, path)
    for kind, name in chosen.items():
        for number, row in rows:
            value = row.get(name, "").strip()
            if not value or value.lower() == "nan":
                fault = "NaN" if value else "no value"
                raise tables.row_error(
                    f"{fault} in the {kind} column {reprlib.repr(name)}; fill it in", path, number
                )
    needed = ["train"] * (not evaluation_only) + ["test"] * (not training_only)
    splits = _splits(rows, path, needed) if "split" in columns else None
    data = LabelledData(
        path,
        texts=tuple(row[chosen["text"]] for _, row in rows),
        labels=tuple(row[chosen["label"]].strip() for _, row in rows),
        lines=tuple(number for number, _ in rows),
        splits=splits,
    )
    if len(data.classes) < 2 and not evaluation_only:
        only = reprlib.repr(data.labels[0])
        raise InputError(f"every label is {only}; a task needs two classes or more", path)
    return data


def _splits(rows: Sequence[tables.Row], path: Path, needed: Sequence[str]) -> tuple[str, ...]:
    for number, row in rows:
        if row.get("split") not in SPLITS:
            name = reprlib.repr(row.get("split", ""))
            raise tables.row_error(f"split {name}; it must be train, dev or test", path, number)
    splits = tuple(row["split"] for _, row in rows)
    for name in needed:
        if name not in splits:
            raise InputError(f"no row has the split {name!r}", path)
    return splits


def stratified_split(
    labels: Sequence[str], seed: int, shares: tuple[float, float, float] = (0.6, 0.1, 0.3)
) -> tuple[str, ...]:
    """Assign each example to train, dev or test, each class in the same proportions.

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


def repeated_across_parts(data: LabelledData) -> int:
    """Return how many test texts stand in train word for word; they flatter every model."""
    train = set(data.part("train").texts)
    return sum(text in train for text in data.part("test").texts)
