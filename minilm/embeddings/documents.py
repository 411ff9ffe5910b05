"""A vector for a document: the mean of its words' vectors."""

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
        The ids of the known words of each document; a word that stands twice counts twice.
    vectors : ndarray of shape (V, D), float
        The word vectors.

    Returns
    -------
    ndarray of shape (N, D), dtype of `vectors`
        Zero for a document without a known word.

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
