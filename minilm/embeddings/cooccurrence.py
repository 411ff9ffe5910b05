"""Symmetric co-occurrence counts: how often each word occurs near each other word.

`count` is the whole idea, on ids that fit in memory; `count_chunks` runs it over a corpus of any
length. Words outside the vocabulary are removed before they become ids, so they do not count in
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

_DENSE_CELLS = 1 << 20  # 8 MB of rows to count frequent words in: about what a cache holds


def count(ids: npt.NDArray[np.integer], window: int, size: int) -> SparseMatrix:
    """Count how often word j occurs at most `window` positions from word i.

    Every pair of positions i < j in one document with j - i <= window adds one to (ids[i], ids[j])
    and one to (ids[j], ids[i]); a word next to itself adds two on the diagonal. A pair of words is
    one integer key, `row * size + column`.

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
        raise OptionError(f"the window is {window}; use 1 word or more")
    if ids.size and ids.max() >= size:
        raise OptionError(f"id {ids.max()} is outside the vocabulary of {size} words")
    padded = _pad(ids, window, size)
    # The positions of the words, in order of id; blanks have the highest id and are cut off.
    places = np.argsort(padded, kind="stable")[: np.count_nonzero(ids >= 0)]
    # Sorting brings equal keys together, but takes most of the time. So the pairs with one of the
    # most frequent words, which are most of the pairs, are counted in dense rows, and only the rest
    # are sorted, first by one word, then by the other.
    dense = _dense_rows(ids.size, window, size)
    split = int(np.searchsorted(padded[places], dense))
    frequent = _count_in_rows(padded, places[:split], dense, window, size)
    rare = _count_by_sorting(padded, places[split:], dense, window, size)
    return _joined(frequent, rare, dense)


def _dense_rows(places: int, window: int, size: int) -> int:
    """Return how many words, from id 0 on, are counted in rows of V cells.

    At most four cells in total for each pair of positions. This pays off for frequent words, which
    come first in a Vocabulary; in any other order of ids the counts are the same.
    """
    return min(size, min(_DENSE_CELLS, 4 * window * places) // (size + 1))


def _joined(frequent: SparseMatrix, rare: SparseMatrix, dense: int) -> SparseMatrix:
    """Join the whole rows of the first `dense` words and the pairs of all other words."""
    across = frequent.columns >= dense
    with_frequent = SparseMatrix(frequent.keys[across], frequent.values[across], frequent.size)
    parts = (with_frequent.transposed(), rare, rare.transposed())
    keys, counts = spill.merge([(part.keys, part.values) for part in parts])
    return SparseMatrix(
        np.concatenate((frequent.keys, keys)),
        np.concatenate((frequent.values, counts)),
        frequent.size,
    )


def _pad(ids: npt.NDArray[np.integer], window: int, blank: int) -> npt.NDArray[np.unsignedinteger]:
    """Put `window` blanks between documents and at both ends, so that no window spans two.

    Ids of 16 bits are worth it: NumPy sorts them by radix, in linear time.
    """
    word = ids >= 0
    blanks = np.full(window, blank, np.uint16 if blank < 1 << 16 else np.uint64)
    words = np.where(word, ids, blank).astype(blanks.dtype)
    return np.concatenate((blanks, np.repeat(words, np.where(word, 1, window)), blanks))


def _runs(padded: np.ndarray, starts: npt.NDArray[np.int64], length: int) -> np.ndarray:
    """Return the `length` ids from each start on, shape (starts, length), with one copy per run."""
    run = np.dtype((np.void, length * padded.itemsize))
    overlapping = np.ndarray(padded.size - length + 1, run, padded.data, strides=(padded.itemsize,))
    return overlapping[starts].view(padded.dtype).reshape(starts.size, length)


def _count_in_rows(
    padded: np.ndarray, places: npt.NDArray[np.int64], rows: int, window: int, size: int
) -> SparseMatrix:
    """Count both sides of the words with ids below `rows`, in dense rows."""
    around = _runs(padded, places - window, 2 * window + 1)
    bounds = np.searchsorted(padded[places], np.arange(rows + 1))
    table = np.zeros((rows, size + 1), np.int64)
    for row in range(rows):
        mine = around[bounds[row] : bounds[row + 1]]
        table[row] = np.bincount(mine.reshape(-1), minlength=size + 1)
        table[row, row] -= len(mine)  # the word in the middle of each run
    cells = table[:, :size].reshape(-1)
    keys = np.flatnonzero(cells != 0)
    return SparseMatrix(keys, cells[keys], size)


def _count_by_sorting(
    padded: np.ndarray, places: npt.NDArray[np.int64], lowest: int, window: int, size: int
) -> SparseMatrix:
    """Count (earlier word, later word), both with ids of `lowest` or more.

    The places are in order of the later word. A stable sort by the earlier word then leaves the
    pairs in order of both words, with equal pairs together.
    """
    earlier = _runs(padded, places - window, window).reshape(-1)
    later = np.repeat(padded[places], window)
    kept = np.flatnonzero((earlier >= lowest) & (earlier < size))
    earlier, later = earlier[kept], later[kept]
    order = np.argsort(earlier, kind="stable")
    keys = earlier[order].astype(np.int64) * size + later[order].astype(np.int64)
    first = spill.first_of_equal(keys)
    return SparseMatrix(keys[first], np.diff(first, append=keys.size), size)


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
        counted across the end of a chunk. A chunk can have any length.
    window, size : int
        As for `count`.
    memory : int
        The working memory in bytes, roughly. Partial counts that outgrow a quarter of it go to
        temporary files and are merged from there. The result needs additional memory, 16 bytes
        for each pair of words that co-occur, so the size of the vocabulary limits it.

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
    # Counting takes 150 bytes for each pair of positions if all pairs differ.
    length = max(memory // (300 * max(window, 1)), 2 * window, 1)
    with spill.Sums(memory // 4) as sums:
        for ids, overlap in _pieces(chunks, length, window):
            part = count(ids, window, size)
            sums.add(part.keys, part.values)
            if overlap:
                twice = count(ids[:overlap], window, size)
                sums.add(twice.keys, -twice.values)
        keys, values = sums.total()
    return SparseMatrix(keys, values, size)


def _pieces(
    chunks: Iterable[Sequence[int] | npt.NDArray[np.integer]], length: int, window: int
) -> Iterator[tuple[npt.NDArray[np.int64], int]]:
    """Cut batches of chunks at `length` ids; yield pieces and how many ids each repeats.

    A cut can fall inside a document, so the last words before it are counted again with what
    follows; the pairs among those words are then subtracted once.
    """
    for ids in _batches(chunks, length):
        for start in range(0, ids.size, length):
            overlap = min(window, start)
            yield ids[start - overlap : start + length], overlap


def _batches(
    chunks: Iterable[Sequence[int] | npt.NDArray[np.integer]], length: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Join chunks, with separators, to arrays of `length` ids or more; the last can be shorter."""
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
