"""TF-IDF: documents as weighted bags of words, the baseline that knows only the labelled text.

The definitions are those of scikit-learn's `TfidfVectorizer(sublinear_tf=True)`. The formulas are
`inverse_frequency` and `weigh`, on arrays of counts; `TfidfVectorizer` counts the words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.classify.base import Estimator
from minilm.embeddings import similarity
from minilm.errors import InputError, OptionError

# The largest dense array that `transform` makes.
MAX_BYTES = 2 << 30
_BLOCK_ROWS = 16  # documents that are counted and weighed at once; they stay in the cache


def inverse_frequency(document_frequency: NDArray[Any], documents: int) -> NDArray[np.float64]:
    """Return the inverse document frequency of each term: ln((1 + N) / (1 + df)) + 1.

    Parameters
    ----------
    document_frequency : ndarray of shape (V,)
        df, the number of documents that contain each term.
    documents : int
        N, the number of documents.

    Returns
    -------
    ndarray of shape (V,), float64
        1 for a term that is in every document, and more the rarer it is.

    Examples
    --------
    >>> inverse_frequency(np.array([3, 1]), 3).round(3)
    array([1.   , 1.693])
    """
    idf: NDArray[np.float64] = np.log((1 + documents) / (1 + document_frequency)) + 1
    return idf


def weigh(counts: NDArray[Any], idf: NDArray[Any]) -> NDArray[np.float64]:
    """Return the TF-IDF weights of a count matrix: (N, V), (V,) -> (N, V).

    A term that occurs c > 0 times in a document has the weight (1 + ln c) * idf, any other 0; each
    row is then scaled to Euclidean length 1. A row of zeros stays zero.

    Parameters
    ----------
    counts : ndarray of shape (N, V)
        How often each term occurs in each document.
    idf : ndarray of shape (V,)
        As `inverse_frequency` returns it.

    References
    ----------
    G. Salton and C. Buckley (1988), "Term-weighting approaches in automatic text retrieval",
    Information Processing & Management 24(5).

    Examples
    --------
    >>> weigh(np.array([[1, 1], [0, 2]]), np.array([1.0, 1.0])).round(3)
    array([[0.707, 0.707],
           [0.   , 1.   ]])
    """
    weights = np.zeros(counts.shape)
    present = counts > 0
    weights[present] = 1 + np.log(counts[present])
    weights *= idf
    return similarity.unit_rows(weights)


class TfidfVectorizer(Estimator):
    """Turn token lists into rows of TF-IDF weights.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The column of each term; the terms are in alphabetical order.
    idf_ : ndarray of shape (V,)
        The inverse document frequency of each column.

    Examples
    --------
    >>> documents = [["good", "film"], ["good", "good", "plot"]]
    >>> vectorizer = TfidfVectorizer().fit(documents)
    >>> vectorizer.vocabulary_
    {'film': 0, 'good': 1, 'plot': 2}
    >>> vectorizer.transform([["a", "good", "plot"]]).round(3)
    array([[0.   , 0.58 , 0.815]])
    """

    input_kind = "tokens"

    def fit(self, documents: Iterable[Sequence[str]], labels: Any = None) -> TfidfVectorizer:
        """Learn the terms and how many documents contain each.

        Parameters
        ----------
        documents : iterable of sequences of str
            The tokens of each document.
        labels : optional
            Not used; scikit-learn's pipelines pass them.

        Raises
        ------
        InputError
            When no document has a token.
        """
        frequency: Counter[str] = Counter()
        count = 0
        for tokens in documents:
            frequency.update(set(_checked(tokens)))
            count += 1
        if not frequency:
            raise InputError(
                "TF-IDF found no words in the documents; give it text with words in it"
            )
        terms = sorted(frequency)
        self.vocabulary_ = {term: column for column, term in enumerate(terms)}
        self.idf_ = inverse_frequency(np.array([frequency[term] for term in terms]), count)
        return self

    def transform(self, documents: Iterable[Sequence[str]]) -> NDArray[np.float64]:
        """Weigh the terms of each document: token lists -> float64 of shape (N, V).

        Tokens that `fit` did not see are left out; a document with no other token is a zero row.

        Raises
        ------
        OptionError
            When the dense result would be larger than `MAX_BYTES`; nothing is allocated then.
        """
        column = self.vocabulary_
        known = [[column[t] for t in _checked(tokens) if t in column] for tokens in documents]
        terms = len(self.idf_)
        size = len(known) * terms * 8
        if size > MAX_BYTES:
            raise OptionError(
                f"TF-IDF of {len(known)} documents and {terms} terms needs "
                f"{size / 2**30:.1f} GiB, more than the {MAX_BYTES / 2**30:.0f} allowed; "
                "transform fewer documents at a time"
            )
        weights = np.empty((len(known), terms))
        for start in range(0, len(known), _BLOCK_ROWS):
            block = known[start : start + _BLOCK_ROWS]
            counts = np.zeros((len(block), terms), np.int64)
            for row, columns in zip(counts, block, strict=True):
                np.add.at(row, columns, 1)
            weights[start : start + _BLOCK_ROWS] = weigh(counts, self.idf_)
        return weights


def _checked(tokens: Sequence[str]) -> Sequence[str]:
    """Refuse a string where a list of tokens is meant: its letters would be taken for words."""
    if isinstance(tokens, str):
        raise OptionError(f"a document is the string {tokens[:20]!r}; split it into tokens first")
    return tokens
