"""The classifier: gradient, padding, frozen body, what is said of what cannot work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from closeness import assert_close

from minilm.errors import OptionError, TrainingError
from minilm.nn import functional as F
from minilm.nn import gradcheck
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.heads import Probe, SequenceClassifier, with_score
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Parameters

CONFIG = GPTConfig(vocab_size=23, n_positions=7, n_embd=12, n_layer=2, n_head=3)
IDS = np.random.default_rng(2).integers(0, 23, (4, 5))
LENGTHS = np.array([5, 1, 3, 4])
LABELS = np.array([0, 2, 1, -100])


def random_model(pooling: str = "last") -> SequenceClassifier:
    rng = np.random.default_rng(0)
    model = SequenceClassifier(CONFIG, labels=3, rng=rng, dtype=np.float64, pooling=pooling)
    model.parameters.flat[:] += 0.2 * rng.standard_normal(model.parameters.count())
    return model


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_gradient(pooling: str) -> None:
    model = random_model(pooling)
    _, gradient = model.loss_and_grad(IDS, LENGTHS, LABELS)

    def function(**arguments: np.ndarray) -> float:
        store = Parameters(model.parameters.shapes, np.float64)
        for name, value in arguments.items():
            store[name][...] = value
        other = SequenceClassifier(CONFIG, parameters=store, pooling=pooling)
        return other.loss(IDS, LENGTHS, LABELS)

    for seed in range(3):
        error = gradcheck.directional_error(
            function, dict(model.parameters), dict(gradient), rng=np.random.default_rng(seed)
        )
        assert error < 1e-8


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_padding_is_not_seen(pooling: str) -> None:
    model = random_model(pooling)
    other = IDS.copy()
    other[np.arange(5) >= LENGTHS[:, None]] = 0
    np.testing.assert_array_equal(model.logits(IDS, LENGTHS), model.logits(other, LENGTHS))
    alone = model.logits(IDS[2:3, :3], LENGTHS[2:3])
    assert_close(model.logits(IDS, LENGTHS)[2:3], alone, rtol=1e-12)


def test_a_probe_computes_nothing_in_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model()
    _, whole = model.loss_and_grad(IDS, LENGTHS, LABELS)
    model.parameters.freeze("*")
    model.parameters.unfreeze("score.weight")

    def never(*arguments: Any) -> None:
        raise RuntimeError("reached the body")

    monkeypatch.setattr(F, "layer_norm_backward", never)
    _, gradient = model.loss_and_grad(IDS, LENGTHS, LABELS)
    assert list(gradient) == ["score.weight"]
    np.testing.assert_array_equal(gradient["score.weight"], whole["score.weight"])


def test_a_language_model_becomes_a_classifier() -> None:
    body = GPT(CONFIG, rng=np.random.default_rng(0))
    parameters = with_score(body.parameters, CONFIG, 2, rng=np.random.default_rng(1))
    model = SequenceClassifier(CONFIG, parameters=parameters)
    assert model.labels == 2
    np.testing.assert_array_equal(model.body.hidden_states(IDS)[-1], body.hidden_states(IDS)[-1])
    assert model.parameters["score.weight"].std() == pytest.approx(0.02, rel=0.5)
    assert GPT(CONFIG, parameters=parameters).logits(IDS).dtype == np.float32


@pytest.mark.parametrize(
    ("lengths", "labels", "says"),
    [
        ([5, 0, 3, 4], LABELS, r"the length 0 at \[1\] is not from 1 to 5"),
        ([5, 1, 6, 4], LABELS, r"the length 6 at \[2\]"),
        ([5, 1, 3], LABELS, "expected 4 integers"),
        (LENGTHS, [0, 3, 1, 1], r"the label 3 at \[1\] is not from 0 to 2"),
        (LENGTHS, [0, 1, -1, 1], r"the label -1 at \[2\]"),
        (LENGTHS, [0, 1], "expected 4 integers"),
        (LENGTHS, [-100] * 4, "all 4 targets are ignored"),
    ],
)
def test_what_cannot_be(lengths: Any, labels: Any, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        random_model().loss_and_grad(IDS, lengths, labels)


def test_construction_says_what_is_missing() -> None:
    body = GPT(CONFIG, rng=np.random.default_rng(0))
    with pytest.raises(OptionError, match=r"score\.weight has shape none"):
        SequenceClassifier(CONFIG, parameters=body.parameters)
    with pytest.raises(OptionError, match="needs labels, and rng"):
        SequenceClassifier(CONFIG, labels=2)
    with pytest.raises(OptionError, match="1 labels are too few"):
        SequenceClassifier(CONFIG, labels=1, rng=np.random.default_rng(0))
    with pytest.raises(OptionError, match="pooling is 'max'; expected last or mean"):
        SequenceClassifier(CONFIG, labels=2, rng=np.random.default_rng(0), pooling="max")


def test_nan_is_named() -> None:
    model = random_model()
    model.parameters["score.weight"][1, 4] = np.nan
    with pytest.raises(TrainingError, match=r"score\.weight\[1, 4\] is nan"):
        model.logits(IDS, LENGTHS)
    with pytest.raises(TrainingError, match=r"score\.weight\[1, 4\] is nan"):
        model.loss(IDS, LENGTHS, LABELS)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_the_auxiliary_loss_is_that_of_each_text_alone(pooling: str) -> None:
    """The slow way: the language model's loss of each text without its padding, then their mean."""
    plain = random_model(pooling)
    labels = np.array([0, 2, 1, 0])

    def function(**arguments: np.ndarray) -> float:
        store = Parameters(plain.parameters.shapes, np.float64)
        for name, value in arguments.items():
            store[name][...] = value
        words = GPT(CONFIG, parameters=store)
        texts = [ids[:length] for ids, length in zip(IDS, LENGTHS, strict=True)]
        losses = [words.loss(t[None, :-1], t[None, 1:]) if len(t) > 1 else 0.0 for t in texts]
        judged = SequenceClassifier(CONFIG, parameters=store, pooling=pooling)
        return judged.loss(IDS, LENGTHS, labels) + 0.3 * float(np.mean(losses))

    model = SequenceClassifier(CONFIG, parameters=plain.parameters, pooling=pooling, lm_weight=0.3)
    loss, gradient = model.loss_and_grad(IDS, LENGTHS, labels)
    assert loss == pytest.approx(function(**plain.parameters), rel=1e-12)
    for seed in range(3):
        error = gradcheck.directional_error(
            function, dict(plain.parameters), dict(gradient), rng=np.random.default_rng(seed)
        )
        assert error < 1e-8


def test_shards_add_up_with_the_auxiliary_loss() -> None:
    model = random_model()
    model.lm_weight = 0.7
    labels = np.array([0, 2, 1, 0])
    loss, gradient = model.loss_and_grad(IDS, LENGTHS, labels)
    with Shards(3) as shards:
        split_loss, split = shards.loss_and_grad(model, IDS, LENGTHS, labels)
    assert split_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(split.flat, gradient.flat, atol=1e-14)


def test_texts_of_one_token_have_no_next_word() -> None:
    model = random_model()
    model.lm_weight = 0.7
    loss, _ = model.loss_and_grad(IDS[:2], np.array([1, 1]), LABELS[:2])
    assert loss == pytest.approx(model.loss(IDS[:2], np.array([1, 1]), LABELS[:2]))


def test_a_probe_is_the_head_alone() -> None:
    model = random_model("mean")
    _, whole = model.loss_and_grad(IDS, LENGTHS, LABELS)
    features = model.features(IDS, LENGTHS)
    probe = Probe(model.parameters)
    np.testing.assert_array_equal(probe.logits(features), model.logits(IDS, LENGTHS))
    loss, gradients = probe.gradients(features, LABELS)
    assert loss == model.loss(IDS, LENGTHS, LABELS)
    assert_close(gradients["score.weight"], whole["score.weight"], rtol=1e-12)
