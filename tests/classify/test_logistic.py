"""Softmax regression: its formulas against slow ones, its optimum against scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from closeness import assert_close

from minilm.classify import logistic
from minilm.errors import OptionError


def problem(classes: int, rows: int = 60, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clouds of points, so that the optimum is finite."""
    rng = np.random.default_rng(classes)
    labels = np.arange(rows) % classes
    centers = rng.standard_normal((classes, width))
    return centers[labels] + rng.standard_normal((rows, width)), labels


def slow_loss(weights, bias, features, labels, l2) -> float:
    """The objective as it is written, one row and one class at a time."""
    total = 0.0
    for x, y in zip(features, labels, strict=True):
        scores = [sum(x * weights[:, k]) + bias[k] for k in range(len(bias))]
        total -= math.log(math.exp(scores[y]) / sum(math.exp(s) for s in scores))
    return (total + l2 / 2 * sum(w * w for w in weights.ravel())) / len(labels)


@pytest.mark.parametrize("classes", [2, 4])
def test_loss_equals_the_slow_version(classes):
    features, labels = problem(classes)
    rng = np.random.default_rng(1)
    weights, bias = rng.standard_normal((5, classes)), rng.standard_normal(classes)
    loss, _, _ = logistic.loss_and_gradient(weights, bias, features, labels, 0.7)
    assert loss == pytest.approx(slow_loss(weights, bias, features, labels, 0.7), rel=1e-13)


@pytest.mark.parametrize("classes", [2, 4])
def test_gradient_equals_central_differences(classes):
    features, labels = problem(classes)
    rng = np.random.default_rng(2)
    parameters = [rng.standard_normal((5, classes)), rng.standard_normal(classes)]
    _, *gradients = logistic.loss_and_gradient(*parameters, features, labels, 0.7)
    step = 1e-5
    for parameter, gradient in zip(parameters, gradients, strict=True):
        assert gradient.shape == parameter.shape
        for index in np.ndindex(parameter.shape):
            kept = parameter[index]
            parameter[index] = kept + step
            above, _, _ = logistic.loss_and_gradient(*parameters, features, labels, 0.7)
            parameter[index] = kept - step
            below, _, _ = logistic.loss_and_gradient(*parameters, features, labels, 0.7)
            parameter[index] = kept
            assert abs((above - below) / (2 * step) - gradient[index]) < 1e-9


@pytest.mark.parametrize("classes", [2, 4])
def test_both_solvers_reach_the_one_optimum(classes):
    features, labels = problem(classes)
    fast = logistic.SoftmaxRegression(l2=0.5, tolerance=1e-7).fit(features, labels)
    slow = logistic.SoftmaxRegression(l2=0.5, solver="gd", tolerance=1e-7, max_iterations=20_000)
    slow.fit(features, labels)
    assert fast.converged_
    assert slow.converged_
    assert fast.iterations_ < slow.iterations_
    assert fast.loss_ == pytest.approx(slow.loss_, abs=1e-11)
    np.testing.assert_allclose(fast.weights_, slow.weights_, atol=1e-4)
    # The columns of W can move together without changing a prediction: the penalty holds them at 0.
    np.testing.assert_allclose(fast.weights_.sum(axis=1), 0, atol=1e-4)


def test_learns_recalls_and_repeats_to_the_bit():
    features, labels = problem(3)
    kept = features.copy()
    model = logistic.SoftmaxRegression(l2=0.1).fit(features, labels)
    assert (model.predict(features) == labels).mean() > 0.8
    probabilities = model.predict_proba(features)
    assert_close(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), model.predict(features))
    again = logistic.SoftmaxRegression(l2=0.1).fit(features, labels)
    np.testing.assert_array_equal(again.weights_, model.weights_)
    np.testing.assert_array_equal(features, kept)


def test_a_stronger_penalty_gives_smaller_weights_and_the_class_shares_in_the_end():
    features, labels = problem(2)
    labels = np.where(np.arange(60) < 45, 0, 1)
    sizes = [
        np.abs(logistic.SoftmaxRegression(l2=l2).fit(features, labels).weights_).sum()
        for l2 in (0.1, 10.0, 1000.0)
    ]
    assert sizes == sorted(sizes, reverse=True)
    flat = logistic.SoftmaxRegression(l2=1e9, tolerance=1e-9).fit(features, labels)
    np.testing.assert_allclose(flat.predict_proba(features), [[0.75, 0.25]] * 60, atol=1e-6)


def test_a_class_without_examples_is_possible_and_never_probable():
    features, labels = problem(2)
    model = logistic.SoftmaxRegression().fit(features, labels, classes=4)
    probabilities = model.predict_proba(features)
    assert probabilities.shape == (60, 4)
    assert probabilities[:, 2:].max() < 1e-3


def test_a_tie_goes_to_the_lowest_class():
    model = logistic.SoftmaxRegression()
    model.classes_ = np.arange(3)
    model.weights_, model.bias_ = np.zeros((2, 3)), np.array([0.0, 1.0, 1.0])
    np.testing.assert_array_equal(model.predict(np.ones((2, 2))), [1, 1])


X, Y = np.eye(4), np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("settings", "features", "labels", "classes", "message"),
    [
        ({"l2": -1.0}, X, Y, None, "l2 is -1.0"),
        ({"l2": math.nan}, X, Y, None, "l2 is nan"),
        ({"tolerance": math.inf}, X, Y, None, "tolerance is inf"),
        ({"max_iterations": 0}, X, Y, None, "max_iterations is 0"),
        ({"solver": "sgd"}, X, Y, None, "'sgd'; choose one of lbfgs, gd"),
        ({}, X[0], Y, None, r"shape \(4,\)"),
        ({}, np.where(X > 0, np.nan, X)[2:], Y[2:], None, "row 0 holds a NaN"),
        ({}, X, Y[:3], None, "each of 4 examples"),
        ({}, X, Y * 1.0, 2, "type float64"),
        ({}, X, ["a", "b", "a", "b"], 2, "number the classes"),
        ({}, [[1.0], [2.0, 3.0]], Y[:2], None, "rows of equal length"),
        ({"l2": "1"}, X, Y, None, "l2 is '1'"),
        ({}, X, Y * 0, None, "fewer than two classes"),
        ({}, X[:0], Y[:0], None, "fewer than two classes"),
        ({}, X, Y - 1, 1, r"-1 ... 0; they must be in 0 ... 0"),
        ({}, X, Y + 1, 2, r"1 ... 2; they must be in 0 ... 1"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(settings, features, labels, classes, message):
    with pytest.raises(OptionError, match=message) as caught:
        logistic.SoftmaxRegression(**settings).fit(features, labels, classes=classes)
    assert "\n" not in str(caught.value)


def test_predicting_from_another_width_is_refused():
    model = logistic.SoftmaxRegression().fit(X, Y)
    with pytest.raises(OptionError, match="3 columns; the model was fitted with 4"):
        model.predict(X[:, :3])


@pytest.mark.peers
@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("l2", [0.1, 1.0, 20.0])
def test_optimum_equals_scikit_learns(peer, classes, l2, solver):
    linear_model = peer("sklearn.linear_model")
    features, labels = problem(classes)
    ours = logistic.SoftmaxRegression(l2=l2, solver=solver, max_iterations=20_000)
    ours.fit(features, labels)
    theirs = linear_model.LogisticRegression(C=(2 if classes == 2 else 1) / l2, tol=1e-10)
    theirs.fit(features, labels)
    if classes == 2:
        weights, bias = theirs.coef_.T * [[-0.5, 0.5]], theirs.intercept_ * [-0.5, 0.5]
    else:
        weights, bias = theirs.coef_.T, theirs.intercept_
    loss, _, _ = logistic.loss_and_gradient(weights, bias, features, labels, l2)
    assert ours.converged_
    assert ours.loss_ == pytest.approx(loss, abs=1e-7)
    np.testing.assert_allclose(ours.weights_, weights, atol=1e-2)
    np.testing.assert_allclose(
        ours.predict_proba(features), theirs.predict_proba(features), atol=1e-3
    )
