"""What the plugged model is good for: reviews in two classes, in several ways, with what they show.

A few labelled reviews are drawn twice. TF-IDF knows nothing of the model. The centroids are those
of mean word vectors, of the model and of what an update has made of it. Two draws that meet two
models each are a small design in which everything varies that can be drawn: labels, models, tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minilm import resources
from minilm.classify import centroid, logistic, metrics, tfidf, tuned_vectors
from minilm.compare import paired, statistics
from minilm.compare.paired import Runs
from minilm.data import labelled
from minilm.data.labelled import read_labelled
from minilm.embeddings import documents, similarity
from minilm.models import texts as batched
from minilm.nn import gpt, lora
from minilm.nn.heads import SequenceClassifier
from minilm.text.words import Vocabulary, WordTokenizer
from minilm.training import finetune
from minilm.training.settings import FinetuneSettings

LABELLED = 128
_TESTS = 512
_UPDATES = 60
_RESAMPLES = 999
_DRAWS = 2


@dataclass(frozen=True)
class Reviewed:
    """How many reviews are classified rightly, and what may be said of it.

    Attributes
    ----------
    tfidf : float
        The macro-F1 of softmax regression on TF-IDF.
    centroid : float
        The share that is right, by the nearest centroids of mean word vectors.
    tuned : float
        By word vectors that are trained further with the labels.
    last : float
        By the model with its last layer trained further, from the state of the last word.
    lora : float
        By the model fine-tuned with LoRA, its matrices merged.
    interval : tuple of float
        The 95 % interval of the share that LoRA got right.
    verdict : str
        Whether the centroids are better than TF-IDF.
    resolvable : float
        The difference that this many reviews and draws can tell from zero.
    """

    tfidf: float
    centroid: float
    tuned: float
    last: float
    lora: float
    interval: tuple[float, float]
    verdict: str
    resolvable: float


@dataclass(frozen=True)
class _Part:
    """Reviews: words, ids, labels."""

    tokens: list[list[str]]
    ids: list[list[int]]
    labels: np.ndarray

    def take(self, rows: np.ndarray) -> _Part:
        return _Part([self.tokens[i] for i in rows], [self.ids[i] for i in rows], self.labels[rows])


def review(models: Sequence[gpt.GPT], tokenizer: WordTokenizer, vocabulary: Vocabulary) -> Reviewed:
    """Classify test reviews from a few labelled ones.

    Parameters
    ----------
    models : sequence of GPT
        The model, and what updates have made of it.
    tokenizer : WordTokenizer
    vocabulary : Vocabulary
        Of the models.
    """
    train, test, classes = _read(models[0].config.n_positions, tokenizer, vocabulary)
    draws = [train.take(labelled.draw(train.labels, LABELLED, seed)) for seed in range(_DRAWS)]
    weights = documents.frequency_weights(vocabulary.counts)[:, np.newaxis]
    tables = [
        similarity.unit_rows(model.parameters[model.config.table]) * weights for model in models
    ]
    counted = [_by_words(draw, test) for draw in draws]
    near = [_by_centroids(draw, test, table) for draw in draws for table in tables]
    keys = tuple((seed, number) for seed in range(_DRAWS) for number in range(len(tables)))
    tuned = tuned_vectors.TunedVectorsClassifier(tables[0], max_iterations=20)
    tuned.fit([np.array(ids, np.int64) for ids in draws[0].ids], draws[0].labels)
    right = tuned.predict([np.array(ids, np.int64) for ids in test.ids]) == test.labels
    last = _fitted(
        models[0], draws[0], FinetuneSettings("last-n", updates=_UPDATES // 2, pooling="last")
    )
    fine = _fitted(models[0], draws[0], FinetuneSettings("lora", updates=_UPDATES))
    by_lora = _predicted(_merged(fine), test) == test.labels
    return Reviewed(
        metrics.macro_f1(test.labels, counted[0], classes),
        float(np.mean([one == test.labels for one in near])),
        float(right.mean()),
        float(np.mean(_predicted(last, test) == test.labels)),
        float(by_lora.mean()),
        statistics.wilson_interval(int(by_lora.sum()), len(by_lora)),
        _verdict(
            Runs(np.array(near) == test.labels, keys),
            Runs(np.array(counted) == test.labels, tuple((seed, 0) for seed in range(_DRAWS))),
        ),
        statistics.resolvable_difference(len(by_lora), _DRAWS),
    )


def _read(
    context: int, tokenizer: WordTokenizer, vocabulary: Vocabulary
) -> tuple[_Part, _Part, int]:
    """Return reviews to draw from, reviews to test on, and the number of classes."""
    reviews = read_labelled(resources.corpora_dir() / "movie_reviews.csv")
    parts = []
    for part, most in ((reviews.part("train"), 4 * LABELLED), (reviews.part("test"), _TESTS)):
        every = max(1, len(part.texts) // most)
        chosen = part.take(range(0, len(part.texts), every))
        tokens = [tokenizer.tokenize(text) for text in chosen.texts]
        # A text without a known word is its first word of the vocabulary, the most frequent one.
        ids = [vocabulary.encode(text)[:context] or [0] for text in tokens]
        labels = np.array([reviews.classes.index(label) for label in chosen.labels])
        parts.append(_Part(tokens, ids, labels))
    train, test = parts
    return train, test, len(reviews.classes)


def _by_words(train: _Part, test: _Part) -> np.ndarray:
    vectorizer = tfidf.TfidfVectorizer().fit(train.tokens)
    regression = logistic.SoftmaxRegression()
    regression.fit(vectorizer.transform(train.tokens), train.labels)
    return np.asarray(regression.predict(vectorizer.transform(test.tokens)))


def _by_centroids(train: _Part, test: _Part, vectors: np.ndarray) -> np.ndarray:
    nearest = centroid.NearestCentroid()
    nearest.fit(documents.mean_vectors(train.ids, vectors), train.labels)
    return np.asarray(nearest.predict(documents.mean_vectors(test.ids, vectors)))


def _fitted(model: gpt.GPT, train: _Part, settings: FinetuneSettings) -> SequenceClassifier:
    classes = int(train.labels.max()) + 1
    return finetune.fit(
        model.config,
        model.parameters,
        train.ids,
        train.labels,
        classes=classes,
        settings=settings,
    ).model


def _merged(model: SequenceClassifier) -> SequenceClassifier:
    """Return a classifier with LoRA's matrices in those of the body."""
    adapter = model.body.adapter
    if adapter is None:
        return model
    merged = lora.merge(model.parameters, adapter)
    return SequenceClassifier(model.config, parameters=merged, pooling=model.pooling)


def _predicted(model: SequenceClassifier, test: _Part) -> np.ndarray:
    return np.asarray(batched.apply(model.logits, test.ids).argmax(axis=1))


def _verdict(condition: Runs, baseline: Runs) -> str:
    """Return the verdict of the only comparison of a family."""
    [found] = paired.differences([(condition, baseline)], resamples=_RESAMPLES)
    if found is None:
        raise AssertionError("runs with the same draws are pairs")
    [p] = statistics.holm([found.p])
    return statistics.verdict(found, p)
