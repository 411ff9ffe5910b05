"""What a classifier predicts for texts, and how often it is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.classify import metrics
from minilm.classify.metrics import Calibration, ClassScores
from minilm.data.labelled import LabelledData
from minilm.errors import InputError, listed
from minilm.models.text_classifier import TextClassifier
from minilm.models.texts import Encoded, known_share
from minilm.store.folder import Stage, Tokenizer
from minilm.text.wordlevel import WordLevelTokenizer

MISTAKES = 5  # shown, the most confident ones


@dataclass(frozen=True)
class Prediction:
    """What a classifier predicts for a text.

    Attributes
    ----------
    text : str
    labels : tuple of str
        All K labels of the classifier.
    probabilities : ndarray of shape (K,), float64
    unknown_words : list of str
        Words that the tokenizer does not know; empty for byte pairs, which can spell every word.
    """

    text: str
    labels: tuple[str, ...]
    probabilities: NDArray[np.floating[Any]]
    unknown_words: list[str]

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.labels[int(self.probabilities.argmax())]


@dataclass(frozen=True)
class Reading:
    """How much of the texts a classifier read.

    Attributes
    ----------
    texts, truncated : int
        How many there are, and how many of them are longer than the context.
    context : int
        In tokens.
    known : float
        The share of the tokens that the tokenizer learned from text; see
        `texts.known_share`.
    """

    texts: int
    truncated: int
    context: int
    known: float

    def remarks(self) -> list[str]:
        """Return what a reader of the results should know, as lines.

        >>> Reading(3, 1, 64, 0.9).remarks()
        ['1 of 3 texts is longer than the context of 64 tokens; only the beginning is used']
        """
        found = []
        if self.truncated:
            verb = "is" if self.truncated == 1 else "are"
            found.append(
                f"{self.truncated:,} of {self.texts:,} texts {verb} longer than the context of "
                f"{self.context:,} tokens; only the beginning is used"
            )
        if self.known == 0:
            found.append(
                "the model has seen none of these words in training: its predictions are guesses"
            )
        return found


def _reading(classifier: TextClassifier, encoded: Encoded) -> Reading:
    known = known_share(classifier.tokenizer, encoded.ids)
    return Reading(len(encoded.ids), encoded.truncated, classifier.config.n_positions, known)


def predict(classifier: TextClassifier, texts: Sequence[str]) -> tuple[list[Prediction], Reading]:
    """Classify texts; return the predictions, and how much of the texts was read."""
    encoded = classifier.encode(texts)
    rows = classifier.probabilities(encoded)
    found = [
        Prediction(text, classifier.labels, row, _unknown_words(classifier.tokenizer, text))
        for text, row in zip(texts, rows, strict=True)
    ]
    return found, _reading(classifier, encoded)


def _unknown_words(tokenizer: Tokenizer, text: str) -> list[str]:
    return tokenizer.unknown_words(text) if isinstance(tokenizer, WordLevelTokenizer) else []


@dataclass(frozen=True)
class Mistake:
    """A text that was given a wrong label.

    Attributes
    ----------
    text : str
    line : int
        Its line in the file.
    label, predicted : str
    probability : float
        Of `predicted`.
    """

    text: str
    line: int
    label: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class Evaluation:
    """How a classifier did on labelled texts.

    Attributes
    ----------
    labels : tuple of str
        The K classes, in the order of all arrays.
    confusion : ndarray of shape (K, K), int
        Rows: true labels; columns: predicted labels.
    scores : ClassScores
    calibration : Calibration
    mistakes : list of Mistake
        The most confident ones.
    reading : Reading
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    scores: ClassScores
    calibration: Calibration
    mistakes: list[Mistake]
    reading: Reading

    @property
    def accuracy(self) -> float:
        """The share of texts with the right label."""
        return float(self.confusion.trace() / self.confusion.sum())

    @property
    def macro_f1(self) -> float:
        """The mean of the classes' F1."""
        return float(self.scores.f1.mean())


def evaluate(classifier: TextClassifier, data: LabelledData) -> Evaluation:
    """Compare a classifier's predictions with the labels of texts.

    Raises
    ------
    InputError
        When a label is not one of the classifier's; with the line.
    """
    truth = class_indices(data, classifier.labels)
    encoded = classifier.encode(data.texts)
    probabilities = classifier.probabilities(encoded)
    confusion = metrics.confusion_matrix(
        truth, probabilities.argmax(axis=1), len(classifier.labels)
    )
    mistakes = [
        Mistake(
            data.texts[i],
            data.lines[i],
            data.labels[i],
            classifier.labels[predicted],
            float(probabilities[i, predicted]),
        )
        for i, predicted in metrics.confident_mistakes(probabilities, truth, MISTAKES)
    ]
    return Evaluation(
        classifier.labels,
        confusion,
        metrics.class_scores(confusion),
        metrics.calibration(probabilities, truth),
        mistakes,
        _reading(classifier, encoded),
    )


def class_indices(data: LabelledData, labels: Sequence[str]) -> NDArray[np.int64]:
    """Return the index of each example's label among a classifier's labels.

    Raises
    ------
    InputError
        At the first label that is not among them; the message names its line.
    """
    index = {label: i for i, label in enumerate(labels)}
    for label, line in zip(data.labels, data.lines, strict=True):
        if label not in index:
            raise InputError(
                f"the label {label!r} is not one of the model's labels ({listed(labels, 5)}); "
                "rename it, or fine-tune a language model on this task",
                data.path,
                line,
            )
    return np.array([index[label] for label in data.labels], np.int64)


def has_learned_from(lineage: Sequence[Stage], sha256: str) -> bool:
    """Return whether the file of this checksum is among those that a model was trained on."""
    return any(source.sha256 == sha256 for stage in lineage for source in stage.data)
