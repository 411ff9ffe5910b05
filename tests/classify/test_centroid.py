"""Nearest centroid: means, directions, ties and zero vectors."""

from __future__ import annotations

import numpy as np
import pytest

from minilm.classify import centroid
from minilm.errors import OptionError


def slow_predict(features, labels, queries) -> list[int]:
    """One cosine at a time; the first of equal ones wins."""
    answers = []
    for query in queries:
        best, best_cosine = -1, -np.inf
        for label in sorted(set(labels.tolist())):
            mean = sum(x for x, y in zip(features, labels, strict=True) if y == label)
            cosine = query @ mean / np.sqrt((query @ query) * (mean @ mean))
            if cosine > best_cosine:
                best, best_cosine = label, cosine
        answers.append(best)
    return answers


def test_equals_the_slow_version_with_labels_that_have_gaps():
    rng = np.random.default_rng(0)
    features, labels = rng.standard_normal((40, 6)), rng.choice([0, 2, 5], size=40)
    queries = rng.standard_normal((50, 6))
    model = centroid.NearestCentroid().fit(features, labels)
    np.testing.assert_array_equal(model.classes_, [0, 2, 5])
    predicted = model.predict(queries)
    np.testing.assert_array_equal(predicted, slow_predict(features, labels, queries))
    assert len(set(predicted.tolist())) == 3


def test_direction_decides_and_length_does_not():
    model = centroid.NearestCentroid().fit(np.array([[100.0, 0.0], [0.0, 0.01]]), np.array([0, 1]))
    np.testing.assert_array_equal(model.predict(np.array([[1.0, 2.0], [2e-9, 1e-9]])), [1, 0])


def test_ties_and_zero_rows_go_to_the_lowest_class():
    model = centroid.NearestCentroid().fit(np.eye(2), np.array([1, 0]))
    np.testing.assert_array_equal(model.predict(np.array([[3.0, 3.0], [0.0, 0.0]])), [0, 0])


def test_centroids_of_one_direction_tie_despite_rounding():
    direction = np.random.default_rng(1).standard_normal(50)
    scales = np.array([[3.0], [0.7], [11.0]])
    model = centroid.NearestCentroid().fit(scales * direction, np.array([2, 1, 0]))
    queries = np.random.default_rng(2).standard_normal((200, 50))
    np.testing.assert_array_equal(model.predict(queries), np.zeros(200))


def test_a_class_whose_mean_is_zero_has_cosine_zero():
    features = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    model = centroid.NearestCentroid().fit(features, np.array([0, 0, 1]))
    np.testing.assert_array_equal(model.predict(np.array([[0.0, 1.0], [0.0, -1.0]])), [1, 0])


def test_misuse_is_refused():
    with pytest.raises(OptionError, match="fewer than two classes"):
        centroid.NearestCentroid().fit(np.eye(2), np.array([0, 0]))
    model = centroid.NearestCentroid().fit(np.eye(2), np.array([0, 1]))
    with pytest.raises(OptionError, match="3 columns"):
        model.predict(np.eye(3))
