"""A learner's functions in the library's place, and out of it again."""

import inspect

import numpy as np
import pytest

from minilm.classify import centroid
from minilm.course import catalog, demos, targets
from minilm.errors import InputError
from minilm.nn import functional as F
from minilm.nn import optim
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.llama import Llama
from minilm.nn.llama_config import LlamaConfig

SOFTMAX = "minilm.nn.functional.softmax_backward"
LLAMA = LlamaConfig(11, 8, 12, 2, 4, 2)
CENTROID = "minilm.classify.centroid.NearestCentroid"


def test_a_function_is_replaced_and_put_back():
    original = F.softmax_backward
    with targets.replaced({SOFTMAX: len}):
        assert F.softmax_backward is len
        assert targets.find(SOFTMAX).reference is original
    assert F.softmax_backward is original


def test_who_imported_a_function_by_name_gets_the_replacement_too(monkeypatch):
    monkeypatch.setattr(optim, "borrowed", F.softmax_backward, raising=False)
    with targets.replaced({SOFTMAX: len}):
        assert optim.borrowed is len
    assert optim.borrowed is F.softmax_backward


@pytest.mark.parametrize("name", ["cross_entropy", "cross_entropy_backward"])
def test_the_real_model_calls_a_replacement_of_what_it_computes_fused(name):
    model = GPT(GPTConfig(11, 4, 6, 1, 1), rng=np.random.default_rng(0), dtype=np.float64)
    batch = np.array([[1, 2, 3]]), np.array([[2, 3, -100]])
    expected, gradient = model.loss_and_grad(*batch)
    original, fused = getattr(F, name), F.linear_cross_entropy
    calls = []

    def counting(*arguments):
        calls.append(name)
        return original(*arguments)

    with targets.replaced({f"minilm.nn.functional.{name}": counting}):
        loss, again = model.loss_and_grad(*batch)
    assert calls == [name]
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(again.flat, gradient.flat, rtol=1e-9, atol=1e-12)
    assert F.linear_cross_entropy is fused
    model.loss_and_grad(*batch)
    assert calls == [name]


def test_a_llama_meets_an_attention_that_knows_four_axes():
    model = Llama(LLAMA, rng=np.random.default_rng(0), dtype=np.float64)
    batch = np.array([[1, 2, 3]]), np.array([[2, 3, -100]])
    expected, gradient = model.loss_and_grad(*batch)
    shapes = []

    def counting(q, k, v, keep=None):
        shapes.append((q.shape, k.shape))
        return original(q, k, v, keep)

    original = F.attention
    with targets.replaced({"minilm.nn.functional.attention": counting}):
        loss, again = model.loss_and_grad(*batch)
    assert shapes == [((1, 4, 3, 2), (1, 4, 3, 2))] * 2
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(again.flat, gradient.flat, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("first", ["attention", "grouped_query_attention"])
def test_a_learners_grouped_attention_stays_whatever_comes_first(first):
    names = ["attention", "grouped_query_attention"]
    parts = {f"minilm.nn.functional.{name}": getattr(F, name) for name in names}
    parts["minilm.nn.functional.grouped_query_attention"] = len
    ordered = dict(sorted(parts.items(), reverse=first != "attention"))
    original = F.grouped_query_attention
    with targets.replaced(ordered):
        assert F.grouped_query_attention is len
    assert F.grouped_query_attention is original


def test_angles_that_a_llama_keeps_give_way_to_a_replacement():
    model = Llama(LLAMA, rng=np.random.default_rng(0), dtype=np.float64)
    ids = np.array([[1, 2, 3]])
    before = model.logits(ids)
    positions = []

    def unturned(places, frequencies):
        positions.append(places.tolist())
        return original(0 * places, frequencies)

    original = F.rotary_angles
    with targets.replaced({"minilm.nn.functional.rotary_angles": unturned}):
        other = model.logits(ids)
    assert positions == [[0.0, 1.0, 2.0]] * 2
    assert np.abs(other - before).max() > 1e-6
    np.testing.assert_array_equal(model.logits(ids), before)


def test_the_optimizer_calls_a_replacement_of_what_it_does_in_place():
    models = [GPT(GPTConfig(11, 4, 6, 1, 1), rng=np.random.default_rng(0)) for _ in range(2)]
    original, in_place, calls = optim.adamw, optim.adamw_in_place, []

    def counting(*arguments, **settings):
        calls.append(settings["step"])
        return original(*arguments, **settings)

    def step(model):
        _, gradient = model.loss_and_grad(np.array([[1, 2, 3]]), np.array([[2, 3, 4]]))
        optim.AdamW(model.parameters).update(gradient, learning_rate=0.1)

    step(models[0])
    with targets.replaced({"minilm.nn.optim.adamw": counting}):
        step(models[1])
    assert set(calls) == {1}
    assert optim.adamw_in_place is in_place
    np.testing.assert_array_equal(models[0].parameters.flat, models[1].parameters.flat)


def test_an_error_puts_everything_back():
    original = F.softmax_backward
    with pytest.raises(ValueError, match="mine"), targets.replaced({SOFTMAX: len}):
        raise ValueError("mine")
    assert F.softmax_backward is original


def test_a_class_is_replaced_method_by_method_with_its_helpers():
    class Mine:
        def fit(self, features, labels):
            return self._helper()

        def _helper(self):
            return "mine"

    model = centroid.NearestCentroid()
    predict = inspect.getattr_static(centroid.NearestCentroid, "predict")
    with targets.replaced({CENTROID: Mine}):
        assert model.fit(None, None) == "mine"
        assert inspect.getattr_static(centroid.NearestCentroid, "predict") is predict
    assert not hasattr(model, "_helper")
    assert centroid.NearestCentroid.fit.__qualname__ == "NearestCentroid.fit"


def test_a_class_is_made_by_its_own_init():
    class Mine:
        def __init__(self, start=2):
            super().__init__()
            self.start = start

        def fit(self, features, labels):
            return self.start

    before = vars(centroid.NearestCentroid).get("__init__")
    with targets.replaced({CENTROID: Mine}):
        assert centroid.NearestCentroid().fit(None, None) == 2
        assert centroid.NearestCentroid(start=5).fit(None, None) == 5
    assert vars(centroid.NearestCentroid).get("__init__") is before


@pytest.mark.parametrize("path", ["minilm.nn.functional.nothing", "minilm.nowhere.f", "f"])
def test_a_target_that_does_not_exist_is_said(path):
    with pytest.raises(InputError, match="the library has no such function"):
        targets.find(path)


def test_a_demo_can_use_the_library_beside_the_learner(tmp_path):
    course = demos.Course(catalog.find("4.4"), tmp_path, {"4.4": "mine.py"})
    before = F.softmax
    with course.plugged({"minilm.nn.functional.softmax": len}):
        assert F.softmax is len
        with course.library():
            assert F.softmax is before
        assert F.softmax is len
        with pytest.raises(ZeroDivisionError), course.library():
            raise ZeroDivisionError
        assert F.softmax is len
    assert F.softmax is before
    assert course.parts == {"4.4": "mine.py"}


def test_calls_are_counted_of_functions_and_of_methods():
    class Part:
        def fit(self, x):
            return self._helped(x)

        def _helped(self, x):
            return x + 1

    source = "def inner(x):\n    return x\n\ndef outer(x):\n    return inner(inner(x))\n"
    written = {}
    exec(source, written)
    inner, outer, fit = written["inner"], written["outer"], Part.fit
    parts = {"a.len": len, "a.Part": Part, "a.inner": inner, "a.outer": outer}
    with targets.counted(parts) as (found, calls):
        assert found["a.len"]("abc") == 3
        assert found["a.Part"]().fit(1) == 2
        assert found["a.outer"](4) == 4
    assert calls == {"a.len": 1, "a.Part": 1, "a.inner": 2, "a.outer": 1}
    assert (written["inner"], written["outer"], Part.fit) == (inner, outer, fit)
    outer(4)
    assert calls["a.inner"] == 2
