"""Sums by key that outgrow memory: sorted runs in temporary files, merged block by block.

The files hold raw int64 and disappear with the process; nothing else reads them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Pairs = tuple[Integers, Integers]  # ascending keys without duplicates, and the sum at each

_PAIR_BYTES = 16


def first_of_equal(keys: Integers) -> npt.NDArray[np.intp]:
    """Return the start of each run of equal keys.

    >>> first_of_equal(np.array([2, 2, 5, 7, 7])).tolist()
    [0, 2, 3]
    """
    begins = np.ones(keys.size, bool)
    np.not_equal(keys[1:], keys[:-1], out=begins[1:])
    return np.flatnonzero(begins)


def merge(parts: list[Pairs]) -> Pairs:
    """Add sorted parts: the union of their keys, and the sum of the values at each.

    Parameters
    ----------
    parts : list of (keys, values)
        At least one; int64 arrays of shape (n,), keys ascending and unique within a part.

    Examples
    --------
    >>> keys, values = merge([(np.array([1, 4]), np.array([1, 1])), (np.array([4]), np.array([5]))])
    >>> keys.tolist(), values.tolist()
    ([1, 4], [1, 6])
    """
    if len(parts) == 1:
        return parts[0]
    keys = np.concatenate([part[0] for part in parts])
    values = np.concatenate([part[1] for part in parts])
    # The stable sort is a merge sort, which finds the runs that are already sorted.
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = first_of_equal(keys)
    if not first.size:
        return keys, values
    return keys[first], np.add.reduceat(values[order], first)


class Sums:
    """Collects partial sums by key; what does not fit in memory goes to temporary files.

    Parameters
    ----------
    memory : int
        Bytes of partial sums to hold; merging them briefly takes about three times as much.
    """

    def __init__(self, memory: int) -> None:
        self._limit = max(memory // _PAIR_BYTES, 1)
        self._held: list[Pairs] = []
        self._held_size = 0
        self._runs = _Runs()

    def __enter__(self) -> Sums:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the temporary files."""
        self._runs.close()

    def add(self, keys: Integers, values: Integers) -> None:
        """Add one part: non-negative keys, ascending, without duplicates."""
        self._held.append((keys, values))
        self._held_size += keys.size
        if self._held_size > self._limit:
            self._held = [merge(self._held)]
            self._held_size = self._held[0][0].size
            # Parts that share most keys shrink when merged; only the rest is worth a file.
            if 2 * self._held_size > self._limit:
                self._runs.write(self._held)
                self._held, self._held_size = [], 0

    def total(self) -> Pairs:
        """Return all keys, ascending, without duplicates, and the sum at each."""
        if not self._runs:
            return merge(self._held) if self._held else _empty()
        if self._held:
            self._runs.write([merge(self._held)])
            self._held = []
        # The merged run goes to the file too: its length is known only at its end, and growing
        # arrays would briefly take twice the memory of the result.
        self._runs.write(self._runs.merged(self._limit // (2 * len(self._runs)) + 1))
        return self._runs.read_last()


def _empty() -> Pairs:
    return np.empty(0, np.int64), np.empty(0, np.int64)


class _Runs:
    """Sorted runs, one after the other, in a file of keys and a file of values."""

    def __init__(self) -> None:
        self._files: tuple[BinaryIO, BinaryIO] | None = None
        self._bounds: list[tuple[int, int]] = []
        self._end = 0

    def __len__(self) -> int:
        return len(self._bounds)

    def close(self) -> None:
        for file in self._files or ():
            file.close()

    def write(self, blocks: Iterable[Pairs]) -> None:
        """Append one run, given as consecutive blocks."""
        if self._files is None:
            self._files = (tempfile.TemporaryFile(), tempfile.TemporaryFile())  # noqa: SIM115
        start = self._end
        for block in blocks:
            for file, array in zip(self._files, block, strict=True):
                file.seek(8 * self._end)
                file.write(np.ascontiguousarray(array).data)
            self._end += block[0].size
        self._bounds.append((start, self._end))

    def read_last(self) -> Pairs:
        """Read the last run."""
        return self._read(*self._bounds[-1])

    def merged(self, length: int) -> Iterator[Pairs]:
        """Yield the sum of all runs in ascending blocks, reading `length` pairs of each at a time.

        All occurrences of every key up to the smallest of the buffers' last keys are in the
        buffers, so that much can be summed and yielded.
        """
        unread = list(self._bounds)
        buffers = [_empty() for _ in unread]
        while True:
            for i, (start, stop) in enumerate(unread):
                if not buffers[i][0].size and start < stop:
                    middle = min(start + length, stop)
                    buffers[i] = self._read(start, middle)
                    unread[i] = (middle, stop)
            last = [keys[-1] for keys, _ in buffers if keys.size]
            if not last:
                return
            safe = min(last)
            parts = []
            for i, (keys, values) in enumerate(buffers):
                middle = int(np.searchsorted(keys, safe, side="right"))
                parts.append((keys[:middle], values[:middle]))
                buffers[i] = (keys[middle:], values[middle:])
            yield merge(parts)

    def _read(self, start: int, stop: int) -> Pairs:
        assert self._files is not None  # noqa: S101  (there is a run to read)
        pair = (np.empty(stop - start, np.int64), np.empty(stop - start, np.int64))
        for file, array in zip(self._files, pair, strict=True):
            file.seek(8 * start)
            file.readinto(array.data)  # type: ignore[attr-defined]
        return pair
