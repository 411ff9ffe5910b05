"""The real model on a learner's functions, on byte pairs too."""

import pytest

from minilm.course import plugging
from minilm.nn import functional as F
from minilm.nn import parameters
from minilm.nn.config import GPTConfig
from minilm.text import merges

BUDGET = {"words": 4000, "steps": 3, "seconds": 60.0}


def test_byte_pairs_have_their_own_path(monkeypatch):
    monkeypatch.setattr(plugging, "_BYTE_PAIR_DOCUMENTS", 5)
    called = []

    def learn(*arguments, **options):
        called.append("learn")
        return original(*arguments, **options)

    original = merges.learn
    result = plugging.train({"minilm.text.merges.learn": learn}, BUDGET)
    assert called == ["learn"]
    assert len(result["byte_pairs"]["tokens"]) == 12
    assert len(result["byte_pairs"]["losses"]) == 3
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
        assert 0.4 < run["tfidf"] < 0.9
        assert 0 < run["updated"] < 10
    assert result["yours"]["tfidf"] == result["library"]["tfidf"]


def test_parts_beside_the_model_itself_are_called():
    def unusable(*arguments, **options):
        raise RuntimeError("called")

    for path in (
        "minilm.classify.tfidf.inverse_frequency",
        "minilm.classify.tfidf.weigh",
        "minilm.classify.logistic.loss_and_gradient",
        "minilm.classify.metrics.confusion_matrix",
        "minilm.classify.metrics.macro_f1",
        "minilm.nn.gradcheck.slope",
        "minilm.compare.bootstrap.resampled_means",
        "minilm.compare.statistics.wilson_interval",
        "minilm.compare.statistics.holm",
        "minilm.compare.statistics.verdict",
        "minilm.compare.statistics.resolvable_difference",
        "minilm.nn.gradcheck.directional_error",
        "minilm.training.replay.old_windows",
        "minilm.training.replay.mixed",
        "minilm.training.forgetting.averaged",
        "minilm.training.forgetting.sampled",
        "minilm.training.forgetting.fisher_diagonal",
        "minilm.training.forgetting.penalty",
        "minilm.training.forgetting.penalty_backward",
    ):
        with pytest.raises(RuntimeError, match="called"):
            plugging.train({path: unusable}, BUDGET)
