"""Adapters on one base: they share its weights and take turns; what does not fit is refused."""

import dataclasses

import numpy as np
import pytest

from minilm.errors import ModelError, OptionError
from minilm.models import adapted, language_model, text_classifier
from minilm.nn import lora
from minilm.store import adapters
from minilm.store.adapters import SavedAdapter
from minilm.store.classification import Head

TEXTS = ["the cat sat", "a dog ran to the hill and the cat ran too"]


@pytest.fixture(scope="module")
def base(trained):
    return adapted.load(trained)


def far(base, seed):
    """Return an adapter whose factors are far from zero."""
    rng = np.random.default_rng(seed)
    made = lora.new_adapter(base.saved.config, rank=2, rng=rng)
    made.weights.flat[...] = rng.normal(0, 0.1, made.weights.flat.shape)
    return SavedAdapter(made, "base", base.sha256)


def with_labels(base, seed, *labels):
    width = base.saved.config.n_embd
    score = np.random.default_rng(seed).normal(0, 1, (len(labels), width)).astype(np.float32)
    return dataclasses.replace(far(base, seed), score=score, head=Head(labels, "mean"))


def test_adapters_take_turns_on_one_base(base):
    before = base.saved.parameters.flat.copy()
    animals, moods = with_labels(base, 1, "cat", "dog"), with_labels(base, 2, "a", "b", "c")
    first, second = base.classifier(animals), base.classifier(moods)
    alone = first.predict_proba(TEXTS)
    assert second.predict_proba(TEXTS).shape == (2, 3)
    speaking = base.language_model(far(base, 3))
    plain = base.language_model()
    assert np.abs(speaking.logits([1, 2, 3]) - plain.logits([1, 2, 3])).max() > 0.01
    assert np.array_equal(first.predict_proba(TEXTS), alone)
    assert np.array_equal(base.classifier(animals).predict_proba(TEXTS), alone)
    for made in (first.model, second.model, speaking.gpt, plain.gpt):
        assert made.parameters["wte.weight"] is base.saved.parameters["wte.weight"]
    assert np.array_equal(base.saved.parameters.flat, before)


def test_saving_merges(base, tmp_path):
    speaking = base.language_model(far(base, 3))
    speaking.save(tmp_path / "lm")
    merged = language_model.load(tmp_path / "lm")
    assert merged.gpt.adapter is None
    np.testing.assert_allclose(merged.logits([1, 2, 3]), speaking.logits([1, 2, 3]), atol=1e-5)
    judging = base.classifier(with_labels(base, 1, "cat", "dog"))
    judging.save(tmp_path / "classifier")
    merged = text_classifier.load(tmp_path / "classifier")
    assert merged.labels == ("cat", "dog")
    encoded = judging.encode(TEXTS)
    np.testing.assert_allclose(merged.logits(encoded), judging.logits(encoded), atol=1e-5)


def test_a_classifiers_folder_is_a_base_too(base, tmp_path):
    moods = with_labels(base, 2, "a", "b", "c")
    plain = base.saved.parameters.beside({"score.weight": moods.score})
    saved = dataclasses.replace(base.saved, parameters=plain)
    text_classifier.TextClassifier(saved, moods.head).save(tmp_path / "classifier")
    again = adapted.load(tmp_path / "classifier")
    assert again.sha256 == base.sha256
    probabilities = again.classifier(moods).predict_proba(TEXTS)
    assert np.array_equal(probabilities, base.classifier(moods).predict_proba(TEXTS))


def test_adapters_of_folders(base, tmp_path):
    adapters.save(tmp_path / "a", with_labels(base, 1, "cat", "dog"))
    found = base.adapter(tmp_path / "a")
    expected = base.classifier(with_labels(base, 1, "cat", "dog"))
    assert np.array_equal(
        base.classifier(found).predict_proba(TEXTS), expected.predict_proba(TEXTS)
    )
    other = dataclasses.replace(far(base, 1), base_sha256="0" * 64)
    adapters.save(tmp_path / "b", other)
    with pytest.raises(ModelError, match="belongs to another base"):
        base.adapter(tmp_path / "b")


def test_an_adapter_of_the_other_kind_is_refused(base):
    with pytest.raises(OptionError, match="has no labels"):
        base.classifier(far(base, 1))
    with pytest.raises(OptionError, match=r"predicts labels \('cat', 'dog'\)"):
        base.language_model(with_labels(base, 1, "cat", "dog"))


def test_folders_of_one_name_are_told_apart(base, trained, tmp_path):
    paths = [tmp_path / "x" / "lora", tmp_path / "y" / "lora"]
    for seed, path in enumerate(paths):
        adapters.save(path, with_labels(base, seed, "cat", "dog"))
    found = adapted.load_classifiers(trained, paths)
    assert [name for name, _ in found] == [str(path) for path in paths]
    assert [name for name, _ in adapted.load_classifiers(trained, paths[:1])] == ["lora"]
