"""The real model, trained with the learner's functions in the library's place.

From text to words, to co-occurrence vectors, to a GPT that starts from them and predicts the next
word and writes; its gradient is checked; an update on reviews takes care of the old text; and then
to the classes of reviews, by TF-IDF, by nearest centroids of its vectors and by LoRA. Then the same
again with the library's own functions. Both see the same batches, so their losses can be compared.
Functions that learn or apply byte pairs have their own path: a second GPT on byte pairs. Functions
that only Llama has are trained in a small Llama; beside others', a short training of one is added.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from minilm import resources
from minilm.classify import centroid, logistic, metrics, tfidf
from minilm.compare import paired, statistics
from minilm.course import targets
from minilm.data.documents import read_documents
from minilm.data.labelled import read_labelled
from minilm.embeddings import documents, similarity
from minilm.models import batches, generate, scores
from minilm.models import texts as batched
from minilm.nn import architectures, gpt, gradcheck, optim
from minilm.nn.config import SIZES
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Config, Parameters, param_shapes
from minilm.random import generator
from minilm.text import words
from minilm.text.bpe import BytePairTokenizer
from minilm.training import finetune, loop, replay, word_start
from minilm.training.forgetting import Continuation
from minilm.training.settings import (
    Care,
    FinetuneSettings,
    PretrainSettings,
    complete,
    model_config,
)

_UNKNOWN = "<unk>"
_WINDOW = 2
_WARMUP = 20
_DECAY = PretrainSettings.weight_decay
_LEARNING_RATE = PretrainSettings.learning_rate
_PROBE = "water"
_REVIEWS = 128  # labelled, to learn from
_UPDATES = 60
_UPDATE_STEPS = 8
_KEPT = 512  # tokens of the old text, for replay and the Fisher information
_PROMPT = "the"
_WRITTEN = 24  # words; twice as many byte pairs
_BYTE_PAIR_MODULES = ("minilm.text.merges.", "minilm.text.bpe.", "minilm.text.pretokenize.")
_BYTE_PAIR_DOCUMENTS = 60  # a plain version of the merges is slow
_RESAMPLES = 999
_GPT_ALONE = "minilm.nn.parameters.param_shapes"  # a learner's knows nothing of Llama's
_LLAMA_SHARE = 1 / 4  # of the time, where a GPT is trained too
_SEED = 0


@dataclass
class Trained:
    """What came of a training run.

    Attributes
    ----------
    model : str
        Its architecture.
    parameters : int
        Of the model.
    losses : list of float
        Of each step, in nats.
    seconds : float
        For the steps alone.
    held_out : float
        The loss on text that it was not trained on.
    updated : float
        The same after an update on reviews, with replay, elastic weights and averaging.
    gradient_error : float
        Of the gradient of the trained model's loss, by a gradient check in float64.
    neighbors : list of str
        The words nearest to a probe, by the trained word embeddings.
    tfidf : float
        The macro-F1 on reviews of softmax regression on TF-IDF, which knows a few labelled reviews
        and nothing of the model.
    centroid, lora : float
        Shares of reviews that are classified rightly from a few labelled ones: by nearest centroids
        of the mean word embeddings, and by the model fine-tuned with LoRA.
    interval : tuple of float
        The 95 % interval of the share that LoRA got right.
    verdict : str
        Whether LoRA is better than the centroids, on these reviews.
    resolvable : float
        The difference that this many reviews can tell from zero.
    text : str
        What the model writes.
    """

    model: str
    parameters: int
    losses: list[float]
    seconds: float
    held_out: float
    updated: float
    gradient_error: float
    neighbors: list[str]
    tfidf: float
    centroid: float
    lora: float
    interval: tuple[float, float]
    verdict: str
    resolvable: float
    text: str


@dataclass
class BytePairs:
    """What came of a GPT on byte pairs.

    Attributes
    ----------
    tokens : list of str
        The first merges, in order.
    losses : list of float
        Of each step, in nats per token.
    text : str
        What the model writes.
    """

    tokens: list[str]
    losses: list[float]
    text: str


def train(functions: Mapping[str, Any], budget: Mapping[str, Any]) -> dict[str, Any]:
    """Train with the learner's functions, then as many steps with the library's.

    Parameters
    ----------
    functions : mapping
        By dotted path.
    budget : mapping
        "seconds" for the steps of the first run, "steps" at most, "words" of text.

    Returns
    -------
    dict
        "yours" and "library", the fields of `Trained` each; "probe", a word; "byte_pairs", the
        fields of `BytePairs`, or None where no function of the learner's is about them; "llama",
        "yours" and "library" of a Llama that was trained beside the GPT, or None.
    """
    kinds = {targets.find(path).is_llamas for path in functions}
    found = _train_both(functions, budget, _llama() if kinds == {True} else SIZES["kata"].config)
    pairs = llama = None
    if any(path.startswith(_BYTE_PAIR_MODULES) for path in functions):
        with targets.replaced(functions):
            pairs = asdict(_train_on_byte_pairs(budget["steps"], budget["seconds"] / 2))
    if kinds == {True, False}:
        less = {**budget, "seconds": _LLAMA_SHARE * budget["seconds"]}
        llama = _train_both(functions, less, _llama())
    return {**found, "probe": _PROBE, "byte_pairs": pairs, "llama": llama}


def _train_both(
    functions: Mapping[str, Any], budget: Mapping[str, Any], config: Config
) -> dict[str, Any]:
    """Train a model with the learner's functions, then the same with the library's."""
    if isinstance(config, LlamaConfig):
        functions = {path: part for path, part in functions.items() if path != _GPT_ALONE}
    with targets.replaced(functions):
        yours = _train(budget["words"], budget["steps"], budget["seconds"], config)
    library = _trained_with_the_library(budget["words"], len(yours.losses), config)
    return {"yours": asdict(yours), "library": asdict(library)}


@functools.cache
def _trained_with_the_library(most_words: int, steps: int, config: Config) -> Trained:
    """Return what the library gives; kept, as in a notebook one plug often follows another."""
    return _train(most_words, steps, float("inf"), config)


def _llama() -> Config:
    """Return the shape of a Llama of the size of the GPT, whose four heads share two of keys."""
    size = SIZES["kata"].config
    settings = complete({"size": "kata", "architecture": "llama", "n_head": 4})
    config = model_config(settings, size.vocab_size)
    assert isinstance(config, LlamaConfig)  # noqa: S101  (asked for above)
    return replace(config, num_key_value_heads=2)


def _train(most_words: int, most_steps: int, seconds: float, config: Config) -> Trained:
    tokenizer = words.WordTokenizer()
    texts = _texts(most_words, tokenizer)
    size = SIZES["kata"]
    vocabulary = words.Vocabulary.from_documents(
        texts, max_size=config.vocab_size, unknown=_UNKNOWN
    )
    held_out = len(texts) // 10
    training = _stream(texts[held_out:], vocabulary)
    model = architectures.language_model(config, rng=generator(_SEED, "parameters"))
    table = model.parameters[config.table]
    word_start.from_cooccurrence(
        table,
        training,
        window=_WINDOW,
        length=PretrainSettings.embedding_length,
        end=-1,
        rng=generator(_SEED, "svd"),
    )
    windows = batches.ShuffledWindows(
        training[training >= 0], config.n_positions, size.batch, _SEED
    )
    start = time.perf_counter()
    losses = _steps(model, windows, most_steps, start + seconds)
    spent = time.perf_counter() - start
    unseen = _stream(texts[:held_out], vocabulary)
    updated = _updated(model, training[training >= 0], tokenizer, vocabulary)
    return Trained(
        "Llama" if isinstance(config, LlamaConfig) else "GPT",
        model.parameters.flat.size,
        losses,
        spent,
        _held_out_loss(model, unseen, windows),
        _held_out_loss(updated, unseen, windows),
        _gradient_error(model, *windows[0]),
        [w for w, _ in similarity.nearest_words(_PROBE, vocabulary, table, 4)],
        *_accuracies(model, tokenizer, vocabulary),
        _written_words(model, vocabulary),
    )


def _train_on_byte_pairs(most_steps: int, seconds: float) -> BytePairs:
    """Learn byte pairs, and train a GPT on them."""
    read = read_documents([resources.corpora_dir() / "general.txt"], unit="lines")
    texts = list(itertools.islice(read, _BYTE_PAIR_DOCUMENTS))
    size = SIZES["kata"]
    tokenizer = BytePairTokenizer.train(texts, size.config.vocab_size)
    ids = np.concatenate([tokenizer.encode(text) for text in texts]).astype(np.int64)
    model = gpt.GPT(size.config, rng=generator(_SEED, "parameters"))
    windows = batches.ShuffledWindows(ids, size.config.n_positions, size.batch, _SEED)
    losses = _steps(model, windows, most_steps, time.perf_counter() + seconds)
    written = _continued(model, tokenizer.encode(_PROMPT.capitalize()), 2 * _WRITTEN)
    merged = [tokenizer.decode([256 + i]) for i in range(12)]
    return BytePairs(merged, losses, " ".join(tokenizer.decode(written).split()))


def _written_words(model: gpt.GPT, vocabulary: words.Vocabulary) -> str:
    unknown = vocabulary.encode([_UNKNOWN])[0]
    start = [i for i in vocabulary.encode([_PROMPT]) if i != unknown] or [0]
    ids = _continued(model, start, _WRITTEN)
    return " ".join(vocabulary.words[i] for i in ids if i != unknown)


def _continued(model: gpt.GPT, start: Sequence[int], count: int) -> list[int]:
    """Return a beginning and what the model continues it with."""
    made = generate.generate(
        model,
        start,
        count,
        generate.Sampling(temperature=0.8, top_k=20),
        rng=generator(_SEED, "text"),
        slide=True,
    )
    return [*start, *(token.id for token in made)]


def _steps(
    model: gpt.GPT, windows: batches.ShuffledWindows, most: int, deadline: float
) -> list[float]:
    """Train for at least one step, until `most` steps or the deadline; return the losses."""
    task = _Task(
        model, optim.AdamW(model.parameters, betas=loop.BETAS, weight_decay=_DECAY), windows
    )
    # How many steps the time allows is not known, so the rate does not fall.
    plan = loop.Plan(most, _LEARNING_RATE, _WARMUP, _SEED, 1, evaluate_every=most, shape="constant")
    losses: list[float] = []
    with Shards(1) as shards:
        for row, _ in loop.steps(task, plan, loop.State(), shards):
            losses.append(row.loss)
            if time.perf_counter() >= deadline:
                break
    return losses


@dataclass
class _Task:
    """What the training loop trains here."""

    model: gpt.GPT
    optimizer: optim.AdamW
    windows: batches.ShuffledWindows

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        return self.windows[step]

    def evaluate(self, shards: Shards) -> None:
        """Evaluate nothing on the way."""


def _texts(most_words: int, tokenizer: words.WordTokenizer) -> list[list[str]]:
    """Return documents of the general corpus as words, as many as have `most_words` or more."""
    texts: list[list[str]] = []
    count = 0
    for text in read_documents([resources.corpora_dir() / "general.txt"], unit="lines"):
        texts.append(tokenizer.tokenize(text))
        count += len(texts[-1])
        if count >= most_words:
            break
    return texts


def _stream(texts: Sequence[Sequence[str]], vocabulary: words.Vocabulary) -> np.ndarray:
    """Return the ids of documents one after another, -1 between them."""
    return np.concatenate([[*vocabulary.encode(text), -1] for text in texts]).astype(np.int64)


def _held_out_loss(model: gpt.GPT, stream: np.ndarray, windows: batches.ShuffledWindows) -> float:
    """Return the mean loss on up to 16 batches of text."""
    pieces = batches.spaced(stream[stream >= 0], windows.time, windows.batch, 1 << 13)
    losses = [(model.loss(ids, wanted), np.count_nonzero(wanted != -100)) for ids, wanted in pieces]
    return scores.mean_loss(*zip(*losses, strict=True))


def _updated(
    model: gpt.GPT, old: np.ndarray, tokenizer: words.WordTokenizer, vocabulary: words.Vocabulary
) -> gpt.GPT:
    """Return what the model becomes on reviews, a few steps with all care for the old text."""
    reviews = read_labelled(resources.corpora_dir() / "movie_reviews.csv").part("train")
    stream = _stream([tokenizer.tokenize(text) for text in reviews.texts[:_REVIEWS]], vocabulary)
    size = SIZES["kata"]
    length = model.config.n_positions
    new = batches.ShuffledWindows(stream[stream >= 0], length, size.batch, _SEED)
    kept = [replay.drawn("general", old, old[:length], length, seed=_SEED, limit=_KEPT)]
    copied = architectures.language_model(model.config, parameters=model.parameters.extended({}))
    care = Care(replay=0.5, ewc=1.0, average=0.25)
    stage = Continuation(copied, new, kept, care, weight_decay=_DECAY, seed=_SEED)
    with Shards(1) as shards:
        for step in range(_UPDATE_STEPS):
            loop.train_step(
                stage.trained,
                stage.batches[step],
                stage.optimizer,
                learning_rate=_LEARNING_RATE,
                shards=shards,
            )
    return stage.finish()


def _gradient_error(model: gpt.GPT, ids: np.ndarray, wanted: np.ndarray) -> float:
    """Check the gradient of the loss of one batch, in float64."""
    parameters = Parameters(param_shapes(model.config), np.float64)
    parameters.flat[...] = model.parameters.flat
    exact = architectures.language_model(model.config, parameters=parameters)
    _, gradient = exact.loss_and_grad(ids, wanted)

    def loss(flat: np.ndarray) -> float:
        parameters.flat[...] = flat
        return exact.loss(ids, wanted)

    point = {"flat": parameters.flat.copy()}
    rng = generator(_SEED, "gradient check")
    return gradcheck.directional_error(loss, point, {"flat": gradient.flat}, rng=rng)


def _accuracies(
    model: gpt.GPT, tokenizer: words.WordTokenizer, vocabulary: words.Vocabulary
) -> tuple[float, float, float, tuple[float, float], str, float]:
    """Return the scores on test reviews of TF-IDF, of nearest centroids and of LoRA.

    And what they show: the interval of LoRA, its verdict, and the difference that can be told.
    """
    reviews = read_labelled(resources.corpora_dir() / "movie_reviews.csv")
    train, test = reviews.part("train"), reviews.part("test")
    every = max(1, len(train.texts) // _REVIEWS)
    train = train.take(range(0, len(train.texts), every))
    context = model.config.n_positions
    tokens = [[tokenizer.tokenize(text) for text in part.texts] for part in (train, test)]
    texts, tests = ([vocabulary.encode(text)[:context] for text in part] for part in tokens)
    labels, wanted = (
        np.array([reviews.classes.index(label) for label in part.labels]) for part in (train, test)
    )
    vectorizer = tfidf.TfidfVectorizer().fit(tokens[0])
    regression = logistic.SoftmaxRegression().fit(vectorizer.transform(tokens[0]), labels)
    by_words = regression.predict(vectorizer.transform(tokens[1]))
    vectors = similarity.unit_rows(model.parameters[model.config.table])
    nearest = centroid.NearestCentroid().fit(documents.mean_vectors(texts, vectors), labels)
    by_centroid = nearest.predict(documents.mean_vectors(tests, vectors))
    fitted = finetune.fit(
        model.config,
        model.parameters,
        texts,
        labels,
        classes=len(reviews.classes),
        settings=FinetuneSettings("lora", updates=_UPDATES),
    )
    by_lora = batched.apply(fitted.model.logits, tests).argmax(axis=1)
    near, fine = by_centroid == wanted, by_lora == wanted
    score = metrics.macro_f1(wanted, by_words, len(reviews.classes))
    return score, float(near.mean()), float(fine.mean()), *_evidence(near, fine)


def _evidence(
    baseline: np.ndarray, condition: np.ndarray
) -> tuple[tuple[float, float], str, float]:
    """Return the condition's interval, its verdict, and what can be told: (N,), (N,) bool."""
    ours, theirs = (paired.Runs(right[np.newaxis], ((0, 0),)) for right in (condition, baseline))
    [found] = paired.differences([(ours, theirs)], resamples=_RESAMPLES)
    if found is None:
        raise AssertionError("two runs with the same seed are a pair")
    [p] = statistics.holm([found.p])
    return (
        statistics.wilson_interval(int(condition.sum()), len(condition)),
        statistics.verdict(found, p),
        statistics.resolvable_difference(len(condition)),
    )
