"""The checker itself: it passes what is right and finds each way of being wrong."""

from __future__ import annotations

import numpy as np
import pytest

from minilm.errors import OptionError
from minilm.nn import gradcheck


def cubic(x: np.ndarray, a: np.ndarray) -> float:
    return float((a[:, None] * x * x * x).sum())


@pytest.fixture
def point() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"x": rng.standard_normal((3, 4)), "a": rng.standard_normal(3)}


def right(x: np.ndarray, a: np.ndarray) -> dict[str, np.ndarray]:
    return {"x": 3 * a[:, None] * x * x, "a": (x * x * x).sum(axis=1)}


def test_right_gradients_pass_with_room_to_spare(point: dict[str, np.ndarray]) -> None:
    gradients = right(**point)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert gradcheck.directional_error(cubic, point, gradients, rng=rng) < 1e-11
    assert gradcheck.element_errors(cubic, point, gradients, tolerance=1e-10) == []


@pytest.mark.parametrize("factor", [-1.0, 2.0, 1 + 1e-5, 0.0])
def test_a_wrong_factor_is_found(point: dict[str, np.ndarray], factor: float) -> None:
    gradients = right(**point)
    gradients["x"] = gradients["x"] * factor
    errors = [
        gradcheck.directional_error(cubic, point, gradients, rng=np.random.default_rng(seed))
        for seed in range(5)
    ]
    assert max(errors) > 1e-7


def test_one_wrong_entry_is_named(point: dict[str, np.ndarray]) -> None:
    gradients = right(**point)
    gradients["x"][2, 1] += 0.5
    (found,) = gradcheck.element_errors(cubic, point, gradients)
    assert (found.argument, found.index) == ("x", (2, 1))
    assert found.given - found.measured == pytest.approx(0.5, rel=1e-6)
    assert str(found).startswith("dx[2, 1] is ")


def test_nan_is_a_mismatch_and_comes_first(point: dict[str, np.ndarray]) -> None:
    gradients = right(**point)
    gradients["x"][0, 0] += 100.0
    gradients["a"][1] = np.nan
    found = gradcheck.element_errors(cubic, point, gradients)
    assert [(m.argument, m.index) for m in found] == [("a", (1,)), ("x", (0, 0))]
    error = gradcheck.directional_error(cubic, point, gradients, rng=np.random.default_rng(1))
    assert not error < 1e-7


def test_samples_are_drawn_without_repeating(point: dict[str, np.ndarray]) -> None:
    wrong = {name: value + 1.0 for name, value in right(**point).items()}
    found = gradcheck.element_errors(
        cubic, point, wrong, samples=2, rng=np.random.default_rng(0), tolerance=0.0
    )
    assert sorted(m.argument for m in found) == ["a", "a", "x", "x"]
    with pytest.raises(OptionError, match="needs rng"):
        gradcheck.element_errors(cubic, point, wrong, samples=2)


def test_misuse_is_one_line(point: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    single = {name: value.astype(np.float32) for name, value in point.items()}
    with pytest.raises(OptionError, match="x is float32"):
        gradcheck.directional_error(cubic, single, right(**point), rng=rng)
    with pytest.raises(OptionError, match="dx has shape"):
        gradcheck.directional_error(cubic, point, {"x": np.zeros(3)}, rng=rng)
    with pytest.raises(OptionError, match="is not an argument"):
        gradcheck.element_errors(cubic, point, {"y": np.zeros(3)})
