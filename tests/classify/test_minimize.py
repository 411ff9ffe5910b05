"""The minimizers: known minima, their promised conditions, the recursion against its matrix."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import pytest
from closeness import assert_close

from minilm.classify import minimize
from minilm.errors import TrainingError

SOLVERS = [minimize.lbfgs, minimize.gradient_descent]


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    a, b = x
    value = (1 - a) ** 2 + 100 * (b - a * a) ** 2
    return float(value), np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])


def quadratic(rng: np.random.Generator, size: int):
    """A convex quadratic with eigenvalues from 1 to 50, and where its minimum is."""
    rotation, _ = np.linalg.qr(rng.standard_normal((size, size)))
    hessian = rotation @ np.diag(np.linspace(1, 50, size)) @ rotation.T
    minimum = rng.standard_normal(size)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        gradient = hessian @ (x - minimum)
        return 0.5 * float((x - minimum) @ gradient), gradient

    return objective, minimum


@pytest.mark.parametrize("solve", SOLVERS)
def test_finds_the_minimum_of_a_quadratic(solve):
    objective, minimum = quadratic(np.random.default_rng(0), 20)
    found = solve(objective, np.zeros(20), max_iterations=2000, tolerance=1e-8)
    assert found.converged
    assert np.abs(found.gradient).max() <= 1e-8
    np.testing.assert_allclose(found.x, minimum, atol=1e-8)
    assert found.value == objective(found.x)[0]


def test_lbfgs_crosses_the_curved_valley_where_descent_is_still_walking():
    start = np.array([-1.2, 1.0])
    found = minimize.lbfgs(rosenbrock, start, max_iterations=100, tolerance=1e-8)
    assert found.converged
    np.testing.assert_allclose(found.x, [1, 1], atol=1e-7)
    assert found.iterations < 60
    walking = minimize.gradient_descent(rosenbrock, start, max_iterations=100, tolerance=1e-8)
    assert not walking.converged
    assert walking.iterations == 100
    assert found.value < walking.value < rosenbrock(start)[0]


@pytest.mark.parametrize("solve", SOLVERS)
def test_every_step_lowers_the_value_and_the_start_is_left_alone(solve):
    objective, _ = quadratic(np.random.default_rng(1), 6)
    start = np.ones(6)
    values = [
        solve(objective, start, max_iterations=steps, tolerance=0.0).value for steps in range(1, 9)
    ]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 8
    np.testing.assert_array_equal(start, np.ones(6))


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_start_at_the_minimum_takes_no_step(solve):
    found = solve(rosenbrock, np.ones(2), max_iterations=10, tolerance=1e-8)
    assert (found.iterations, found.converged) == (0, True)


@pytest.mark.parametrize("solve", SOLVERS)
def test_stops_without_converging_when_no_step_helps(solve):
    """A gradient of the wrong sign: every direction called downhill leads up."""

    def lying(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(x @ x), -2 * x

    found = solve(lying, np.ones(3), max_iterations=10, tolerance=1e-8)
    assert (found.iterations, found.converged, found.value) == (0, False, 3.0)


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize(("value", "slope"), [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan)])
def test_a_start_that_is_not_finite_is_refused(solve, value, slope):
    with pytest.raises(TrainingError, match="not finite"):
        solve(lambda x: (value, x + slope), np.zeros(2), max_iterations=5, tolerance=1e-8)


@pytest.mark.parametrize("first_step", [1e-6, 1.0, 1e6])
def test_wolfe_search_satisfies_both_conditions_from_any_first_step(first_step):
    x = np.array([-1.2, 1.0])
    value, gradient = rosenbrock(x)
    direction = -gradient
    slope = float(gradient @ direction)
    step, new_x, new_value, new_gradient = minimize.wolfe_search(
        rosenbrock, x, value, direction, slope, first_step
    )
    np.testing.assert_array_equal(new_x, x + step * direction)
    assert new_value == rosenbrock(new_x)[0]
    assert new_value <= value + 1e-4 * step * slope
    assert new_gradient @ direction >= 0.9 * slope


def test_wolfe_search_backs_out_of_where_the_function_is_infinite():
    def barrier(x: np.ndarray) -> tuple[float, np.ndarray]:
        if x[0] <= 0:
            return math.inf, np.full(1, math.nan)
        return float(x[0] - math.log(x[0])), 1 - 1 / x

    found = minimize.lbfgs(barrier, np.array([20.0]), max_iterations=50, tolerance=1e-9)
    assert found.converged
    assert found.x[0] == pytest.approx(1, abs=1e-8)


def test_backtrack_halves_until_the_fall_is_enough():
    def parabola(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(x @ x), 2 * x

    x = np.array([1.0])
    step, new_x, new_value, _ = minimize.backtrack(parabola, x, 1.0, -2 * x, -4.0, 8.0)
    # 8, 4, 2 and 1 end where the parabola is as high or higher; 1/2 is the minimum itself.
    assert (step, new_x[0], new_value) == (0.5, 0.0, 0.0)


def test_two_loop_equals_the_bfgs_matrix():
    """The oracle applies each BFGS update to a full inverse Hessian (Nocedal and Wright, 6.17)."""
    rng = np.random.default_rng(2)
    size = 7
    scales = rng.uniform(0.5, 5, size)
    pairs = deque((s, scales * s) for s in rng.standard_normal((4, size)))
    s, y = pairs[-1]
    inverse = np.eye(size) * (s @ y) / (y @ y)
    for s, y in pairs:
        rho = 1 / (s @ y)
        left = np.eye(size) - rho * np.outer(s, y)
        inverse = left @ inverse @ left.T + rho * np.outer(s, s)
    gradient = rng.standard_normal(size)
    assert_close(minimize.two_loop(gradient, pairs), inverse @ gradient, rtol=1e-12)
    np.testing.assert_array_equal(minimize.two_loop(gradient, deque()), gradient)
