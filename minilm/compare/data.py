"""Everything that the runs of one comparison share: texts as ids, labels, what pretraining made.

Read and checked once, in the parent process, before any run starts and before anything is written;
then handed to every run unchanged.
"""

from __future__ import annotations

import itertools
import math
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from minilm import resources
from minilm.compare import transformer
from minilm.compare.cache import Made
from minilm.data import labelled as labelled_
from minilm.data.documents import read_documents
from minilm.data.labelled import LabelledData, read_labelled
from minilm.embeddings import documents as frequencies
from minilm.errors import InputError, OptionError
from minilm.text.words import STOP_WORDS, Vocabulary, WordTokenizer

# What stands between documents, so that nothing is counted across them.
SEPARATOR = -1
# A window beyond the longest texts that people write is a slip of the finger.
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
        How much of each text is used: its first documents, with at most so many words; None for
        all of it.
    window : int
        How many words to each side count as company.
    weighting : {"ppmi", "count"}
        How counts become weights.
    dimensions : int or None
        Columns of the word vectors; None keeps one for each word.
    min_count, max_words : int
        The vocabulary: words seen at least so often, at most so many.
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
        As they stand in the file.
    tokens : list of list of str
        The words of each text.
    ids : list of ndarray of int
        The same as ids of the pretraining vocabulary, other words left out.
    labels : ndarray of shape (N,), int
        Indices into the classes.
    lines : ndarray of shape (N,), int
        Where each stands in its file.
    """

    texts: list[str]
    tokens: list[list[str]]
    ids: list[np.ndarray]
    labels: np.ndarray
    lines: np.ndarray


@dataclass(frozen=True, eq=False)
class Text:
    """A text to pretrain on, and what pretraining has made of it.

    Parameters
    ----------
    corpus : str
        Its name.
    words : int
        How many of its words are used.
    vocabulary : Vocabulary
        Its words, the most frequent first.
    ids : ndarray of int32
        The text, documents separated by -1.
    weights : ndarray of shape (V,), float32
        How much each word counts in the mean that stands for a document.
    made : dict of str to Made
        By the names of `pretraining.KINDS`: word vectors, and transformers.
    """

    corpus: str
    words: int
    vocabulary: Vocabulary
    ids: np.ndarray
    weights: np.ndarray
    made: dict[str, Made] = field(default_factory=dict)

    @property
    def vectors(self) -> np.ndarray:
        """Word vectors counted on the text, (V, D) float32; rows of unit length, or zero."""
        return self.made["vectors"].arrays["vectors"]


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
    """

    settings: CompareSettings
    classes: tuple[str, ...]
    text: Text
    train: Examples
    domains: dict[str, Examples]
    split: tuple[tuple[int, str], ...] | None
    notes: tuple[str, ...]

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.settings.task.stem


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
        parts = labelled_.stratified_split(task.labels, seed=0)
        task = task.with_splits(parts)
        split = tuple(zip(task.lines, parts, strict=True))
    train, test = task.part("train"), task.part("test")
    _check_budgets(train, test, task.classes, min(budgets))
    evaluated = {settings.task.stem: test, **_elsewhere(settings, task)}
    notes = []
    if repeated := labelled_.repeated_across_parts(task):
        notes.append(
            f"{repeated} of the {len(test.texts)} test texts of {settings.task.name} also stand in "
            "its train part, word for word; they flatter every condition"
        )
    tokenizer = WordTokenizer(STOP_WORDS if settings.stop_words else frozenset())
    materials = []
    names: set[str] = set()
    for paths in settings.corpora:
        names.add(name := _unused(paths[0].stem, names))
        for text, about in _read_texts(settings, paths, name, tokenizer, set(test.texts)):
            examples = partial(
                _examples,
                classes=task.classes,
                tokenizer=tokenizer,
                vocabulary=text.vocabulary,
            )
            domains = {domain: examples(data) for domain, data in evaluated.items()}
            labelled = examples(train)
            about += _coverage(paths[0], [("train", labelled), *domains.items()])
            if len(settings.corpora) > 1 or len(settings.pretrain_words) > 1:
                about = [f"{name}, {text.words:,} words: {note}" for note in about]
            found = tuple(notes + about)
            materials.append(
                CompareData(settings, task.classes, text, labelled, domains, split, found)
            )
    return materials


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
    data: LabelledData,
    classes: tuple[str, ...],
    tokenizer: WordTokenizer,
    vocabulary: Vocabulary,
) -> Examples:
    tokens = [tokenizer.tokenize(text) for text in data.texts]
    index = {name: i for i, name in enumerate(classes)}
    return Examples(
        list(data.texts),
        tokens,
        [np.array(vocabulary.encode(words), dtype=np.int32) for words in tokens],
        np.array([index[label] for label in data.labels]),
        np.array(data.lines),
    )


def _labelled(settings: CompareSettings, path: Path, evaluation_only: bool = False) -> LabelledData:
    return read_labelled(
        path,
        text_column=settings.text_column,
        label_column=settings.label_column,
        no_header=settings.no_header and not resources.is_shipped(path),
        encoding=_encoding(settings, path),
        evaluation_only=evaluation_only,
    )


def _encoding(settings: CompareSettings, path: Path) -> str:
    """Return the encoding of a file: the user's choice is about the user's files."""
    return "utf-8" if resources.is_shipped(path) else settings.encoding


def _read_texts(
    settings: CompareSettings,
    paths: tuple[Path, ...],
    name: str,
    tokenizer: WordTokenizer,
    test_texts: set[str],
) -> Iterator[tuple[Text, list[str]]]:
    """Yield the text at each amount that is asked for, the largest first, with notes on it.

    The text is read twice for each amount and never held as text, so that memory goes by its ids:
    four bytes a word.
    """

    def documents() -> Iterator[str]:
        for path in paths:
            yield from read_documents(
                [path],
                unit=settings.unit,
                encoding=_encoding(settings, path),
                text_column=settings.text_column,
                no_header=settings.no_header and not resources.is_shipped(path),
            )

    done = set()
    amounts = sorted(settings.pretrain_words, key=lambda most: -math.inf if most is None else -most)
    for most in amounts:
        text, notes = _read_text(settings, documents, most, name, tokenizer, test_texts)
        if not len(text.vocabulary):
            raise InputError(
                f"no word occurs {settings.min_count} times or more; lower --min-count", paths[0]
            )
        if text.words not in done:  # a text may have fewer words than asked for
            done.add(text.words)
            yield text, notes


def _read_text(
    settings: CompareSettings,
    documents: Callable[[], Iterator[str]],
    most: int | None,
    name: str,
    tokenizer: WordTokenizer,
    test_texts: set[str],
) -> tuple[Text, list[str]]:
    """Return the first documents of a text, as many as have at most so many words, as ids."""
    words: Counter[str] = Counter()
    total = used = seen = 0
    for document in documents():
        found = tokenizer.tokenize(document)
        if most is not None and used and total + len(found) > most:
            break
        words.update(found)
        total += len(found)
        used += 1
        seen += document.strip() in test_texts
    vocabulary = Vocabulary.from_counts(
        words, min_count=settings.min_count, max_size=settings.max_words
    )
    ids = array("i")
    for document in itertools.islice(documents(), used):
        ids.extend(vocabulary.encode(tokenizer.tokenize(document)))
        ids.append(SEPARATOR)
    notes = []
    if len(words) > settings.max_words:
        notes.append(
            f"of the {len(words):,} different words of the corpus the {settings.max_words:,} most "
            "frequent have vectors"
        )
    if seen:
        notes.append(
            f"{seen} documents of the corpus are test texts (without their labels): pretraining "
            "has read them"
        )
    weights = frequencies.frequency_weights(vocabulary.counts).astype(np.float32)
    text = Text(name, total, vocabulary, np.frombuffer(ids, dtype=np.intc), weights)
    return text, notes


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
        label = min(unknown)
        raise InputError(
            f"its label {label!r} is not one of {task.path.name} "
            f"({', '.join(map(repr, task.classes[:5]))}{', ...' * (len(task.classes) > 5)}); "
            "rename the labels in one of the files",
            transfer.path,
            transfer.lines[transfer.labels.index(label)],
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
