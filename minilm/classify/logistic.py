"""Softmax regression: the linear classifier that every comparison here ends in.

With N rows x_n, K classes, weights W (D, K) and biases b (K,), training minimizes

    f(W, b) = 1/N * ( sum_n -log softmax(x_n W + b)[y_n]  +  l2/2 * sum W**2 )

The biases have no penalty. The penalty is divided by N together with the loss, so it is the same
prior belief about W however many labels there are, and one value of `l2` works for every N.

scikit-learn's `LogisticRegression(C=...)` finds the same optimum for K > 2 with C = 1 / l2. For
two classes it keeps one weight vector w where softmax has two; at the optimum these are w/2 and
-w/2, so l2/2 * sum W**2 = l2/4 * sum w**2, and C = 2 / l2.
"""

from __future__ import annotations

import numpy as np

from minilm.classify import base, minimize
from minilm.errors import OptionError
from minilm.nn import functional as F

SOLVERS = ("lbfgs", "gd")


def loss_and_gradient(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, labels: np.ndarray, l2: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the objective at the top of this file and its gradient.

    (D, K), (K,), (N, D), (N,) -> scalar, (D, K), (K,)

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
        The strength of the penalty on the weights.

    Returns
    -------
    loss : float
        The objective.
    d_weights : ndarray of shape (D, K)
        Its gradient in the weights.
    d_bias : ndarray of shape (K,)
        Its gradient in the biases.
    """
    mean_loss, cache = F.cross_entropy(features @ weights + bias, labels)
    d_logits = F.cross_entropy_backward(1.0, cache)
    shrink = l2 / len(labels)
    loss = float(mean_loss) + 0.5 * shrink * float(np.vdot(weights, weights))
    return loss, features.T @ d_logits + shrink * weights, d_logits.sum(axis=0)


class SoftmaxRegression(base.Classifier):
    """Softmax regression with L2, trained on all rows at once; deterministic.

    Parameters
    ----------
    l2 : float, default 1.0
        The strength of the penalty; the top of this file has the objective and how `l2` relates to
        scikit-learn's C.
    solver : {"lbfgs", "gd"}, default "lbfgs"
        L-BFGS, or gradient descent with a backtracking line search: the same optimum, in many more
        steps.
    max_iterations : int, default 1000
        The most steps to take.
    tolerance : float, default 1e-5
        Stop when no component of the gradient of the objective is larger than this.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The labels, sorted.
    weights_ : ndarray of shape (D, K)
        The learned weights.
    bias_ : ndarray of shape (K,)
        The learned biases. The bias of a class without an example falls until its probability is
        below the tolerance.
    loss_ : float
        The value of the objective where training stopped.
    iterations_ : int
        Steps taken.
    converged_ : bool
        Whether the gradient came down to the tolerance.

    Examples
    --------
    >>> features = np.array([[0.0, 1.0], [0.2, 0.9], [1.0, 0.1], [0.8, 0.0]])
    >>> model = SoftmaxRegression(l2=0.1).fit(features, np.array([0, 0, 1, 1]))
    >>> model.predict(np.array([[0.1, 0.8], [0.9, 0.3]]))
    array([0, 1])
    """

    def __init__(
        self,
        *,
        l2: float = 1.0,
        solver: str = "lbfgs",
        max_iterations: int = 1000,
        tolerance: float = 1e-5,
    ) -> None:
        self.l2 = l2
        self.solver = solver
        self.max_iterations = max_iterations
        self.tolerance = tolerance

    def fit(
        self, features: np.ndarray, labels: np.ndarray, *, classes: int | None = None
    ) -> SoftmaxRegression:
        """Learn weights and biases, starting from zero.

        Parameters
        ----------
        features : array-like of shape (N, D)
            One row a document, computed with in float64.
        labels : array-like of shape (N,)
            Strings or whole numbers; two or more classes must occur.
        classes : int, optional
            K, to count classes without an example too: the labels are then in 0 ... K - 1.

        Raises
        ------
        OptionError
            When a setting, a label, a shape or a value cannot work.
        """
        base.check_settings(
            l2=self.l2, tolerance=self.tolerance, max_iterations=self.max_iterations
        )
        if self.solver not in SOLVERS:
            raise OptionError(f"solver is {self.solver!r}; choose one of {', '.join(SOLVERS)}")
        x = base.check_features(features)
        known, y = base.encode_labels(base.check_labels(labels, len(x)), classes)
        width, count = x.shape[1], len(known)

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights, bias = _split(flat, width, count)
            loss, d_weights, d_bias = loss_and_gradient(weights, bias, x, y, self.l2)
            return loss, np.concatenate([d_weights.ravel(), d_bias])

        solve = minimize.lbfgs if self.solver == "lbfgs" else minimize.gradient_descent
        found = solve(
            objective,
            np.zeros((width + 1) * count),
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
        )
        self.classes_ = known
        self.weights_, self.bias_ = _split(found.x, width, count)
        self.loss_ = found.value
        self.iterations_ = found.iterations
        self.converged_ = found.converged
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the probability of each class: (N, D) -> (N, K)."""
        return F.softmax(self._logits(features))[0]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the most probable label of each row, the lowest at a tie: (N, D) -> (N,)."""
        logits = self._logits(features)
        return self.classes_[logits.argmax(axis=1)]

    def _logits(self, features: np.ndarray) -> np.ndarray:
        return base.check_features(features, len(self.weights_)) @ self.weights_ + self.bias_


def _split(flat: np.ndarray, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """View a flat array as weights (D, K) and biases (K,)."""
    return flat[:-classes].reshape(width, classes), flat[-classes:]
