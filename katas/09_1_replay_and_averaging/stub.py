"""Kata 9.1  Replay and averaging

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 9.1    or on every save: minilm kata watch
    minilm kata read 9.1     the page
    minilm kata hint 9.1     a hint
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilm.arrays import Array, Ids


def old_windows(texts: Sequence[Ids], count: int, *, rng: np.random.Generator) -> list[Ids]:
    """Draw windows of old texts, each old text as often as any other.

    For each window a text is drawn first, then one of that text's windows. Draw the numbers of all
    texts with one call, `rng.integers(..., size=count)`; then, in this order, one number for each
    window. The same rng then draws the same windows, whoever wrote the function.

    Parameters
    ----------
    texts : sequence of integer arrays of shape (N_k, T_k + 1)
        The windows of each old text: one text or more, one window or more of each.
    count : int
        R, how many to draw. A window may come twice.
    rng : numpy.random.Generator

    Returns
    -------
    list of R integer arrays of shape (T_k + 1,)

    References
    ----------
    D. Rolnick et al. (2019), "Experience Replay for Continual Learning".
    """
    raise NotImplementedError("not written yet")


def mixed(ids: Ids, targets: Ids, windows: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Return a batch of new text with windows of old text after it.

    A window that is longer than the batch's sequences is cut at its end. A shorter one is padded at
    its end: with 0 in the inputs, and with -100 in the targets, which does not count.

    Parameters
    ----------
    ids, targets : integer array of shape (B, T)
        The new text. It comes first, unchanged.
    windows : sequence of R integer arrays of shape (T_k + 1,)
        The old text: inputs and targets in one, as `old_windows` returns them. R may be 0.

    Returns
    -------
    ids, targets : two integer arrays of shape (B + R, T), dtype of `ids`
    """
    raise NotImplementedError("not written yet")


def averaged(new: Array, old: Array, weight: float) -> Array:
    """Return the weighted mean of a model's parameters after and before training.

    Parameters
    ----------
    new, old : ndarray of one shape, float
    weight : float
        The share of the old model: 0 gives the new one, 1 the old one.

    Returns
    -------
    ndarray of the same shape and dtype

    References
    ----------
    M. Wortsman et al. (2022), "Robust fine-tuning of zero-shot models".
    """
    raise NotImplementedError("not written yet")
