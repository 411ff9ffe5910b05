"""Kata 6.4  Batches: x, y and the shift by one

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 6.4    or on every save: minilm kata watch
    minilm kata read 6.4     the page
    minilm kata hint 6.4     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.arrays import Ids


def windows_at(tokens: Ids, starts: Ids, time: int) -> tuple[Ids, Ids]:
    """Return the inputs and targets of the windows that start at these places of a text.

    For training. The places come in any order, and windows may overlap.

    Parameters
    ----------
    tokens : integer array of shape (n,)
        Of any integer dtype; large texts are stored as uint16.
    starts : integer array of shape (B,)
        Where the first input of each window is. All that a window needs is in the text.
    time : int
        T, the inputs of a window.

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
    raise NotImplementedError("not written yet")


def cut(tokens: Ids, time: int) -> tuple[Ids, Ids]:
    """Cut a text into windows, one after the other; every token but the first is a target once.

    For measuring: each token counts, and none twice.

    Parameters
    ----------
    tokens : integer array of shape (n,)
        At least two.
    time : int
        T.

    Returns
    -------
    ids, targets : ndarray of shape (B, T), int64
        As many rows as are needed and no more. What is left of the last one has id 0 and target
        -100, which the loss does not count.

    Examples
    --------
    >>> ids, targets = cut(np.array([5, 6, 7, 8, 9]), time=3)
    >>> ids.tolist(), targets.tolist()
    ([[5, 6, 7], [8, 0, 0]], [[6, 7, 8], [9, -100, -100]])
    """
    raise NotImplementedError("not written yet")
