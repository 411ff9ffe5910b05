"""The transformer as an estimator: alone, and inside scikit-learn."""

import dataclasses
import inspect

import numpy as np
import pytest
from closeness import assert_close

import minilm
from minilm.errors import OptionError
from minilm.models import text_classifier
from minilm.training.estimators import TransformerClassifier
from minilm.training.settings import FinetuneSettings

TEXTS = ["the cat sat", "a cat ran", "the cat ran too", "cat on the mat"] * 2
TEXTS += ["the dog sat", "a dog ran", "the dog ran too", "dog on the hill"] * 2
LABELS = ["cat"] * 8 + ["dog"] * 8


@pytest.fixture(scope="module")
def base(trained):
    return minilm.load(trained)


def test_parameters_are_those_of_the_settings():
    parameters = dict(inspect.signature(TransformerClassifier).parameters)
    parameters.pop("base")
    expected = {field.name: field.default for field in dataclasses.fields(FinetuneSettings)}
    assert {name: parameter.default for name, parameter in parameters.items()} == expected


@pytest.mark.parametrize("method", ["full", "lora", "probe"])
def test_labels_are_learned_and_the_base_is_left_alone(base, method):
    before = base.gpt.parameters.flat.copy()
    model = TransformerClassifier(base, method=method, epochs=30, learning_rate=0.02)
    assert model.fit(TEXTS, LABELS) is model
    assert model.score(TEXTS, LABELS) > 0.9
    assert model.predict(["dog ran"]).tolist() == ["dog"]
    assert_close(model.predict_proba(TEXTS).sum(axis=1), 1)
    assert np.array_equal(base.gpt.parameters.flat, before)
    assert base.gpt.adapter is None
    again = TransformerClassifier(base, method=method, epochs=30, learning_rate=0.02)
    assert np.array_equal(again.fit(TEXTS, LABELS).predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_a_folder_is_a_base_and_what_was_fitted_can_be_kept(trained, base, tmp_path):
    model = TransformerClassifier(trained, method="lora", updates=3).fit(TEXTS, LABELS)
    other = TransformerClassifier(base, method="lora", updates=3).fit(TEXTS, LABELS)
    probabilities = model.predict_proba(TEXTS)
    assert np.array_equal(probabilities, other.predict_proba(TEXTS))
    assert str(model.fitted_).startswith("LoRA rank 4: ")
    model.classifier_.save(tmp_path / "kept")
    kept = text_classifier.load(tmp_path / "kept")
    assert kept.labels == ("cat", "dog")
    np.testing.assert_allclose(kept.predict_proba(TEXTS), probabilities, atol=1e-5)


def test_texts_beyond_the_context_are_counted(base):
    model = TransformerClassifier(base, updates=1).fit([*TEXTS, "the cat " * 60], [*LABELS, "cat"])
    assert model.truncated_ == 1


@pytest.mark.parametrize(
    ("settings", "texts", "message"),
    [
        ({"method": "half"}, TEXTS, "method is 'half'"),
        ({"method": None}, TEXTS, "method is None; expected one of"),
        ({"seed": None}, TEXTS, "seed is None; expected a whole number"),
        ({"base": None}, TEXTS, "base is None; give its path"),
        ({"method": "lora", "rank": 99}, TEXTS, "rank of 99 does not fit"),
        ({}, TEXTS[1:], "one for each of 15 examples"),
        ({}, [*TEXTS[1:], ""], r"texts\[15\] is empty"),
    ],
)
def test_mistakes_are_said_in_one_line(base, settings, texts, message):
    with pytest.raises(OptionError, match=message):
        TransformerClassifier(**{"base": base, **settings}).fit(texts, LABELS)


def test_before_it_is_fitted(base):
    with pytest.raises(OptionError, match="call fit first"):
        TransformerClassifier(base).predict(TEXTS)


@pytest.mark.peers
def test_inside_scikit_learn(peer, base):
    sklearn, selection = peer("sklearn.base"), peer("sklearn.model_selection")
    model = TransformerClassifier(base, epochs=30, learning_rate=0.02)
    copied = sklearn.clone(model)
    assert copied is not model
    assert copied.base is base
    assert copied.get_params() == model.get_params()
    scores = selection.cross_val_score(model, TEXTS, LABELS, cv=2)
    assert scores.mean() > 0.7
    search = selection.GridSearchCV(model, {"method": ["probe", "full"], "epochs": [1, 30]}, cv=2)
    search.fit(TEXTS, LABELS)
    assert search.best_params_["epochs"] == 30
    assert search.predict(["the dog ran"]).tolist() == ["dog"]
