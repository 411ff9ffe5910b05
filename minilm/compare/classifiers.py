"""How a classifier is made from a few labelled texts: the settings, and the steps they share.

Documents become rows: means of word vectors, or of a transformer's states. A softmax regression is
trained on them, or everything below it too.
"""

from __future__ import annotations

import functools
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilm.classify import logistic, tuned_vectors
from minilm.compare import costs, pretraining, transformer
from minilm.compare.data import CompareData, Examples
from minilm.compare.transformer import Body
from minilm.embeddings import documents, similarity
from minilm.training import finetune


@dataclass(frozen=True)
class Classifier:
    """A trained classifier, ready to be evaluated on any domain.

    Parameters
    ----------
    predict : callable
        Examples to class indices, an int array of shape (N,).
    trainable_parameters : int
        How many numbers the labelled examples have set.
    flops : float
        Floating-point operations of training, by the formulas of `costs`; pretraining not counted.
    seconds_elsewhere : float
        Time of work that this run used and another one did, to be added to its own.
    """

    predict: Callable[[Examples], np.ndarray]
    trainable_parameters: int
    flops: float = 0.0
    seconds_elsewhere: float = 0.0


# Strengths of the L2 penalty. They, and the defaults of `CompareSettings`, were chosen by their
# accuracy on development parts: 2,000 reviews of rt-polarity (Pang and Lee 2005) at 100 and 200
# labels, and the dev part with a third of the train part of corpora/movie_reviews.csv and of
# support_tickets.csv at 16, 64 and 160 to 256. Tried were 0.0003 to 3 here, windows of 3 to 60, 50
# to 300 dimensions, with and without stop words and frequency weights. From 0.1 on, the vectors
# are too short to weigh anything against five biases at 16 labels. All conditions with vectors
# share one strength.
TFIDF_L2 = 1.0
VECTORS_L2 = 0.01
FINETUNED_L2 = 30.0
# The states of a transformer are of length sqrt(C), through its last layer norm. Frozen ones did
# best at 3 to 30 on reviews of rt-polarity (0.640 and 0.661 at 100 and 200 labels and 3; 0.611 and
# 0.656 at 0.3), and at 0.1 on the films (0.544 and 0.620 at 64 and 256; 0.541 and 0.595 at 0.3;
# 0.538 and 0.553 at 3).
PROBE_L2 = 0.3

# Every transformer that is trained has the same number of updates, whatever it starts from; only
# the learning rates differ, each the best of three or two by a factor of 3 or 4 on the same
# development parts: from scratch 0.564 and 0.575 at 3e-3 (0.548 and 0.568 at 1e-3), pretrained
# 0.631 and 0.656 at 5e-4 (0.609 and 0.637 at 2e-3), LoRA 0.620 and 0.641 at 2e-3 (0.615 and 0.646
# at 6e-3), and pretraining from vectors of window 15 rather than 3 (0.614 and 0.626).
EPOCHS = 20
LEAST_UPDATES = 60
BATCH = 16
LEARNING_RATES = {"scratch": 3e-3, "full": 5e-4, "lora": 2e-3}
LORA_RANK = 4


def settings() -> dict[str, Any]:
    """Return what was chosen on development parts, for the record."""
    return {
        "tfidf_l2": TFIDF_L2,
        "vectors_l2": VECTORS_L2,
        "finetuned_l2": FINETUNED_L2,
        "probe_l2": PROBE_L2,
        "epochs": EPOCHS,
        "least_updates": LEAST_UPDATES,
        "batch": BATCH,
        "learning_rates": LEARNING_RATES,
        "lora_rank": LORA_RANK,
    }


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose at one seed, the same on every system."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def random_vectors(material: CompareData, seed: int) -> np.ndarray:
    """Return directions drawn at random, of unit length, for the words that pretraining knows."""
    size = len(material.text.vocabulary)
    shape = (size, pretraining.columns(material.settings, size) or size)
    return similarity.unit_rows(generator(seed, "random").standard_normal(shape, dtype=np.float32))


@functools.lru_cache(maxsize=1)
def shuffled_vectors(material: CompareData, seed: int) -> tuple[np.ndarray, float]:
    """Return vectors counted on the corpus with its words shuffled across it, and the seconds.

    The last result is kept because the budgets of one seed share it.
    """
    start = time.perf_counter()
    ids = pretraining.shuffled(material.text.ids, rng=generator(seed, "shuffled"))
    vectors = pretraining.count_vectors(material.settings, ids, len(material.text.vocabulary))
    return vectors, time.perf_counter() - start


def labels_only_vectors(material: CompareData, chosen: np.ndarray) -> np.ndarray:
    """Return vectors counted on the labelled sentences alone; other words get the zero vector."""
    ids = np.concatenate([np.append(material.train.ids[i], -1) for i in chosen])
    words = np.unique(ids[ids >= 0])
    size = len(material.text.vocabulary)
    if not len(words):
        return np.zeros((size, 1), np.float32)
    own_ids = np.where(ids >= 0, np.searchsorted(words, ids), -1)
    counted = pretraining.count_vectors(material.settings, own_ids, len(words))
    vectors = np.zeros((size, counted.shape[1]), counted.dtype)
    vectors[words] = counted
    return vectors


def regressed(
    predict: Callable[[Examples], np.ndarray],
    regression: logistic.SoftmaxRegression,
    shape: tuple[int, ...],
    flops_before: float = 0.0,
    seconds_elsewhere: float = 0.0,
) -> Classifier:
    """Return the classifier that a fitted regression makes, with what it cost.

    Parameters
    ----------
    predict : callable
    regression : logistic.SoftmaxRegression
        Fitted.
    shape : tuple of int
        Of the rows that it was fitted to.
    flops_before : float
        What making the rows took.
    seconds_elsewhere : float
    """
    rows, width = shape
    classes = regression.bias_.size
    return Classifier(
        predict,
        regression.weights_.size + classes,
        flops_before + costs.regression(rows, width, classes, regression.iterations_),
        seconds_elsewhere,
    )


def on_vectors(
    material: CompareData, vectors: np.ndarray, chosen: np.ndarray, seconds_elsewhere: float = 0.0
) -> Classifier:
    """Regress on the weighted means of word vectors (V, D)."""
    weighted = vectors * material.text.weights[:, np.newaxis]
    regression = logistic.SoftmaxRegression(l2=VECTORS_L2)
    texts = [material.train.ids[i] for i in chosen]
    features = documents.mean_vectors(texts, weighted)
    regression.fit(features, material.train.labels[chosen], classes=len(material.classes))
    return regressed(
        lambda examples: regression.predict(documents.mean_vectors(examples.ids, weighted)),
        regression,
        features.shape,
        costs.averaging(sum(map(len, texts)), weighted.shape[1]),
        seconds_elsewhere,
    )


def fit_finetuned(
    material: CompareData, chosen: np.ndarray
) -> tuned_vectors.TunedVectorsClassifier:
    """Return the model of `cooccurrence-finetuned`."""
    fitted = tuned_vectors.TunedVectorsClassifier(
        material.text.vectors * material.text.weights[:, np.newaxis],
        l2=VECTORS_L2,
        vector_l2=FINETUNED_L2,
    )
    texts = [material.train.ids[i] for i in chosen]
    return fitted.fit(texts, material.train.labels[chosen], classes=len(material.classes))


Encode = Callable[[Examples], list[list[int]]]


def words_of(material: CompareData, body: Body) -> Encode:
    """Return what turns examples into the ids of the comparison's own transformer."""
    index = material.text.vocabulary.index
    return lambda examples: [
        transformer.encode([index.get(word, -1) for word in words], body.config)
        for words in examples.tokens
    ]


def pretrained_body(material: CompareData, kind: str = "model") -> Body:
    """Return the transformer that was pretrained on the text, or on the text shuffled."""
    config = material.settings.transformer.config(len(material.text.vocabulary))
    return transformer.body_of(config, material.text.made[kind].arrays)


def random_body(material: CompareData, seed: int) -> Body:
    """Return a transformer of the comparison's shape before any training."""
    config = material.settings.transformer.config(len(material.text.vocabulary))
    return transformer.random_body(config, rng=generator(seed, "transformer"))


def on_states(
    material: CompareData, chosen: np.ndarray, body: Body, encode: Encode | None = None
) -> Classifier:
    """Regress on the states of a transformer that stays as it is.

    Parameters
    ----------
    material : CompareData
    chosen : ndarray of int
    body : Body
    encode : callable, optional
        Examples to the body's ids; `words_of` unless said.
    """
    encode = encode or words_of(material, body)
    encoded = encode(material.train)
    texts = [encoded[i] for i in chosen]
    features = transformer.pooled(body, texts)
    regression = logistic.SoftmaxRegression(l2=PROBE_L2)
    regression.fit(features, material.train.labels[chosen], classes=len(material.classes))
    return regressed(
        lambda examples: regression.predict(transformer.pooled(body, encode(examples))),
        regression,
        features.shape,
        reading(body, texts),
    )


def reading(body: Body, texts: list[list[int]]) -> float:
    """Return the operations of reading texts once."""
    tokens = sum(map(len, texts))
    return costs.forward(body.config, tokens, tokens / len(texts), head=0)


def updates(labelled: int) -> int:
    """Return how many updates a transformer gets from so many labelled examples.

    >>> updates(16), updates(64), updates(256)
    (60, 80, 320)
    """
    return max(LEAST_UPDATES, EPOCHS * -(-labelled // BATCH))


def further(
    material: CompareData,
    seed: int,
    chosen: np.ndarray,
    body: Body,
    how: str,
    encode: Encode | None = None,
) -> Classifier:
    """Train a transformer on the labelled texts.

    Parameters
    ----------
    material : CompareData
    seed : int
        For the head, the order of the texts and dropout.
    chosen : ndarray of int
    body : Body
        Where training starts.
    how : {"scratch", "full", "lora"}
        All of it (at the learning rate of a start from scratch or from pretraining), or matrices of
        low rank beside its own.
    encode : callable, optional
        As for `on_states`.
    """
    encode = encode or words_of(material, body)
    encoded = encode(material.train)
    texts = [encoded[i] for i in chosen]
    settings = finetune.FinetuneSettings(
        method="lora" if how == "lora" else "full",
        rank=LORA_RANK,
        updates=updates(len(chosen)),
        batch=BATCH,
        learning_rate=LEARNING_RATES[how],
        layer_decay=1.0,  # one rate for all layers, as the rates above were chosen
        seed=seed,
        threads=1,
    )
    labels = material.train.labels[chosen]
    fitted = finetune.fit(
        body.config,
        body.parameters,
        texts,
        labels,
        classes=len(material.classes),
        settings=settings,
    )
    # LoRA computes no gradients of the matrices it leaves alone: one of the two backward products.
    passes = 2 if how == "lora" else 3
    length = sum(map(len, texts)) / len(texts)
    return Classifier(
        lambda examples: transformer.predict(fitted.model, encode(examples)),
        fitted.trained,
        passes * costs.forward(body.config, fitted.tokens, length, head=0),
    )
