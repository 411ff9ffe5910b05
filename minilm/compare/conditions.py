"""The conditions of a comparison, each with its baselines and its settings, in one table.

A condition is a way to get from a few labelled texts to a classifier. Those of the first family
differ in one thing only, the word vectors; the text of a document becomes the mean of the vectors
of its words, frequent ones counting less, and a softmax regression is trained on the labelled
documents. Those of the second family read the same words with a transformer, which is left as it is
below a softmax regression ("frozen", "probe") or trained further. Controls should gain nothing:
their vectors or their transformer learned in the same way, from text that cannot teach what is
tested.

A condition of one's own is a `Condition` with a function `train(material, seed, chosen)`; give it
to `comparison.compare` beside the others.
"""

from __future__ import annotations

import functools
import os
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilm.classify import finetuned, logistic, tfidf
from minilm.compare import costs, pretraining, transformer
from minilm.compare.material import Examples, Material
from minilm.compare.transformer import Body
from minilm.embeddings import documents, similarity
from minilm.errors import OptionError
from minilm.training import finetune, model


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


Train = Callable[[Material, int, np.ndarray], Classifier]


@dataclass(frozen=True)
class Condition:
    """One way from labelled texts to a classifier.

    Parameters
    ----------
    summary : str
        What it is, in a few words.
    baselines : tuple of str
        The conditions that it is compared with; its family's first.
    family : str
        Verdicts are corrected for their number within it. "control" says that it must not be
        better than its baseline, if the lesson holds.
    train : callable
        `train(material, seed, chosen) -> Classifier`; `chosen` holds the indices of the labelled
        examples, and the seed governs whatever else is random. A pure function of the three, at the
        top level of a module, so that other processes can be told its name.
    needs : tuple of str
        What it needs of the pretraining text: "text", or what `pretraining.KINDS` makes of it. A
        condition that needs nothing is run once for all texts.
    trains_transformer : bool
        Whether it takes long, for the time that is left.
    """

    summary: str
    baselines: tuple[str, ...]
    family: str
    train: Train
    needs: tuple[str, ...] = ()

    trains_transformer: bool = False

    @property
    def control(self) -> bool:
        """Whether it should gain nothing."""
        return self.family == CONTROL


WORDS, TRANSFORMER, CONTROL = "word vectors", "transformer", "control"

# Strengths of the L2 penalty. They, and the defaults of `material.Settings`, were chosen by their
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
# best at 30 on reviews of rt-polarity (0.664 and 0.680 at 100 and 200 labels, against 0.611 and
# 0.656 at 0.3), and at 0.3 on the films (0.550 and 0.577 at 64 and 256, against 0.531 and 0.536).
PROBE_L2 = 1.0

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


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose at one seed, the same on every system."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


# ---------------------------------------------------------------- word vectors


def random_vectors(material: Material, seed: int) -> np.ndarray:
    """Return directions drawn at random, of unit length, for the words that pretraining knows."""
    size = len(material.text.vocabulary)
    shape = (size, pretraining.columns(material.settings, size) or size)
    return similarity.unit_rows(generator(seed, "random").standard_normal(shape, dtype=np.float32))


@functools.lru_cache(maxsize=1)
def shuffled_vectors(material: Material, seed: int) -> tuple[np.ndarray, float]:
    """Return vectors counted on the corpus with its words shuffled across it, and the seconds.

    The last result is kept because the budgets of one seed share it.
    """
    start = time.perf_counter()
    ids = pretraining.shuffled(material.text.ids, rng=generator(seed, "shuffled"))
    vectors = pretraining.count_vectors(material.settings, ids, len(material.text.vocabulary))
    return vectors, time.perf_counter() - start


def labels_only_vectors(material: Material, chosen: np.ndarray) -> np.ndarray:
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


def train_tfidf(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Weigh the words of the labelled texts and regress on them."""
    texts = [material.train.tokens[i] for i in chosen]
    vectorizer = tfidf.TfidfVectorizer().fit(texts)
    regression = logistic.SoftmaxRegression(l2=TFIDF_L2)
    features = vectorizer.transform(texts)
    regression.fit(features, material.train.labels[chosen], classes=len(material.classes))

    def predict(examples: Examples) -> np.ndarray:
        # In blocks: the vectors of a large test part would not fit in memory at once.
        blocks = (examples.tokens[i : i + 1000] for i in range(0, len(examples.tokens), 1000))
        return np.concatenate([regression.predict(vectorizer.transform(block)) for block in blocks])

    return _regressed(predict, regression, features.shape)


def train_random(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on random vectors."""
    return _train_on_vectors(material, random_vectors(material, seed), chosen)


def train_cooccurrence(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on pretrained vectors."""
    return _train_on_vectors(material, material.text.vectors, chosen)


def train_labels_only(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on vectors counted on the labelled texts."""
    return _train_on_vectors(material, labels_only_vectors(material, chosen), chosen)


def train_shuffled(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on vectors counted on shuffled text."""
    used_before = shuffled_vectors.cache_info().hits
    vectors, seconds = shuffled_vectors(material, seed)
    found = shuffled_vectors.cache_info().hits > used_before
    return _train_on_vectors(material, vectors, chosen, seconds if found else 0.0)


def _train_on_vectors(
    material: Material, vectors: np.ndarray, chosen: np.ndarray, seconds_elsewhere: float = 0.0
) -> Classifier:
    weighted = vectors * material.text.weights[:, np.newaxis]
    regression = logistic.SoftmaxRegression(l2=VECTORS_L2)
    texts = [material.train.ids[i] for i in chosen]
    features = documents.mean_vectors(texts, weighted)
    regression.fit(features, material.train.labels[chosen], classes=len(material.classes))
    return _regressed(
        lambda examples: regression.predict(documents.mean_vectors(examples.ids, weighted)),
        regression,
        features.shape,
        costs.averaging(sum(map(len, texts)), weighted.shape[1]),
        seconds_elsewhere,
    )


def _regressed(
    predict: Callable[[Examples], np.ndarray],
    regression: logistic.SoftmaxRegression,
    shape: tuple[int, ...],
    flops_before: float = 0.0,
    seconds_elsewhere: float = 0.0,
) -> Classifier:
    rows, width = shape
    classes = regression.bias_.size
    return Classifier(
        predict,
        regression.weights_.size + classes,
        flops_before + costs.regression(rows, width, classes, regression.iterations_),
        seconds_elsewhere,
    )


def train_finetuned(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Train pretrained word vectors further, with the regression on top of them."""
    fitted = fit_finetuned(material, chosen)
    trained = fitted.weights_.size + fitted.bias_.size + fitted.vectors_[fitted.seen_].size
    width, classes = fitted.weights_.shape
    # Words are scored before they are averaged, and each iteration goes forward and backward.
    tokens = sum(len(material.train.ids[i]) for i in chosen)
    scored = 2 * len(fitted.seen_) * width * classes + 2 * tokens * classes
    return Classifier(
        lambda examples: fitted.predict(examples.ids), trained, 3.0 * scored * fitted.iterations_
    )


def fit_finetuned(material: Material, chosen: np.ndarray) -> finetuned.FinetunedEmbeddingClassifier:
    """Return the model of `cooccurrence-finetuned`."""
    fitted = finetuned.FinetunedEmbeddingClassifier(
        material.text.vectors * material.text.weights[:, np.newaxis],
        l2=VECTORS_L2,
        vector_l2=FINETUNED_L2,
    )
    texts = [material.train.ids[i] for i in chosen]
    return fitted.fit(texts, material.train.labels[chosen], classes=len(material.classes))


# ---------------------------------------------------------------- transformers

Encode = Callable[[Examples], list[list[int]]]


def _words_of(material: Material, body: Body) -> Encode:
    """Return what turns examples into the ids of the comparison's own transformer."""
    index = material.text.vocabulary.index
    return lambda examples: [
        transformer.encode([index.get(word, -1) for word in words], body.config)
        for words in examples.tokens
    ]


def pretrained_body(material: Material, kind: str = "model") -> Body:
    """Return the transformer that was pretrained on the text, or on the text shuffled."""
    config = material.settings.transformer.config(len(material.text.vocabulary))
    return transformer.body_of(config, material.text.made[kind].arrays)


def _random_body(material: Material, seed: int) -> Body:
    config = material.settings.transformer.config(len(material.text.vocabulary))
    return transformer.random_body(config, rng=generator(seed, "transformer"))


def train_random_frozen(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on the states of a random transformer."""
    body = _random_body(material, seed)
    return _train_probe(material, chosen, body, _words_of(material, body))


def train_probe(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on the states of the pretrained transformer."""
    body = pretrained_body(material)
    return _train_probe(material, chosen, body, _words_of(material, body))


def train_scratch(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Train a random transformer on the labelled texts."""
    body = _random_body(material, seed)
    encode = _words_of(material, body)
    return _train_further(material, seed, chosen, body, encode, "full", "scratch")


def train_transformer(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Train the pretrained transformer further, all of it."""
    body = pretrained_body(material)
    return _train_further(material, seed, chosen, body, _words_of(material, body), "full", "full")


def train_lora(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Train thin matrices beside those of the pretrained transformer."""
    body = pretrained_body(material)
    return _train_further(material, seed, chosen, body, _words_of(material, body), "lora", "lora")


def train_pretrained_on_shuffled(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    """Train the transformer further that was pretrained on shuffled text."""
    body = pretrained_body(material, "shuffled model")
    return _train_further(material, seed, chosen, body, _words_of(material, body), "full", "full")


def _train_probe(material: Material, chosen: np.ndarray, body: Body, encode: Encode) -> Classifier:
    encoded = encode(material.train)
    texts = [encoded[i] for i in chosen]
    regression = logistic.SoftmaxRegression(l2=PROBE_L2)
    features = transformer.pooled(body, texts)
    regression.fit(features, material.train.labels[chosen], classes=len(material.classes))
    return _regressed(
        lambda examples: regression.predict(transformer.pooled(body, encode(examples))),
        regression,
        features.shape,
        _forward(body, texts),
    )


def _forward(body: Body, texts: list[list[int]]) -> float:
    tokens = sum(map(len, texts))
    return costs.forward(body.config, tokens, tokens / len(texts), head=0)


def updates(labelled: int) -> int:
    """Return how many updates a transformer gets from so many labelled examples.

    >>> updates(16), updates(64), updates(256)
    (60, 80, 320)
    """
    return max(LEAST_UPDATES, EPOCHS * -(-labelled // BATCH))


def _train_further(
    material: Material,
    seed: int,
    chosen: np.ndarray,
    body: Body,
    encode: Encode,
    method: str,
    rate: str,
) -> Classifier:
    """Train a transformer on the labelled texts, all of it or by LoRA."""
    encoded = encode(material.train)
    texts = [encoded[i] for i in chosen]
    steps = updates(len(chosen))
    fitted = finetune.fit(
        body.config,
        body.parameters,
        texts,
        material.train.labels[chosen],
        classes=len(material.classes),
        settings=finetune.Settings(
            method=method,
            rank=LORA_RANK,
            updates=steps,
            batch=BATCH,
            learning_rate=LEARNING_RATES[rate],
            seed=seed,
            threads=1,
        ),
    )
    # LoRA computes no gradients of the matrices it leaves alone: one of the two backward products.
    passes = 2 if method == "lora" else 3
    length = sum(map(len, texts)) / len(texts)
    return Classifier(
        lambda examples: transformer.predict(fitted.model, encode(examples)),
        fitted.trained,
        passes * costs.forward(body.config, fitted.tokens, length, head=0),
    )


# ---------------------------------------------------------------- models from a folder

HOW = ("probe", "finetuned", "lora")


@functools.lru_cache(maxsize=2)
def _load(path: str) -> model.LanguageModel:
    return model.load(path)


@functools.lru_cache(maxsize=2)
def _states(path: str) -> dict[str, tuple[np.ndarray, float]]:
    """Return the table of the texts that a model has read in this process, with the seconds."""
    return {}


def _read(path: str, texts: Sequence[str]) -> tuple[np.ndarray, float]:
    """Return a model's pooled states of texts, and the seconds of those that it knew already.

    Each text is read once by itself, so that its states do not depend on what else is read.
    """
    known, seconds = _states(path), 0.0
    loaded = _load(path)
    body = Body(loaded.config, loaded.gpt.parameters)
    for text in texts:
        if text in known:
            seconds += known[text][1]
        else:
            start = time.perf_counter()
            state = transformer.pooled(body, [_ids_of(loaded, text)])[0]
            known[text] = state, time.perf_counter() - start
    return np.stack([known[text][0] for text in texts]), seconds


def _ids_of(loaded: model.LanguageModel, text: str) -> list[int]:
    """Return the ids of a text, cut to the context; an empty one has a token all the same."""
    if not text.strip():
        return [loaded.end_of_text or 0]
    return loaded.encode(text)[: loaded.config.n_positions]


def folder_of(name: str) -> tuple[str, str]:
    """Return how a model is used, and its folder, from the name of a condition.

    >>> folder_of("lora:models/mine"), folder_of("C:/models/mine")
    (('lora', 'models/mine'), ('probe', 'C:/models/mine'))
    """
    how, _, path = name.partition(":")
    return (how, path) if how in HOW else (HOW[0], name)


def of_folder(name: str) -> Condition:
    """Return the condition that a model's folder makes: `PATH`, or `probe:`, `finetuned:`, `lora:`.

    Raises
    ------
    ModelError, OptionError
        When the folder holds no model, or one without a tokenizer.
    """
    how, path = folder_of(name)
    if _load(path).tokenizer is None:
        raise OptionError(f"{path}: the model has no tokenizer; put its tokenizer.json there")
    summary = {
        "probe": "the model of this folder, frozen",
        "finetuned": "the model of this folder, trained further with the labels",
        "lora": "the model of this folder, with thin matrices trained beside its own",
    }[how]
    train = functools.partial(_train_folder, path=os.path.abspath(path), how=how)
    return Condition(summary, ("tfidf",), "models from folders", train)


def _train_folder(
    material: Material, seed: int, chosen: np.ndarray, *, path: str, how: str
) -> Classifier:
    loaded = _load(path)
    body = Body(loaded.config, loaded.gpt.parameters)
    if how != "probe":
        method = {"finetuned": "full"}.get(how, how)
        return _train_further(
            material,
            seed,
            chosen,
            body,
            lambda examples: [_ids_of(loaded, text) for text in examples.texts],
            method,
            method,
        )
    texts = [material.train.texts[i] for i in chosen]
    features, seconds = _read(path, texts)
    regression = logistic.SoftmaxRegression(l2=PROBE_L2)
    regression.fit(features, material.train.labels[chosen], classes=len(material.classes))
    return _regressed(
        lambda examples: regression.predict(_read(path, examples.texts)[0]),
        regression,
        features.shape,
        _forward(body, [_ids_of(loaded, text) for text in texts]),
        seconds,
    )


CONDITIONS: dict[str, Condition] = {
    "tfidf": Condition("word counts of the labelled texts", ("random",), WORDS, train_tfidf),
    "random": Condition("random word vectors", (), WORDS, train_random),
    "cooccurrence": Condition(
        "word vectors pretrained on unlabelled text, frozen",
        ("random", "tfidf"),
        WORDS,
        train_cooccurrence,
        ("vectors",),
    ),
    "cooccurrence-finetuned": Condition(
        "the same, trained further with the labels",
        ("cooccurrence",),
        WORDS,
        train_finetuned,
        ("vectors",),
    ),
    "transformer-random-frozen": Condition(
        "a random transformer, frozen", (), TRANSFORMER, train_random_frozen
    ),
    "transformer-scratch": Condition(
        "a random transformer, trained with the labels",
        (),
        TRANSFORMER,
        train_scratch,
        trains_transformer=True,
    ),
    "transformer-probe": Condition(
        "a transformer pretrained on unlabelled text, frozen",
        ("transformer-random-frozen",),
        TRANSFORMER,
        train_probe,
        ("model",),
    ),
    "transformer-finetuned": Condition(
        "the same, trained further with the labels",
        ("transformer-scratch", "tfidf"),
        TRANSFORMER,
        train_transformer,
        ("model",),
        trains_transformer=True,
    ),
    "transformer-lora": Condition(
        "the same, with thin matrices trained beside its own",
        ("transformer-scratch",),
        TRANSFORMER,
        train_lora,
        ("model",),
        trains_transformer=True,
    ),
    "cooccurrence-labels-only": Condition(
        "control: vectors counted on the labelled texts alone",
        # Not "random", whose vectors know words that no label shows, if only as noise: what these
        # vectors could add is the company of the labelled words to what counting them gives.
        ("tfidf",),
        CONTROL,
        train_labels_only,
    ),
    "cooccurrence-shuffled": Condition(
        "control: vectors counted after shuffling the corpus",
        ("random",),
        CONTROL,
        train_shuffled,
        ("text",),
    ),
    "transformer-pretrained-on-shuffled": Condition(
        "control: a transformer pretrained after shuffling the corpus, trained further",
        ("transformer-scratch",),
        CONTROL,
        train_pretrained_on_shuffled,
        ("shuffled model",),
        trains_transformer=True,
    ),
}


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
