"""Generic suspicions, on results that no named wrong answer gives."""

import numpy as np
import pytest

from minilm.course import cases, suspects
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
        ("dx", lambda a: 0 * a, "zero everywhere"),
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
    found = suspects._of_lists(right, [np.array(item) for item in wrong])
    assert found is None if said is None else found.startswith(said)
