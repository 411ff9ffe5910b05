"""Minimize a smooth function of many variables: gradient descent and L-BFGS, side by side.

Both take the same arguments and use the full gradient at every step, with a line search instead of
a learning rate. There is nothing stochastic here: the classifiers are small enough without.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minilm.errors import TrainingError

# Maps x, an array of shape (n,), to the function's value and its gradient, of shape (n,).
Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]

# The constants of the line searches as Nocedal and Wright (2006, sections 3.1 and 6.1) recommend.
SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
# Pairs (s, y) that L-BFGS keeps, 16 n bytes each. Liu and Nocedal recommend 3 to 7; with 10 or
# 20 it took fewer steps here, but no less time.
HISTORY = 5
# 2**-60 times the first step changes nothing in float64: only rounding is left.
MAX_TRIALS = 60


@dataclass(frozen=True)
class Minimum:
    """Where a minimizer stopped.

    Attributes
    ----------
    x : ndarray of shape (n,)
        The best point.
    value : float
        The function there.
    gradient : ndarray of shape (n,)
        The gradient there.
    iterations : int
        Steps taken.
    converged : bool
        Whether the largest component of the gradient came down to the tolerance. If False, the
        iterations ran out, or no step along the search direction lowered the value.
    """

    x: np.ndarray
    value: float
    gradient: np.ndarray
    iterations: int
    converged: bool

    def __repr__(self) -> str:
        """Return the class with its size."""
        end = "converged" if self.converged else "not converged"
        return (
            f"Minimum({self.value:.6g}: {self.x.size:,} variables, {self.iterations} steps, {end})"
        )


def gradient_descent(
    objective: Objective, start: np.ndarray, *, max_iterations: int, tolerance: float
) -> Minimum:
    """Follow the negative gradient, with steps found by backtracking.

    The first trial step is twice the last accepted one (1 at the start) and is halved until it
    satisfies the Armijo condition, f(x - t g) <= f(x) - 1e-4 t |g|**2.

    Parameters
    ----------
    objective : callable
        Maps x of shape (n,) to the value and the gradient of shape (n,).
    start : ndarray of shape (n,)
        The first point; it is not changed.
    max_iterations : int
        The most steps to take.
    tolerance : float
        Stop when no component of the gradient is larger than this in absolute value.

    Returns
    -------
    Minimum

    Raises
    ------
    TrainingError
        When the value or the gradient at `start` is not finite.

    References
    ----------
    Nocedal and Wright (2006), Numerical Optimization, 2nd edition, algorithm 3.1.

    Examples
    --------
    >>> parabola = lambda x: (float((x - 3) @ (x - 3)), 2 * (x - 3))
    >>> gradient_descent(parabola, np.zeros(2), max_iterations=50, tolerance=1e-8).x
    array([3., 3.])
    """
    x, (value, gradient) = start, _evaluate_start(objective, start)
    step = 0.5
    iteration = 0
    while iteration < max_iterations and not _flat(gradient, tolerance):
        found = backtrack(objective, x, value, -gradient, float(gradient @ -gradient), 2 * step)
        if found is None:
            break
        step, x, value, gradient = found
        iteration += 1
    return Minimum(x, value, gradient, iteration, _flat(gradient, tolerance))


def lbfgs(
    objective: Objective, start: np.ndarray, *, max_iterations: int, tolerance: float
) -> Minimum:
    """Limited-memory BFGS: a quasi-Newton method that remembers a few steps instead of a matrix.

    Each step s, with the change y of the gradient along it, tells something about the curvature.
    From the last few such pairs the two-loop recursion computes a direction in O(n). The line
    search satisfies the Wolfe conditions, so y @ s > 0 and the direction always leads down.

    Parameters
    ----------
    objective, start, max_iterations, tolerance
        As for `gradient_descent`.

    Returns
    -------
    Minimum

    Raises
    ------
    TrainingError
        When the value or the gradient at `start` is not finite.

    References
    ----------
    Liu and Nocedal (1989), On the limited memory BFGS method for large scale optimization,
    Mathematical Programming 45.

    Examples
    --------
    >>> parabola = lambda x: (float((x - 3) @ (x - 3)), 2 * (x - 3))
    >>> lbfgs(parabola, np.zeros(2), max_iterations=50, tolerance=1e-8).x
    array([3., 3.])
    """
    x, (value, gradient) = start, _evaluate_start(objective, start)
    pairs: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=HISTORY)
    iteration = 0
    while iteration < max_iterations and not _flat(gradient, tolerance):
        direction = -two_loop(gradient, pairs)
        # With no curvature known, move by at most 1 in total; afterwards 1 is the Newton step.
        step = 1.0 if pairs else min(1.0, 1.0 / float(np.abs(gradient).sum()))
        slope = float(gradient @ direction)
        found = wolfe_search(objective, x, value, direction, slope, step)
        if found is None:
            break
        _, new_x, value, new_gradient = found
        pairs.append((new_x - x, new_gradient - gradient))
        x, gradient = new_x, new_gradient
        iteration += 1
    return Minimum(x, value, gradient, iteration, _flat(gradient, tolerance))


def two_loop(gradient: np.ndarray, pairs: deque[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Multiply a gradient by L-BFGS's estimate of the inverse Hessian, without forming a matrix.

    Parameters
    ----------
    gradient : ndarray of shape (n,)
        What to multiply.
    pairs : deque of (s, y), each ndarray of shape (n,)
        Steps and changes of the gradient, the oldest first, with s @ y > 0. Without any, the
        estimate is the identity.

    Returns
    -------
    ndarray of shape (n,)

    References
    ----------
    Nocedal and Wright (2006), algorithm 7.4, with the scaling of equation 7.20.
    """
    result = gradient.copy()
    alphas = []
    for s, y in reversed(pairs):
        alpha = float(s @ result) / float(s @ y)
        result -= alpha * y
        alphas.append(alpha)
    if pairs:
        s, y = pairs[-1]
        result *= float(s @ y) / float(y @ y)
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        beta = float(y @ result) / float(s @ y)
        result += (alpha - beta) * s
    return result


def backtrack(
    objective: Objective,
    x: np.ndarray,
    value: float,
    direction: np.ndarray,
    slope: float,
    step: float,
) -> tuple[float, np.ndarray, float, np.ndarray] | None:
    """Halve the step along `direction` until the value falls enough (the Armijo condition).

    Parameters
    ----------
    objective : callable
        The function and its gradient.
    x, direction : ndarray of shape (n,)
        The starting point and the direction.
    value, slope : float
        The function at `x`, and its derivative along `direction` there (negative).
    step : float
        The first length to try, in units of `direction`.

    Returns
    -------
    (step, x, value, gradient) or None
        The accepted step and the point it leads to; None if no step lowers the value.
    """
    for _ in range(MAX_TRIALS):
        new_x = x + step * direction
        new_value, new_gradient = objective(new_x)
        # When rounding swallows the last term, an equal value would pass; it must be lower.
        if new_value < value and new_value <= value + SUFFICIENT_DECREASE * step * slope:
            return step, new_x, new_value, new_gradient
        step /= 2
    return None


def wolfe_search(
    objective: Objective,
    x: np.ndarray,
    value: float,
    direction: np.ndarray,
    slope: float,
    step: float,
) -> tuple[float, np.ndarray, float, np.ndarray] | None:
    """Find a step that satisfies the Wolfe conditions, by bisection and doubling.

    With p the direction, f must fall enough, f(x + t p) <= f(x) + 1e-4 t g @ p, and its slope
    must have risen enough, g(x + t p) @ p >= 0.9 g @ p. A step that fails the first is too long,
    one that fails only the second is too short. A value that is not finite counts as too large.

    Parameters and the return value are those of `backtrack`.

    References
    ----------
    Lewis and Overton (2013), Nonsmooth optimization via quasi-Newton methods, Mathematical
    Programming 141, algorithm 2.6.
    """
    too_short, too_long = 0.0, math.inf
    for _ in range(MAX_TRIALS):
        new_x = x + step * direction
        new_value, new_gradient = objective(new_x)
        if not new_value <= value + SUFFICIENT_DECREASE * step * slope:
            too_long = step
        elif float(new_gradient @ direction) < CURVATURE * slope:
            too_short = step
        else:
            return step, new_x, new_value, new_gradient
        step = 2 * too_short if math.isinf(too_long) else (too_short + too_long) / 2
    return None


def _flat(gradient: np.ndarray, tolerance: float) -> bool:
    return float(np.abs(gradient).max(initial=0.0)) <= tolerance


def _evaluate_start(objective: Objective, start: np.ndarray) -> tuple[float, np.ndarray]:
    value, gradient = objective(start)
    if not (math.isfinite(value) and np.isfinite(gradient).all()):
        raise TrainingError(
            "the loss is not finite before the first step; check the features for very large or "
            "missing values"
        )
    return value, gradient
