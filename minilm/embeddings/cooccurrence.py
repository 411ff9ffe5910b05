"""Symmetric co-occurrence counts: how often each word stands near each other word.

`count` is the whole idea, on ids that fit in memory; `count_chunks` runs it over a corpus of any
length. Words outside the vocabulary are left out before they become ids, so they take no place in
the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from minilm.embeddings import spill
from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError

_SEPARATOR = np.array([-1])


def count(ids: npt.NDArray[np.integer], window: int, size: int) -> SparseMatrix:
    """Count how often word j stands at most `window` places from word i.

    Every pair of places i < j in one document with j - i <= window adds one to (ids[i], ids[j]) and
    one to (ids[j], ids[i]); a word next to itself adds two on the diagonal. A pair of words is one
    integer key, and equal keys stand together once they are sorted.

    Parameters
    ----------
    ids : ndarray of shape (N,), int
        Word ids below `size`. A negative id separates documents: nothing is counted across it.
    window : int
        The greatest distance in words, 1 or more.
    size : int
        The size of the vocabulary, V.

    Returns
    -------
    SparseMatrix
        Symmetric, exact int64 counts.

    Raises
    ------
    OptionError
        When the window is below 1 or an id is `size` or more.

    Examples
    --------
    >>> count(np.array([0, 1, 0, -1, 2, 1]), window=1, size=3).dense()
    array([[0, 2, 0],
           [2, 0, 1],
           [0, 1, 0]])
    """
    ids = np.asarray(ids, dtype=np.int64)
    if window < 1:
        raise OptionError(f"the window is {window}; it must be 1 word or more")
    if ids.size and ids.max() >= size:
        raise OptionError(f"id {ids.max()} is outside the vocabulary of {size} words")
    word = ids >= 0
    together = word  # [i]: the places i to i + offset are words of one document
    keys = [np.empty(0, np.int64)]
    for offset in range(1, min(window, ids.size - 1) + 1):
        together = together[:-1] & word[offset:]
        left, right = ids[:-offset][together], ids[offset:][together]
        keys += [left * size + right, right * size + left]
    joined = np.concatenate(keys)
    joined.sort()
    first = np.flatnonzero(np.diff(joined, prepend=-1))
    return SparseMatrix(joined[first], np.diff(first, append=joined.size), size)


def count_chunks(
    chunks: Iterable[Sequence[int] | npt.NDArray[np.integer]],
    window: int,
    size: int,
    *,
    memory: int = 512 << 20,
) -> SparseMatrix:
    """Count as `count` does, over a corpus of any length, in bounded memory.

    Parameters
    ----------
    chunks : iterable of int sequences
        The ids of one document each, or of several with negative ids between them. Nothing is
        counted across the end of a chunk. A chunk may be of any length.
    window, size : int
        As for `count`.
    memory : int
        Bytes for the work, roughly. Partial counts that outgrow a quarter of it go to temporary
        files, and are merged from there. The result comes on top: 16 bytes for each pair of words
        that meet, so it is the size of the vocabulary that bounds it.

    Returns
    -------
    SparseMatrix
        Equal to `count` of all the chunks with separators between them.

    Raises
    ------
    OptionError
        As for `count`.

    Examples
    --------
    >>> count_chunks([[0, 1, 0], [2, 1]], window=1, size=3).dense()
    array([[0, 2, 0],
           [2, 0, 1],
           [0, 1, 0]])
    """
    # A pair of places costs two keys of 8 bytes; they are held as pieces, joined and reduced.
    length = max(memory // (48 * max(window, 1)), 2 * window, 1)
    with spill.Sums(memory // 4) as sums:
        for ids in _batches(chunks, length):
            for start in range(0, ids.size, length):
                # A cut may fall inside a document: the words before it are counted again with what
                # follows, and then the pairs among themselves are taken off.
                overlap = ids[max(start - window, 0) : start]
                part = count(np.concatenate((overlap, ids[start : start + length])), window, size)
                sums.add(part.keys, part.values)
                if start:
                    twice = count(overlap, window, size)
                    sums.add(twice.keys, -twice.values)
        keys, values = sums.total()
    return SparseMatrix(keys, values, size)


def _batches(
    chunks: Iterable[Sequence[int] | npt.NDArray[np.integer]], length: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Join chunks, with separators, to arrays of `length` ids or more; the last may be shorter."""
    parts: list[npt.NDArray[np.int64]] = []
    held = 0
    for chunk in chunks:
        parts += (np.asarray(chunk, dtype=np.int64), _SEPARATOR)
        held += parts[-2].size + 1
        if held >= length:
            yield np.concatenate(parts)
            parts, held = [], 0
    if parts:
        yield np.concatenate(parts)
