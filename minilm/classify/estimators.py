"""The co-occurrence classifier: word vectors counted on text, and a regression on top of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm.arrays import Array
from minilm.classify import base
from minilm.classify.logistic import SoftmaxRegression
from minilm.classify.tuned_vectors import TunedVectorsClassifier
from minilm.embeddings import cooccurrence, documents, svd
from minilm.errors import OptionError
from minilm.text import several
from minilm.text.words import STOP_WORDS, Vocabulary, WordTokenizer


class CooccurrenceClassifier(base.Classifier):
    """Word vectors from unlabelled text, then softmax regression on the mean of a text's vectors.

    Deterministic: the SVD's random projection is the same every time.

    Parameters
    ----------
    unlabelled : sequence of str, optional
        Texts whose words are counted; by default those that the classifier is fitted on.
    window : int, default 15
        How many words on each side are counted.
    weighting : {"ppmi", "count"}
        How counts become weights.
    dimensions : int or None, default 100
        Columns of the word vectors, at most one per word; None keeps all.
    min_count, max_words : int
        The vocabulary: at most `max_words` words that occur `min_count` times or more.
    stop_words : bool
        Whether to leave out stop words.
    finetune : bool
        Whether the labels train the word vectors too; otherwise they stay frozen.
    l2, vector_l2 : float
        Penalties: on the weights, and on how far word vectors move when they are trained.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The labels, sorted.
    vocabulary_ : Vocabulary
        The words that were counted.
    vectors_ : ndarray of shape (V, D)
        Their vectors as counted, scaled so that frequent words weigh less.
    model_ : SoftmaxRegression or TunedVectorsClassifier
        The fitted classifier.

    Examples
    --------
    No label mentions "sunny" or "cold"; the unlabelled texts say what company they keep.

    >>> texts = ["fine, warm and sunny", "warm, sunny, fine", "dull, cold, rainy", "rainy and dull"]
    >>> model = CooccurrenceClassifier(texts, dimensions=2, window=2, l2=1e-6)
    >>> model = model.fit(["a fine film", "a dull film"], ["good", "bad"])
    >>> model.predict(["sunny days", "so cold"])
    array(['good', 'bad'], dtype='<U4')
    """

    input_kind = "texts"

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
        """Count the words of the unlabelled texts, then learn from the labelled ones.

        Raises
        ------
        OptionError
            When a text, a label or a setting is invalid, or no word of the texts was counted.
        """
        base.check_whole(
            window=self.window,
            min_count=self.min_count,
            max_words=self.max_words,
            dimensions=1 if self.dimensions is None else self.dimensions,
        )
        checked = base.check_texts(texts)
        y = base.check_labels(labels, len(checked))
        counted = checked
        if self.unlabelled is not None:
            counted = list(several.strings(self.unlabelled, "unlabelled"))
        vocabulary, vectors = self._word_vectors(counted)
        known = self._encode(checked, vocabulary)
        if not any(map(len, known)):
            raise OptionError(
                "no word of these texts was counted, so there is nothing to learn from; check "
                "that the unlabelled texts are in the same language"
            )
        if self.finetune:
            tuned = TunedVectorsClassifier(vectors, l2=self.l2, vector_l2=self.vector_l2)
            self.model_: TunedVectorsClassifier | SoftmaxRegression = tuned.fit(known, y)
        else:
            features = documents.mean_vectors(known, vectors)
            self.model_ = SoftmaxRegression(l2=self.l2).fit(features, y)
        self.classes_ = self.model_.classes_
        self.vocabulary_, self.vectors_ = vocabulary, vectors
        return self

    def predict_proba(self, texts: Sequence[str]) -> Array:
        """Return the probability of each class: N texts -> (N, K).

        All texts without a word that was counted have the same probabilities.
        """
        known = self._encode(base.check_texts(texts), self.vocabulary_)
        if isinstance(self.model_, TunedVectorsClassifier):
            return self.model_.predict_proba(known)
        return self.model_.predict_proba(documents.mean_vectors(known, self.vectors_))

    def _tokenizer(self) -> WordTokenizer:
        return WordTokenizer(STOP_WORDS if self.stop_words else frozenset())

    def _encode(self, texts: Iterable[str], vocabulary: Vocabulary) -> list[NDArray[np.int64]]:
        tokenize = self._tokenizer().tokenize
        return [np.array(vocabulary.encode(tokenize(text)), np.int64) for text in texts]

    def _word_vectors(self, texts: Sequence[str]) -> tuple[Vocabulary, NDArray[np.float32]]:
        """Return the words of the texts and their vectors, those of frequent words shorter."""
        tokenize = self._tokenizer().tokenize
        vocabulary = Vocabulary.from_documents(
            map(tokenize, texts), min_count=self.min_count, max_size=self.max_words
        )
        if not len(vocabulary):
            raise OptionError(
                "no word to count in the unlabelled texts; use other texts or a lower min_count"
            )
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
