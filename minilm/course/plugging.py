"""The real model, trained with the learner's functions in the library's place.

From text to words, to co-occurrence vectors, to a GPT that starts from them and predicts the next
word; its gradient is checked, and it overfits one batch; an update on reviews takes care of
the old text; it is written to a file, read again, and writes; and it classifies reviews
(`reviewing.py`). Then the same again with the library's own functions. Both see the same batches,
so their losses can be compared. Functions that learn, apply or measure byte pairs have their own
path: a second GPT on byte pairs. Functions that only Llama has are trained in a small Llama; beside
others', a short training of one is added. Every function that a kata asks for is called on the way,
and how often is counted.
"""

from __future__ import annotations

import functools
import itertools
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minilm import resources
from minilm.course import reviewing, targets
from minilm.course.reviewing import Reviewed
from minilm.data.documents import read_documents
from minilm.data.labelled import read_labelled
from minilm.embeddings import similarity
from minilm.models import batches, generate, scores
from minilm.nn import architectures, gpt, gradcheck, optim
from minilm.nn.config import SIZES
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Config, Parameters, param_shapes
from minilm.random import generator
from minilm.store import safetensors
from minilm.text import words
from minilm.text.bpe import BytePairTokenizer
from minilm.training import loop, replay, word_start
from minilm.training.forgetting import Continuation
from minilm.training.settings import Care, PretrainSettings, complete, model_config

_WINDOW = 2
_WARMUP = 20
_DECAY = PretrainSettings.weight_decay
_LEARNING_RATE = PretrainSettings.learning_rate
_PROBE = "water"
_REVIEWS = 128  # to update on
_UPDATE_STEPS = 8
_ONE_BATCH_STEPS, _ONE_BATCH_RATE = 30, 0.3
_KEPT = 512  # tokens of the old text, for replay and the Fisher information
_PROMPT = "the"
_WRITTEN = 24  # words; twice as many byte pairs
_BYTE_PAIR_MODULES = (
    "minilm.text.merges.",
    "minilm.text.byte_level.",
    "minilm.text.bpe.",
    "minilm.text.pretokenize.",
    "minilm.models.scores.",
)
_BYTE_PAIR_DOCUMENTS = 40  # a plain version of the merges is slow
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
    perplexity : float
        Of the same.
    updated : float
        The same after an update on reviews, with replay, elastic weights and averaging.
    gradient_error : float
        Of the gradient of the trained model's loss, by a gradient check in float64.
    one_batch : (float, float)
        The loss on a batch, before and after some steps of SGD on this one batch.
    neighbors : list of str
        The words nearest to a probe, by the trained word embeddings.
    reviewed : Reviewed
        How well it classifies reviews.
    text : str
        What the model writes.
    """

    model: str
    parameters: int
    losses: list[float]
    seconds: float
    held_out: float
    perplexity: float
    updated: float
    gradient_error: float
    one_batch: tuple[float, float]
    neighbors: list[str]
    reviewed: Reviewed
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
    bits_per_byte : float
        On text that it was not trained on.
    text : str
        What the model writes.
    """

    tokens: list[str]
    losses: list[float]
    bits_per_byte: float
    text: str


def train(functions: Mapping[str, Any], budget: Mapping[str, Any]) -> dict[str, Any]:
    """Train with the learner's functions, then as many steps with the library's.

    Parameters
    ----------
    functions : mapping
        By dotted path.
    budget : mapping
        "seconds" for the steps of the first run, "steps" at most, "words" of text, "vocabulary".

    Returns
    -------
    dict
        "yours" and "library", the fields of `Trained` each; "probe", a word; "byte_pairs", the
        fields of `BytePairs`, or None where no function of the learner's is about them; "llama",
        "yours" and "library" of a Llama that was trained beside the GPT, or None; "calls", how
        often each of the learner's functions was called, by dotted path.
    """
    kinds = {targets.find(path).is_llamas for path in functions}
    pairs = llama = None
    with targets.counted(functions) as (counted, calls):
        config = _llama() if kinds == {True} else SIZES["kata"].config
        found = _train_both(counted, budget, config)
        if any(path.startswith(_BYTE_PAIR_MODULES) for path in functions):
            with targets.replaced(counted):
                pairs = asdict(_train_on_byte_pairs(budget["steps"], budget["seconds"] / 2))
        if kinds == {True, False}:
            less = {**budget, "seconds": _LLAMA_SHARE * budget["seconds"]}
            llama = _train_both(counted, less, _llama())
    return {**found, "probe": _PROBE, "byte_pairs": pairs, "llama": llama, "calls": dict(calls)}


def _train_both(
    functions: Mapping[str, Any], budget: Mapping[str, Any], config: Config
) -> dict[str, Any]:
    """Train a model with the learner's functions, then the same with the library's."""
    if isinstance(config, LlamaConfig):
        functions = {path: part for path, part in functions.items() if path != _GPT_ALONE}
    config = replace(config, vocab_size=budget["vocabulary"])
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
    """Train a model; its vocabulary has as many words as the configuration says, or fewer."""
    tokenizer = words.WordTokenizer()
    texts = _texts(most_words, tokenizer)
    size = SIZES["kata"]
    # The words that the vocabulary has no room for are left out of the text: a model that may
    # write "unknown" writes little else.
    vocabulary = words.Vocabulary.from_documents(texts, max_size=config.vocab_size)
    held_out = len(texts) // 10
    training = _stream(texts[held_out:], vocabulary)
    config = replace(config, vocab_size=len(vocabulary.words))
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
    ids = training[training >= 0]
    windows = batches.ShuffledWindows(ids, config.n_positions, size.batch, _SEED)
    start = time.perf_counter()
    losses = _steps(model, windows, most_steps, start + seconds)
    spent = time.perf_counter() - start
    unseen = _stream(texts[:held_out], vocabulary)
    unseen = unseen[unseen >= 0]
    loss = _held_out_loss(model, unseen, windows)
    updated = _updated(model, ids, tokenizer, vocabulary)
    model = _saved_and_loaded(model)
    return Trained(
        "Llama" if isinstance(config, LlamaConfig) else "GPT",
        model.parameters.flat.size,
        losses,
        spent,
        loss,
        scores.perplexity(loss),
        _held_out_loss(updated, unseen, windows),
        _gradient_error(model, *windows[0]),
        _one_batch(config, windows[0]),
        [w for w, _ in similarity.nearest_words(_PROBE, vocabulary, table, 4)],
        reviewing.review([model, updated], tokenizer, vocabulary),
        _written_words(model, vocabulary),
    )


def _saved_and_loaded(model: gpt.GPT) -> gpt.GPT:
    """Return a model as it comes back from its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        safetensors.save(model.parameters, path)
        arrays = safetensors.load(path)
    parameters = Parameters(param_shapes(model.config), np.float32)
    for name in parameters:
        parameters[name][...] = arrays[name]
    return architectures.language_model(model.config, parameters=parameters)


def _one_batch(config: Any, batch: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """Return the losses of a fresh model before and after steps of SGD on one batch."""
    model = architectures.language_model(config, rng=generator(_SEED, "parameters"))
    few = batch[0][:4], batch[1][:4]
    optimizer = optim.SGD(model.parameters)
    losses = []
    with Shards(1) as shards:
        for _ in range(_ONE_BATCH_STEPS):
            loss, _ = loop.train_step(
                model, few, optimizer, learning_rate=_ONE_BATCH_RATE, shards=shards
            )
            losses.append(loss)
    return losses[0], losses[-1]


def _train_on_byte_pairs(most_steps: int, seconds: float) -> BytePairs:
    """Learn byte pairs, and train a GPT on them."""
    read = read_documents([resources.corpora_dir() / "general.txt"], unit="lines")
    texts = list(itertools.islice(read, _BYTE_PAIR_DOCUMENTS))
    size = SIZES["kata"]
    tokenizer = BytePairTokenizer.train(texts, size.config.vocab_size)
    held_out, training = (
        np.concatenate([tokenizer.encode(text) for text in part]).astype(np.int64)
        for part in (texts[::10], [text for i, text in enumerate(texts) if i % 10])
    )
    model = gpt.GPT(size.config, rng=generator(_SEED, "parameters"))
    windows = batches.ShuffledWindows(training, size.config.n_positions, size.batch, _SEED)
    losses = _steps(model, windows, most_steps, time.perf_counter() + seconds)
    written = _continued(model, tokenizer.encode(_PROMPT.capitalize()), 2 * _WRITTEN)
    merged = [tokenizer.decode([256 + i]) for i in range(12)]
    unseen = scores.bits_per_byte(
        _held_out_loss(model, held_out, windows),
        len(held_out),
        sum(len(text.encode()) for text in texts[::10]),
    )
    return BytePairs(merged, losses, unseen, " ".join(tokenizer.decode(written).split()))


def _written_words(model: gpt.GPT, vocabulary: words.Vocabulary) -> str:
    start = vocabulary.encode([_PROMPT]) or [0]
    return " ".join(vocabulary.decode(_continued(model, start, _WRITTEN)))


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
    pieces = batches.spaced(stream, windows.time, windows.batch, 1 << 13)
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
