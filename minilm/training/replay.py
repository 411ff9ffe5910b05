"""A sample of the text that a model has learned, kept with the model to be replayed.

The sample is the file `training/replay.safetensors` in the model's folder: windows of token ids,
drawn at random from each text that the model was trained on. It also has a part of each text's
held-out documents, which is measured and never trained on. The file changes in one transaction with
the model, and a rollback restores it.

References
----------
D. Rolnick et al. (2019), "Experience Replay for Continual Learning".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from minilm.arrays import Ids
from minilm.errors import ModelError
from minilm.models.batches import ShuffledWindows
from minilm.random import generator
from minilm.store import safetensors, transaction
from minilm.store.folder import STATE, Content

NAME = f"{STATE}/replay.safetensors"

# Tokens kept to train on, for all texts together, and to measure on, for each text: 1 MiB and
# 64 KiB of int32.
TRAINED = 1 << 18
HELD_OUT = 1 << 14

_IGNORED = -100  # as a target; in a window's inputs it is written as 0


@dataclass(frozen=True)
class Part:
    """The sample of one text.

    Attributes
    ----------
    name : str
        The name of the text, for people.
    windows : int32 array of shape (N, T + 1)
        From the training part, in random order.
    held_out : int32 array of shape (M, T + 1)
        From the held-out part; a last window that is not full ends in -100.
    """

    name: str
    windows: Ids
    held_out: Ids


def drawn(
    name: str, train: Ids, held_out: Ids, time: int, *, seed: int, limit: int = TRAINED
) -> Part:
    """Draw the sample of one text.

    Parameters
    ----------
    name : str
    train, held_out : integer array of shape (n,)
        The text's tokens, which may be mapped from files. `train` has more than T, and `held_out`
        more than one.
    time : int
        T.
    seed : int
    limit : int
        The largest number of tokens of `train` to keep.

    Examples
    --------
    >>> part = drawn("a.txt", np.arange(100), np.arange(6), 4, seed=0, limit=8)
    >>> part.windows.shape, part.held_out.tolist()
    ((2, 5), [[0, 1, 2, 3, 4], [4, 5, -100, -100, -100]])
    """
    whole = (len(train) - 1) // time
    chosen = generator(seed, "replay sample").permutation(whole)[: max(1, limit // time)]
    windows = np.stack([train[k * time : (k + 1) * time + 1] for k in chosen]).astype(np.int32)
    pieces = -(-(len(held_out) - 1) // time)
    every = max(1, -(-pieces * time // HELD_OUT))
    rows = []
    for start in range(0, len(held_out) - 1, time * every):
        row = np.full(time + 1, _IGNORED, np.int32)
        piece = held_out[start : start + time + 1]
        row[: len(piece)] = piece
        rows.append(row)
    return Part(name, windows, np.stack(rows))


def named(new: Part, parts: Sequence[Part]) -> Part:
    """Return a new part under a name that no other text has: `a.txt`, `a.txt (2)`."""
    known = {part.name: part for part in parts}
    names = (new.name if n == 1 else f"{new.name} ({n})" for n in count(1))
    name = next(
        name
        for name in names
        if name not in known or np.array_equal(known[name].held_out, new.held_out)
    )
    return replace(new, name=name)


def joined(parts: Sequence[Part], new: Part, limit: int = TRAINED) -> tuple[Part, ...]:
    """Return the parts and a new one, each cut to an equal share of the limit.

    A part with the same name is replaced.
    """
    every = [*(part for part in parts if part.name != new.name), new]
    each = limit // len(every)

    def share(windows: Ids) -> Ids:
        return windows[: max(1, each // (windows.shape[1] - 1))]

    return tuple(replace(part, windows=share(part.windows)) for part in every)


def files(parts: Sequence[Part]) -> dict[str, Content]:
    """Return the file that holds the parts, to be saved with the model."""
    arrays = {}
    for number, part in enumerate(parts):
        arrays[f"{number}.windows"], arrays[f"{number}.held_out"] = part.windows, part.held_out
    names = {str(number): part.name for number, part in enumerate(parts)}
    return {NAME: partial(safetensors.dump, arrays, metadata=names)} if parts else {}


def read(folder: Path, vocab_size: int) -> tuple[Part, ...]:
    """Return the parts in a model's folder; none if the model has no sample.

    Raises
    ------
    ModelError
        When the file is damaged, or of another vocabulary.
    """
    path = transaction.locate(folder, NAME)
    if not path.exists():
        return ()
    with safetensors.TensorFile(path) as stored:
        arrays = {name: np.array(stored[name]) for name in stored}
        names = stored.metadata
    try:
        parts = tuple(
            Part(names[k], arrays[f"{k}.windows"], arrays[f"{k}.held_out"])
            for k in map(str, range(len(names)))
        )
    except KeyError:
        raise ModelError("not a sample written by minilm; remove it", path) from None
    for array in arrays.values():
        if array.dtype != np.int32 or array.ndim != 2 or array.max(initial=0) >= vocab_size:
            raise ModelError("holds ids outside the model's vocabulary; remove it", path)
    return parts


def batches(held_out: Ids, batch: int) -> Iterator[tuple[Ids, Ids]]:
    """Yield ids and targets of a part's held-out windows, `batch` of them at a time."""
    for start in range(0, len(held_out), batch):
        rows = held_out[start : start + batch].astype(np.int64)
        yield np.where(rows[:, :-1] == _IGNORED, 0, rows[:, :-1]), rows[:, 1:]


def old_windows(texts: Sequence[Ids], count: int, *, rng: np.random.Generator) -> list[Ids]:
    """Draw windows of old texts, with the same probability for each text.

    For each window, first a text is drawn, so that short texts are not neglected, and then one of
    its windows. The texts are drawn all at once.

    Parameters
    ----------
    texts : sequence of integer arrays of shape (N_k, T_k + 1)
        The windows of each old text: at least one text, with at least one window each.
    count : int
        R, how many to draw. A window may be drawn twice.
    rng : numpy.random.Generator

    Returns
    -------
    list of R integer arrays of shape (T_k + 1,)

    Examples
    --------
    >>> texts = [np.array([[1, 2, 3]]), np.array([[4, 5]])]
    >>> [window.tolist() for window in old_windows(texts, 3, rng=np.random.default_rng(0))]
    [[4, 5], [4, 5], [4, 5]]
    """
    chosen = (texts[k] for k in rng.integers(len(texts), size=count))
    return [windows[rng.integers(len(windows))] for windows in chosen]


def mixed(ids: Ids, targets: Ids, windows: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Return a batch of new text followed by windows of old text.

    A window that is longer than the batch's sequences is cut at its end. A shorter one is padded
    with 0 in the inputs, and with -100, which does not count, in the targets.

    Parameters
    ----------
    ids, targets : integer array of shape (B, T)
        The new text. It comes first, unchanged.
    windows : sequence of R integer arrays of shape (T_k + 1,)
        The old text; each window has at least two tokens.

    Returns
    -------
    ids, targets : two integer arrays of shape (B + R, T), dtype of `ids`

    Examples
    --------
    >>> new = np.array([[1, 2, 3]]), np.array([[2, 3, 4]])
    >>> ids, targets = mixed(*new, [np.array([7, 8]), np.array([5, 6, 7, 8, 9])])
    >>> ids.tolist(), targets.tolist()
    ([[1, 2, 3], [7, 0, 0], [5, 6, 7]], [[2, 3, 4], [8, -100, -100], [6, 7, 8]])
    """
    time = ids.shape[1]
    old_ids = np.zeros((len(windows), time), ids.dtype)
    old_targets = np.full((len(windows), time), _IGNORED, ids.dtype)
    for row, window in enumerate(windows):
        piece = window[: time + 1]
        old_ids[row, : len(piece) - 1] = piece[:-1]
        old_targets[row, : len(piece) - 1] = piece[1:]
    return np.concatenate([ids, old_ids]), np.concatenate([targets, old_targets])


class Replayed:
    """Batches of new text, each followed by some windows of old text.

    The new text is the same as without replay, so replay costs time but no new text is lost.

    Parameters
    ----------
    new : ShuffledWindows
    parts : sequence of Part
        One or more.
    share : float
        Old windows for each new one: 0.5 adds half of a batch.
    seed : int
    """

    def __init__(
        self, new: ShuffledWindows, parts: Sequence[Part], share: float, seed: int
    ) -> None:
        self.new = new
        self.parts = parts
        self.count = max(1, round(share * new.batch))
        self.seed = seed

    def __getitem__(self, step: int) -> tuple[Ids, Ids]:
        """Return ids and targets of batch `step`: two arrays of shape (B + R, T), int64."""
        texts = [part.windows for part in self.parts]
        old = old_windows(texts, self.count, rng=generator(self.seed, "replay", step))
        return mixed(*self.new[step], old)
