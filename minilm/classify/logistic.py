"""Softmax regression: the linear classifier that every comparison here ends in.

With N rows x_n, K classes, weights W (D, K) and biases b (K,), training minimizes

    f(W, b) = 1/N * ( sum_n -log softmax(x_n W + b)[y_n]  +  l2/2 * sum W**2 )

The biases carry no penalty. The penalty is divided by N together with the loss, so it is the
same prior belief about W however many labels there are, and one value of `l2` serves every budget.

scikit-learn's `LogisticRegression(C=...)` finds the same optimum for K > 2 with C = 1 / l2. For
two classes it keeps one weight vector w where softmax has two; at the optimum these are w/2 and
-w/2, so l2/2 * sum W**2 = l2/4 * sum w**2, and C = 2 / l2.
"""

from __future__ import annotations

import math

import numpy as np

from minilm.classify import minimize
from minilm.errors import OptionError

SOLVERS = ("lbfgs", "gd")


def log_sum_exp(logits: np.ndarray) -> np.ndarray:
    """Return log(sum(exp(logits))) over the last axis: (..., K) -> (..., 1).

    The largest logit is taken out first, so that nothing overflows: log sum exp z = m + log sum
    exp(z - m).

    Examples
    --------
    >>> log_sum_exp(np.array([1000.0, 1000.0]))
    array([1000.69314718])
    """
    largest = logits.max(axis=-1, keepdims=True)
    return largest + np.log(np.exp(logits - largest).sum(axis=-1, keepdims=True))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return exp(logits), scaled to sum to 1 over the last axis: (..., K) -> (..., K).

    Examples
    --------
    >>> softmax(np.array([0.0, math.log(3.0)]))
    array([0.25, 0.75])
    """
    return np.exp(logits - log_sum_exp(logits))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of -log softmax(logits)[label], and its gradient in the logits.

    (N, K), (N,) -> scalar, (N, K). The gradient is (softmax(logits) - one_hot(labels)) / N.

    Examples
    --------
    >>> loss, gradient = cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 4), gradient
    (0.6931, array([[-0.5,  0.5]]))
    """
    rows = np.arange(len(labels))
    log_probabilities = logits - log_sum_exp(logits)
    loss = -float(log_probabilities[rows, labels].mean())
    gradient = np.exp(log_probabilities)
    gradient[rows, labels] -= 1.0
    return loss, gradient / len(labels)


def loss_and_gradient(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, labels: np.ndarray, l2: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Evaluate the objective at the head of this file, and its gradient.

    (D, K), (K,), (N, D), (N,) -> scalar, (D, K), (K,)

    Parameters
    ----------
    weights : ndarray of shape (D, K)
        One column a class.
    bias : ndarray of shape (K,)
        One a class.
    features : ndarray of shape (N, D)
        One row a document.
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
    loss, d_logits = cross_entropy(features @ weights + bias, labels)
    shrink = l2 / len(labels)
    loss += 0.5 * shrink * float(np.vdot(weights, weights))
    return loss, features.T @ d_logits + shrink * weights, d_logits.sum(axis=0)


class SoftmaxRegression:
    """Softmax regression with L2, trained on all rows at once; deterministic.

    Parameters
    ----------
    l2 : float, default 1.0
        The strength of the penalty; see the head of this file for the objective and for how it
        maps onto scikit-learn's C.
    solver : {"lbfgs", "gd"}, default "lbfgs"
        L-BFGS, or gradient descent with a backtracking line search: the same optimum, in many more
        steps.
    max_iterations : int, default 1000
        The most steps to take.
    tolerance : float, default 1e-5
        Stop when no component of the gradient of the objective is larger than this.

    Attributes
    ----------
    weights_ : ndarray of shape (D, K)
        The learned weights.
    bias_ : ndarray of shape (K,)
        The learned biases. The bias of a class without an example falls until its probability is
        below the tolerance.
    loss_ : float
        The objective where training stopped.
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
        labels : array-like of shape (N,), int
            Classes in 0 ... K - 1; two or more of them must occur.
        classes : int, optional
            K; the largest label plus one when not given.

        Raises
        ------
        OptionError
            When a setting, a label, a shape or a value cannot work.
        """
        check_settings(l2=self.l2, tolerance=self.tolerance, max_iterations=self.max_iterations)
        if self.solver not in SOLVERS:
            raise OptionError(f"solver is {self.solver!r}; choose one of {', '.join(SOLVERS)}")
        x = check_features(features)
        y, count = check_labels(labels, len(x), classes)
        width = x.shape[1]

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
        self.weights_, self.bias_ = _split(found.x, width, count)
        self.loss_ = found.value
        self.iterations_ = found.iterations
        self.converged_ = found.converged
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the probability of each class: (N, D) -> (N, K)."""
        return softmax(self._logits(features))

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row, the lowest at a tie: (N, D) -> (N,) int."""
        return self._logits(features).argmax(axis=1)

    def _logits(self, features: np.ndarray) -> np.ndarray:
        return check_features(features, len(self.weights_)) @ self.weights_ + self.bias_


def check_settings(*, max_iterations: int, **strengths: float) -> None:
    """Raise OptionError unless every strength is finite and >= 0, and the iterations >= 1."""
    for name, value in strengths.items():
        if not (math.isfinite(value) and value >= 0):
            raise OptionError(f"{name} is {value}; it must be a finite number, 0 or more")
    if max_iterations < 1:
        raise OptionError(f"max_iterations is {max_iterations}; it must be 1 or more")


def check_features(features: np.ndarray, width: int | None = None) -> np.ndarray:
    """Return `features` as float64 of shape (N, D), or raise OptionError with the reason.

    Parameters
    ----------
    features : array-like of shape (N, D)
        What is to be checked.
    width : int, optional
        The D that the model was fitted with.
    """
    x = np.asarray(features, dtype=np.float64)
    if x.ndim != 2:
        raise OptionError(f"features have shape {x.shape}; give one row a document, (N, D)")
    if width is not None and x.shape[1] != width:
        raise OptionError(f"features have {x.shape[1]} columns; the model was fitted with {width}")
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        row = int(finite.argmin())
        raise OptionError(
            f"features: row {row} holds a NaN or infinity; check the vectors it is of"
        )
    return x


def check_labels(
    labels: np.ndarray, rows: int, classes: int | None = None
) -> tuple[np.ndarray, int]:
    """Return the labels as an int array of shape (rows,) and the number of classes K.

    Raises
    ------
    OptionError
        When the labels are not whole numbers in 0 ... K - 1, one a row, of two classes or more.
    """
    y = np.asarray(labels)
    if y.shape != (rows,):
        raise OptionError(f"labels have shape {y.shape}; give one for each of the {rows} rows")
    if not np.issubdtype(y.dtype, np.integer):
        raise OptionError(f"labels are of type {y.dtype}; number the classes 0, 1, 2, ...")
    if len(np.unique(y)) < 2:
        raise OptionError("labels hold fewer than two classes; there is nothing to tell apart")
    count = int(y.max()) + 1 if classes is None else classes
    if y.min() < 0 or y.max() >= count:
        raise OptionError(
            f"labels lie in {y.min()} ... {y.max()}; they must be in 0 ... {count - 1}"
        )
    return y, count


def _split(flat: np.ndarray, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """View a flat array as weights (D, K) and biases (K,)."""
    return flat[:-classes].reshape(width, classes), flat[-classes:]
