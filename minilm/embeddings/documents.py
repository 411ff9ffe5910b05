"""A vector for a document: the mean of its words' vectors, with less weight on frequent words."""

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
    means = np.zeros((len(documents), vectors.shape[1]), vectors.dtype)
    for mean, ids in zip(means, documents, strict=True):
        if len(ids):
            mean[:] = vectors[np.asarray(ids)].mean(axis=0)
    return means


def frequency_weights(counts: Sequence[int], a: float = 1e-3) -> npt.NDArray[np.float64]:
    """Return how much each word should count in a mean: a / (a + p), p its share of all words.

    Multiply the rows of the word vectors by it. With the default, which the paper recommends, a
    word that is 1 % of the text counts about a tenth of a rare word.

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

    References
    ----------
    .. [1] S. Arora, Y. Liang and T. Ma, "A Simple but Tough-to-Beat Baseline for Sentence
       Embeddings", ICLR 2017, algorithm 1 (without its removal of a common component).

    Examples
    --------
    >>> frequency_weights([999, 1]).round(4)
    array([0.001, 0.5  ])
    """
    shares = np.asarray(counts, np.float64) / max(sum(counts), 1)
    return a / (a + shares)
