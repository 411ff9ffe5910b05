"""Kata 2.3  PPMI

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 2.3    or on every save: minilm kata watch
    minilm kata read 2.3     the page
    minilm kata hint 2.3     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def ppmi(counts: SparseMatrix, smoothing: float = 0.75) -> SparseMatrix:
    """Weight co-occurrence counts by positive pointwise mutual information.

    A pair of words gets the logarithm of how many times more often the two meet than if they knew
    nothing of each other; negative values become 0. The probability of a context is smoothed: its
    count is raised to the power `smoothing` before it is divided by the sum of all of these. So
    rare contexts count as less rare. With a smoothing below 1 the result is not symmetric.

    Parameters
    ----------
    counts : SparseMatrix
        Symmetric counts, as `cooccurrence.count` returns them. `counts.rows`, `counts.columns` and
        `counts.values` have one entry for each cell that is not zero, and `counts.keys` its key;
        `counts.row_sums()` has shape (V,).
    smoothing : float
        The exponent of the contexts, above 0 and at most 1.

    Returns
    -------
    SparseMatrix
        The positive entries as float64, natural logarithm; entries of 0 are not stored.

    Raises
    ------
    OptionError
        When the smoothing is outside its range.

    Examples
    --------
    >>> counts = SparseMatrix(np.array([1, 2]), np.array([2, 2]), size=2)
    >>> ppmi(counts, smoothing=1.0).dense().round(3)
    array([[0.   , 0.693],
           [0.693, 0.   ]])

    References
    ----------
    O. Levy, Y. Goldberg and I. Dagan (2015), "Improving distributional similarity with lessons
    learned from word embeddings", section 3.1.
    """
    raise NotImplementedError("not written yet")
