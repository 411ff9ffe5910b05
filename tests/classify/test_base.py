"""What all estimators share: parameters, repr, cloning and the checks of labels."""

import inspect
import math

import numpy as np
import pytest

from minilm.classify import base
from minilm.classify.centroid import NearestCentroid
from minilm.classify.estimators import CooccurrenceClassifier
from minilm.classify.logistic import SoftmaxRegression
from minilm.classify.tfidf import TfidfVectorizer
from minilm.classify.tuned_vectors import TunedVectorsClassifier
from minilm.errors import OptionError
from minilm.training.estimators import TransformerClassifier

VECTORS = np.eye(3)
ESTIMATORS = [
    NearestCentroid(),
    TfidfVectorizer(),
    SoftmaxRegression(l2=0.5),
    TunedVectorsClassifier(VECTORS, vector_l2=3.0),
    CooccurrenceClassifier(["a text"], window=2),
    TransformerClassifier("a-folder", rank=2),
]
FEATURES = np.concatenate([np.eye(2), np.eye(2) + 0.1, 3 * np.eye(2)] * 3)
LABELS = ["good", "bad"] * 9


def by_name(estimator):
    return type(estimator).__name__


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=by_name)
def test_parameters_are_those_of_the_constructor(estimator):
    parameters = estimator.get_params()
    assert set(parameters) == set(inspect.signature(type(estimator)).parameters)
    for name, value in parameters.items():
        assert getattr(estimator, name) is value
    copy = type(estimator)(**parameters)
    assert copy.set_params(**parameters) is copy
    with pytest.raises(OptionError, match="has no parameter 'widow'"):
        estimator.set_params(**{**parameters, "widow": 5})


def test_no_parameter_is_set_when_one_is_unknown():
    model = SoftmaxRegression(l2=0.5)
    with pytest.raises(OptionError, match="no parameter 'L2'; it has l2, solver"):
        model.set_params(l2=0.1, L2=0.1)
    assert model.l2 == 0.5


def test_a_repr_shows_what_is_not_the_default_and_the_sizes():
    assert repr(SoftmaxRegression(l2=0.5)) == "SoftmaxRegression(l2=0.5)"
    assert repr(SoftmaxRegression(l2=1.0)) == "SoftmaxRegression()"
    model = SoftmaxRegression().fit(FEATURES, LABELS)
    assert repr(model) == "SoftmaxRegression(): classes_ (2,), weights_ (2, 2), bias_ (2,)"
    assert repr(ESTIMATORS[3]) == "TunedVectorsClassifier(vectors=<array (3, 3)>, vector_l2=3.0)"
    assert repr(CooccurrenceClassifier(["text"] * 99)) == (
        "CooccurrenceClassifier(unlabelled=<list of 99>)"
    )


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["b", "a"], ["b", "a"]),
        ((2, 7), [2, 7]),
        (np.array([1.0, 0.0]), [1, 0]),
        ([True, False], [True, False]),
        (np.array(["b", "a"], dtype=object), ["b", "a"]),
        (iter("ab"), ["a", "b"]),
        (np.array([3, 1], np.uint8), [3, 1]),
    ],
)
def test_labels_that_work(labels, expected):
    assert base.check_labels(labels, 2).tolist() == expected


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "labels are None; give one for each of 2 examples"),
        (7, "labels are 7"),
        ("ab", "labels are 'ab'"),
        ([0.5, 1.0], r"labels\[0\] is 0.5; a label is a string or a whole number"),
        (np.array([1.0, math.nan]), r"labels\[1\] is"),
        (["a", math.nan], r"labels\[1\] is nan"),
        (["a", None], r"labels\[1\] is None"),
        (["a", 1], r"labels\[1\] is 1 and labels\[0\] is 'a'; use labels of one kind"),
        ([True, 2], "of one kind"),
        ([b"a", b"b"], r"labels\[0\] is b'a'"),
        (np.array([[0], [1]]), r"shape \(2, 1\); give one for each of 2 examples"),
        ([[0], [1]], r"labels\[0\] is \[0\]"),
        ([1, 2, 3], r"shape \(3,\)"),
        ([3, 3], "fewer than two classes"),
    ],
)
def test_labels_that_cannot_work_are_refused_in_one_line(labels, message):
    with pytest.raises(OptionError, match=message) as caught:
        base.check_labels(labels, 2)
    assert "\n" not in str(caught.value)


def test_classes_without_an_example_have_a_place():
    classes, targets = base.encode_labels(np.array([2, 0]), 4)
    assert classes.tolist() == [0, 1, 2, 3]
    assert targets.tolist() == [2, 0]


@pytest.mark.parametrize("model", [NearestCentroid(), SoftmaxRegression()], ids=by_name)
def test_labels_may_be_strings_and_score_counts_them(model):
    model.fit(FEATURES, LABELS)
    assert model.classes_.tolist() == ["bad", "good"]
    assert model.predict(FEATURES[:2]).tolist() == ["good", "bad"]
    assert model.score(FEATURES[:2], ["good", "good"]) == 0.5
    with pytest.raises(OptionError, match=r"labels have shape \(1,\)"):
        model.score(FEATURES[:2], ["good"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: NearestCentroid().predict(FEATURES),
        lambda: SoftmaxRegression().predict_proba(FEATURES),
        lambda: TunedVectorsClassifier(VECTORS).predict([[0]]),
        lambda: TfidfVectorizer().transform([["a"]]),
        lambda: CooccurrenceClassifier().predict(["a"]),
        lambda: TransformerClassifier("a-folder").predict(["a"]),
    ],
)
def test_predicting_before_fitting_is_refused(call):
    with pytest.raises(OptionError, match="is not fitted yet; call fit first"):
        call()


def test_a_missing_attribute_is_an_ordinary_error_once_fitted():
    model = SoftmaxRegression()
    assert not hasattr(model, "weights_")
    model.fit(FEATURES, LABELS)
    with pytest.raises(AttributeError, match="no attribute 'weigths_'") as caught:
        model.weigths_  # noqa: B018
    assert not isinstance(caught.value, OptionError)


@pytest.mark.peers
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=by_name)
def test_scikit_learn_clones_every_estimator(peer, estimator):
    sklearn = peer("sklearn.base")
    copy = sklearn.clone(estimator)
    assert type(copy) is type(estimator)
    assert copy is not estimator
    for name, value in estimator.get_params().items():
        assert getattr(copy, name) is value
    assert sklearn.is_classifier(estimator) == isinstance(estimator, base.Classifier)


@pytest.mark.peers
def test_scikit_learn_cross_validates_the_classifiers_of_features_tokens_and_ids(peer):
    selection, pipeline = peer("sklearn.model_selection"), peer("sklearn.pipeline")
    tokens = [["fine", "film"], ["dull", "film"]] * 9
    ids = [[0, 2], [1, 2]] * 9
    for model, inputs in (
        (NearestCentroid(), FEATURES),
        (SoftmaxRegression(), FEATURES),
        (TunedVectorsClassifier(VECTORS), ids),
        (pipeline.make_pipeline(TfidfVectorizer(), SoftmaxRegression()), tokens),
    ):
        assert selection.cross_val_score(model, inputs, LABELS, cv=3).tolist() == [1.0] * 3
    losses = selection.cross_val_score(
        SoftmaxRegression(), FEATURES, LABELS, cv=3, scoring="neg_log_loss"
    )
    assert (losses > -np.log(2)).all()
