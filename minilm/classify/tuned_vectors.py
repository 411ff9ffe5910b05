"""Softmax regression whose word vectors learn too, from the vectors they start with.

A document is the mean of its words' vectors, as in the frozen condition; here the gradient goes on
into those vectors. With N documents, start vectors E, their departures Δ (what is learned) and the
mean over the tokens t of document n,

    logits_n = mean_t (E + Δ)[t] W + b
    f(W, b, Δ) = 1/N * ( sum_n -log softmax(logits_n)[y_n]
                         + l2/2 * sum W**2  +  vector_l2/2 * sum Δ**2 )

A word that no labelled document contains receives no gradient, so only the words seen are
parameters; every other vector stays where it started. As `vector_l2` grows, the model becomes the
frozen one. f is not convex, for W and Δ multiply each other; so the start, all of W, b and Δ zero,
is part of the definition. (Only where the mean vectors of all classes are equal, and the classes of
one size, is it a saddle point from which nothing is learned.)

The mean and the product with W are linear, so words are scored first and scores averaged: no array
of size tokens x dimensions is ever made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minilm.classify import logistic, minimize
from minilm.errors import OptionError


@dataclass(frozen=True)
class Tokens:
    """The tokens of N documents, flat, each with its share in the document's mean.

    Attributes
    ----------
    words : ndarray of shape (T,), int
        The row of each token's vector.
    documents : ndarray of shape (T,), int
        The document that each token is in.
    shares : ndarray of shape (T,)
        One over the number of tokens in that document.
    count : int
        N; a document without a token has no entry above.
    """

    words: np.ndarray
    documents: np.ndarray
    shares: np.ndarray
    count: int


def flatten(documents: Sequence[np.ndarray], words: int) -> Tokens:
    """Lay out lists of word ids as `Tokens`.

    Raises
    ------
    OptionError
        When an id is not a whole number in 0 ... words - 1.

    Examples
    --------
    >>> tokens = flatten([np.array([4, 2]), np.array([], dtype=int), np.array([2])], 5)
    >>> tokens.words, tokens.documents, tokens.shares
    (array([4, 2, 2]), array([0, 0, 2]), array([0.5, 0.5, 1. ]))
    """
    lengths = np.array([len(ids) for ids in documents], dtype=np.int64)
    flat = np.concatenate([np.asarray(ids) for ids in documents if len(ids)] or [np.zeros(0, int)])
    if flat.ndim != 1 or not np.issubdtype(flat.dtype, np.integer):
        raise OptionError("a document is no list of word ids; encode it with the vocabulary first")
    if flat.size and (flat.min() < 0 or flat.max() >= words):
        raise OptionError(
            f"word ids lie in {flat.min()} ... {flat.max()}, the vectors have rows 0 ... "
            f"{words - 1}; encode the documents with the vectors' own vocabulary"
        )
    owner = np.repeat(np.arange(len(documents)), lengths)
    return Tokens(flat, owner, 1.0 / lengths[owner], len(documents))


def mean_of(scores: np.ndarray, tokens: Tokens) -> np.ndarray:
    """Average the scores of each document's words: (U, K) -> (N, K). No token: zero."""
    return _sum_by(tokens.documents, scores[tokens.words], tokens.shares, tokens.count)


def mean_of_backward(d_means: np.ndarray, tokens: Tokens, words: int) -> np.ndarray:
    """Backward of `mean_of`: (N, K) -> (U, K), with U = `words`."""
    return _sum_by(tokens.words, d_means[tokens.documents], tokens.shares, words)


def loss_and_gradient(
    weights: np.ndarray,
    bias: np.ndarray,
    departures: np.ndarray,
    start: np.ndarray,
    tokens: Tokens,
    labels: np.ndarray,
    l2: float,
    vector_l2: float,
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Evaluate the objective at the head of this file, and its gradient.

    (D, K), (K,), (U, D), (U, D) -> scalar, (D, K), (K,), (U, D)

    Parameters
    ----------
    weights, bias
        The softmax regression's, of shapes (D, K) and (K,).
    departures, start : ndarray of shape (U, D)
        What has been learned of the U words' vectors, and where they started.
    tokens : Tokens
        The documents, as rows of `start`.
    labels : ndarray of shape (N,), int
        Classes in 0 ... K - 1.
    l2, vector_l2 : float
        The penalties on the weights and on the departures.

    Returns
    -------
    loss : float
        The objective.
    d_weights, d_bias, d_departures : ndarray
        Its gradients, shaped like what they belong to.
    """
    vectors = start + departures
    loss, d_logits = logistic.cross_entropy(mean_of(vectors @ weights, tokens) + bias, labels)
    d_scores = mean_of_backward(d_logits, tokens, len(vectors))
    shrink, hold = l2 / len(labels), vector_l2 / len(labels)
    loss += 0.5 * shrink * float(np.vdot(weights, weights))
    loss += 0.5 * hold * float(np.vdot(departures, departures))
    d_weights = vectors.T @ d_scores + shrink * weights
    d_departures = d_scores @ weights.T + hold * departures
    return loss, d_weights, d_logits.sum(axis=0), d_departures


class FinetunedEmbeddingClassifier:
    """Softmax regression over the mean of word vectors that are trained with it; deterministic.

    Scaling the vectors beforehand is the caller's choice and counts: a gradient step moves short
    vectors relatively further.

    Parameters
    ----------
    vectors : ndarray of shape (V, D)
        Where the word vectors start; never changed.
    l2 : float, default 1.0
        The penalty on the weights, as in `logistic.SoftmaxRegression`.
    vector_l2 : float, default 1.0
        The penalty on each vector's squared distance from its start.
    max_iterations : int, default 1000
        The most steps of L-BFGS.
    tolerance : float, default 1e-5
        Stop when no component of the gradient of the objective is larger than this.

    Attributes
    ----------
    vectors_ : ndarray of shape (V, D), float64
        The vectors after training; rows of words that were not seen equal their start.
    seen_ : ndarray of shape (U,), int
        The words that occur in the labelled documents, ascending.
    weights_, bias_ : ndarray of shapes (D, K) and (K,)
        The softmax regression's.
    loss_ : float
        The objective where training stopped.
    iterations_ : int
        Steps taken.
    converged_ : bool
        Whether the gradient came down to the tolerance.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    >>> model = FinetunedEmbeddingClassifier(vectors)
    >>> model = model.fit([np.array([0]), np.array([1, 1])], np.array([0, 1]))
    >>> model.predict([np.array([0, 2]), np.array([2, 1])])
    array([0, 1])
    >>> model.seen_, model.vectors_[2]
    (array([0, 1]), array([0.5, 0.5]))
    """

    def __init__(
        self,
        vectors: np.ndarray,
        *,
        l2: float = 1.0,
        vector_l2: float = 1.0,
        max_iterations: int = 1000,
        tolerance: float = 1e-5,
    ) -> None:
        self.vectors = vectors
        self.l2 = l2
        self.vector_l2 = vector_l2
        self.max_iterations = max_iterations
        self.tolerance = tolerance

    def fit(
        self, documents: Sequence[np.ndarray], labels: np.ndarray, *, classes: int | None = None
    ) -> FinetunedEmbeddingClassifier:
        """Learn weights, biases and the vectors of the words that occur.

        Parameters
        ----------
        documents : sequence of int arrays
            The word ids of each of the N documents, rows of `vectors`.
        labels : array-like of shape (N,), int
            Classes in 0 ... K - 1; two or more of them must occur.
        classes : int, optional
            K; the largest label plus one when not given.

        Raises
        ------
        OptionError
            When a setting, an id, a label, a shape or a value cannot work.
        """
        logistic.check_settings(
            l2=self.l2,
            vector_l2=self.vector_l2,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )
        vectors = logistic.check_features(self.vectors)
        y, count = logistic.check_labels(labels, len(documents), classes)
        tokens = flatten(documents, len(vectors))
        seen, rows = np.unique(tokens.words, return_inverse=True)
        tokens = Tokens(rows, tokens.documents, tokens.shares, tokens.count)
        start = vectors[seen]
        width = vectors.shape[1]

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            gradients = loss_and_gradient(
                *_split(flat, width, count), start, tokens, y, self.l2, self.vector_l2
            )
            return gradients[0], np.concatenate([g.ravel() for g in gradients[1:]])

        found = minimize.lbfgs(
            objective,
            np.zeros((width + 1) * count + start.size),
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
        )
        self.weights_, self.bias_, departures = _split(found.x, width, count)
        self.vectors_ = vectors.copy()
        self.vectors_[seen] += departures
        self.seen_ = seen
        self.loss_ = found.value
        self.iterations_ = found.iterations
        self.converged_ = found.converged
        return self

    def predict_proba(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probability of each class: N lists of word ids -> (N, K)."""
        return logistic.softmax(self._logits(documents))

    def predict(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Return the most probable class of each document, the lowest at a tie: (N,) int."""
        return self._logits(documents).argmax(axis=1)

    def _logits(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        tokens = flatten(documents, len(self.vectors_))
        return mean_of(self.vectors_ @ self.weights_, tokens) + self.bias_


def _sum_by(keys: np.ndarray, rows: np.ndarray, shares: np.ndarray, size: int) -> np.ndarray:
    """Add up `rows` (T, K), times their shares (T,), by key: -> (size, K)."""
    weighted = rows * shares[:, np.newaxis]
    return np.stack([np.bincount(keys, column, minlength=size) for column in weighted.T], axis=1)


def _split(flat: np.ndarray, width: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """View a flat array as weights (D, K), biases (K,) and departures (U, D)."""
    weights, bias, departures = np.split(flat, [width * classes, (width + 1) * classes])
    return weights.reshape(width, classes), bias, departures.reshape(-1, width)
