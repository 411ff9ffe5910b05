"""The conditions of a comparison, each with its baseline and its settings, in one table.

A condition is a way to get from a few labelled texts to a classifier. Most differ in one thing
only, the word vectors; the text of a document becomes the mean of the vectors of its words,
frequent ones counting less, and a softmax regression is trained on the labelled documents. Two
conditions are controls that should gain nothing: their vectors are counted in the same way, from
text that cannot teach what is tested.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minilm.classify import finetuned, logistic, tfidf
from minilm.compare.material import Examples, Material, count_vectors
from minilm.embeddings import documents, similarity


@dataclass(frozen=True)
class Classifier:
    """A trained classifier, ready to be evaluated on any domain.

    Parameters
    ----------
    predict : callable
        Examples to class indices, an int array of shape (N,).
    trainable_parameters : int
        How many numbers the labelled examples have set.
    """

    predict: Callable[[Examples], np.ndarray]
    trainable_parameters: int


@dataclass(frozen=True)
class Condition:
    """One way from labelled texts to a classifier.

    Parameters
    ----------
    summary : str
        What it is, in a few words.
    baseline : str or None
        The condition that it is compared with.
    control : bool
        Whether it must not be better than its baseline, if the lesson holds.
    train : callable
        `train(material, seed, chosen) -> Classifier`; `chosen` holds the indices of the labelled
        examples, and the seed governs whatever else is random. A pure function of the three.
    """

    summary: str
    baseline: str | None
    control: bool
    train: Callable[[Material, int, np.ndarray], Classifier]


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


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose at one seed, the same on every system."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def random_vectors(material: Material, seed: int) -> np.ndarray:
    """Return directions drawn at random, of unit length, for the words that pretraining knows."""
    drawn = generator(seed, "random").standard_normal(material.vectors.shape, dtype=np.float32)
    return similarity.unit_rows(drawn)


@functools.lru_cache(maxsize=1)
def shuffled_vectors(material: Material, seed: int) -> np.ndarray:
    """Return vectors counted on the corpus with its words shuffled across it.

    Lengths of documents and frequencies of words stay; only the company that words keep is lost.
    The last result is kept because the budgets of one seed share it.
    """
    ids = material.corpus_ids.copy()
    words = ids >= 0
    ids[words] = generator(seed, "shuffled").permutation(ids[words])
    return count_vectors(material.settings, ids, len(material.vocabulary))


def labels_only_vectors(material: Material, chosen: np.ndarray) -> np.ndarray:
    """Return vectors counted on the labelled sentences alone; other words get the zero vector."""
    ids = np.concatenate([np.append(material.train.ids[i], -1) for i in chosen])
    words = np.unique(ids[ids >= 0])
    if not len(words):
        return np.zeros_like(material.vectors)
    own_ids = np.where(ids >= 0, np.searchsorted(words, ids), -1)
    counted = count_vectors(material.settings, own_ids, len(words))
    vectors = np.zeros((len(material.vocabulary), counted.shape[1]), counted.dtype)
    vectors[words] = counted
    return vectors


def _train_tfidf(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    texts = [material.train.tokens[i] for i in chosen]
    vectorizer = tfidf.TfidfVectorizer().fit(texts)
    model = logistic.SoftmaxRegression(l2=TFIDF_L2)
    model.fit(
        vectorizer.transform(texts),
        material.train.labels[chosen],
        classes=len(material.classes),
    )

    def predict(examples: Examples) -> np.ndarray:
        # In blocks: the vectors of a large test part would not fit in memory at once.
        blocks = (examples.tokens[i : i + 1000] for i in range(0, len(examples.tokens), 1000))
        return np.concatenate([model.predict(vectorizer.transform(block)) for block in blocks])

    return Classifier(
        predict,
        model.weights_.size + model.bias_.size,
    )


def _train_frozen(material: Material, word_vectors: np.ndarray, chosen: np.ndarray) -> Classifier:
    weighted = word_vectors * material.weights[:, np.newaxis]
    model = logistic.SoftmaxRegression(l2=VECTORS_L2)
    texts = [material.train.ids[i] for i in chosen]
    model.fit(
        documents.mean_vectors(texts, weighted),
        material.train.labels[chosen],
        classes=len(material.classes),
    )
    return Classifier(
        lambda examples: model.predict(documents.mean_vectors(examples.ids, weighted)),
        model.weights_.size + model.bias_.size,
    )


def _train_finetuned(material: Material, seed: int, chosen: np.ndarray) -> Classifier:
    model = finetuned.FinetunedEmbeddingClassifier(
        material.vectors * material.weights[:, np.newaxis], l2=VECTORS_L2, vector_l2=FINETUNED_L2
    )
    texts = [material.train.ids[i] for i in chosen]
    model.fit(texts, material.train.labels[chosen], classes=len(material.classes))
    trained = model.weights_.size + model.bias_.size + model.vectors_[model.seen_].size
    return Classifier(lambda examples: model.predict(examples.ids), trained)


CONDITIONS = {
    "tfidf": Condition("word counts of the labelled texts", "random", False, _train_tfidf),
    "random": Condition(
        "random word vectors",
        None,
        False,
        lambda material, seed, chosen: _train_frozen(
            material, random_vectors(material, seed), chosen
        ),
    ),
    "cooccurrence": Condition(
        "word vectors pretrained on unlabelled text, frozen",
        "random",
        False,
        lambda material, seed, chosen: _train_frozen(material, material.vectors, chosen),
    ),
    "cooccurrence-finetuned": Condition(
        "the same, trained further with the labels", "cooccurrence", False, _train_finetuned
    ),
    "cooccurrence-labels-only": Condition(
        "control: vectors counted on the labelled texts alone",
        # Not "random", whose vectors know words that no label shows, if only as noise: what these
        # vectors could add is the company of the labelled words to what counting them gives.
        "tfidf",
        True,
        lambda material, seed, chosen: _train_frozen(
            material, labels_only_vectors(material, chosen), chosen
        ),
    ),
    "cooccurrence-shuffled": Condition(
        "control: vectors counted after shuffling the corpus",
        "random",
        True,
        lambda material, seed, chosen: _train_frozen(
            material, shuffled_vectors(material, seed), chosen
        ),
    ),
}
