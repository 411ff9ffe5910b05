"""Kata 1.2  Vocabulary and ids: a solution."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from minilm import files
from minilm.errors import OptionError


class Vocabulary:
    """Words and their ids, with the counts they had when the vocabulary was made."""

    @classmethod
    def from_counts(
        cls,
        counts: Counter[str],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        unknown: str | None = None,
    ) -> Vocabulary:
        """Keep the most frequent words; equal counts are in alphabetical order."""
        if min_count < 1:
            raise OptionError(f"the minimum count is {min_count}; it must be 1 or more")
        if max_size is not None and max_size < 1:
            raise OptionError(f"the vocabulary size is {max_size}; it must be 1 or more")
        kept = [(w, n) for w, n in counts.items() if n >= min_count and w != unknown]
        kept.sort(key=lambda item: (-item[1], item[0]))
        if max_size is not None:
            kept = kept[: max_size - (unknown is not None)]
        if unknown is not None:
            left_out = sum(counts.values()) - sum(n for _, n in kept)
            kept.insert(0, (unknown, left_out))
        return cls([w for w, _ in kept], [n for _, n in kept], unknown)

    def encode(self, words: Iterable[str]) -> list[int]:
        """Return the ids of words."""
        if self.unknown is None:
            return [self.index[word] for word in words if word in self.index]
        default = self.index[self.unknown]
        return [self.index.get(word, default) for word in words]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the words of ids."""
        words = []
        for i in ids:
            if not 0 <= i < len(self.words):
                raise OptionError(f"id {i} is outside the vocabulary of {len(self.words)} words")
            words.append(self.words[i])
        return words

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
