"""Kata 1.1  Words from text: a solution."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WordTokenizer:
    """Lower case, runs of letters, nothing else."""

    stop_words: frozenset[str] = frozenset()

    def tokenize(self, text: str) -> list[str]:
        """Return the words of `text`, in order."""
        spaced = "".join(c if c.isalpha() else " " for c in text.lower())
        return [word for word in spaced.split() if word not in self.stop_words]
