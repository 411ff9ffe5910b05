"""Symmetric co-occurrence counts: how often each word stands near each other word.

`count` is the whole idea, on ids that fit in memory; `count_chunks` runs it over a corpus of any
length. Words outside the vocabulary are left out before they become ids, so they take no place in
the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice

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
    integer key, `row * size + column`, and equal keys stand together once they are sorted: this is
    the sort, two counting sorts by hand, instead of a table of size V x V.

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
    # `window` blanks before each document: looking back from any of its words meets no other one.
    # Ids of 16 bits are worth having: NumPy sorts them by radix, in linear time.
    blank = size
    narrow = np.uint16 if size < 1 << 16 else np.int64
    padded = np.repeat(np.where(word, ids, blank).astype(narrow), np.where(word, 1, window))
    padded = np.concatenate((np.full(window, blank, narrow), padded))

    # All pairs of words, in order of the later word; a stable sort by the earlier one then leaves
    # them in order of both, blanks last.
    places = np.argsort(padded, kind="stable")[: np.count_nonzero(word)]
    earlier = padded[places[:, None] - np.arange(1, window + 1)].reshape(-1)
    later = np.repeat(padded[places], window)
    order = np.argsort(earlier, kind="stable")[: np.count_nonzero(earlier != blank)]
    keys = earlier[order].astype(np.int64) * size + later[order]

    first = np.flatnonzero(np.diff(keys, prepend=-1))
    keys, counts = keys[first], np.diff(first, append=keys.size)
    rows, columns = np.divmod(keys, size)
    turned = np.argsort(columns.astype(narrow), kind="stable")
    mirrored = (columns * size + rows)[turned], counts[turned]
    return SparseMatrix(*spill.merge([(keys, counts), mirrored]), size)


def count_chunks(
    chunks: Iterable[Sequence[int] | npt.NDArray[np.integer]],
    window: int,
    size: int,
    *,
    memory: int = 512 << 20,
    threads: int = 2,
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
    threads : int
        How many pieces are counted at once. The counts are the same for any number.

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
    # Counting takes about 48 bytes for each pair of places. Longer pieces than half a million words
    # are not faster, and shorter ones let every thread have one.
    length = min(memory // (48 * max(window, 1) * threads), 1 << 19)
    pieces = _pieces(chunks, max(length, 2 * window, 1), window)

    def parts(piece: tuple[npt.NDArray[np.int64], int]) -> list[spill.Pairs]:
        ids, overlap = piece
        new = count(ids, window, size)
        twice = count(ids[:overlap], window, size)
        return [(new.keys, new.values), (twice.keys, -twice.values)]

    with spill.Sums(memory // 4) as sums, ThreadPoolExecutor(threads) as pool:
        while group := list(islice(pieces, threads)):
            for part in chain.from_iterable(pool.map(parts, group)):
                sums.add(*part)
        keys, values = sums.total()
    return SparseMatrix(keys, values, size)


def _pieces(
    chunks: Iterable[Sequence[int] | npt.NDArray[np.integer]], length: int, window: int
) -> Iterator[tuple[npt.NDArray[np.int64], int]]:
    """Cut batches of chunks at `length` ids; yield pieces and how far each repeats the last one.

    A cut may fall inside a document, so the last words before it are counted again with what
    follows; the pairs among themselves are then taken off once.
    """
    for ids in _batches(chunks, length):
        for start in range(0, ids.size, length):
            overlap = min(window, start)
            yield ids[start - overlap : start + length], overlap


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
