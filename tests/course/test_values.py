"""What functions give back, compared: the first thing that is wrong, in words."""

import numpy as np
import pytest

from minilm.course import values
from minilm.embeddings.sparse import SparseMatrix


def sparse(keys, entries, size=2):
    return SparseMatrix(np.array(keys, np.int64), np.array(entries), size)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (np.array([1.0, 0.0]), np.array([1.0, 1e-13])),
        (np.array([1e8, 1.0]), np.array([1e8, 1.0 + 1e-8])),
        (np.array([np.inf, 1.0]), np.array([np.inf, 1.0])),
        (3.0, 3.0 + 1e-9),
        (3.0, np.float64(3.0)),
        (np.float64(3.0), 3.0),
        (3, np.int64(3)),
        ("word", "word"),
        (None, None),
        (["a", (1, 0.5)], ["a", (1, 0.5)]),
        ({"a": 1}, {"a": 1}),
        (sparse([1, 2], [5, 7]), sparse([1, 2], [5, 7])),
    ],
)
def test_what_is_right(expected, actual):
    assert values.difference(expected, actual, 1e-7) is None
    assert values.same(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual", "kind", "text"),
    [
        (np.ones(2), [1.0, 1.0], "structure", "is a list of 2, expected an array of shape (2,)"),
        (np.ones(2), np.ones(3), "structure", "has shape (3,), expected (2,)"),
        (np.ones(2), np.ones(2, "f4"), "dtype", "has dtype float32, expected float64"),
        (np.ones(2), np.ones(2, object), "structure", "has dtype object, expected float64"),
        (np.ones(2), None, "structure", "is None, expected an array"),
        (np.ones(2), np.array([1.0, np.inf]), "finite", "at 1 of 2 entries; first [1]: inf"),
        (np.ones(2), np.array([1.0, 1.1]), "value", "yours 1.1, expected 1"),
        (np.ones(2), np.array([1.0, 1 + 1e-6]), "value", "yours 1.000001, expected 1"),
        (np.array([1, 2]), np.array([1, 3]), "value", "worst [1]: yours 3, expected 2"),
        (1.0, 1, "structure", "is an int, expected a float"),
        (1, 1.0, "structure", "is a float, expected an int"),
        (1.0, float("nan"), "finite", "is not finite: nan"),
        (2, 3, "value", "is wrong: yours 3, expected 2"),
        ("a", "b", "value", "is wrong: yours 'b', expected 'a'"),
        (["a"], ("a",), "structure", "is a tuple of 1, expected a list of 1"),
        (["a", "b"], ["a"], "value", "has 1 entries, expected 2: 'b' is missing"),
        (["a"], ["a", "b"], "value", "has 2 entries, expected 1: 'b' is too many"),
        ([(1, 0.5)], [(1, 0.6)], "value", "0.6, expected 0.5"),
        ({"a": 1}, {"b": 1}, "value", "has 'b', which should not be there"),
        ({"a": 1}, {}, "value", "lacks 'a'"),
        (sparse([1], [5]), np.zeros((2, 2)), "structure", "expected a SparseMatrix"),
        (
            sparse([1, 2], [5, 7]),
            sparse([2, 1], [7, 5]),
            "structure",
            "keys that are not in ascending",
        ),
        (sparse([1, 2], [5, 7]), sparse([1, 2], [5]), "structure", "one integer key for each"),
        (sparse([1], [5]), sparse([1], [5], 3), "structure", "has size 3, expected 2"),
        (sparse([1], [5]), sparse([9], [5]), "structure", "has a key outside 0 to 3"),
        (sparse([1], [5]), sparse([1, 2], [5, 0]), "structure", "stores zeros"),
        (sparse([1], [5]), sparse([1], [6]), "value", "worst [0, 1]: yours 6, expected 5"),
    ],
)
def test_what_is_wrong(expected, actual, kind, text):
    found = values.difference(expected, actual, 1e-7)
    assert found.kind == kind
    assert text in found.text
    assert not values.same(expected, actual, 1e-7)


def test_broken_sparse_matrices_are_compared_without_an_error():
    broken = sparse([1, 2, 3], [5, 7])
    assert values.same(broken, sparse([1, 2, 3], [5, 7]))
    assert not values.same(broken, sparse([1, 2], [5, 7]))


def test_an_object_that_cannot_be_looked_at_is_said():
    class Bad:
        def __eq__(self, other):
            raise RuntimeError("do not look")

        __hash__ = None

    bad = Bad()
    found = values.difference(bad, Bad(), 1e-7)
    assert found.text == "cannot be compared with what is expected (RuntimeError: do not look)"


def test_nan_is_the_same_as_nan_when_answers_are_compared():
    assert values.same(np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))
    assert not values.same(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))
    assert values.same(float("nan"), float("nan"))
