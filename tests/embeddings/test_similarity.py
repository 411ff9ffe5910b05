"""Cosines, neighbors, analogies and groups on vectors that can be checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from closeness import assert_close

from minilm.embeddings import similarity
from minilm.errors import OptionError
from minilm.text.words import Vocabulary


def slow_cosine(a: np.ndarray, b: np.ndarray) -> float:
    length = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / length if length else 0.0


def test_cosine_equals_the_loop_and_zero_vectors_give_zero(monkeypatch):
    monkeypatch.setattr(similarity, "_BLOCK_ROWS", 3)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((4, 6)), rng.standard_normal((8, 6))
    a[1] = 0
    b[7] = 0
    expected = [[slow_cosine(x, y) for y in b] for x in a]
    cosines = similarity.cosine(a, b)
    np.testing.assert_allclose(cosines, expected, atol=1e-15)
    assert (cosines[1] == 0).all()
    assert (cosines[:, 7] == 0).all()


def test_cosine_of_a_vector_with_itself_is_never_above_one():
    vectors = np.random.default_rng(1).standard_normal((500, 3)).astype(np.float32)
    assert similarity.cosine(vectors, vectors).max() <= 1.0


def test_unit_rows_keep_dtype_and_zero_rows():
    rows = similarity.unit_rows(np.array([[3, 4], [0, 0]], np.float32))
    assert rows.dtype == np.float32
    assert_close(rows, [[0.6, 0.8], [0, 0]], rtol=1e-7)


def test_nearest_breaks_ties_by_id_and_leaves_out():
    vectors = np.array([[1.0, 1.0], [2.0, 2.0], [1.0, 0.0], [0.5, 0.5], [0.0, 0.0]])
    hits = similarity.nearest(np.array([3.0, 3.0]), vectors, top=10, exclude=[1])
    assert hits == [(0, 1.0), (3, 1.0), (2, 0.707107), (4, 0.0)]
    assert similarity.neighbors(3, vectors, top=2) == [(0, 1.0), (1, 1.0)]


def test_nearest_words_put_the_rarer_word_first_then_the_alphabet():
    vocabulary = Vocabulary(["of", "pear", "fig", "plum", "root"], [50, 4, 2, 2, 2])
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    assert similarity.nearest_words("pear", vocabulary, vectors, top=3) == [
        ("fig", 1.0),
        ("plum", 1.0),
        ("of", 1.0),
    ]


def test_analogy():
    # The first axis is royal, the second female: man, king, woman, queen, apple.
    vectors = np.array([[0.1, 0.0], [1.0, 0.0], [0.1, 1.0], [0.9, 0.9], [-1.0, 0.2]])
    vectors = np.hstack([vectors, [[1.0], [1.0], [1.0], [1.0], [0.0]]])
    hits = similarity.analogy(0, 1, 2, vectors, top=2)
    assert [word for word, _ in hits] == [3, 4]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert hits[0][1] == pytest.approx(
        slow_cosine(unit[1] - unit[0] + unit[2], vectors[3]), abs=1e-6
    )


def test_group_similarity_equals_the_loops():
    vectors = np.random.default_rng(2).standard_normal((9, 4))
    groups = {"a": [0, 3, 4], "b": [1, 2], "lone": [8]}
    result = similarity.group_similarity(groups, vectors)
    assert list(result.within) == ["a", "b"]
    pairs = [(0, 3), (0, 4), (3, 4)]
    expected = sum(slow_cosine(vectors[i], vectors[j]) for i, j in pairs) / 3
    assert result.within["a"] == pytest.approx(expected, abs=1e-12)
    assert list(result.between) == [("a", "b"), ("a", "lone"), ("b", "lone")]
    expected = sum(slow_cosine(vectors[i], vectors[j]) for i in (0, 3, 4) for j in (1, 2)) / 6
    assert result.between["a", "b"] == pytest.approx(expected, abs=1e-12)


def test_an_empty_group_is_refused():
    with pytest.raises(OptionError, match="the group 'none' is empty"):
        similarity.group_similarity({"none": []}, np.eye(2))
