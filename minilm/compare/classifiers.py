"""How a classifier is made from a few labelled texts: the settings, and the steps they share.

Documents become rows: means of word vectors, or of a transformer's states. A softmax regression is
trained on them, or everything below it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from minilm.classify import logistic, tuned_vectors
from minilm.compare import costs, pretraining, transformer
from minilm.compare.data import CompareData, Examples
from minilm.compare.transformer import Body
from minilm.embeddings import documents, similarity
from minilm.nn.parameters import Config
from minilm.random import generator
from minilm.training import finetune
from minilm.training.settings import SCRATCH, FinetuneSettings


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
# Where training the word vectors further stops. On films re-split (`training.settings`), four draws
# of 16, 64 and 256 labels: 0.572, 0.629, 0.659 at 1e-5, 0.571, 0.628, 0.662 at 1e-4 and 0.582,
# 0.637, 0.676 at 1e-3. Stopping early is a penalty too, and takes a twentieth of the time.
FINETUNED_TOLERANCE = 1e-3
# The states of a transformer are of length sqrt(C), through its last layer norm, so their penalty
# is larger. On the development parts in `training.settings`, with 0.3, 3, 30 and 100: films at 128
# labels 0.589, 0.598, 0.618, 0.615; rt at 100 labels 0.610, 0.622, 0.639, 0.634; tickets at 120
# labels 0.505, 0.534, 0.554, 0.538. Standardizing the states loses 1 to 4 points.
PROBE_L2 = 30.0

# A transformer gets at least this many updates, however few the labels.
LEAST_UPDATES = 60
# The rates and epochs are those of `minilm finetune`. The layers below the last n = 1 are frozen in
# "last-n"; in "gradual" they are at first.
WAYS = {
    "scratch": SCRATCH,
    "full": FinetuneSettings(),
    "lora": FinetuneSettings("lora"),
    "lora-8": FinetuneSettings("lora", rank=8),
    "last-n": FinetuneSettings("last-n"),
    "gradual": FinetuneSettings("gradual"),
}


def settings() -> dict[str, Any]:
    """Return what was chosen on development parts, for the record."""
    return {
        "tfidf_l2": TFIDF_L2,
        "vectors_l2": VECTORS_L2,
        "finetuned_l2": FINETUNED_L2,
        "finetuned_tolerance": FINETUNED_TOLERANCE,
        "probe_l2": PROBE_L2,
        "least_updates": LEAST_UPDATES,
        "ways": {name: _record(way) for name, way in WAYS.items()},
    }


def _record(way: FinetuneSettings) -> dict[str, Any]:
    """Return the settings as JSON has them, with the rates that follow from the method."""
    decay = way.decay(transformer.TransformerSettings.n_layer)
    rates = {"learning_rate": way.peak, "layer_decay": decay}
    return {**asdict(way), **rates, "targets": list(way.targets)}


def random_vectors(data: CompareData, seed: int) -> np.ndarray:
    """Return random directions of unit length for the words that pretraining knows."""
    size = len(data.text.vocabulary)
    shape = (size, pretraining.columns(data.settings, size) or size)
    return similarity.unit_rows(generator(seed, "random").standard_normal(shape, dtype=np.float32))


def labels_only_vectors(data: CompareData, chosen: np.ndarray) -> np.ndarray:
    """Return vectors counted on the labelled sentences alone; other words get zeros."""
    ids = np.concatenate([np.append(data.train.ids[i], -1) for i in chosen])
    words = np.unique(ids[ids >= 0])
    size = len(data.text.vocabulary)
    if not len(words):
        return np.zeros((size, 1), np.float32)
    own_ids = np.where(ids >= 0, np.searchsorted(words, ids), -1)
    counted = pretraining.count_vectors(data.settings, own_ids, len(words))
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
    data: CompareData, vectors: np.ndarray, chosen: np.ndarray, seconds_elsewhere: float = 0.0
) -> Classifier:
    """Regress on the weighted means of word vectors (V, D)."""
    weighted = vectors * data.text.weights[:, np.newaxis]
    regression = logistic.SoftmaxRegression(l2=VECTORS_L2)
    texts = [data.train.ids[i] for i in chosen]
    features = documents.mean_vectors(texts, weighted)
    regression.fit(features, data.train.labels[chosen], classes=len(data.classes))
    return regressed(
        lambda examples: regression.predict(documents.mean_vectors(examples.ids, weighted)),
        regression,
        features.shape,
        costs.averaging(sum(map(len, texts)), weighted.shape[1]),
        seconds_elsewhere,
    )


def fit_finetuned(data: CompareData, chosen: np.ndarray) -> tuned_vectors.TunedVectorsClassifier:
    """Return the model of `cooccurrence-finetuned`."""
    fitted = tuned_vectors.TunedVectorsClassifier(
        data.text.vectors * data.text.weights[:, np.newaxis],
        l2=VECTORS_L2,
        vector_l2=FINETUNED_L2,
        tolerance=FINETUNED_TOLERANCE,
    )
    texts = [data.train.ids[i] for i in chosen]
    return fitted.fit(texts, data.train.labels[chosen], classes=len(data.classes))


Encode = Callable[[Examples], list[list[int]]]


def words_of(data: CompareData, body: Body) -> Encode:
    """Return what turns examples into the ids of the comparison's own transformer."""
    index = data.text.vocabulary.index
    return lambda examples: [
        transformer.encode([index.get(word, -1) for word in words], body.config)
        for words in examples.tokens
    ]


def pretrained_body(data: CompareData, kind: str = "model") -> Body:
    """Return this pretraining's transformer, of the text or of the text shuffled, or its Llama."""
    return transformer.body_of(_config(data, kind), data.made(kind).arrays)


def random_body(data: CompareData, kind: str = "model") -> Body:
    """Return a transformer before any training: what this pretraining starts from."""
    return transformer.random_body(_config(data, kind), data.pretraining)


def _config(data: CompareData, kind: str) -> Config:
    shape, words = data.settings.transformer, len(data.text.vocabulary)
    return shape.llama(words) if kind == pretraining.LLAMA else shape.config(words)


def on_states(
    data: CompareData, chosen: np.ndarray, body: Body, encode: Encode | None = None
) -> Classifier:
    """Regress on the states of a transformer that stays as it is.

    Parameters
    ----------
    data : CompareData
    chosen : ndarray of int
    body : Body
    encode : callable, optional
        Examples to the body's ids; by default `words_of`.
    """
    encode = encode or words_of(data, body)
    encoded = encode(data.train)
    texts = [encoded[i] for i in chosen]
    features = transformer.pooled(body, texts)
    regression = logistic.SoftmaxRegression(l2=PROBE_L2)
    regression.fit(features, data.train.labels[chosen], classes=len(data.classes))
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


def updates(labelled: int, way: FinetuneSettings) -> int:
    """Return how many updates a transformer gets from this many labelled examples.

    >>> [updates(n, WAYS["full"]) for n in (16, 128, 256)]
    [60, 80, 160]
    """
    return max(LEAST_UPDATES, round(way.epochs * -(-labelled // way.batch)))


def further(
    data: CompareData,
    seed: int,
    chosen: np.ndarray,
    body: Body,
    way: FinetuneSettings,
    encode: Encode | None = None,
) -> Classifier:
    """Train a transformer on the labelled texts.

    Parameters
    ----------
    data : CompareData
    seed : int
        For the head, the order of the texts and dropout.
    chosen : ndarray of int
    body : Body
        Where training starts.
    way : FinetuneSettings
        One of `WAYS`, say; the seed and the number of updates are set here.
    encode : callable, optional
        As for `on_states`.
    """
    encode = encode or words_of(data, body)
    encoded = encode(data.train)
    texts = [encoded[i] for i in chosen]
    settings = replace(way, updates=updates(len(chosen), way), seed=seed)
    labels = data.train.labels[chosen]
    fitted = finetune.fit(
        body.config,
        body.parameters,
        texts,
        labels,
        classes=len(data.classes),
        settings=settings,
    )
    # LoRA computes no gradients of the matrices it leaves alone: one of the two backward products.
    passes = 2 if way.method == "lora" else 3
    length = sum(map(len, texts)) / len(texts)
    return Classifier(
        lambda examples: transformer.predict(fitted.model, encode(examples)),
        fitted.trained,
        passes * costs.forward(body.config, fitted.tokens, length, head=0),
    )
