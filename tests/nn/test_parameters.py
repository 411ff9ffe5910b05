"""The flat store: one array, named views, what is trained and where it lies."""

from __future__ import annotations

import copy
import itertools
import math

import numpy as np
import pytest

from minilm.errors import OptionError
from minilm.nn.config import SIZES, GPTConfig
from minilm.nn.parameters import FlatStore, Parameters, param_shapes

CONFIG = GPTConfig(50, 8, 12, 2, 3)


@pytest.fixture
def parameters() -> Parameters:
    store = Parameters(param_shapes(CONFIG), np.float64)
    store.flat[:] = np.arange(store.flat.size)
    return store


def test_every_view_lies_in_the_flat_array_and_together_they_are_all_of_it(
    parameters: Parameters,
) -> None:
    seen = np.concatenate([parameters[name].ravel() for name in parameters])
    np.testing.assert_array_equal(seen, parameters.flat)
    for name, shape in param_shapes(CONFIG).items():
        assert parameters[name].shape == shape
        assert parameters[name].base is parameters.flat
    parameters["h.1.mlp.c_fc.bias"][3] = -5.0
    assert parameters.flat[parameters.slices["h.1.mlp.c_fc.bias"]][3] == -5.0


def test_matrices_come_first(parameters: Parameters) -> None:
    dimensions = [parameters[name].ndim for name in parameters]
    assert dimensions == sorted(dimensions, reverse=True)
    assert parameters.matrices == sum(v.size for v in parameters.values() if v.ndim == 2)


@pytest.mark.parametrize(
    ("size", "count"),
    [("kata", 134_912), ("class", 1_063_680), ("large", 5_820_416), ("gpt2", 124_439_808)],
)
def test_counts(size: str, count: int) -> None:
    shapes = param_shapes(SIZES[size].config)
    assert sum(math.prod(shape) for shape in shapes.values()) == count


def test_freezing_by_pattern(parameters: Parameters) -> None:
    assert parameters.count_trainable() == parameters.count() == parameters.flat.size
    parameters.freeze("*")
    assert parameters.trainable == frozenset()
    assert parameters.segments() == []
    parameters.unfreeze("h.1.*", "ln_f.*")
    assert "h.1.attn.c_attn.weight" in parameters.trainable
    assert not any(name.startswith("h.0.") for name in parameters.trainable)
    assert parameters.count_trainable() == sum(parameters[n].size for n in parameters.trainable)
    with pytest.raises(OptionError, match="no parameter is named 'layers"):
        parameters.freeze("layers.*")


@pytest.mark.parametrize("patterns", [("*",), ("h.1.*",), ("wpe.*", "*.bias"), ("h.0.mlp.*",)])
def test_segments_cover_what_is_trained_and_nothing_else(
    parameters: Parameters, patterns: tuple[str, ...]
) -> None:
    parameters.freeze("*")
    parameters.unfreeze(*patterns)
    gradient = parameters.new_gradient()
    for name in gradient:
        gradient[name][...] = parameters[name]
    segments = parameters.segments()
    assert segments[0].gradient.start == 0
    assert segments[-1].gradient.stop == gradient.flat.size == parameters.count_trainable()
    for segment in segments:
        np.testing.assert_array_equal(
            parameters.flat[segment.parameters], gradient.flat[segment.gradient]
        )
        assert segment.matrices == (segment.parameters.stop <= parameters.matrices)
    for one, other in itertools.pairwise(segments):
        assert one.gradient.stop == other.gradient.start
        assert one.parameters.stop < other.parameters.start or one.matrices != other.matrices


def test_all_trainable_are_two_segments(parameters: Parameters) -> None:
    assert [segment.matrices for segment in parameters.segments()] == [True, False]


def test_extending_copies_and_keeps_what_is_frozen(parameters: Parameters) -> None:
    parameters.freeze("wte.weight")
    larger = parameters.extended({"score.weight": (2, 12)})
    for name, value in parameters.items():
        np.testing.assert_array_equal(larger[name], value)
    assert larger["score.weight"].shape == (2, 12)
    assert larger.trainable == parameters.trainable | {"score.weight"}
    larger["wte.weight"][0] = 99.0
    assert parameters["wte.weight"][0, 0] == 0.0
    with pytest.raises(OptionError, match=r"wte\.weight exists already"):
        parameters.extended({"wte.weight": (2, 2)})


def test_not_finite_names_the_first_place(parameters: Parameters) -> None:
    assert parameters.not_finite() is None
    parameters["ln_f.bias"][2] = np.inf
    assert parameters.not_finite() == "ln_f.bias[2] is inf"
    parameters["h.0.mlp.c_fc.weight"][1, 7] = np.nan
    assert parameters.not_finite() == "h.0.mlp.c_fc.weight[1, 7] is nan"


def test_adding_up_goes_in_order() -> None:
    store = FlatStore({"w": (1,)}, np.float32)
    parts = [{"w": np.array([x], np.float32)} for x in (1e8, -1e8, 1.0)]
    store.add_up("w", parts)
    assert store["w"][0] == 1.0
    store.add_up("w", [parts[2], parts[0], parts[1]])
    assert store["w"][0] == 0.0


def test_a_copy_has_views_of_its_own_flat_array(parameters: Parameters) -> None:
    parameters.freeze("wte.*")
    other = copy.deepcopy(parameters)  # as another process gets it too
    other.flat[:] += 1
    for name, value in other.items():
        assert value.base is other.flat
        np.testing.assert_array_equal(value, parameters[name] + 1)
    assert other.trainable == parameters.trainable


def test_a_head_beside_shares_the_body(parameters: Parameters) -> None:
    head = np.ones((2, 12))
    larger = parameters.beside({"score.weight": head})
    assert larger["score.weight"] is head
    assert set(larger) == {*parameters, "score.weight"}
    assert larger.shapes["score.weight"] == (2, 12)
    parameters["wte.weight"][1, 2] = -7
    assert larger["wte.weight"][1, 2] == -7
    assert not larger.trainable
    assert parameters.trainable
    assert "score.weight" not in parameters
    with pytest.raises(OptionError, match="exists already"):
        larger.beside({"score.weight": head})
    head[1, 1] = np.nan
    assert larger.not_finite() == "score.weight[1, 1] is nan"
