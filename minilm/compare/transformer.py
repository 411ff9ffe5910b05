"""The comparison's transformer: a small GPT over words, pretrained and read in memory.

It reads the same words as the word vectors, so that what differs between the two families is what
is made of the words. Pretraining is `minilm pretrain` in small: start from co-occurrence vectors,
then predict the next word. Fine-tuning is `training.finetune`.

Beside it there can be a Llama of as many parameters, which learns the same text in the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minilm.compare import costs
from minilm.models import batches
from minilm.nn import architectures, checks, optim
from minilm.nn import functional as F
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT, initial_parameters
from minilm.nn.heads import SequenceClassifier
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.optim import AdamW
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Config, Parameters, count_of, param_shapes
from minilm.random import generator
from minilm.training import loop, tokens, word_start
from minilm.training.settings import WORD_RECIPE, PretrainSettings

Ids = Sequence[int]

END, UNKNOWN = 0, 1
_SPECIAL = 2  # the ids before those of words
_LAST = tokens.HELD_OUT_EVERY - 1  # the one held out of this many documents
_LOOKS = 10
_LOOK_WINDOWS = 32
_POINTS = 100  # of the training loss, that are kept
_BLOCK = 1 << 14  # tokens that go through the model at a time when it is only read


@dataclass(frozen=True)
class TransformerSettings:
    """The shape of the transformer and how it is pretrained; see `conditions` for the rest.

    Parameters
    ----------
    n_embd, n_layer, n_head, n_positions : int
        Width, layers, heads, and the words of a text that it reads at most.
    vocabulary : int
        How many words it knows, the most frequent ones; the rest become one unknown word.
    steps : int
        Batches of next-word prediction.
    batch : int
        Windows of `n_positions` words in each.
    learning_rate : float
        The highest of pretraining.
    window, embedding_length, embedding_rate
        As for `minilm.training.settings.PretrainSettings`.
    """

    n_embd: int = 64
    n_layer: int = 2
    n_head: int = 2
    n_positions: int = 64
    vocabulary: int = 5_000  # half the recipe's, in half the time; they cover 90 to 96 % of a text
    steps: int = 400  # 0.9 passes over 230,000 words
    batch: int = 8
    learning_rate: float = WORD_RECIPE["learning_rate"]
    window: int = WORD_RECIPE["window"]
    embedding_length: float = WORD_RECIPE["embedding_length"]
    embedding_rate: float = WORD_RECIPE["embedding_rate"]

    def config(self, words: int) -> GPTConfig:
        """Return the shape of the model for a text with this many different words."""
        size = min(words, self.vocabulary) + _SPECIAL
        return GPTConfig(size, self.n_positions, self.n_embd, self.n_layer, self.n_head)

    def llama(self, words: int) -> LlamaConfig:
        """Return the shape of the Llama beside it: same width, layers and heads.

        Its MLP, whose three matrices are narrower than GPT-2's two, is as wide as makes the numbers
        of parameters as equal as they can be.

        Examples
        --------
        >>> sizes = TransformerSettings()
        >>> [count_of(shapes, shapes) for config in (sizes.config(5000), sizes.llama(5000))
        ...  for shapes in [param_shapes(config)]]
        [424320, 424256]
        """
        gpt = self.config(words)
        narrow, wider = (
            LlamaConfig(
                vocab_size=gpt.vocab_size,
                hidden_size=self.n_embd,
                intermediate_size=inner,
                num_hidden_layers=self.n_layer,
                num_attention_heads=self.n_head,
                max_position_embeddings=self.n_positions,
                tie_word_embeddings=True,
            )
            for inner in (1, 2)
        )
        wanted, least, next_ = (_size(config) for config in (gpt, narrow, wider))
        inner = 1 + max(0, round((wanted - least) / (next_ - least)))
        return replace(narrow, intermediate_size=inner)


def _size(config: Config) -> int:
    shapes = param_shapes(config)
    return count_of(shapes, shapes)


@dataclass(frozen=True, eq=False)
class Body:
    """A transformer without a head."""

    config: Config
    parameters: Parameters


def random_body(config: Config, seed: int) -> Body:
    """Return a body before any training: what the pretraining of this number starts from."""
    return Body(config, initial_parameters(config, rng=generator(seed, "parameters")))


def body_of(config: Config, arrays: dict[str, np.ndarray]) -> Body:
    """Return a body with these parameters."""
    parameters = Parameters(param_shapes(config), np.float32)
    for name in parameters:
        parameters[name][...] = arrays[name]
    return Body(config, parameters)


def encode(words: Sequence[int], config: Config) -> list[int]:
    """Return the model's ids of a text, given those of a vocabulary (-1 for no word of it).

    A text without a word is the end of a text alone; a long one is cut.

    >>> encode([0, -1, 7], GPTConfig(6, 8, 4, 1, 1)), encode([], GPTConfig(6, 8, 4, 1, 1))
    ([2, 1, 1], [0])
    """
    known = config.vocab_size - _SPECIAL
    ids = [word + _SPECIAL if 0 <= word < known else UNKNOWN for word in words]
    return ids[: config.n_positions] or [END]


def pretrain(
    ids: np.ndarray, words: int, settings: TransformerSettings, seed: int, *, llama: bool = False
) -> tuple[Body, dict[str, Any]]:
    """Train a language model on a text, on one thread; a pure function of its arguments.

    Parameters
    ----------
    ids : ndarray of shape (n,), int
        Word ids, -1 after each document. Every twentieth document is held out; the others are
        shuffled.
    words : int
        V, how many different words there are.
    settings : TransformerSettings
    seed : int
        The number of the pretraining: it decides the order of the documents and of the windows, and
        the initial parameters, which are those of `random_body` at this seed.
    llama : bool
        Whether to train the Llama; everything else is the same.

    Returns
    -------
    Body
    dict
        `flops`, `parameters`, and the curves `loss` and `held_out`: lists of [step, tokens seen,
        nats a token].
    """
    config = settings.llama(words) if llama else settings.config(words)
    train, held_out = _split(ids, config, rng=generator(seed, "order"))
    model = architectures.language_model(config, rng=generator(seed, "parameters"))
    word_start.from_cooccurrence(
        model.parameters[config.table],
        train,
        window=settings.window,
        length=settings.embedding_length,
        end=END,
        rng=generator(seed, "svd"),
    )
    time = min(config.n_positions, len(train) - 1)
    windows = batches.ShuffledWindows(train, time, settings.batch, seed)
    optimizer = AdamW(
        model.parameters,
        betas=loop.BETAS,
        weight_decay=PretrainSettings.weight_decay,
        factors={config.table: settings.embedding_rate},
    )
    curve: list[list[float]] = []
    looks = [[0, 0, _held_out_loss(model, held_out)]]
    peak, size = settings.learning_rate, time * settings.batch
    with Shards(1) as shards:
        for step in range(settings.steps):
            rate = optim.warmup_decay(
                step, peak=peak, warmup=settings.steps // 20, total=settings.steps, floor=peak / 10
            )
            loss, _ = loop.train_step(
                model, windows[step], optimizer, learning_rate=rate, shards=shards
            )
            done = step + 1
            if done % max(1, settings.steps // _POINTS) == 0:
                curve.append([done, done * size, loss])
            if done % max(1, settings.steps // _LOOKS) == 0:
                looks.append([done, done * size, _held_out_loss(model, held_out)])
    used = settings.steps * size
    details = {
        "flops": 3 * costs.forward(config, used, time, head=config.vocab_size),
        "parameters": model.parameters.count(),
        "loss": curve,
        "held_out": looks,
    }
    return Body(config, model.parameters), details


def _split(
    ids: np.ndarray, config: Config, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the model's ids of the documents to learn from, shuffled, and of those held out."""
    known = config.vocab_size - _SPECIAL
    mapped = np.where(ids < 0, END, np.where(ids < known, ids + _SPECIAL, UNKNOWN))
    ends = ids < 0
    document: np.ndarray = np.cumsum(ends) - ends
    held_out: np.ndarray = document % tokens.HELD_OUT_EVERY == _LAST
    pieces = np.split(mapped, np.flatnonzero(ends)[:-1] + 1)
    learned = [piece for i, piece in enumerate(pieces) if i % tokens.HELD_OUT_EVERY != _LAST]
    return np.concatenate([learned[i] for i in rng.permutation(len(learned))]), (
        mapped[held_out] if held_out.any() else mapped  # a text of a few documents
    )


def _held_out_loss(model: GPT, held_out: np.ndarray) -> float:
    """Return the mean loss on evenly spaced windows of the held-out part."""
    time = min(model.config.n_positions, len(held_out) - 1)
    starts = np.linspace(0, len(held_out) - time - 1, _LOOK_WINDOWS).astype(int)
    windows = held_out[starts[:, np.newaxis] + np.arange(time + 1)]
    # In four parts of one size: the scores of all words at all places would be the largest array.
    losses = [model.loss(part[:, :-1], part[:, 1:]) for part in np.array_split(windows, 4)]
    return float(np.mean(losses))


def pooled(body: Body, texts: Sequence[Ids]) -> np.ndarray:
    """Return the mean over its words of each text's last hidden states: (N, C) float32.

    Texts of one length go together, so that there is no padding.
    """
    model = architectures.body(body.config, body.parameters)
    out = np.empty((len(texts), body.config.n_embd), np.float32)
    for part, ids in _alike(texts):
        hidden, _ = model.hidden(checks.check_ids(ids, model.config), backward=False)
        out[part], _ = F.mean_pool(hidden, np.full(len(part), ids.shape[1]))
    return out


def predict(model: SequenceClassifier, texts: Sequence[Ids]) -> np.ndarray:
    """Return the class of each text: (N,) int."""
    out = np.empty(len(texts), np.int64)
    for part, ids in _alike(texts):
        out[part] = model.logits(ids, np.full(len(ids), ids.shape[1])).argmax(axis=1)
    return out


def _alike(texts: Sequence[Ids]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the places of texts of one length, and their ids, in blocks."""
    lengths = np.array([len(text) for text in texts])
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        for part in np.array_split(members, -(-len(members) * length // _BLOCK)):
            yield part, np.array([texts[i] for i in part])


def states(body: Body, ids: Ids) -> np.ndarray:
    """Return the last hidden states of one text: T ids -> (T, C)."""
    model = architectures.body(body.config, body.parameters)
    hidden, _ = model.hidden(checks.check_ids([ids], model.config), backward=False)
    return hidden[0]
