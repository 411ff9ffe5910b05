"""Kata 2.1  Counting company

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 2.1    or on every save: minilm kata watch
    minilm kata read 2.1     the page
    minilm kata hint 2.1     a hint
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def count(ids: npt.NDArray[np.integer], window: int, size: int) -> SparseMatrix:
    """Count how often each word is at most `window` places from each other word.

    Both directions count: a word that follows another also has that other before it. A word next to
    itself counts in both directions too.

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
        Symmetric, exact int64 counts. `SparseMatrix(keys, values, size)` takes the cells that are
        not zero: each key is row * size + column, in ascending order.

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

    References
    ----------
    K. Lund and C. Burgess (1996), "Producing high-dimensional semantic spaces from lexical
    co-occurrence"; here every distance within the window counts the same.
    """
    raise NotImplementedError("not written yet")
