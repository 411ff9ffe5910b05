"""Texts to pretrain on: documents in an order that depends on their contents alone."""

from __future__ import annotations

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minilm.compare import leaks
from minilm.embeddings import documents as frequencies
from minilm.errors import InputError
from minilm.random import generator
from minilm.text.words import Vocabulary, WordTokenizer

if TYPE_CHECKING:
    from minilm.compare.pretraining import Made

# What is between documents, so that nothing is counted across them.
SEPARATOR = -1


def name_of(kind: str, pretraining: int) -> str:
    """Return the name of what one pretraining has made of a text.

    Counting word vectors has no chance in it: they are the same in every pretraining.

    >>> name_of("vectors", 2), name_of("model", 2)
    ('vectors', 'model 2')
    """
    return kind if kind == "vectors" else f"{kind} {pretraining}"


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
        The text, -1 after each document.
    weights : ndarray of shape (V,), float32
        How much each word counts in the mean that represents a document.
    made : dict of str to Made
        What pretraining has made of it, by `name_of`: "vectors", "model 0", ...
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


def own_order(contents: Sequence[str | bytes], purpose: str) -> list[int]:
    """Return an order that depends on the contents alone: sorted, then shuffled by a fixed seed.

    Equal contents are in the order they came in, which nobody can see.

    >>> files = ["b", "a", "c", "a"], ["a", "c", "a", "b"]
    >>> [[file[i] for i in own_order(file, "example")] for file in files]
    [['c', 'b', 'a', 'a'], ['c', 'b', 'a', 'a']]
    """
    by_content = sorted(range(len(contents)), key=contents.__getitem__)
    shuffled = generator(0, purpose).permutation(len(contents))
    return [by_content[i] for i in shuffled]


class Documents:
    """The documents of one text, which are read twice and never held: memory goes by their ids.

    Parameters
    ----------
    read : callable
        Returns an iterator over the documents, in the order of the files.
    tokenizer : WordTokenizer
    seen : leaks.Seen
        Is shown every document once.
    """

    def __init__(
        self, read: Callable[[], Iterator[str]], tokenizer: WordTokenizer, seen: leaks.Seen
    ) -> None:
        self._read, self._tokenizer = read, tokenizer
        digests, lengths = [], []
        self.words: Counter[str] = Counter()
        for words in self:
            digests.append(hashlib.blake2b(" ".join(words).encode(), digest_size=16).digest())
            lengths.append(len(words))
            self.words.update(words)
            seen.add(words)
        self.order = np.array(own_order(digests, "documents"))
        self.lengths = np.array(lengths)[self.order]

    def __iter__(self) -> Iterator[list[str]]:
        """Return an iterator over the words of each document, in the order of the files."""
        return map(self._tokenizer.tokenize, self._read())

    def first(self, most: int | None) -> int:
        """Return how many documents have at most this many words together; 1 at least."""
        if most is None:
            return len(self.order)
        return max(1, int(np.searchsorted(np.cumsum(self.lengths), most, side="right")))

    def counts(self, used: int) -> Counter[str]:
        """Return how often each word is in the first documents."""
        if used == len(self.order):
            return self.words
        chosen = set(self.order[:used].tolist())
        counts: Counter[str] = Counter()
        for i, words in enumerate(self):
            if i in chosen:
                counts.update(words)
        return counts

    def ids(self, used: int, vocabulary: Vocabulary) -> np.ndarray:
        """Return the first documents as ids, -1 after each: (n,) int32."""
        chosen = set(self.order[:used].tolist())
        flat, ends = array("i"), [0]
        for i, words in enumerate(self):
            if i in chosen:
                flat.extend(vocabulary.encode(words))
                flat.append(SEPARATOR)
            ends.append(len(flat))
        ids = np.frombuffer(flat, dtype=np.intc)
        return np.concatenate([ids[ends[i] : ends[i + 1]] for i in self.order[:used]])


def at_amounts(
    documents: Documents,
    amounts: Iterable[int | None],
    *,
    name: str,
    min_count: int,
    max_words: int,
    path: Path,
) -> Iterator[tuple[Text, list[str]]]:
    """Yield a text at each amount of words, the largest (None: all) first, with notes on it.

    Raises
    ------
    InputError
        When no word is frequent enough.
    """
    done = set()
    largest_first = sorted(amounts, key=lambda most: -math.inf if most is None else -most)
    for most in largest_first:
        used = documents.first(most)
        if used in done:  # a text may have fewer words than asked for
            continue
        done.add(used)
        words = documents.counts(used)
        vocabulary = Vocabulary.from_counts(words, min_count=min_count, max_size=max_words)
        if not len(vocabulary):
            raise InputError(
                f"no word occurs {min_count} times or more; lower --min-count",
                path,
            )
        notes = []
        if len(words) > max_words:
            notes.append(
                f"of the {len(words):,} different words of the corpus the {max_words:,} "
                "most frequent have vectors"
            )
        weights = frequencies.frequency_weights(vocabulary.counts).astype(np.float32)
        total = int(documents.lengths[:used].sum())
        yield Text(name, total, vocabulary, documents.ids(used, vocabulary), weights), notes
