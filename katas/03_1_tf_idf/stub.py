"""Kata 3.1  TF-IDF

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 3.1    or on every save: minilm kata watch
    minilm kata read 3.1     the page
    minilm kata hint 3.1     a hint
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def inverse_frequency(document_frequency: NDArray[Any], documents: int) -> NDArray[np.float64]:
    """Return the inverse document frequency of each term, in its smooth form.

    Parameters
    ----------
    document_frequency : ndarray of shape (V,), int
        The number of documents that contain each term; it may be 0.
    documents : int
        The number of documents.

    Returns
    -------
    ndarray of shape (V,), float64
        1 for a term that is in every document, and more the rarer it is; always finite.

    References
    ----------
    K. Sparck Jones (1972), "A statistical interpretation of term specificity and its application
    in retrieval", Journal of Documentation 28(1).
    """
    raise NotImplementedError("not written yet")


def weigh(counts: NDArray[Any], idf: NDArray[Any]) -> NDArray[np.float64]:
    """Return the TF-IDF weights of a count matrix: (N, V), (V,) -> (N, V).

    A term's count is damped by a logarithm and multiplied by its idf; a term that is not in a
    document has weight 0. Each row then has Euclidean length 1. A row of zeros stays zero.

    Parameters
    ----------
    counts : ndarray of shape (N, V), int
        How often each term occurs in each document.
    idf : ndarray of shape (V,)
        As `inverse_frequency` returns it.

    References
    ----------
    G. Salton and C. Buckley (1988), "Term-weighting approaches in automatic text retrieval",
    Information Processing & Management 24(5).
    """
    raise NotImplementedError("not written yet")
