"""Kata 1.2  Vocabulary and ids

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 1.2    or on every save: minilm kata watch
    minilm kata read 1.2     the page
    minilm kata hint 1.2     a hint
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from minilm import files
from minilm.errors import OptionError


class Vocabulary:
    """Words and their ids, with the counts they had when the vocabulary was made.

    Write `from_counts`, `encode` and `decode`. The rest is given: `words` and `counts` are tuples
    of length V, `index` is a dict from each word to its id, and `unknown` is a word or None.

    Parameters
    ----------
    words : sequence of V str
        The words; a word's id is its position.
    counts : sequence of V int
        How often each occurred.
    unknown : str, optional
        The word (one of `words`) that means every word outside the vocabulary.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_documents([["to", "be", "or", "not", "to", "be"]])
    >>> vocabulary.words
    ('be', 'to', 'not', 'or')
    >>> vocabulary.encode(["to", "see", "or", "not"])
    [1, 3, 2]
    >>> vocabulary.decode([1, 0])
    ['to', 'be']
    """

    @classmethod
    def from_counts(
        cls,
        counts: Counter[str],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        unknown: str | None = None,
    ) -> Vocabulary:
        """Keep the most frequent words; equal counts are in alphabetical order.

        Return `cls(words, counts, unknown)`.

        Parameters
        ----------
        counts : Counter
            How often each word occurs, in the order in which the words were first met.
        min_count : int
            Words that occur less often are left out.
        max_size : int, optional
            How many entries there may be at most, the unknown token included.
        unknown : str, optional
            A token to put first (id 0), once, even if the text has it as a word. Its count is how
            often everything without an id occurred, the token itself included.

        Raises
        ------
        OptionError
            When `min_count` or `max_size` is below 1.
        """
        raise NotImplementedError("not written yet")

    def encode(self, words: Iterable[str]) -> list[int]:
        """Return the ids of words, in order.

        A word outside the vocabulary becomes the unknown token; if the vocabulary has none, the
        word is left out.
        """
        raise NotImplementedError("not written yet")

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the words of ids, in order.

        Raises
        ------
        OptionError
            When an id is not one of 0 to V - 1.
        """
        raise NotImplementedError("not written yet")

    # The rest is given.

    def __init__(
        self, words: Sequence[str], counts: Sequence[int], unknown: str | None = None
    ) -> None:
        self.words = tuple(words)
        self.counts = tuple(counts)
        self.unknown = unknown
        if len(self.words) != len(self.counts):
            raise OptionError(f"{len(self.words)} words but {len(self.counts)} counts")
        if len(self.index) != len(self.words):
            raise OptionError("a word is in the vocabulary twice")
        if unknown is not None and unknown not in self.index:
            raise OptionError(f"the unknown token {unknown!r} is not in the vocabulary")

    @cached_property
    def index(self) -> dict[str, int]:
        """The id of each word."""
        return {word: i for i, word in enumerate(self.words)}

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[Iterable[str]],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        unknown: str | None = None,
    ) -> Vocabulary:
        """Count the words of tokenized documents, then as `from_counts`."""
        counts: Counter[str] = Counter()
        for words in documents:
            counts.update(words)
        return cls.from_counts(counts, min_count=min_count, max_size=max_size, unknown=unknown)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        """Return whether the word has its own id."""
        return word in self.index

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vocabulary as JSON."""
        content = {"words": self.words, "counts": self.counts, "unknown": self.unknown}
        files.write_json(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read a vocabulary that `save` wrote."""
        content = files.read_json(path)
        return cls(content["words"], content["counts"], content["unknown"])
