"""Kata 3.3  Softmax regression: loss and gradient

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 3.3    or on every save: minilm kata watch
    minilm kata read 3.3     the page
    minilm kata hint 3.3     a hint
"""

from __future__ import annotations

import numpy as np


def loss_and_gradient(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, labels: np.ndarray, l2: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the objective of softmax regression and its gradient.

    (D, K), (K,), (N, D), (N,) -> scalar, (D, K), (K,)

    The objective is the mean cross-entropy of the rows plus a penalty on the squares of the
    weights, which is divided by N too. Biases have no penalty. Logits may be in the thousands.

    Parameters
    ----------
    weights : ndarray of shape (D, K)
        One column per class.
    bias : ndarray of shape (K,)
        One per class.
    features : ndarray of shape (N, D)
        One row per document.
    labels : ndarray of shape (N,), int
        Classes in 0 ... K - 1.
    l2 : float
        The strength of the penalty.

    Returns
    -------
    loss : float
        The objective.
    d_weights : ndarray of shape (D, K)
        Its gradient in the weights.
    d_bias : ndarray of shape (K,)
        Its gradient in the biases.

    References
    ----------
    C. Bishop (2006), "Pattern Recognition and Machine Learning", section 4.3.4.
    """
    raise NotImplementedError("not written yet")
