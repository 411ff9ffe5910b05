"""Where word embeddings start: vectors counted from co-occurrences.

With little text, next-token prediction alone teaches little about rare words. Counting uses all
pairs of nearby tokens at once, and training continues from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.arrays import Ids
from minilm.embeddings import cooccurrence, svd

_PIECE = 1 << 20  # tokens counted at a time
_MEMORY = 1 << 27  # bytes for counting, for text of any length


def from_cooccurrence(
    table: NDArray[np.floating[Any]],
    ids: Ids,
    *,
    window: int,
    length: float,
    end: int,
    rng: np.random.Generator,
) -> None:
    """Write PPMI-SVD vectors, all of one length, into word embeddings.

    Rows of tokens without neighbors stay as they are. So do the last columns of all rows if the
    width exceeds the vocabulary.

    Parameters
    ----------
    table : ndarray of shape (V, C)
    ids : integer array of shape (n,)
        The text, which may be mapped from a file. Pairs are counted within documents and within
        pieces of a million tokens.
    window : int
        Tokens on each side.
    length : float
        Of each row.
    end : int
        The id between documents.
    rng : numpy.random.Generator
        For the SVD.
    """
    vocabulary, width = table.shape

    def pieces() -> Iterator[NDArray[np.int64]]:
        for start in range(0, len(ids), _PIECE):
            piece = np.asarray(ids[start : start + _PIECE], np.int64)
            yield np.where(piece == end, -1, piece)

    counts = cooccurrence.count_chunks(pieces(), window, vocabulary, memory=_MEMORY)
    if counts.keys.size == 0:
        return
    dimensions = min(width, vocabulary)
    vectors = svd.word_vectors(counts, dimensions=dimensions, rng=rng)
    met = vectors.any(axis=1)
    table[met, :dimensions] = vectors[met] * length
