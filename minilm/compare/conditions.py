"""The conditions of a comparison, each made by a small function, in one table.

A condition is a way to get from a few labelled texts to a classifier. Those of the first family
differ in the word vectors only: the text of a document becomes the mean of the vectors of its
words, frequent ones counting less, and a softmax regression is trained on the labelled documents.
Those of the second family read the same words with a transformer, which stays as it is below a
softmax regression ("frozen", "probe") or is trained further. Controls should gain nothing: their
vectors or their transformer learned in the same way, from text that cannot teach what is tested.

Your own condition is a `Condition` with a function `train(data, seed, chosen)`; give it to
`comparison.compare` beside the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from minilm.classify import logistic, tfidf
from minilm.compare import classifiers, pretraining
from minilm.compare.classifiers import Classifier
from minilm.compare.data import CompareData, Examples
from minilm.compare.states import FolderModel
from minilm.compare.transformer import Body

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
        Verdicts are corrected for their number within it. "control" means that it must not be
        better than its baseline if the lesson holds.
    train : callable
        `train(data, seed, chosen) -> Classifier`; `chosen` holds the indices of the labelled
        examples, and the seed governs whatever else is random. `data.pretraining` numbers the
        pretraining, and the initial parameters. A pure function at the top level of a module, so
        that other processes can import it.
    needs : tuple of str
        What it needs of the pretraining text: "text", or what `pretraining.KINDS` makes of it. A
        condition that needs nothing is run once for all texts.
    random_start : bool
        Whether it starts from the initial parameters of a pretraining, without pretraining.
    trains_transformer : bool
        Whether it takes long, for the time that is left.
    model : FolderModel, optional
        The model from a folder that it is about, which reads its texts before the runs.
    """

    summary: str
    baselines: tuple[str, ...]
    family: str
    train: Train
    needs: tuple[str, ...] = ()
    random_start: bool = False
    trains_transformer: bool = False
    model: FolderModel | None = None

    @property
    def control(self) -> bool:
        """Whether it should gain nothing."""
        return self.family == CONTROL

    @property
    def drawn(self) -> bool:
        """Whether another pretraining, or its initial parameters, makes another result."""
        return self.random_start or any(kind in pretraining.DRAWN for kind in self.needs)


WORDS, TRANSFORMER, CONTROL = "word vectors", "transformer", "control"


def train_tfidf(data: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Weigh the words of the labelled texts and regress on them."""
    texts = [data.train.tokens[i] for i in chosen]
    vectorizer = tfidf.TfidfVectorizer().fit(texts)
    regression = logistic.SoftmaxRegression(l2=classifiers.TFIDF_L2)
    features = vectorizer.transform(texts)
    regression.fit(features, data.train.labels[chosen], classes=len(data.classes))

    def predict(examples: Examples) -> np.ndarray:
        # In blocks: the vectors of a large test part would not fit in memory at once.
        blocks = (examples.tokens[i : i + 1000] for i in range(0, len(examples.tokens), 1000))
        return np.concatenate([regression.predict(vectorizer.transform(block)) for block in blocks])

    return classifiers.regressed(predict, regression, features.shape)


def train_random(data: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on random vectors."""
    return classifiers.on_vectors(data, classifiers.random_vectors(data, seed), chosen)


def train_cooccurrence(data: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on pretrained vectors."""
    return classifiers.on_vectors(data, data.text.vectors, chosen)


def train_labels_only(data: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on vectors counted on the labelled texts."""
    return classifiers.on_vectors(data, classifiers.labels_only_vectors(data, chosen), chosen)


def train_shuffled(data: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on vectors counted on shuffled text."""
    vectors = data.made("shuffled vectors").arrays["vectors"]
    return classifiers.on_vectors(data, vectors, chosen)


def train_finetuned(data: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Train pretrained word vectors further, with the regression on top of them."""
    fitted = classifiers.fit_finetuned(data, chosen)
    trained = fitted.weights_.size + fitted.bias_.size + fitted.vectors_[fitted.seen_].size
    width, classes = fitted.weights_.shape
    # Words are scored before they are averaged, and each iteration goes forward and backward.
    tokens = sum(len(data.train.ids[i]) for i in chosen)
    scored = 2 * len(fitted.seen_) * width * classes + 2 * tokens * classes
    return Classifier(
        lambda examples: fitted.predict(examples.ids), trained, 3.0 * scored * fitted.iterations_
    )


def train_random_frozen(data: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on the states of a random transformer."""
    return classifiers.on_states(data, chosen, classifiers.random_body(data))


def train_probe(data: CompareData, seed: int, chosen: np.ndarray) -> Classifier:
    """Regress on the states of the pretrained transformer."""
    return classifiers.on_states(data, chosen, classifiers.pretrained_body(data))


def train_further(
    data: CompareData,
    seed: int,
    chosen: np.ndarray,
    *,
    way: str,
    body: Callable[[CompareData, str], Body] = classifiers.pretrained_body,
    kind: str = "model",
) -> Classifier:
    """Train a transformer with the labelled texts.

    Parameters
    ----------
    data, seed, chosen
        As for `Condition.train`.
    way : str
        One of `classifiers.WAYS`.
    body : callable
        Returns where training starts: what pretraining has made, or `classifiers.random_body`.
    kind : str
        Which transformer, one of `pretraining.KINDS`.
    """
    return classifiers.further(data, seed, chosen, body(data, kind), classifiers.WAYS[way])


_from_scratch = partial(train_further, way="scratch", body=classifiers.random_body)


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
        "pretrained word vectors, trained further with the labels",
        ("cooccurrence",),
        WORDS,
        train_finetuned,
        ("vectors",),
    ),
    "transformer-random-frozen": Condition(
        "a random transformer, frozen", (), TRANSFORMER, train_random_frozen, random_start=True
    ),
    "transformer-scratch": Condition(
        "a random transformer, trained with the labels",
        (),
        TRANSFORMER,
        _from_scratch,
        random_start=True,
        trains_transformer=True,
    ),
    "transformer-probe": Condition(
        "a transformer pretrained on unlabelled text, frozen",
        ("transformer-random-frozen", "transformer-finetuned"),
        TRANSFORMER,
        train_probe,
        ("model",),
    ),
    "transformer-finetuned": Condition(
        "a pretrained transformer, trained further with the labels",
        ("transformer-scratch", "tfidf"),
        TRANSFORMER,
        partial(train_further, way="full"),
        ("model",),
        trains_transformer=True,
    ),
    "transformer-lora": Condition(
        "a pretrained transformer, with thin matrices trained beside its own (LoRA, rank 4)",
        ("transformer-scratch", "transformer-finetuned"),
        TRANSFORMER,
        partial(train_further, way="lora"),
        ("model",),
        trains_transformer=True,
    ),
    "transformer-lora-8": Condition(
        "a pretrained transformer with LoRA of rank 8",
        ("transformer-scratch", "transformer-finetuned"),
        TRANSFORMER,
        partial(train_further, way="lora-8"),
        ("model",),
        trains_transformer=True,
    ),
    "transformer-last-n": Condition(
        "a pretrained transformer, only its last layer trained further",
        ("transformer-scratch", "transformer-finetuned"),
        TRANSFORMER,
        partial(train_further, way="last-n"),
        ("model",),
        trains_transformer=True,
    ),
    "transformer-gradual": Condition(
        "a pretrained transformer, trained further layer by layer from the top",
        ("transformer-scratch", "transformer-finetuned"),
        TRANSFORMER,
        partial(train_further, way="gradual"),
        ("model",),
        trains_transformer=True,
    ),
    "llama-scratch": Condition(
        "a random Llama of as many parameters (within 2 %), trained with the labels",
        ("transformer-scratch",),
        TRANSFORMER,
        partial(_from_scratch, kind=pretraining.LLAMA),
        random_start=True,
        trains_transformer=True,
    ),
    "llama-finetuned": Condition(
        "that Llama pretrained on the same text in as many steps, trained further with the labels",
        ("transformer-finetuned", "llama-scratch"),
        TRANSFORMER,
        partial(train_further, way="full", kind=pretraining.LLAMA),
        (pretraining.LLAMA,),
        trains_transformer=True,
    ),
    "cooccurrence-labels-only": Condition(
        "control: vectors counted on the labelled texts alone",
        # Not "random", whose vectors know words that no label shows, if only as noise: what these
        # vectors could add to counting the labelled words is which of them occur together.
        ("tfidf",),
        CONTROL,
        train_labels_only,
    ),
    "cooccurrence-shuffled": Condition(
        "control: vectors counted after shuffling the corpus",
        ("random",),
        CONTROL,
        train_shuffled,
        ("shuffled vectors",),
    ),
    "transformer-pretrained-on-shuffled": Condition(
        "control: a transformer pretrained after shuffling the corpus, trained further",
        ("transformer-scratch",),
        CONTROL,
        partial(train_further, way="full", kind="shuffled model"),
        ("shuffled model",),
        trains_transformer=True,
    ),
}

# Only where they are asked for by name, or by the preset methods.
_EXTRA = (
    "transformer-lora-8",
    "transformer-last-n",
    "transformer-gradual",
    "llama-scratch",
    "llama-finetuned",
)
DEFAULT = tuple(name for name in CONDITIONS if name not in _EXTRA)
