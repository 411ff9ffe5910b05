"""A learner's functions in the library's place, and out of it again."""

import inspect

import pytest

from minilm.classify import centroid
from minilm.course import targets
from minilm.errors import InputError
from minilm.nn import functional as F
from minilm.nn import optim

SOFTMAX = "minilm.nn.functional.softmax_backward"
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


@pytest.mark.parametrize("path", ["minilm.nn.functional.nothing", "minilm.nowhere.f", "f"])
def test_a_target_that_does_not_exist_is_said(path):
    with pytest.raises(InputError, match="the library has no such function"):
        targets.find(path)
