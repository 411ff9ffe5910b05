"""Kata 8.4  Fine-tuning word vectors

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 8.4    or on every save: minilm kata watch
    minilm kata read 8.4     the page
    minilm kata hint 8.4     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.classify.tuned_vectors import Tokens
from minilm.nn import functional as F  # F.cross_entropy and its backward: you know them from 4.4


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
    """Return the loss of softmax regression on means of word vectors, which learn too.

    (D, K), (K,), (U, D), (U, D) -> scalar, (D, K), (K,), (U, D)

    A document is the mean of its tokens' vectors, and a word's vector is its start plus its
    departure. The loss is the mean cross-entropy of the documents, plus a penalty on the squares of
    the weights and one on the squares of the departures; each penalty is halved and divided by N.

    Parameters
    ----------
    weights, bias
        The softmax regression's, of shapes (D, K) and (K,).
    departures, start : ndarray of shape (U, D)
        How far the vectors of the U words have moved, and where they started.
    tokens : Tokens
        All tokens of the N documents one after the other: `tokens.words`, the row of each token's
        word; `tokens.documents`, the document it is in; `tokens.shares`, one over the number of
        tokens of that document. A document without a token has the mean 0.
    labels : ndarray of shape (N,), int
        Classes in 0 ... K - 1.
    l2, vector_l2 : float
        The penalties on the weights and on the departures.

    Returns
    -------
    loss : float
    d_weights, d_bias, d_departures : ndarray
        The gradients, each of the shape of its argument.

    References
    ----------
    Y. Kim (2014), "Convolutional Neural Networks for Sentence Classification", section 3.2
    (static and non-static vectors).
    """
    raise NotImplementedError("not written yet")
