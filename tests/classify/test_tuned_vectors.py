"""Fine-tuned word vectors: the gradient, what moves, what stays, and the frozen limit."""

from __future__ import annotations

import numpy as np
import pytest

from minilm.classify import logistic, tuned_vectors
from minilm.embeddings import documents
from minilm.errors import OptionError
from minilm.nn import functional as F

WORDS, WIDTH = 30, 4


def problem(classes: int = 3, rows: int = 24):
    """Random documents over the first 20 of 30 words, one of them empty, and random vectors."""
    rng = np.random.default_rng(classes)
    texts = [rng.integers(20, size=rng.integers(1, 9)) for _ in range(rows)]
    texts[5] = np.array([], dtype=np.int64)
    return rng.standard_normal((WORDS, WIDTH)), texts, np.arange(rows) % classes


def parameters(classes: int) -> list[np.ndarray]:
    rng = np.random.default_rng(9)
    return [rng.standard_normal(shape) for shape in ((WIDTH, classes), classes, (WORDS, WIDTH))]


def test_loss_equals_softmax_regression_over_the_mean_vectors():
    vectors, texts, labels = problem()
    weights, bias, departures = parameters(3)
    tokens = tuned_vectors.flatten(texts, WORDS)
    loss, d_weights, d_bias, _ = tuned_vectors.loss_and_gradient(
        weights, bias, departures, vectors, tokens, labels, 0.3, 0.8
    )
    features = documents.mean_vectors(texts, vectors + departures)
    plain, *expected = logistic.loss_and_gradient(weights, bias, features, labels, 0.3)
    assert loss == pytest.approx(plain + 0.8 / 2 * (departures**2).sum() / 24, rel=1e-13)
    np.testing.assert_allclose(d_weights, expected[0], atol=1e-14)
    np.testing.assert_allclose(d_bias, expected[1], atol=1e-14)


@pytest.mark.parametrize("classes", [2, 3])
def test_gradient_equals_central_differences(classes):
    vectors, texts, labels = problem(classes)
    tokens = tuned_vectors.flatten(texts, WORDS)
    values = parameters(classes)

    def loss() -> float:
        return tuned_vectors.loss_and_gradient(*values, vectors, tokens, labels, 0.3, 0.8)[0]

    _, *gradients = tuned_vectors.loss_and_gradient(*values, vectors, tokens, labels, 0.3, 0.8)
    step = 1e-5
    for value, gradient in zip(values, gradients, strict=True):
        assert gradient.shape == value.shape
        for index in np.ndindex(value.shape):
            kept = value[index]
            value[index] = kept + step
            above = loss()
            value[index] = kept - step
            below = loss()
            value[index] = kept
            assert abs((above - below) / (2 * step) - gradient[index]) < 1e-9


def test_only_the_words_seen_move_and_the_given_vectors_do_not():
    vectors, texts, labels = problem()
    kept = vectors.copy()
    model = tuned_vectors.TunedVectorsClassifier(vectors, l2=0.1).fit(texts, labels)
    np.testing.assert_array_equal(vectors, kept)
    np.testing.assert_array_equal(model.seen_, np.unique(np.concatenate(texts)))
    moved = np.abs(model.vectors_ - vectors).max(axis=1) > 0
    np.testing.assert_array_equal(np.flatnonzero(moved), model.seen_)


def test_stops_where_the_gradient_of_everything_vanishes():
    vectors, texts, labels = problem()
    model = tuned_vectors.TunedVectorsClassifier(vectors, l2=0.2, vector_l2=0.5, tolerance=1e-7)
    model.fit(texts, labels)
    assert model.converged_
    loss, *gradients = tuned_vectors.loss_and_gradient(
        model.weights_,
        model.bias_,
        model.vectors_ - vectors,
        vectors,
        tuned_vectors.flatten(texts, WORDS),
        labels,
        0.2,
        0.5,
    )
    assert loss == pytest.approx(model.loss_, rel=1e-12)
    for gradient in gradients:
        assert np.abs(gradient).max() <= 1.001e-7


def test_vectors_held_fast_give_the_frozen_model():
    vectors, texts, labels = problem()
    features = documents.mean_vectors(texts, vectors)
    frozen = logistic.SoftmaxRegression(l2=0.5, tolerance=1e-8).fit(features, labels)
    model = tuned_vectors.TunedVectorsClassifier(
        vectors, l2=0.5, vector_l2=1e7, tolerance=1e-8, max_iterations=5000
    ).fit(texts, labels)
    assert model.loss_ == pytest.approx(frozen.loss_, abs=1e-5)
    np.testing.assert_allclose(
        model.predict_proba(texts), frozen.predict_proba(features), atol=1e-4
    )


def test_learns_what_frozen_vectors_cannot_tell():
    """Two words with one and the same vector mean opposite things here."""
    vectors = np.ones((3, WIDTH))
    texts = [np.array([0]), np.array([1])] * 4
    labels = np.array([0, 1] * 4)
    frozen = logistic.SoftmaxRegression().fit(documents.mean_vectors(texts, vectors), labels)
    assert (frozen.predict(documents.mean_vectors(texts, vectors)) == labels).mean() == 0.5
    vectors[0, 0] += 1e-3
    model = tuned_vectors.TunedVectorsClassifier(vectors, l2=0.01, vector_l2=0.01)
    np.testing.assert_array_equal(model.fit(texts, labels).predict(texts), labels)


def test_predictions_come_from_the_learned_vectors_also_for_new_and_empty_documents():
    vectors, texts, labels = problem()
    model = tuned_vectors.TunedVectorsClassifier(vectors, l2=0.1).fit(texts, labels)
    new = [np.array([0, 25, 29]), np.array([], dtype=np.int64), np.array([27])]
    features = documents.mean_vectors(new, model.vectors_)
    expected = F.softmax(features @ model.weights_ + model.bias_)[0]
    np.testing.assert_allclose(model.predict_proba(new), expected, atol=1e-14)
    np.testing.assert_array_equal(model.predict(new), expected.argmax(axis=1))
    assert model.predict([]).shape == (0,)


def test_texts_without_a_known_word_leave_only_the_class_shares():
    vectors, _, _ = problem()
    nothing = [np.array([], dtype=np.int64)] * 4
    model = tuned_vectors.TunedVectorsClassifier(vectors).fit(nothing, np.array([0, 1, 1, 1]))
    np.testing.assert_allclose(model.predict_proba(nothing[:1]), [[0.25, 0.75]], atol=1e-4)
    np.testing.assert_array_equal(model.vectors_, vectors)
    assert model.seen_.size == 0


def test_repeats_to_the_bit_and_computes_in_float64():
    vectors, texts, labels = problem()
    single = vectors.astype(np.float32)
    models = [tuned_vectors.TunedVectorsClassifier(single).fit(texts, labels) for _ in range(2)]
    np.testing.assert_array_equal(models[0].vectors_, models[1].vectors_)
    assert models[0].vectors_.dtype == np.float64
    assert single.dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "texts", "message"),
    [
        ({}, [np.array([0, 30]), np.array([1])], r"0 ... 30, but the vectors have rows 0 ... 29"),
        ({}, [np.array([0, -1]), np.array([1])], r"-1 ... 1"),
        ({}, [np.array([0.5]), np.array([1])], "must be lists of word ids"),
        ({}, [["good"], ["bad"]], "must be lists of word ids"),
        ({}, [np.array([0])], "each of 1 examples"),
        ({"vector_l2": -0.1}, [np.array([0]), np.array([1])], "vector_l2 is -0.1"),
        ({"l2": -0.1}, [np.array([0]), np.array([1])], "l2 is -0.1"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(settings, texts, message):
    vectors, _, _ = problem()
    with pytest.raises(OptionError, match=message) as caught:
        tuned_vectors.TunedVectorsClassifier(vectors, **settings).fit(texts, np.array([0, 1]))
    assert "\n" not in str(caught.value)


def test_a_missing_value_in_the_vectors_is_refused():
    vectors, texts, labels = problem()
    vectors[3, 1] = np.nan
    with pytest.raises(OptionError, match="row 3 holds a NaN"):
        tuned_vectors.TunedVectorsClassifier(vectors).fit(texts, labels)


@pytest.mark.peers
def test_gradient_equals_torchs(peer):
    torch = peer("torch")
    vectors, texts, labels = problem()
    values = [torch.tensor(p, requires_grad=True) for p in parameters(3)]
    weights, bias, departures = values
    adapted = torch.tensor(vectors) + departures
    means = torch.stack(
        [adapted[d].mean(0) if len(d) else torch.zeros(WIDTH).double() for d in texts]
    )
    loss = torch.nn.functional.cross_entropy(means @ weights + bias, torch.tensor(labels))
    loss = loss + (0.3 / 2 * (weights**2).sum() + 0.8 / 2 * (departures**2).sum()) / len(labels)
    loss.backward()
    ours, *gradients = tuned_vectors.loss_and_gradient(
        *parameters(3), vectors, tuned_vectors.flatten(texts, WORDS), labels, 0.3, 0.8
    )
    assert ours == pytest.approx(loss.item(), rel=1e-13)
    for gradient, value in zip(gradients, values, strict=True):
        np.testing.assert_allclose(gradient, value.grad.numpy(), atol=1e-13)
