"""Everything that the runs of one comparison share: texts as ids, labels, what pretraining made.

Read and checked once, in the parent process, before any run starts and before anything is written;
then handed to every run unchanged.

A result does not depend on the order of lines in a file. Documents and labelled rows are put into
an order of their own: sorted by content, then shuffled by a fixed seed. Otherwise a corpus that is
sorted by label would leak the labels: a window of 64 words spans three reviews, and whoever
predicts the next word learns what the neighbors' opinion is.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minilm import resources
from minilm.compare import leaks, transformer
from minilm.compare.texts import Documents, Text, at_amounts, name_of, own_order
from minilm.data.documents import read_documents
from minilm.data.labelled import LabelledData, read_labelled, stratified_split
from minilm.errors import InputError, OptionError
from minilm.text.words import STOP_WORDS, Vocabulary, WordTokenizer

if TYPE_CHECKING:
    from minilm.compare.pretraining import Made

# A window beyond the longest texts that people write is a typing error.
_WIDEST = 1_000


@dataclass(frozen=True)
class CompareSettings:
    """What one task of a comparison is about: a result is a pure function of this and of its key.

    Parameters
    ----------
    task : Path
        The labelled file.
    corpora : tuple of tuple of Path
        Texts to pretrain on, each made of files or folders; the first is the main one.
    transfers : tuple of Path
        Other labelled files, on which the classifiers are evaluated as they are.
    others : tuple of Path
        The same, for those of them whose labels are the task's.
    pretrain_words : tuple of (int or None)
        How much of each text is used: its first documents, in the comparison's own order, with at
        most this many words; None for all of it.
    equal_words : bool
        Whether all texts are cut to the words of the shortest, so that they can be compared.
    window : int
        Words to each side that count as neighbors.
    weighting : {"ppmi", "count"}
        How counts become weights.
    dimensions : int or None
        Columns of the word vectors; None for one per word.
    min_count, max_words : int
        The vocabulary: words seen at least this often, at most this many.
    stop_words : bool
        Whether to leave out the stop list.
    transformer : transformer.TransformerSettings
        The shape of the transformer, and how long it is trained.
    unit, encoding, text_column, label_column, no_header
        How the files are read; see `minilm.data.documents` and `labelled`.
    """

    task: Path
    corpora: tuple[tuple[Path, ...], ...]
    transfers: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    pretrain_words: tuple[int | None, ...] = (None,)
    equal_words: bool = False
    window: int = 15
    weighting: str = "ppmi"
    dimensions: int | None = 100
    min_count: int = 1
    max_words: int = 20_000
    stop_words: bool = False
    transformer: transformer.TransformerSettings = field(
        default_factory=transformer.TransformerSettings
    )
    unit: str = "lines"
    encoding: str = "utf-8"
    text_column: str | None = None
    label_column: str | None = None
    no_header: bool = False


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled texts of one part or domain.

    Parameters
    ----------
    texts : list of str
        As they are in the file.
    tokens : list of list of str
        The words of each text.
    ids : list of ndarray of int
        The words as ids of the pretraining vocabulary; other words are left out.
    labels : ndarray of shape (N,), int
        Indices into the classes.
    lines : ndarray of shape (N,), int
        Where each is in its file.
    """

    texts: list[str]
    tokens: list[list[str]]
    ids: list[np.ndarray]
    labels: np.ndarray
    lines: np.ndarray


@dataclass(frozen=True, eq=False)
class CompareData:
    """What every run on one task and one pretraining text reads.

    Parameters
    ----------
    settings : CompareSettings
        Where it comes from.
    classes : tuple of str
        The labels, in alphabetical order.
    text : Text
        What is pretrained on.
    train : Examples
        What labelled subsets are drawn from.
    domains : dict of str to Examples
        What is evaluated: the task's test part, then other files, under the files' stems.
    split : tuple of (int, str) or None
        The line and the part of each example, when the task file had no split of its own.
    notes : tuple of str
        What a careful reader of the result should know about the data.
    pretraining : int
        Which of the pretrainings a run builds on, or whose initial parameters it starts from.
    """

    settings: CompareSettings
    classes: tuple[str, ...]
    text: Text
    train: Examples
    domains: dict[str, Examples]
    split: tuple[tuple[int, str], ...] | None
    notes: tuple[str, ...]
    pretraining: int = 0

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.settings.task.stem

    def made(self, kind: str) -> Made:
        """Return what this pretraining has made of the text: one of `pretraining.KINDS`."""
        return self.text.made[name_of(kind, self.pretraining)]


def prepare(settings: CompareSettings, budgets: Sequence[int]) -> list[CompareData]:
    """Read and check; nothing is pretrained yet.

    Parameters
    ----------
    settings : CompareSettings
        What to read and how to count.
    budgets : sequence of int
        The numbers of labelled examples that runs will ask for; the smallest must be there.

    Returns
    -------
    list of CompareData
        One for each text and amount of it, the main one (the first text, the largest amount)
        first. They share what they can.

    Raises
    ------
    InputError, OptionError
        When a file or a setting cannot be used. Nothing has been written by then.
    """
    if not 1 <= settings.window <= _WIDEST:
        raise OptionError(f"--window: {settings.window}; use 1 to {_WIDEST} words")
    task = _labelled(settings, settings.task)
    split = None
    if task.splits is None:
        parts = stratified_split(task.labels, seed=0)
        task = task.with_splits(parts)
        split = tuple(sorted(zip(task.lines, parts, strict=True)))
    train, test = task.part("train"), task.part("test")
    _check_budgets(train, test, task.classes, min(budgets))
    evaluated = {settings.task.stem: test, **_elsewhere(settings, task)}
    tokenizer = WordTokenizer(STOP_WORDS if settings.stop_words else frozenset())
    watch = leaks.Watch(task, evaluated, tokenizer)
    sources: dict[str, tuple[Documents, leaks.Seen]] = {}
    for paths in settings.corpora:
        name = _unused(paths[0].stem, sources)
        seen = watch.corpus()
        sources[name] = Documents(partial(_read, settings, paths), tokenizer, seen), seen
    amounts = settings.pretrain_words
    if settings.equal_words:
        amounts = (min(int(documents.lengths.sum()) for documents, _ in sources.values()),)
    found = []
    for paths, (name, (documents, seen)) in zip(settings.corpora, sources.items(), strict=True):
        for text, about in at_amounts(
            documents,
            amounts,
            name=name,
            min_count=settings.min_count,
            max_words=settings.max_words,
            path=paths[0],
        ):
            domains = {
                domain: _examples(part, task.classes, tokenizer, text.vocabulary)
                for domain, part in evaluated.items()
            }
            labelled = _examples(train, task.classes, tokenizer, text.vocabulary)
            about += _coverage(paths[0], [("train", labelled), *domains.items()])
            if len(settings.corpora) > 1 or len(amounts) > 1:
                about = [f"{name}, {text.words:,} words: {note}" for note in about]
            notes = (*watch.about_task, *seen.notes(), *about)
            found.append(CompareData(settings, task.classes, text, labelled, domains, split, notes))
    return found


def _read(settings: CompareSettings, paths: tuple[Path, ...]) -> Iterator[str]:
    """Yield the documents of one text, in the order of its files."""
    for path in paths:
        yield from read_documents(
            [path],
            unit=settings.unit,
            encoding=_encoding(settings, path),
            text_column=settings.text_column,
            no_header=settings.no_header and not resources.is_shipped(path),
        )


def _elsewhere(settings: CompareSettings, task: LabelledData) -> dict[str, LabelledData]:
    """Return what is evaluated beside the task's test part; of files with a split, theirs."""
    found: dict[str, LabelledData] = {}
    for path in settings.transfers + settings.others:
        other = _labelled(settings, path, evaluation_only=True)
        if path in settings.others and not set(other.classes) <= set(task.classes):
            continue
        _check_same_labels(task, other)
        found[_unused(path.stem, [settings.task.stem, *found])] = other.part("test")
    return found


def _unused(name: str, used: Collection[str]) -> str:
    """Return the name, or with a number behind it if it is in use.

    >>> _unused("a", ["a", "a-2"])
    'a-3'
    """
    candidates = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in used)


def _examples(
    labelled: LabelledData,
    classes: tuple[str, ...],
    tokenizer: WordTokenizer,
    vocabulary: Vocabulary,
) -> Examples:
    tokens = [tokenizer.tokenize(text) for text in labelled.texts]
    index = {name: i for i, name in enumerate(classes)}
    return Examples(
        list(labelled.texts),
        tokens,
        [np.array(vocabulary.encode(words), dtype=np.int32) for words in tokens],
        np.array([index[label] for label in labelled.labels]),
        np.array(labelled.lines),
    )


def _labelled(settings: CompareSettings, path: Path, evaluation_only: bool = False) -> LabelledData:
    """Read a labelled file, its rows in the comparison's own order."""
    read = read_labelled(
        path,
        text_column=settings.text_column,
        label_column=settings.label_column,
        no_header=settings.no_header and not resources.is_shipped(path),
        encoding=_encoding(settings, path),
        evaluation_only=evaluation_only,
    )
    splits = read.splits or [""] * len(read.texts)
    rows = zip(read.texts, read.labels, splits, strict=True)
    return read.take(own_order(["\0".join(row) for row in rows], "rows"))


def _encoding(settings: CompareSettings, path: Path) -> str:
    """Return the encoding of a file: the user's choice is about the user's files."""
    return "utf-8" if resources.is_shipped(path) else settings.encoding


def _check_budgets(
    train: LabelledData, test: LabelledData, classes: tuple[str, ...], smallest: int
) -> None:
    if not test.texts:
        raise InputError("no example is left for the test part; label more", train.path)
    if len(train.texts) < smallest:
        raise InputError(
            f"{len(train.texts)} examples to train on, but the smallest budget is {smallest}; "
            "lower --budgets or label more",
            train.path,
        )
    if smallest < len(classes):
        raise OptionError(
            f"--budgets: {smallest} labelled examples cannot show {len(classes)} classes; "
            f"use {len(classes)} or more"
        )
    if missing := set(classes) - set(train.labels):
        raise InputError(f"no example of {min(missing)!r} in the train part", train.path)


def _check_same_labels(task: LabelledData, transfer: LabelledData) -> None:
    """Raise when the transfer file has a label that the task has not; it may lack some."""
    unknown = set(transfer.classes) - set(task.classes)
    if unknown:
        line, label = min(
            (line, label)
            for line, label in zip(transfer.lines, transfer.labels, strict=True)
            if label in unknown
        )
        raise InputError(
            f"its label {label!r} is not one of {task.path.name} "
            f"({', '.join(map(repr, task.classes[:5]))}{', ...' * (len(task.classes) > 5)}); "
            "rename the labels in one of the files",
            transfer.path,
            line,
        )


def _coverage(path: Path, parts: Iterable[tuple[str, Examples]]) -> list[str]:
    """Return notes on labelled words that pretraining does not know; raise when it knows none."""
    notes = []
    for name, part in parts:
        known, words = sum(map(len, part.ids)), sum(map(len, part.tokens))
        if not known:
            raise InputError(
                f"shares no word with the labelled texts ({name}); is it in the same language?",
                path,
            )
        if known < words / 2:
            notes.append(
                f"only {known / words:.0%} of the words of the labelled texts ({name}) are in the "
                "unlabelled text; the others have no vectors"
            )
    return notes
