"""Optimizers against their formulas, chunked against whole, schedules, resuming."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from closeness import assert_close

from minilm.errors import OptionError
from minilm.nn import optim
from minilm.nn.parameters import FlatStore, Parameters

SHAPES = {"a.weight": (3, 5), "a.bias": (5,), "b.weight": (4, 2), "b.bias": (2,)}


def store(seed: int) -> Parameters:
    parameters = Parameters(SHAPES, np.float64)
    parameters.flat[:] = np.random.default_rng(seed).standard_normal(parameters.flat.size)
    return parameters


def gradient_for(parameters: Parameters, seed: int) -> FlatStore:
    gradient = parameters.new_gradient()
    gradient.flat[:] = np.random.default_rng(seed).standard_normal(gradient.flat.size)
    return gradient


def test_adamw_follows_the_algorithm_with_decay_on_matrices_only() -> None:
    parameters = store(0)
    expected = {name: value.copy() for name, value in parameters.items()}
    mean = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    square = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    optimizer = optim.AdamW(parameters, betas=(0.8, 0.95), epsilon=1e-3, weight_decay=0.1)
    for step in range(1, 6):
        gradient = gradient_for(parameters, step)
        optimizer.update(gradient, learning_rate=0.01 * step)
        for name, p in expected.items():
            decay = 0.1 if p.ndim == 2 else 0.0
            mean[name] = 0.8 * mean[name] + 0.2 * gradient[name]
            square[name] = 0.95 * square[name] + 0.05 * gradient[name] ** 2
            corrected = mean[name] / (1 - 0.8**step)
            root = np.sqrt(square[name] / (1 - 0.95**step))
            expected[name] = p - 0.01 * step * (decay * p + corrected / (root + 1e-3))
    for name, p in expected.items():
        assert_close(parameters[name], p, rtol=1e-12)


def test_sgd_follows_the_algorithm() -> None:
    parameters = store(0)
    expected = {name: value.copy() for name, value in parameters.items()}
    velocity = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    optimizer = optim.SGD(parameters, momentum=0.7, weight_decay=0.1)
    for step in range(4):
        gradient = gradient_for(parameters, step)
        optimizer.update(gradient, learning_rate=0.05, scale=0.5)
        for name, p in expected.items():
            velocity[name] = 0.7 * velocity[name] + 0.5 * gradient[name]
            decay = 0.1 if p.ndim == 2 else 0.0
            expected[name] = p * (1 - 0.05 * decay) - 0.05 * velocity[name]
    for name, p in expected.items():
        assert_close(parameters[name], p, rtol=1e-12)


@pytest.mark.parametrize("kind", [optim.SGD, optim.AdamW])
def test_chunks_change_nothing(
    kind: type[optim.SGD] | type[optim.AdamW], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, chunked = store(0), store(0)
    one, other = kind(whole), kind(chunked)
    for step in range(3):
        gradient = gradient_for(whole, step)
        one.update(gradient, learning_rate=0.1)
        with monkeypatch.context() as patch:
            patch.setattr(optim, "CHUNK", 4)
            other.update(
                gradient,
                learning_rate=0.1,
                each=lambda function, items: [function(i) for i in reversed(items)] and None,
            )
    np.testing.assert_array_equal(whole.flat, chunked.flat)


def test_the_rules_leave_their_arguments_alone() -> None:
    arrays = [np.random.default_rng(s).random(5) for s in range(4)]
    kept = [a.copy() for a in arrays]
    optim.adamw(*arrays, step=2, learning_rate=0.1, weight_decay=0.1)
    optim.sgd(*arrays[:3], learning_rate=0.1, momentum=0.9)
    for array, copy in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_adamw_in_place_is_adamw() -> None:
    p, g, mean, square = (np.random.default_rng(s).random(5) for s in range(4))
    expected = optim.adamw(p, g, mean, square, step=3, learning_rate=0.1, weight_decay=0.2)
    optim.adamw_in_place(p, g, mean, square, step=3, learning_rate=0.1, weight_decay=0.2)
    for array, value in zip((p, mean, square), expected, strict=True):
        np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(dtype: type) -> None:
    arrays = [np.ones(5, dtype) for _ in range(4)]
    assert {a.dtype for a in optim.adamw(*arrays, step=1, learning_rate=0.1)} == {np.dtype(dtype)}
    moved = optim.sgd(*arrays[:3], learning_rate=0.1, momentum=0.9)
    assert {a.dtype for a in moved} == {np.dtype(dtype)}


def test_frozen_parameters_stay_and_take_no_state() -> None:
    parameters = store(0)
    parameters.freeze("a.*")
    before = parameters.flat.copy()
    optimizer = optim.AdamW(parameters)
    optimizer.update(gradient_for(parameters, 1), learning_rate=0.1)
    assert all(array.size == 10 for array in optimizer.state.values())
    for name in ("a.weight", "a.bias"):
        np.testing.assert_array_equal(
            parameters[name], before[parameters.slices[name]].reshape(SHAPES[name])
        )
    for name in ("b.weight", "b.bias"):
        assert (parameters[name].ravel() != before[parameters.slices[name]]).all()
    parameters.unfreeze("a.bias")
    with pytest.raises(OptionError, match="have changed since the optimizer was made"):
        optimizer.update(gradient_for(parameters, 1), learning_rate=0.1)


def test_a_run_is_taken_up_again_to_the_bit() -> None:
    whole, half = store(0), store(0)
    one, other = optim.AdamW(whole), optim.AdamW(half)
    for step in range(6):
        one.update(gradient_for(whole, step), learning_rate=0.1)
    for step in range(3):
        other.update(gradient_for(half, step), learning_rate=0.1)
    saved = {name: array.copy() for name, array in other.state.items()}
    fresh = optim.AdamW(half)
    fresh.load(saved, other.steps)
    for step in range(3, 6):
        fresh.update(gradient_for(half, step), learning_rate=0.1)
    np.testing.assert_array_equal(whole.flat, half.flat)
    with pytest.raises(OptionError, match="state mean is missing"):
        fresh.load({"mean": np.zeros(3), "square": np.zeros(3)}, 1)


def test_clipping_is_by_the_norm_of_the_whole_gradient() -> None:
    gradient = gradient_for(store(0), 1)
    norm = optim.global_norm(gradient)
    assert norm == pytest.approx(math.sqrt(sum(float((g * g).sum()) for g in gradient.values())))
    assert optim.clip_factor(norm, 0.5) == pytest.approx(0.5 / norm, rel=1e-5)
    assert optim.clip_factor(norm, 2 * norm) == 1.0
    assert optim.clip_factor(0.0, 1.0) == 1.0


def test_schedules() -> None:
    rates = [optim.warmup_decay(s, peak=2.0, warmup=4, total=12, floor=0.2) for s in range(14)]
    assert_close(rates[:5], [0.5, 1.0, 1.5, 2.0, 2.0])
    assert rates[8] == pytest.approx(1.1)
    assert rates[12] == rates[13] == pytest.approx(0.2)
    assert all(a > b for a, b in itertools.pairwise(rates[4:13]))
    assert optim.warmup_decay(0, peak=1.0, warmup=0, total=1) == 1.0
    assert optim.warmup_decay(9, peak=1.0, warmup=0, total=10, shape="constant") == 1.0
    with pytest.raises(OptionError, match="the schedule is 'sine'; choose"):
        optim.warmup_decay(5, peak=1.0, warmup=0, total=10, shape="sine")


def test_learning_rates_differ_by_name() -> None:
    parameters = Parameters({"a": (2, 3), "b": (3, 2), "c": (4,)}, np.float64)
    gradient = parameters.new_gradient()
    gradient.flat[:] = 1.0
    optim.AdamW(parameters, weight_decay=0.0, factors={"b": 0.5, "c": 0.0}).update(
        gradient, learning_rate=0.1
    )
    # The first step has the length of the learning rate.
    assert_close(parameters["a"], -0.1, rtol=1e-6)
    assert_close(parameters["b"], -0.05, rtol=1e-6)
    np.testing.assert_array_equal(parameters["c"], 0.0)


def test_neighbors_are_one_segment_only_if_they_are_treated_alike() -> None:
    parameters = Parameters({"a": (2, 3), "b": (3, 2), "c": (4,), "d": (1,)}, np.float64)
    assert [s.parameters for s in parameters.segments()] == [slice(0, 12), slice(12, 17)]
    found = parameters.segments({"b": 0.5, "c": 0.25, "d": 0.25})
    assert [(s.parameters, s.matrices, s.factor) for s in found] == [
        (slice(0, 6), True, 1.0),
        (slice(6, 12), True, 0.5),
        (slice(12, 17), False, 0.25),
    ]
