"""The co-occurrence classifier as an estimator: alone, and inside scikit-learn."""

import enum

import numpy as np
import pytest
from closeness import assert_close

from minilm.classify.estimators import CooccurrenceClassifier
from minilm.errors import OptionError

GOOD = ["a fine warm film", "warm and fine", "fine work", "so warm a tale", "warm, warm, fine"]
BAD = ["a dull cold film", "cold and dull", "dull work", "so cold a tale", "cold, cold, dull"]
TEXTS = GOOD + BAD
LABELS = ["good"] * 5 + ["bad"] * 5
UNLABELLED = ["fine sunny warm days", "cold rainy dull days", "sunny warm", "rainy cold"] * 3


def small(**settings):
    return CooccurrenceClassifier(UNLABELLED + TEXTS, **{"window": 3, "dimensions": 8, **settings})


@pytest.mark.parametrize("finetune", [False, True])
def test_words_that_no_label_shows_are_known_from_the_company_they_keep(finetune):
    model = small(finetune=finetune)
    assert model.fit(TEXTS, LABELS) is model
    assert model.classes_.tolist() == ["bad", "good"]
    probabilities = model.predict_proba(["sunny", "rainy"])
    assert_close(probabilities.sum(axis=1), 1)
    assert model.predict(["sunny", "rainy"]).tolist() == ["good", "bad"]
    assert model.score(["sunny", "rainy"], ["good", "good"]) == 0.5
    again = small(finetune=finetune).fit(TEXTS, LABELS)
    assert np.array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_without_unlabelled_texts_the_labelled_ones_are_counted():
    model = CooccurrenceClassifier(window=3, dimensions=8).fit(TEXTS, LABELS)
    assert "sunny" not in model.vocabulary_
    assert model.score(TEXTS, LABELS) == 1.0


def test_unlabelled_texts_may_come_one_by_one():
    texts = ["fine, warm and sunny", "dull, cold, rainy"] * 3
    expected = CooccurrenceClassifier(texts, dimensions=2).fit(TEXTS, LABELS)
    model = CooccurrenceClassifier(iter(texts), dimensions=2).fit(TEXTS, LABELS)
    assert np.array_equal(model.vectors_, expected.vectors_)
    assert model.vectors_.any()


def test_members_of_an_enumeration_are_their_values():
    class Mood(enum.StrEnum):
        GOOD = "good"
        BAD = "bad"

    moods = [Mood(label) for label in LABELS]
    assert small().fit(TEXTS, moods).classes_.tolist() == ["bad", "good"]


def test_labels_may_be_numbers():
    model = small().fit(TEXTS, np.repeat([3, 7], 5))
    assert model.predict(["fine", "dull"]).tolist() == [3, 7]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: small().predict(["a"]), "not fitted yet; call fit first"),
        (lambda: small().fit("one text", ["a"]), "one string"),
        (lambda: small().fit([*TEXTS[:9], " "], LABELS), r"texts\[9\] is empty"),
        (lambda: small().fit([*TEXTS[:9], None], LABELS), r"texts\[9\] is of type NoneType"),
        (lambda: small().fit(TEXTS, LABELS[:9]), "one for each of 10 examples"),
        (lambda: small().fit(TEXTS, ["good"] * 10), "fewer than two classes"),
        (lambda: CooccurrenceClassifier(["Ünlü"]).fit(TEXTS, LABELS), "same language"),
        (lambda: CooccurrenceClassifier(["..."]).fit(TEXTS, LABELS), "no word to count"),
        (
            lambda: CooccurrenceClassifier("sunny.txt").fit(TEXTS, LABELS),
            "unlabelled is one string",
        ),
        (lambda: CooccurrenceClassifier([None]).fit(TEXTS, LABELS), r"unlabelled\[0\] is of type"),
        (
            lambda: small().fit(TEXTS, dict(enumerate(LABELS))),
            "labels are {0: .*; give one for each",
        ),
        (
            lambda: small().fit(TEXTS, np.ma.array([1, 0] * 5, mask=[1] + [0] * 9)),
            "labels are mask",
        ),
        (lambda: small(window=1.5).fit(TEXTS, LABELS), "window is 1.5; it must be a whole"),
        (lambda: small(dimensions="all").fit(TEXTS, LABELS), "dimensions is 'all'; it must be"),
        (lambda: small().fit(TEXTS, LABELS).predict({"text": TEXTS}), "of type dict; pass a list"),
    ],
)
def test_mistakes_are_said_in_one_line(call, message):
    with pytest.raises(OptionError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.peers
def test_inside_scikit_learn(peer):
    base, selection = peer("sklearn.base"), peer("sklearn.model_selection")
    model = small()
    copied = base.clone(model)
    assert copied.get_params() == model.get_params()
    assert base.is_classifier(model)
    scores = selection.cross_val_score(model, TEXTS, LABELS, cv=5)
    assert scores.tolist() == [1.0] * 5
    search = selection.GridSearchCV(model, {"l2": [0.01, 1e6], "finetune": [False, True]}, cv=5)
    search.fit(TEXTS, LABELS)
    assert search.best_params_["l2"] == 0.01
    assert search.predict(["sunny"]).tolist() == ["good"]
    assert search.classes_.tolist() == ["bad", "good"]
    losses = selection.cross_val_score(model, TEXTS, LABELS, cv=5, scoring="neg_log_loss")
    assert (losses > -np.log(2)).all()
