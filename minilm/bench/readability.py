"""Figures that a generated or careless text fails: how much of it is said twice, and how alike.

People rarely write a sentence twice, share a long run of words only by accident, and begin in many
ways. Text made from frames, and text written in a hurry by one hand, shows in these numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from minilm.data.quality import minhash

Words = Sequence[Sequence[str]]

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+")
_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio


def sentences(documents: Iterable[str]) -> list[str]:
    """Split documents after full stops, question and exclamation marks."""
    return [s for d in documents for s in _SENTENCE_END.split(d.strip()) if s]


def longest_shared_run(documents: Sequence[Sequence[int]]) -> int:
    """Return the length of the longest run of words that two different documents share.

    A run of length n contains shared ones of all smaller lengths, so the greatest length is found
    by bisection.

    Parameters
    ----------
    documents : sequence of int sequences
        Word ids.

    Examples
    --------
    >>> longest_shared_run([[1, 2, 3, 4], [9, 2, 3, 8], [2, 2, 2, 2]])
    2
    """
    low, high = 0, max(map(len, documents))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if shared_runs(documents, middle) else (low, middle - 1)
    return low


def shared_runs(documents: Sequence[Sequence[int]], length: int) -> int:
    """Return how many different runs of `length` words occur in more than one document.

    Runs are compared by a polynomial hash modulo 2^64 (Karp and Rabin 1987).

    Examples
    --------
    >>> shared_runs([[1, 2, 3, 4], [9, 1, 2, 3], [2, 3, 4]], 2)
    3
    """
    lengths = np.array([len(document) for document in documents])
    ids = np.concatenate([np.asarray(document, np.uint64) for document in documents])
    owner: NDArray[np.int64] = np.repeat(np.arange(len(documents)), lengths)
    starts = len(ids) - length + 1
    if starts < 1:
        return 0
    hashes = np.zeros(starts, np.uint64)
    for k in range(length):
        hashes = hashes * _BASE + ids[k : k + starts] + np.uint64(1)
    inside = owner[:starts] == owner[length - 1 :]
    hashes, owners = hashes[inside], owner[:starts][inside]
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    elsewhere = (hashes[1:] == hashes[:-1]) & (owners[1:] != owners[:-1])
    return len(np.unique(hashes[1:][elsewhere]))


def types_per_10_000(documents: Words) -> int:
    """Return the mean number of different words in stretches of 10,000.

    Of a shorter text, it is the number of different words that it has.
    """
    running = [word for document in documents for word in document]
    stretches = range(0, max(len(running) - 9_999, 1), 10_000)
    return round(np.mean([len(set(running[i : i + 10_000])) for i in stretches]))


def commonest_opening(documents: Words, words: int = 3) -> float:
    """Return the share of documents that begin with the commonest first words.

    >>> commonest_opening([["it", "is", "a"], ["it", "is", "a"], ["we", "saw", "it"]]).__round__(2)
    0.67
    """
    openings = Counter(tuple(document[:words]) for document in documents)
    return max(openings.values()) / len(documents)


def commonest_first_words(found: Words, count: int = 3) -> list[tuple[str, float]]:
    """Return the words that most sentences begin with, and the share of sentences that do."""
    first = Counter(sentence[0] for sentence in found if sentence)
    return [(word, n / first.total()) for word, n in first.most_common(count)]


def near_copies(one: Words, other: Words) -> list[tuple[int, int]]:
    """Return the pairs (i, j) of documents of two lists that are nearly the same.

    That is, whose sets of neighboring words resemble each other by `minhash.THRESHOLD` or more.
    Documents of one word are left out: they have no neighbors.
    """
    places = [(0, i) for i, d in enumerate(one) if len(d) > 1]
    places += [(1, j) for j, d in enumerate(other) if len(d) > 1]
    documents = [(one, other)[side][number] for side, number in places]
    if not documents:
        return []
    sets = [np.unique(minhash.shingles([document])[0]) for document in documents]
    found = []
    for first, second in minhash.candidates(minhash.band_keys(documents)):
        (side, i), (opposite, j) = places[first], places[second]
        if side == opposite:
            continue
        if minhash.resemblance(sets[first], sets[second]) >= minhash.THRESHOLD:
            found.append((i, j))
    return found


def label_changes(labels: Sequence[str]) -> float:
    """Return how often neighbors differ in their label, as a share of what chance gives.

    1 where the order is random, near 0 where the file is sorted by label.

    >>> label_changes(["a"] * 50 + ["b"] * 50).__round__(2)
    0.02
    """
    ids = np.unique(labels, return_inverse=True)[1]
    counts = np.bincount(ids)
    n = len(ids)
    expected = 1 - float((counts * (counts - 1)).sum()) / (n * (n - 1))
    return float(np.mean(ids[1:] != ids[:-1])) / expected
