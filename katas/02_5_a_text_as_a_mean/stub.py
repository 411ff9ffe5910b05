"""Kata 2.5  A text as a mean

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 2.5    or on every save: minilm kata watch
    minilm kata read 2.5     the page
    minilm kata hint 2.5     a hint
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def mean_vectors(
    documents: Sequence[Sequence[int] | npt.NDArray[np.integer]], vectors: np.ndarray
) -> np.ndarray:
    """Return the mean vector of the words of each document.

    Parameters
    ----------
    documents : sequence of N int sequences
        The ids of the known words of each document; a word that occurs twice counts twice.
    vectors : ndarray of shape (V, D), float
        The word vectors.

    Returns
    -------
    ndarray of shape (N, D), dtype of `vectors`
        A row of zeros for a document without a known word.

    Examples
    --------
    >>> mean_vectors([[0, 1, 1], []], np.array([[3.0, 0.0], [0.0, 3.0]]))
    array([[1., 2.],
           [0., 0.]])
    """
    raise NotImplementedError("not written yet")


def frequency_weights(counts: Sequence[int], a: float = 1e-3) -> npt.NDArray[np.float64]:
    """Return how much each word should count in a mean: the more frequent, the less.

    A word that never occurs weighs 1, and one whose share of all words is `a` weighs one half. In
    between and beyond, the weight is inversely proportional to `a` plus the share. Nothing may have
    been counted at all: then every weight is 1.

    Parameters
    ----------
    counts : sequence of V int
        How often each word occurs.
    a : float
        A word whose share of the text is `a` counts half.

    Returns
    -------
    ndarray of shape (V,), float64
        Between 0 and 1.

    Examples
    --------
    >>> frequency_weights([999, 1]).round(4)
    array([0.001, 0.5  ])

    References
    ----------
    S. Arora, Y. Liang and T. Ma, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings",
    ICLR 2017, algorithm 1 (without its removal of a common component).
    """
    raise NotImplementedError("not written yet")
