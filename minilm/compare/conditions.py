"""The conditions of a comparison, each one small function, in one table.

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

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minilm.classify import logistic, tfidf
from minilm.compare import classifiers
from minilm.compare.classifiers import Classifier
from minilm.compare.data import CompareData, Examples

Train = Callable[[CompareData, int, np.ndarray], Classifier]


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


def train_tfidf(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Weigh the words of the labelled texts and regress on them."""
    texts = [material.train.tokens[i] for i in chosen]
    vectorizer = tfidf.TfidfVectorizer().fit(texts)
    regression = logistic.SoftmaxRegression(l2=classifiers.TFIDF_L2)
    features = vectorizer.transform(texts)
    regression.fit(features, material.train.labels[chosen], classes=len(material.classes))

    def predict(examples: Examples) -> np.ndarray:
        # In blocks: the vectors of a large test part would not fit in memory at once.
        blocks = (examples.tokens[i : i + 1000] for i in range(0, len(examples.tokens), 1000))
        return np.concatenate([regression.predict(vectorizer.transform(block)) for block in blocks])

    return classifiers.regressed(predict, regression, features.shape)


def train_random(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on random vectors."""
    return classifiers.on_vectors(material, classifiers.random_vectors(material, seed), chosen)


def train_cooccurrence(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on pretrained vectors."""
    return classifiers.on_vectors(material, material.text.vectors, chosen)


def train_labels_only(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on vectors counted on the labelled texts."""
    return classifiers.on_vectors(
        material, classifiers.labels_only_vectors(material, chosen), chosen
    )


def train_shuffled(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on vectors counted on shuffled text."""
    used_before = classifiers.shuffled_vectors.cache_info().hits
    vectors, seconds = classifiers.shuffled_vectors(material, seed)
    found = classifiers.shuffled_vectors.cache_info().hits > used_before
    return classifiers.on_vectors(material, vectors, chosen, seconds if found else 0.0)


def train_finetuned(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Train pretrained word vectors further, with the regression on top of them."""
    fitted = classifiers.fit_finetuned(material, chosen)
    trained = fitted.weights_.size + fitted.bias_.size + fitted.vectors_[fitted.seen_].size
    width, classes = fitted.weights_.shape
    # Words are scored before they are averaged, and each iteration goes forward and backward.
    tokens = sum(len(material.train.ids[i]) for i in chosen)
    scored = 2 * len(fitted.seen_) * width * classes + 2 * tokens * classes
    return Classifier(
        lambda examples: fitted.predict(examples.ids), trained, 3.0 * scored * fitted.iterations_
    )


def train_random_frozen(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on the states of a random transformer."""
    return classifiers.on_states(material, chosen, classifiers.random_body(material, seed))


def train_probe(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on the states of the pretrained transformer."""
    return classifiers.on_states(material, chosen, classifiers.pretrained_body(material))


def train_scratch(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Train a random transformer on the labelled texts."""
    body = classifiers.random_body(material, seed)
    return classifiers.further(material, seed, chosen, body, "scratch")


def train_transformer(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Train the pretrained transformer further, all of it."""
    body = classifiers.pretrained_body(material)
    return classifiers.further(material, seed, chosen, body, "full")


def train_lora(material: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Train thin matrices beside those of the pretrained transformer."""
    body = classifiers.pretrained_body(material)
    return classifiers.further(material, seed, chosen, body, "lora")


def train_pretrained_on_shuffled(
    material: CompareData, seed: int, chosen: np.ndarray
) -> Classifier:
    """Train the transformer further that was pretrained on shuffled text."""
    body = classifiers.pretrained_body(material, "shuffled model")
    return classifiers.further(material, seed, chosen, body, "full")


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
