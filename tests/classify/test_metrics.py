"""Scores of classifiers: worked by hand, and next to scikit-learn's."""

import numpy as np
import pytest
from closeness import assert_close

from minilm.classify import metrics
from minilm.errors import OptionError

TRUTH = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 2, 1])


def test_confusion_matrix_worked_by_hand():
    assert metrics.confusion_matrix(TRUTH, PREDICTED, 4).tolist() == [
        [2, 1, 0, 0],
        [0, 1, 1, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 0],
    ]


def test_class_scores_worked_by_hand():
    scores = metrics.class_scores(metrics.confusion_matrix(TRUTH, PREDICTED, 4))
    assert_close(scores.precision, [1, 1 / 3, 0, 0])
    assert_close(scores.recall, [2 / 3, 1 / 2, 0, 0])
    assert_close(scores.f1, [4 / 5, 2 / 5, 0, 0])
    assert scores.support.tolist() == [3, 2, 1, 0]


def test_macro_f1_worked_by_hand():
    expected = (4 / 5 + 2 / 5 + 0) / 3
    assert metrics.macro_f1(TRUTH, PREDICTED, 3) == pytest.approx(expected, rel=1e-15)
    assert metrics.macro_f1(TRUTH, PREDICTED, 4) == pytest.approx(expected * 3 / 4, rel=1e-15)


def test_calibration_worked_by_hand():
    # Confidences 0.6 (right), 0.8 (wrong), 0.7 (right), 1.0 (right); of four bins the upper two.
    probabilities = np.array([[0.6, 0.4], [0.2, 0.8], [0.7, 0.3], [0.0, 1.0]])
    found = metrics.calibration(probabilities, np.array([0, 0, 0, 1]), bins=4)
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.counts.tolist() == [0, 0, 2, 2]
    assert_close(found.confidence, [0, 0, 0.65, 0.9])
    assert_close(found.accuracy, [0, 0, 1, 0.5])
    assert found.expected_error == pytest.approx(0.5 * 0.35 + 0.5 * 0.4)


def test_a_confidence_on_an_edge_is_in_the_bin_below():
    found = metrics.calibration(np.array([[0.5, 0.5]]), np.array([0]), bins=2)
    assert found.counts.tolist() == [1, 0]


def test_confident_mistakes_come_surest_first():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])
    truth = np.array([1, 1, 1, 0])
    assert metrics.confident_mistakes(probabilities, truth, 2) == [(1, 0), (3, 1)]
    assert metrics.confident_mistakes(probabilities, probabilities.argmax(axis=1), 2) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.macro_f1(np.array([0]), np.array([0, 1]), 2), "1 labels and 2"),
        (lambda: metrics.macro_f1(np.array([0]), np.array([2]), 2), r"in 0 \.\.\. 1"),
        (lambda: metrics.calibration(np.ones((1, 2)), np.zeros(2, int)), "1 predictions for 2"),
        (lambda: metrics.calibration(np.ones((0, 2)), np.zeros(0, int)), "1 or more of each"),
        (lambda: metrics.calibration(np.ones((1, 2)), np.zeros(1, int), bins=0), "in 0 bins"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(call, message):
    with pytest.raises(OptionError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.peers
@pytest.mark.parametrize("classes", [2, 5])
def test_scores_equal_scikit_learns(peer, classes):
    sklearn = peer("sklearn.metrics")
    truth, predicted = np.random.default_rng(17).integers(classes, size=(2, 30))
    labels = range(classes)
    confusion = metrics.confusion_matrix(truth, predicted, classes)
    assert (confusion == sklearn.confusion_matrix(truth, predicted, labels=labels)).all()
    scores = metrics.class_scores(confusion)
    theirs = sklearn.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    for own, expected in zip(
        (scores.precision, scores.recall, scores.f1, scores.support), theirs, strict=True
    ):
        assert_close(own, expected, rtol=1e-12)
    macro = sklearn.f1_score(truth, predicted, labels=labels, average="macro", zero_division=0)
    assert metrics.macro_f1(truth, predicted, classes) == pytest.approx(macro, rel=1e-12)
    default = sklearn.f1_score(truth, predicted, average="macro", zero_division=0)
    assert metrics.macro_f1_of_present(confusion) == pytest.approx(default, rel=1e-12)


@pytest.mark.peers
def test_reliability_equals_scikit_learns(peer):
    curve = peer("sklearn.calibration").calibration_curve
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet(np.ones(3), 200)
    truth = rng.integers(3, size=200)
    found = metrics.calibration(probabilities, truth)
    is_right = probabilities.argmax(axis=1) == truth
    accuracy, confidence = curve(is_right, probabilities.max(axis=1), n_bins=metrics.BINS)
    filled = found.counts > 0
    assert_close(found.accuracy[filled], accuracy, rtol=1e-12)
    assert_close(found.confidence[filled], confidence, rtol=1e-12)
    error = np.average(np.abs(accuracy - confidence), weights=found.counts[filled])
    assert found.expected_error == pytest.approx(error, rel=1e-12)


def test_reprs_tell_the_sizes_and_the_main_figure():
    scores = metrics.class_scores(np.array([[1, 1], [0, 2]]))
    assert repr(scores) == "ClassScores(2 classes, macro-F1 0.733)"
    found = metrics.calibration(np.array([[0.9, 0.1], [0.85, 0.15]]), np.array([0, 1]), bins=5)
    assert repr(found) == "Calibration(5 bins, 2 examples, expected error 0.375)"
