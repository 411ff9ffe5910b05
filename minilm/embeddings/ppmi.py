"""Positive pointwise mutual information: how much more often words co-occur than by chance.

Raw counts mostly say that frequent words are frequent. PPMI divides that out. Skip-gram with
negative sampling factorizes the same matrix, up to a shift (Levy and Goldberg 2014).

References
----------
.. [1] O. Levy and Y. Goldberg, "Neural Word Embedding as Implicit Matrix Factorization", NIPS 2014,
   section 3.2 and equation 10 (positive PMI).
.. [2] O. Levy, Y. Goldberg and I. Dagan, "Improving Distributional Similarity with Lessons Learned
   from Word Embeddings", TACL 3, 2015, section 3.2, equation 3 (context distribution smoothing).
"""

from __future__ import annotations

import numpy as np

from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def ppmi(counts: SparseMatrix, smoothing: float = 0.75) -> SparseMatrix:
    """Weight co-occurrence counts by positive pointwise mutual information.

    With n(w, c) the count of word w with context c, n(w) the sum of its row and n(c) of its column,

        PMI(w, c) = log( P(w, c) / (P(w) P_a(c)) ),    P(w, c) = n(w, c) / sum n,
        P(w) = n(w) / sum n,    P_a(c) = n(c)**a / sum over c' of n(c')**a,

    and PPMI = max(PMI, 0). The exponent a (the smoothing) makes rare contexts count as less rare,
    so that two rare words that meet once by chance do not outweigh everything else; a = 1 is plain
    PMI. With a < 1 the result is not symmetric.

    Parameters
    ----------
    counts : SparseMatrix
        Symmetric counts, as `cooccurrence.count` returns them.
    smoothing : float
        The exponent of the context distribution, above 0 and at most 1.

    Returns
    -------
    SparseMatrix
        The positive entries as float64, natural logarithm.

    Raises
    ------
    OptionError
        When the smoothing is outside its range.

    Examples
    --------
    Two words that always occur together: log((1/2) / (1/2 * 1/2)) = log 2.

    >>> counts = SparseMatrix(np.array([1, 2]), np.array([2, 2]), size=2)
    >>> ppmi(counts, smoothing=1.0).dense().round(3)
    array([[0.   , 0.693],
           [0.693, 0.   ]])
    """
    if not 0 < smoothing <= 1:
        raise OptionError(f"the smoothing is {smoothing}; use a number above 0, at most 1")
    totals = counts.row_sums()  # of the columns too: the counts are symmetric
    contexts = totals**smoothing
    # A word that never occurs has no entries, so the logarithm of its zero is never used.
    with np.errstate(divide="ignore", invalid="ignore"):
        log_word = np.log(totals)
        log_context = np.log(contexts) - np.log(contexts.sum())
    values = np.log(counts.values) - log_word[counts.rows] - log_context[counts.columns]
    positive = values > 0
    return SparseMatrix(counts.keys[positive], values[positive], counts.size)
