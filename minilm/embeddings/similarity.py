"""Cosine similarity and its uses: neighbors, analogies, similarity within groups.

Words are ids here, which are rows of a matrix of vectors. A zero vector (a word that never
co-occurred with another) has cosine 0 with everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from minilm.errors import OptionError
from minilm.text.words import Vocabulary

# Cosines are rounded to the precision of float32 vectors, so that equal ones tie in whatever order
# BLAS adds.
_DECIMALS = 6

_BLOCK_ROWS = 256


def unit_rows(matrix: np.ndarray) -> np.ndarray:
    """Scale each row to Euclidean length 1; zero rows stay zero.

    Parameters
    ----------
    matrix : ndarray of shape (n, D), float

    Returns
    -------
    ndarray of shape (n, D), dtype of `matrix`
    """
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)


def cosine(a: np.ndarray, b: np.ndarray) -> npt.NDArray[np.float64]:
    """Return the cosine of each row of `a` with each row of `b`: (n, D), (m, D) -> (n, m).

    The cosine is the dot product of the rows at unit length, computed in float64 and clipped to
    [-1, 1], because rounding can exceed it. A zero row has cosine 0 with everything.

    Examples
    --------
    >>> cosine(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[1.0, 0.0]]))
    array([[0.6],
           [0. ]])
    """
    a = unit_rows(np.asarray(a, np.float64))
    cosines = np.empty((len(a), len(b)))
    # In blocks, so that a large table of float32 vectors is never held as float64.
    for start in range(0, len(b), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        cosines[:, rows] = a @ unit_rows(np.asarray(b[rows], np.float64)).T
    return np.clip(cosines, -1.0, 1.0)


def nearest(
    query: np.ndarray, vectors: np.ndarray, top: int, exclude: Sequence[int] = ()
) -> list[tuple[int, float]]:
    """Return the `top` rows of `vectors` most similar to one vector, best first.

    Parameters
    ----------
    query : ndarray of shape (D,)
    vectors : ndarray of shape (V, D)
    top : int
        How many, at most.
    exclude : sequence of int
        Rows to leave out.

    Returns
    -------
    list of (id, cosine)
        Cosines to six decimals; ties in order of id.

    Examples
    --------
    >>> nearest(np.array([1.0, 0.0]), np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]]), top=2)
    [(0, 1.0), (1, 0.707107)]
    """
    scores = np.round(cosine(query[None, :], vectors)[0], _DECIMALS)
    order = np.argsort(-scores, kind="stable")
    kept = order[~np.isin(order, np.asarray(exclude, dtype=np.int64))][:top]
    return [(int(i), float(scores[i])) for i in kept]


def neighbors(word: int, vectors: np.ndarray, top: int) -> list[tuple[int, float]]:
    """Return the words most similar to a word, without the word itself, as `nearest`."""
    return nearest(vectors[word], vectors, top, exclude=[word])


def nearest_words(
    word: str, vocabulary: Vocabulary, vectors: np.ndarray, top: int
) -> list[tuple[str, float]]:
    """Return the words most similar to a word of the vocabulary, best first, with their cosines.

    Of equally similar words the rarer comes first (a frequent word co-occurs with everything, so
    its similarity says less), then the one that is first in the alphabet.

    Examples
    --------
    >>> vocabulary = Vocabulary(["a", "b", "c"], [9, 5, 2])
    >>> nearest_words("a", vocabulary, np.ones((3, 2)), top=2)
    [('c', 1.0), ('b', 1.0)]
    """
    found = neighbors(vocabulary.index[word], vectors, top=len(vocabulary))
    found.sort(key=lambda hit: (-hit[1], vocabulary.counts[hit[0]], vocabulary.words[hit[0]]))
    return [(vocabulary.words[i], score) for i, score in found[:top]]


def analogy(a: int, b: int, c: int, vectors: np.ndarray, top: int) -> list[tuple[int, float]]:
    """Return the words that are to `c` what `b` is to `a`, best first, as `nearest`.

    The query is b - a + c with each vector at unit length (3CosAdd); the three words are left out.

    References
    ----------
    .. [1] T. Mikolov, W. Yih and G. Zweig, "Linguistic Regularities in Continuous Space Word
       Representations", NAACL 2013, section 4.
    """
    unit_a, unit_b, unit_c = unit_rows(np.asarray(vectors[[a, b, c]], np.float64))
    return nearest(unit_b - unit_a + unit_c, vectors, top, exclude=[a, b, c])


@dataclass(frozen=True)
class GroupSimilarity:
    """Mean cosine similarity of words in groups.

    Parameters
    ----------
    within : dict of str to float
        For each group of two words or more: the mean over its pairs of words.
    between : dict of (str, str) to float
        For each pair of groups, in the order given: the mean over their pairs of words.
    """

    within: dict[str, float]
    between: dict[tuple[str, str], float]


def group_similarity(groups: Mapping[str, Sequence[int]], vectors: np.ndarray) -> GroupSimilarity:
    """Return the mean cosine within each group and between each pair of groups.

    Parameters
    ----------
    groups : mapping of str to sequence of int
        The ids of the words in each group, without duplicates. A group of one word has no pair
        within.
    vectors : ndarray of shape (V, D)

    Raises
    ------
    OptionError
        When a group is empty.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 5.0]])
    >>> group_similarity({"east": [0, 1], "north": [2, 3]}, vectors)
    GroupSimilarity(within={'east': 1.0, 'north': 1.0}, between={('east', 'north'): 0.0})
    """
    for name, words in groups.items():
        if not len(words):
            raise OptionError(f"the group {name!r} is empty; name words that the corpus has")
    within = {}
    for name, words in groups.items():
        if len(words) > 1:
            pairs = np.triu_indices(len(words), k=1)
            rows = vectors[list(words)]
            within[name] = float(cosine(rows, rows)[pairs].mean())
    between = {
        (one, other): float(cosine(vectors[list(groups[one])], vectors[list(groups[other])]).mean())
        for one, other in combinations(groups, 2)
    }
    return GroupSimilarity(within, between)
