"""Softmax regression whose word vectors learn too, from the vectors they start with.

A document is the mean of its words' vectors, as with frozen vectors; here the gradient continues
into those vectors. With N documents, start vectors E, their departures Δ (what is learned) and the
mean taken over the tokens t of document n,

    logits_n = mean_t (E + Δ)[t] W + b
    f(W, b, Δ) = 1/N * ( sum_n -log softmax(logits_n)[y_n]
                         + l2/2 * sum W**2  +  vector_l2/2 * sum Δ**2 )

A word that is in no labelled document has no gradient, so only the words seen are parameters; all
other vectors keep their start values. As `vector_l2` grows, the model approaches the frozen one.
f is not convex, because W and Δ are multiplied; so the starting point, W = b = Δ = 0, is part of
the definition. (It is a saddle point, from which nothing is learned, only if all classes have the
same size and the same mean vector.)

The mean and the product with W are linear, so words are scored first and their scores averaged: no
array of size tokens x dimensions is ever made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minilm.classify import base, minimize
from minilm.errors import OptionError
from minilm.nn import functional as F


@dataclass(frozen=True)
class Tokens:
    """The tokens of N documents in one array, each with its share in its document's mean.

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

    def __repr__(self) -> str:
        """Return the class with its size."""
        return f"Tokens({self.words.size:,} tokens of {self.count:,} documents)"


def flatten(documents: Sequence[np.ndarray], words: int) -> Tokens:
    """Return lists of word ids as `Tokens`.

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
        raise OptionError(
            "documents must be lists of word ids; encode them with the vocabulary first"
        )
    if flat.size and (flat.min() < 0 or flat.max() >= words):
        raise OptionError(
            f"word ids are in {flat.min()} ... {flat.max()}, but the vectors have rows 0 ... "
            f"{words - 1}; encode the documents with the vectors' own vocabulary"
        )
    owner = np.repeat(np.arange(len(documents)), lengths)
    return Tokens(flat, owner, 1.0 / lengths[owner], len(documents))


def mean_of(scores: np.ndarray, tokens: Tokens) -> np.ndarray:
    """Average the scores of each document's words: (U, K) -> (N, K). Without a token: zero."""
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
    """Return the objective at the top of this file and its gradient.

    (D, K), (K,), (U, D), (U, D) -> scalar, (D, K), (K,), (U, D)

    Parameters
    ----------
    weights, bias
        The softmax regression's, of shapes (D, K) and (K,).
    departures, start : ndarray of shape (U, D)
        How far the vectors of the U words have moved, and where they started.
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
        Its gradients, each of the shape of its argument.
    """
    vectors = start + departures
    mean_loss, cache = F.cross_entropy(mean_of(vectors @ weights, tokens) + bias, labels)
    d_logits = F.cross_entropy_backward(1.0, cache)
    d_scores = mean_of_backward(d_logits, tokens, len(vectors))
    shrink, hold = l2 / len(labels), vector_l2 / len(labels)
    loss = float(mean_loss) + 0.5 * shrink * float(np.vdot(weights, weights))
    loss += 0.5 * hold * float(np.vdot(departures, departures))
    d_weights = vectors.T @ d_scores + shrink * weights
    d_departures = d_scores @ weights.T + hold * departures
    return loss, d_weights, d_logits.sum(axis=0), d_departures


class TunedVectorsClassifier(base.Classifier):
    """Softmax regression over the mean of word vectors that are trained with it; deterministic.

    How the vectors are scaled beforehand is the caller's choice and matters: a gradient step moves
    short vectors relatively further.

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
    classes_ : ndarray of shape (K,)
        The labels, sorted.
    vectors_ : ndarray of shape (V, D), float64
        The vectors after training; words that were not seen keep their start vectors.
    seen_ : ndarray of shape (U,), int
        The words that occur in the labelled documents, ascending.
    weights_, bias_ : ndarray of shapes (D, K) and (K,)
        The softmax regression's.
    loss_ : float
        The value of the objective where training stopped.
    iterations_ : int
        Steps taken.
    converged_ : bool
        Whether the gradient came down to the tolerance.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    >>> model = TunedVectorsClassifier(vectors)
    >>> model = model.fit([np.array([0]), np.array([1, 1])], np.array([0, 1]))
    >>> model.predict([np.array([0, 2]), np.array([2, 1])])
    array([0, 1])
    >>> model.seen_, model.vectors_[2]
    (array([0, 1]), array([0.5, 0.5]))
    """

    input_kind = "ids"

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
    ) -> TunedVectorsClassifier:
        """Learn weights, biases and the vectors of the words that occur.

        Parameters
        ----------
        documents : sequence of int arrays
            The word ids of each of the N documents, rows of `vectors`.
        labels : array-like of shape (N,)
            Strings or whole numbers; two or more classes must occur.
        classes : int, optional
            K, to count classes without an example too: the labels are then in 0 ... K - 1.

        Raises
        ------
        OptionError
            When a setting, an id, a label, a shape or a value cannot work.
        """
        base.check_settings(
            l2=self.l2,
            vector_l2=self.vector_l2,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )
        vectors = base.check_features(self.vectors)
        known, y = base.encode_labels(base.check_labels(labels, len(documents)), classes)
        tokens = flatten(documents, len(vectors))
        seen, rows = np.unique(tokens.words, return_inverse=True)
        tokens = Tokens(rows, tokens.documents, tokens.shares, tokens.count)
        start = vectors[seen]
        width, count = vectors.shape[1], len(known)

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
        self.classes_ = known
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
        return F.softmax(self._logits(documents))[0]

    def predict(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Return the most probable label of each document, the lowest at a tie: (N,)."""
        logits = self._logits(documents)
        return self.classes_[logits.argmax(axis=1)]

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
