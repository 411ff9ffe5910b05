"""Generic suspicions, on results that no named wrong answer gives."""

import numpy as np
import pytest

from minilm.course import cases, kinds, suspects
from minilm.embeddings.sparse import SparseMatrix
from minilm.nn import functional as F


@pytest.fixture
def case(rng):
    arguments = {
        "x": rng.standard_normal((2, 5, 3)),
        "weight": rng.standard_normal((3, 4)),
        "bias": rng.standard_normal(4),
    }
    return cases.Gradient("linear_backward", F.linear, arguments, rng=rng)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def suspicion(case, name, change):
    expected = cases.run(case, F.linear_backward).results
    actual = dict(expected)
    actual[name] = change(expected[name])

    def again(inputs):
        return dict(zip(expected, F.linear_backward(**inputs), strict=True))

    return suspects.suspect(name, expected, actual, case, again)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("dweight", lambda a: -a, "the sign"),
        ("dweight", lambda a: a.T, "a missing transpose"),
        ("dbias", lambda a: a / 10, "(1/10; 10 is the number of rows of x)"),
        ("dx", lambda a: a * np.sqrt(3), "(the root of 3; 3 is the length of the last axis of x)"),
        ("dx", lambda a: a + 0.5, "a constant too much: each entry is off by 0.5"),
        ("dbias", lambda a: a[None], "the right numbers in the wrong shape"),
        ("dbias", lambda a: np.stack([a / 2, a / 2]), "a missing sum: add it up over axis 0"),
    ],
)
def test_usual_suspects(case, name, change, said):
    assert said in suspicion(case, name, change)


def test_the_last_part_in_place_of_the_sum(case):
    last = case.inputs["dy"].reshape(-1, 4)[-1]
    assert "assignment in place of accumulation" in suspicion(case, "dbias", lambda _: last)


def test_counts_that_were_assigned(rng):
    case = cases.Call("count", {})
    right, wrong = {"counts": np.array([0, 3, 1])}, {"counts": np.array([0, 1, 1])}
    found = suspects.suspect("counts", right, wrong, case, lambda inputs: right)
    assert "assignment in place of accumulation" in found


def test_results_in_another_order(rng):
    right = {"da": rng.standard_normal(3), "db": rng.standard_normal(3)}
    wrong = {"da": right["db"], "db": right["da"]}
    found = suspects.suspect("da", right, wrong, cases.Call("f", {}), lambda inputs: right)
    assert found == "this is db: the order of the results."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: 0 * a, "zero everywhere"),
        (lambda a: a * np.nan, "NaN comes from"),
        (lambda a: a * (1 + 1e-5), "nearly right"),
        (lambda a: a * 1.2345, "a constant factor: it is 1.2345"),
        (lambda a: a[::-1], "the right rows in a different order"),
        (lambda a: a.swapaxes(0, 1).reshape(a.shape), "the right numbers in the wrong places"),
    ],
)
def test_vague_suspicions(case, change, said):
    right = {"dx": cases.run(case, F.linear_backward).results["dx"]}
    wrong = {"dx": change(right["dx"])}
    assert said in suspects.vague("dx", right, wrong, case, lambda inputs: right)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ([1, 2], {1, 2}, "a set has no order"),
        ([1, 2], (i for i in (1, 2)), "makes a generator"),
        ([1, 2], (1, 2), "in a tuple; it must be a list"),
        ([(1, 0.5)], [1], "each item must be a tuple of 2"),
        (np.ones(2), [1.0, 1.0], "np.array or np.stack"),
        (1.5, 1, "write 1.0, not 1"),
        ("Yes", "yes", "upper and lower case differ"),
        (b"ab", "ab", ".encode()"),
        ("better", True, "True or False"),
        ({"a": 1}, [1], "the names are missing"),
        ([1, 2], [1, 2], None),
    ],
)
def test_the_kind_of_thing(right, wrong, said):
    case = cases.Call("f", {})
    found = suspects.suspect("a", {"a": right}, {"a": wrong}, case, lambda inputs: {"a": right})
    assert found is None if said is None else said in found


def test_what_has_no_entries_or_too_many(rng):
    case = cases.Call("f", {})

    def found(right, wrong, look=suspects.suspect):
        return look("a", {"a": right}, {"a": wrong}, case, lambda inputs: {"a": right})

    assert "np.array([]) has one axis" in found(np.zeros((0, 3)), np.zeros(0))
    assert found(np.zeros((0, 3)), np.zeros((0, 3))) is None
    assert "one number is needed" in found(np.float64(2.5), rng.standard_normal(4))
    extra = found([1, 2], [1, 9, 2], suspects.vague)
    assert extra == "all right items are there, and others that do not belong: 9."
    assert found([1, 2], [2, 9, 1], suspects.vague) is None


def test_keys_out_of_order():
    right = SparseMatrix(np.array([1, 2]), np.array([5, 7]), 2)
    wrong = SparseMatrix(np.array([2, 1]), np.array([7, 5]), 2)
    found = suspects.suspect("a", {"a": right}, {"a": wrong}, cases.Call("f", {}), lambda i: {})
    assert "ascending order" in found


def test_what_was_never_filled(rng):
    right = {"a": rng.standard_normal((4, 3))}
    wrong = {"a": right["a"] * np.array([[1], [1], [0], [0]])}
    found = suspects.suspect("a", right, wrong, cases.Call("f", {}), lambda inputs: right)
    assert found.startswith("what is at 2, 3 along axis 0 was never filled in")


def test_another_length(rng):
    case = cases.Call("f", {"x": rng.standard_normal((4, 3))})
    found = suspects.suspect("n", {"n": 4}, {"n": 3}, case, lambda inputs: {"n": 4})
    assert found == "this is the length of axis 1 of x; that of axis 0 of x is needed."


def test_nothing_is_said_of_noise(case, rng):
    assert suspicion(case, "dx", lambda a: a + rng.standard_normal(a.shape)) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([[3], [1, 2], [3]], "the last item is missing"),
        ([[5], [3], [1, 2], [3]], "the right items in reverse order"),
        ([[3], [1, 2], [5]], "repetitions are missing"),
        ([[4], [1, 2], [3]], None),
    ],
)
def test_lists_of_arrays_are_compared_item_by_item(wrong, said):
    right = [np.array(item) for item in ([3], [1, 2], [3], [5])]
    found = kinds.of_lists(right, [np.array(item) for item in wrong])
    assert found is None if said is None else found.startswith(said)
