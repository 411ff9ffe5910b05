"""Batches from a long array of tokens, which may be larger than memory.

The tokens are cut into windows of T + 1: T inputs, and for each the token that follows it. Every
epoch has each window once, in a new order and with new cuts. The windows in a batch are a pure
function of the seed and the batch's number, so nothing has to be saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from minilm.arrays import Ids
from minilm.errors import OptionError
from minilm.random import generator

# Windows that are shuffled together. A larger corpus is shuffled region by region, and the regions
# come in random order: the order then takes 8 MB instead of a multiple of the corpus, and reading
# stays in one part of the file at a time.
REGION = 1 << 20


def windows_at(tokens: Ids, starts: Ids, time: int) -> tuple[Ids, Ids]:
    """Return the inputs and targets of the windows that start at these places of a text.

    Parameters
    ----------
    tokens : integer array of shape (n,)
        May be mapped from a file; only the windows are read.
    starts : integer array of shape (B,)
        Each from 0 to n - time - 1.
    time : int
        T.

    Returns
    -------
    ids, targets : ndarray of shape (B, T), int64
        The target of a position is the token that follows it in the text.

    Examples
    --------
    >>> ids, targets = windows_at(np.array([7, 1, 4, 9, 2]), np.array([0, 2]), time=2)
    >>> ids.tolist(), targets.tolist()
    ([[7, 1], [4, 9]], [[1, 4], [9, 2]])
    """
    windows = tokens[starts[:, None] + np.arange(time + 1)].astype(np.int64)
    return windows[:, :-1], windows[:, 1:]


class ShuffledWindows:
    """The batches of a training run.

    Parameters
    ----------
    tokens : integer array of shape (n,)
        At least `time + 1`; may be mapped from a file.
    time : int
        T, the length of a window's inputs.
    batch : int
        B, windows in a batch. A batch may end one epoch and start the next, so all are full.
    seed : int

    Attributes
    ----------
    count : int
        Windows in an epoch.

    Raises
    ------
    OptionError
        When there are fewer tokens than one window has.

    Examples
    --------
    >>> windows = ShuffledWindows(np.arange(10), time=3, batch=2, seed=0)
    >>> windows.count
    2
    >>> ids, targets = windows[0]
    >>> ids.shape, bool((targets == ids + 1).all())
    ((2, 3), True)
    """

    def __init__(self, tokens: Ids, time: int, batch: int, seed: int) -> None:
        if len(tokens) <= time:
            raise OptionError(
                f"{len(tokens)} tokens of text are too few for a context of {time}; use more text "
                "or a shorter context"
            )
        self.tokens = tokens
        self.time = time
        self.batch = batch
        self.seed = seed
        # One window less than fits, so that the first can start anywhere in the first T tokens.
        self.count = max(1, (len(tokens) - time) // time)
        self._shuffled = lru_cache(maxsize=2)(self._shuffle)
        self._layout = lru_cache(maxsize=2)(self._lay_out)

    def __getitem__(self, step: int) -> tuple[Ids, Ids]:
        """Return ids and targets of batch `step`, from 0: two arrays of shape (B, T), int64."""
        numbers = range(step * self.batch, (step + 1) * self.batch)
        starts = np.array([self._start(*divmod(number, self.count)) for number in numbers])
        return windows_at(self.tokens, starts, self.time)

    def _start(self, epoch: int, place: int) -> int:
        """Return where the window at this place of an epoch starts."""
        offset, order, bounds = self._layout(epoch)
        rank = int(np.searchsorted(bounds, place, side="right")) - 1
        region = int(order[rank])
        window = region * REGION + int(self._shuffled(epoch, region)[place - bounds[rank]])
        return offset + window * self.time

    def _lay_out(self, epoch: int) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
        """Return an epoch's offset, the order of its regions, and where each starts in it."""
        rng = generator(self.seed, "epoch", epoch)
        offset = int(rng.integers(min(self.time, len(self.tokens) - self.count * self.time)))
        order = rng.permutation(-(-self.count // REGION))
        sizes = np.minimum(REGION, self.count - order * REGION)
        return offset, order, np.concatenate(([0], np.cumsum(sizes)))

    def _shuffle(self, epoch: int, region: int) -> NDArray[np.int64]:
        size = min(REGION, self.count - region * REGION)
        return generator(self.seed, "region", epoch, region).permutation(size)


def consecutive(ids: Iterable[int], time: int, batch: int) -> Iterator[tuple[Ids, Ids]]:
    """Yield batches in which every token but the first is a target once, in order.

    Parameters
    ----------
    ids : iterable of int
        Of any length; one batch at a time is held in memory.
    time, batch : int
        T and B. The last batch may have fewer windows, and its last window fewer targets; the
        rest of them are -100.

    Yields
    ------
    ids, targets : ndarray of shape (B, T), int64

    Examples
    --------
    >>> [targets.tolist() for _, targets in consecutive(range(5), time=3, batch=2)]
    [[[1, 2, 3], [4, -100, -100]]]
    """
    stream = iter(ids)
    last = list(islice(stream, 1))
    while piece := list(islice(stream, time * batch)):
        yield cut(np.array(last + piece), time)
        last = piece[-1:]


def spaced(tokens: Ids, time: int, batch: int, limit: int) -> Iterator[tuple[Ids, Ids]]:
    """Yield the batches of `consecutive`, or every k-th so that they have about `limit` tokens."""
    span = time * batch
    every = max(1, len(tokens) // max(limit, span))
    for start in range(0, len(tokens) - 1, span * every):
        yield cut(np.asarray(tokens[start : start + span + 1], np.int64), time)


def cut(tokens: Ids, time: int) -> tuple[Ids, Ids]:
    """Cut a text into consecutive windows; every token but the first is a target once.

    Parameters
    ----------
    tokens : integer array of shape (n,)
        At least two.
    time : int
        T.

    Returns
    -------
    ids, targets : ndarray of shape (B, T), int64
        As many rows as needed. The rest of the last row has ids 0 and targets -100, which do not
        count.

    Examples
    --------
    >>> ids, targets = cut(np.array([5, 6, 7, 8, 9]), time=3)
    >>> ids.tolist(), targets.tolist()
    ([[5, 6, 7], [8, 0, 0]], [[6, 7, 8], [9, -100, -100]])
    """
    count = len(tokens) - 1
    rows = -(-count // time)
    ids = np.zeros(rows * time, np.int64)
    targets = np.full(rows * time, -100)
    ids[:count] = tokens[:-1]
    targets[:count] = tokens[1:]
    return ids.reshape(rows, time), targets.reshape(rows, time)
