"""Kata 1.3  Learning byte pairs: a solution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise


def learn(
    words: Mapping[str, int], symbols: Sequence[str], vocab_size: int
) -> tuple[list[str], list[tuple[str, str]]]:
    """Learn merges: again and again, the most frequent pair of neighbors becomes one token."""
    tokens = list(symbols)
    merges: list[tuple[str, str]] = []
    split = {word: list(word) for word in words}
    while len(tokens) < vocab_size:
        counts: Counter[tuple[str, str]] = Counter()
        for word, parts in split.items():
            for pair in pairwise(parts):
                counts[pair] += words[word]
        if not counts:
            break
        best = min(counts, key=lambda p: (-counts[p], tokens.index(p[0]), tokens.index(p[1])))
        merges.append(best)
        if "".join(best) not in tokens:
            tokens.append("".join(best))
        split = {word: join(parts, pair=best) for word, parts in split.items()}
    return tokens, merges


def join(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """Join a pair wherever it occurs, from left to right."""
    joined = []
    i = 0
    while i < len(parts):
        if tuple(parts[i : i + 2]) == pair:
            joined.append(parts[i] + parts[i + 1])
            i += 2
        else:
            joined.append(parts[i])
            i += 1
    return joined
