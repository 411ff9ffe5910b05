"""TF-IDF: documents as weighted bags of words, the baseline that knows only the labelled text.

The definitions are scikit-learn's `TfidfVectorizer(sublinear_tf=True)`. For a term that occurs
c > 0 times in a document, and in df of the N documents that were fitted,

    weight = (1 + ln c) * (ln((1 + N) / (1 + df)) + 1)

and each document's row is then scaled to unit length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from minilm.errors import InputError, OptionError

# The largest dense array that `transform` makes.
MAX_BYTES = 2 << 30


class TfidfVectorizer:
    """Turn token lists into rows of TF-IDF weights.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The column of each term; the terms are in alphabetical order.
    idf_ : ndarray of shape (V,)
        The inverse document frequency of each column.

    References
    ----------
    Salton and Buckley (1988), Term-weighting approaches in automatic text retrieval, Information
    Processing & Management 24(5).

    Examples
    --------
    >>> documents = [["good", "film"], ["good", "good", "plot"]]
    >>> vectorizer = TfidfVectorizer().fit(documents)
    >>> vectorizer.vocabulary_
    {'film': 0, 'good': 1, 'plot': 2}
    >>> vectorizer.transform([["a", "good", "plot"]]).round(3)
    array([[0.   , 0.58 , 0.815]])
    """

    def fit(self, documents: Iterable[Sequence[str]]) -> TfidfVectorizer:
        """Learn the terms and how many documents each is in.

        Parameters
        ----------
        documents : iterable of sequences of str
            The tokens of each document.

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
        document_frequency = np.array([frequency[term] for term in terms], dtype=np.float64)
        self.idf_ = np.log((1 + count) / (1 + document_frequency)) + 1
        return self

    def transform(self, documents: Iterable[Sequence[str]]) -> np.ndarray:
        """Weigh the terms of each document: token lists -> float64 of shape (N, V).

        Tokens that `fit` did not see are left out; a document with no other token is a zero row.

        Raises
        ------
        OptionError
            When the dense result would be larger than `MAX_BYTES`; nothing is allocated then.
        """
        rows: list[int] = []
        columns: list[int] = []
        counts: list[int] = []
        total = 0
        for row, tokens in enumerate(documents):
            known = Counter(token for token in _checked(tokens) if token in self.vocabulary_)
            rows += [row] * len(known)
            columns += [self.vocabulary_[term] for term in known]
            counts += known.values()
            total = row + 1
        size = total * len(self.idf_) * 8
        if size > MAX_BYTES:
            raise OptionError(
                f"TF-IDF of {total} documents and {len(self.idf_)} terms needs "
                f"{size / 2**30:.1f} GiB, more than the {MAX_BYTES / 2**30:.0f} allowed; "
                "transform fewer documents at a time"
            )
        weights = np.zeros((total, len(self.idf_)))
        weights[rows, columns] = (1 + np.log(counts)) * self.idf_[columns]
        lengths = np.sqrt(np.einsum("nv,nv->n", weights, weights))
        lengths[lengths == 0] = 1.0
        weights /= lengths[:, np.newaxis]
        return weights


def _checked(tokens: Sequence[str]) -> Sequence[str]:
    """Refuse a string where a list of tokens is meant: its letters would pass for words."""
    if isinstance(tokens, str):
        raise OptionError(f"a document is the string {tokens[:20]!r}; split it into tokens first")
    return tokens
