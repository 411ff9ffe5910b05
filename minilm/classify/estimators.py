"""Classifiers as scikit-learn knows them: texts in, labels out, `fit` and `predict`.

They work inside its `cross_val_score`, `GridSearchCV` and pipelines without importing it, for what
those ask for is a handful of methods. Constructors store and do nothing else; what is learned from
data ends in `_`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm.classify.logistic import SoftmaxRegression
from minilm.classify.tuned_vectors import FinetunedEmbeddingClassifier
from minilm.embeddings import cooccurrence, documents, svd
from minilm.errors import OptionError
from minilm.text.words import STOP_WORDS, Vocabulary, WordTokenizer


class Estimator:
    """What all estimators of texts share; a subclass adds `__init__`, `fit` and `predict_proba`.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The labels, sorted; the columns of `predict_proba`.
    """

    classes_: NDArray[Any]

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of each class: N texts -> (N, K)."""
        raise NotImplementedError

    def predict(self, texts: Sequence[str]) -> NDArray[Any]:
        """Return the most probable label of each text: N texts -> (N,)."""
        best = self.predict_proba(texts).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def score(self, texts: Sequence[str], labels: ArrayLike) -> float:
        """Return the accuracy: the share of texts whose label is predicted."""
        return float(np.mean(self.predict(texts) == np.asarray(labels)))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the constructor by name; `deep` is for scikit-learn."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Set arguments of the constructor by name, and return the estimator.

        Raises
        ------
        OptionError
            For a name that the constructor has not.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise OptionError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}"
                )
            setattr(self, name, value)
        return self

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy that shares what it was made with: fitting writes to none of it.

        Else a base of a gigabyte would be copied for each fold.
        """
        return type(self)(**self.get_params())

    def __sklearn_tags__(self) -> SimpleNamespace:
        """Describe the estimator as `sklearn.utils.Tags` would: a classifier of strings."""
        return SimpleNamespace(
            estimator_type="classifier",
            target_tags=SimpleNamespace(
                required=True,
                one_d_labels=True,
                two_d_labels=False,
                positive_only=False,
                multi_output=False,
                single_output=True,
            ),
            transformer_tags=None,
            classifier_tags=SimpleNamespace(poor_score=False, multi_class=True, multi_label=False),
            regressor_tags=None,
            array_api_support=False,
            no_validation=True,
            non_deterministic=False,
            requires_fit=True,
            _skip_test=False,
            input_tags=SimpleNamespace(
                one_d_array=True,
                two_d_array=False,
                three_d_array=False,
                sparse=False,
                categorical=False,
                string=True,
                dict=False,
                positive_only=False,
                allow_nan=False,
                pairwise=False,
            ),
        )

    def _check_fitted(self) -> None:
        if not hasattr(self, "classes_"):
            raise OptionError(f"this {type(self).__name__} has learned nothing yet; call fit first")


class CooccurrenceClassifier(Estimator):
    """Word vectors from unlabelled text, then softmax regression on the mean of a text's vectors.

    Deterministic: nothing is drawn but the projection of the SVD, always the same.

    Parameters
    ----------
    unlabelled : sequence of str, optional
        Texts whose words are counted; unless given, those that the classifier is fitted on.
    window : int, default 15
        How many words to each side count as company.
    weighting : {"ppmi", "count"}
        How counts become weights.
    dimensions : int or None, default 100
        Columns of the word vectors, at most one for each word; None keeps all.
    min_count, max_words : int
        The vocabulary: words seen at least so often, at most so many.
    stop_words : bool
        Whether to leave out the stop list.
    finetune : bool
        Whether the word vectors are trained on with the labels, or stay frozen.
    l2, vector_l2 : float
        Penalties: on the weights, and on how far vectors go when they are trained on.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The labels, sorted.
    vocabulary_ : Vocabulary
        The words that were counted.
    model_ : SoftmaxRegression or FinetunedEmbeddingClassifier
        The fitted classifier.

    Examples
    --------
    >>> texts = ["a fine warm film", "warm and fine", "a dull cold film", "cold and dull"]
    >>> model = CooccurrenceClassifier(dimensions=4, window=2)
    >>> model.fit(texts, ["good", "good", "bad", "bad"]).predict(["fine", "a cold one"])
    array(['good', 'bad'], dtype='<U4')
    """

    def __init__(
        self,
        unlabelled: Sequence[str] | None = None,
        *,
        window: int = 15,
        weighting: str = "ppmi",
        dimensions: int | None = 100,
        min_count: int = 1,
        max_words: int = 20_000,
        stop_words: bool = False,
        finetune: bool = False,
        l2: float = 0.01,
        vector_l2: float = 30.0,
    ) -> None:
        self.unlabelled = unlabelled
        self.window = window
        self.weighting = weighting
        self.dimensions = dimensions
        self.min_count = min_count
        self.max_words = max_words
        self.stop_words = stop_words
        self.finetune = finetune
        self.l2 = l2
        self.vector_l2 = vector_l2

    def fit(self, texts: Sequence[str], labels: ArrayLike) -> Self:
        """Count the unlabelled texts, and learn from the labelled ones.

        Raises
        ------
        OptionError
            When a text, a label or a setting cannot work, or no word of the texts was counted.
        """
        checked = check_texts(texts)
        classes, targets = check_labels(labels, len(checked))
        counted = checked if self.unlabelled is None else self.unlabelled
        vocabulary, vectors = self._word_vectors(counted)
        known = self._encode(checked, vocabulary)
        if not any(map(len, known)):
            raise OptionError(
                "no word of these texts was counted, so there is nothing to learn from; are the "
                "unlabelled texts in the same language?"
            )
        if self.finetune:
            tuned = FinetunedEmbeddingClassifier(vectors, l2=self.l2, vector_l2=self.vector_l2)
            self.model_: Any = tuned.fit(known, targets, classes=len(classes))
        else:
            features = documents.mean_vectors(known, vectors)
            self.model_ = SoftmaxRegression(l2=self.l2)
            self.model_.fit(features, targets, classes=len(classes))
        self.classes_, self.vocabulary_, self._vectors = classes, vocabulary, vectors
        return self

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of each class: N texts -> (N, K).

        A text without a word that was counted has what the classifier says of no word at all.
        """
        self._check_fitted()
        known = self._encode(check_texts(texts), self.vocabulary_)
        features = known if self.finetune else documents.mean_vectors(known, self._vectors)
        probabilities: NDArray[np.float64] = self.model_.predict_proba(features)
        return probabilities

    def _tokenizer(self) -> WordTokenizer:
        return WordTokenizer(STOP_WORDS if self.stop_words else frozenset())

    def _encode(self, texts: Iterable[str], vocabulary: Vocabulary) -> list[NDArray[np.int64]]:
        tokenize = self._tokenizer().tokenize
        return [np.array(vocabulary.encode(tokenize(text)), np.int64) for text in texts]

    def _word_vectors(self, texts: Sequence[str]) -> tuple[Vocabulary, NDArray[np.float32]]:
        """Return the words of the texts and their vectors, frequent words shorter."""
        tokenize = self._tokenizer().tokenize
        vocabulary = Vocabulary.from_documents(
            map(tokenize, texts), min_count=self.min_count, max_size=self.max_words
        )
        if not len(vocabulary):
            raise OptionError("the texts to count hold no word; give others, or a lower min_count")
        counts = cooccurrence.count_chunks(
            self._encode(texts, vocabulary), self.window, len(vocabulary)
        )
        vectors = svd.word_vectors(
            counts,
            weighting=self.weighting,
            dimensions=self.dimensions and min(self.dimensions, len(vocabulary)),
            rng=np.random.default_rng(0),
        )
        weights = documents.frequency_weights(vocabulary.counts).astype(np.float32)
        return vocabulary, vectors * weights[:, np.newaxis]


def check_texts(texts: Sequence[str]) -> list[str]:
    """Return texts as a list, or raise OptionError unless each is a string with something in it.

    >>> check_texts(np.array(["a film"]))
    ['a film']
    """
    if isinstance(texts, str):
        raise OptionError("texts is one string; pass a list of texts: [text]")
    checked = list(texts)
    for i, text in enumerate(checked):
        if not isinstance(text, str):
            raise OptionError(f"texts[{i}] is of type {type(text).__name__}, not a string")
        if not text.strip():
            raise OptionError(f"texts[{i}] is empty; leave it out")
    return [str(text) for text in checked]


def check_labels(labels: ArrayLike, count: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the different labels, sorted, and the place of each label among them.

    Raises
    ------
    OptionError
        When there is not one label for each of `count` texts, or only one kind of label.
    """
    array = np.asarray(labels)
    if array.shape != (count,):
        raise OptionError(f"labels have shape {array.shape}; give one for each of {count} texts")
    classes, targets = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        raise OptionError("labels hold fewer than two classes; there is nothing to tell apart")
    return classes, targets.astype(np.int64)
