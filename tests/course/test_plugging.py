"""The real model on a learner's functions, on byte pairs too."""

import functools
import inspect
import math

import pytest

from minilm.course import catalog, plugging, targets
from minilm.nn import functional as F
from minilm.nn import parameters
from minilm.nn.config import GPTConfig
from minilm.text import merges

ASIDE = {"save"}  # of a vocabulary: the kata does not ask for it
BUDGET = {"words": 4000, "vocabulary": 300, "steps": 3, "seconds": 60.0}


def test_byte_pairs_have_their_own_path(monkeypatch):
    monkeypatch.setattr(plugging, "_BYTE_PAIR_DOCUMENTS", 5)
    called = []

    def learn(*arguments, **options):
        called.append("learn")
        return original(*arguments, **options)

    original = merges.learn
    result = plugging.train({"minilm.text.merges.learn": learn}, BUDGET)
    assert called == ["learn"]
    assert result["calls"] == {"minilm.text.merges.learn": 1}
    assert len(result["byte_pairs"]["tokens"]) == 12
    assert len(result["byte_pairs"]["losses"]) == 3
    assert 2 < result["byte_pairs"]["bits_per_byte"] < 8
    assert result["byte_pairs"]["text"].startswith("The")
    assert result["yours"]["losses"] == result["library"]["losses"]
    assert result["yours"]["text"] == result["library"]["text"]


def test_without_them_there_is_none():
    result = plugging.train({}, BUDGET)
    assert result["byte_pairs"] is None
    assert result["llama"] is None
    assert result["yours"]["model"] == "GPT"


def counting(calls, name):
    original = getattr(F, name)

    def function(*arguments, **options):
        calls.append(name)
        return original(*arguments, **options)

    return {f"minilm.nn.functional.{name}": function}


def test_functions_of_llama_train_a_llama():
    calls = []
    result = plugging.train(counting(calls, "rotary_backward"), BUDGET)
    assert set(calls) == {"rotary_backward"}
    assert result["llama"] is None
    for run in (result["yours"], result["library"]):
        assert run["model"] == "Llama"
        assert run["gradient_error"] < 1e-7
    assert result["yours"]["losses"] == result["library"]["losses"]
    assert result["yours"]["text"] == result["library"]["text"]


def test_beside_others_a_llama_is_trained_too():
    def param_shapes(config):
        assert isinstance(config, GPTConfig), "a learner's knows GPT-2's only"
        return original(config)

    calls = []
    original = parameters.param_shapes
    functions = counting(calls, "rms_norm") | counting(calls, "layer_norm")
    functions["minilm.nn.parameters.param_shapes"] = param_shapes
    result = plugging.train(functions, BUDGET)
    assert set(calls) == {"rms_norm", "layer_norm"}
    assert result["yours"]["model"] == "GPT"
    llama = result["llama"]
    assert llama["yours"]["model"] == "Llama"
    assert llama["yours"]["losses"] == llama["library"]["losses"]
    assert len(llama["yours"]["losses"]) == BUDGET["steps"]


def test_every_room_of_the_course_has_its_row():
    result = plugging.train({}, BUDGET)
    for run in (result["yours"], result["library"]):
        assert run["gradient_error"] < 1e-7
        assert run["perplexity"] == pytest.approx(math.exp(run["held_out"]))
        assert 0 < run["updated"] < 10
        assert run["one_batch"][1] < 1 < run["one_batch"][0]
        reviewed = run["reviewed"]
        assert all(0.4 < reviewed[name] < 0.9 for name in ("tfidf", "centroid", "tuned", "lora"))
        assert reviewed["interval"][0] < reviewed["lora"] < reviewed["interval"][1]
        assert len(run["text"].split()) == 25
    assert result["yours"]["reviewed"] == result["library"]["reviewed"]


def test_every_function_of_the_course_is_called(monkeypatch):
    # A model with dropout and an update at work calls each of them; what is never called cannot be
    # said to be a part of the model.
    monkeypatch.setattr(plugging, "_BYTE_PAIR_DOCUMENTS", 5)
    calls = {}

    def counting(path, function):
        @functools.wraps(function)
        def called(*arguments, **options):
            calls[path] += 1
            return function(*arguments, **options)

        return called

    functions = {}
    for kata in catalog.all_katas():
        for target in kata.targets if kata.phase <= 10 else ():
            if target.is_class:
                for name, method in targets.methods(target.reference).items():
                    if inspect.isfunction(method) and name not in ASIDE:
                        path = f"{target.path}.{name}"
                        calls[path] = 0
                        monkeypatch.setattr(target.reference, name, counting(path, method))
            else:
                calls[target.path] = 0
                functions[target.path] = counting(target.path, target.reference)
    result = plugging.train(functions, BUDGET)
    assert [path for path, count in calls.items() if not count] == []
    assert result["calls"] == {path: calls[path] for path in functions}
