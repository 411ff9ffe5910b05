"""Everything that the runs of one comparison share: texts as ids, labels, pretrained vectors.

Read, checked and counted once, in the parent process, before any run starts and before anything is
written; then handed to every run unchanged.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minilm import resources
from minilm.embeddings import cooccurrence, documents, factorise
from minilm.errors import InputError, OptionError
from minilm.text import corpus
from minilm.text.words import STOP_WORDS, Vocabulary, WordTokenizer

# What stands between documents, so that nothing is counted across them.
_SEPARATOR = -1
# A window beyond the longest texts that people write is a slip of the finger.
_WIDEST = 1_000


@dataclass(frozen=True)
class Settings:
    """What a comparison is about: a result is a pure function of this and of the run's key.

    Parameters
    ----------
    task : Path
        The labelled file.
    corpus : tuple of Path
        Unlabelled files or folders.
    transfer : Path, optional
        A second labelled file, on which the classifiers are evaluated as they are.
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
    unit, encoding, text_column, label_column
        How the files are read; see `minilm.text.corpus`.
    """

    task: Path
    corpus: tuple[Path, ...]
    transfer: Path | None = None
    window: int = 15
    weighting: str = "ppmi"
    dimensions: int | None = 100
    min_count: int = 1
    max_words: int = 20_000
    stop_words: bool = False
    unit: str = "lines"
    encoding: str = "utf-8"
    text_column: str | None = None
    label_column: str | None = None


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled texts of one part or domain.

    Parameters
    ----------
    tokens : list of list of str
        The words of each text.
    ids : list of ndarray of int
        The same as ids of the pretraining vocabulary, other words left out.
    labels : ndarray of shape (N,), int
        Indices into the classes.
    lines : ndarray of shape (N,), int
        Where each stands in its file.
    """

    tokens: list[list[str]]
    ids: list[np.ndarray]
    labels: np.ndarray
    lines: np.ndarray


@dataclass(frozen=True, eq=False)
class Material:
    """What every run reads.

    Parameters
    ----------
    settings : Settings
        Where it comes from.
    classes : tuple of str
        The labels, in alphabetical order.
    vocabulary : Vocabulary
        The words of the unlabelled corpus.
    corpus_ids : ndarray of int32
        The corpus, documents separated by -1.
    vectors : ndarray of shape (V, D), float32
        Word vectors counted on the corpus; rows of unit length.
    weights : ndarray of shape (V,), float32
        How much each word counts in the mean that stands for a text.
    train : Examples
        What labelled subsets are drawn from.
    domains : dict of str to Examples
        What is evaluated: the task's test part, then the transfer file, under the files' stems.
    split : tuple of (int, str) or None
        The line and the part of each example, when the task file had no split of its own.
    notes : tuple of str
        What a careful reader of the result should know about the data.
    """

    settings: Settings
    classes: tuple[str, ...]
    vocabulary: Vocabulary
    corpus_ids: np.ndarray
    vectors: np.ndarray
    weights: np.ndarray
    train: Examples
    domains: dict[str, Examples]
    split: tuple[tuple[int, str], ...] | None
    notes: tuple[str, ...]


def prepare(settings: Settings, budgets: Sequence[int]) -> Material:
    """Read, check and count.

    Parameters
    ----------
    settings : Settings
        What to read and how to count.
    budgets : sequence of int
        The numbers of labelled examples that runs will ask for; the smallest must be there.

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
        parts = corpus.stratified_split(task.labels, seed=0)
        task = task.with_splits(parts)
        split = tuple(zip(task.lines, parts, strict=True))
    train, test = task.part("train"), task.part("test")
    _check_budgets(train, test, task.classes, min(budgets))
    evaluated = {settings.task.stem: test}
    if settings.transfer is not None:
        transfer = _labelled(settings, settings.transfer, evaluation_only=True)
        _check_same_labels(task, transfer)
        # Of a file with a split only the test part is used, as for the task itself.
        transfer = transfer.part("test")
        name = settings.transfer.stem
        evaluated[name if name not in evaluated else f"{name}-transfer"] = transfer

    tokenizer = WordTokenizer(STOP_WORDS if settings.stop_words else frozenset())
    vocabulary, corpus_ids, notes = _read_corpus(settings, tokenizer, set(test.texts))
    learned = count_vectors(settings, corpus_ids, len(vocabulary))

    def examples(data: corpus.LabelledData) -> Examples:
        tokens = [tokenizer.tokenize(text) for text in data.texts]
        index = {name: i for i, name in enumerate(task.classes)}
        return Examples(
            tokens,
            [np.array(vocabulary.encode(words), dtype=np.int32) for words in tokens],
            np.array([index[label] for label in data.labels]),
            np.array(data.lines),
        )

    train_examples = examples(train)
    domains = {name: examples(data) for name, data in evaluated.items()}
    notes += _coverage(settings, train_examples, domains)
    if repeated := corpus.repeated_across_parts(task):
        notes.append(
            f"{repeated} of the {len(test.texts)} test texts of {settings.task.name} also stand in "
            "its train part, word for word; they flatter every condition"
        )
    return Material(
        settings,
        task.classes,
        vocabulary,
        corpus_ids,
        learned,
        documents.frequency_weights(vocabulary.counts).astype(np.float32),
        train_examples,
        domains,
        split,
        tuple(notes),
    )


def count_vectors(settings: Settings, ids: np.ndarray, size: int) -> np.ndarray:
    """Count, weight and factorise: the one way from ids to word vectors in a comparison.

    Parameters
    ----------
    settings : Settings
        Window, weighting and dimensions (at most one for each word).
    ids : ndarray of int
        Documents separated by -1.
    size : int
        V, the size of the vocabulary.

    Returns
    -------
    ndarray of shape (V, D), float32
        Rows of unit length; zero for words that met no other.
    """
    dimensions = settings.dimensions
    return factorise.word_vectors(
        cooccurrence.count_chunks([ids], settings.window, size),
        weighting=settings.weighting,
        dimensions=None if dimensions is None else min(dimensions, size),
        rng=np.random.default_rng(0),
    )


def _labelled(settings: Settings, path: Path, evaluation_only: bool = False) -> corpus.LabelledData:
    return corpus.read_labelled(
        path,
        text_column=settings.text_column,
        label_column=settings.label_column,
        encoding=_encoding(settings, path),
        evaluation_only=evaluation_only,
    )


def _encoding(settings: Settings, path: Path) -> str:
    """Return the encoding of a file: the user's choice is about the user's files."""
    return "utf-8" if resources.is_shipped(path) else settings.encoding


def _read_corpus(
    settings: Settings, tokenizer: WordTokenizer, test_texts: set[str]
) -> tuple[Vocabulary, np.ndarray, list[str]]:
    """Return the vocabulary of the corpus, its ids with -1 after each document, and notes.

    The corpus is read twice and never held as text, so that memory goes by its ids: four bytes a
    word.
    """

    def texts() -> Iterator[str]:
        for path in settings.corpus:
            yield from corpus.read_documents(
                [path],
                unit=settings.unit,
                encoding=_encoding(settings, path),
                text_column=settings.text_column,
            )

    words: Counter[str] = Counter()
    for text in texts():
        words.update(tokenizer.tokenize(text))
    vocabulary = Vocabulary.from_counts(
        words, min_count=settings.min_count, max_size=settings.max_words
    )
    if not len(vocabulary):
        raise InputError(
            f"no word occurs {settings.min_count} times or more; lower --min-count",
            settings.corpus[0],
        )
    ids, seen = array("i"), 0
    for text in texts():
        ids.extend(vocabulary.encode(tokenizer.tokenize(text)))
        ids.append(_SEPARATOR)
        seen += text.strip() in test_texts
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
    return vocabulary, np.frombuffer(ids, dtype=np.intc), notes


def _check_budgets(
    train: corpus.LabelledData, test: corpus.LabelledData, classes: tuple[str, ...], smallest: int
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


def _check_same_labels(task: corpus.LabelledData, transfer: corpus.LabelledData) -> None:
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


def _coverage(settings: Settings, train: Examples, domains: dict[str, Examples]) -> list[str]:
    """Return notes on labelled words that pretraining does not know; raise when it knows none."""
    notes = []
    for name, part in {"train": train, **domains}.items():
        known, words = sum(map(len, part.ids)), sum(map(len, part.tokens))
        if not known:
            raise InputError(
                f"shares no word with the labelled texts ({name}); is it in the same language?",
                settings.corpus[0],
            )
        if known < words / 2:
            notes.append(
                f"only {known / words:.0%} of the words of the labelled texts ({name}) are in the "
                "unlabelled text; the others have no vectors"
            )
    return notes
