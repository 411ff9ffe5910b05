"""What the models of folders make of texts: computed once for every text and kept in the cache.

A frozen model makes the same states of a text in every run, and reading is nearly all of the work
of a large one. So before the runs start, every text that they need is read once, and the runs map
what they need from the cache. Two things can be kept of a text:

    pooled   for a probe: of some layers the mean over the text and its last token, (L, 2, C)
    tokens   for LoRA on the upper layers: what enters the lowest of these, a row a token, (T, C)

The cache is a folder for each model and kind, `states/<key>`; the key is a hash of the weights, the
tokenizer, the layers, the code and NumPy's version. Texts that are read are added as one more file,
so that nothing is ever rewritten. A file appears whole or not at all, two processes may write the
same, and a damaged file counts as missing: the folder needs no lock and can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minilm import progress, resources
from minilm.arrays import Array
from minilm.compare import pretraining
from minilm.compare.pretraining import Made
from minilm.errors import OptionError
from minilm.models import language_model
from minilm.models.language_model import LanguageModel
from minilm.nn import architectures
from minilm.nn import functional as F
from minilm.nn.parameters import Config
from minilm.store import adapters, folder, packaged
from minilm.threads import keep_freed_memory

POOLED, TOKENS = "pooled", "tokens"
POOLINGS = ("mean", "last")
# A probe chooses among at most this many layers: a sixth of the way through the model, two, ...
_CHOICES = 6
# LoRA adapts at most this many layers, the upper ones; those below stay as they are.
UPPER = 4
# Texts are read in blocks of one shape: lengths rounded up to a multiple of the first number, and
# about as many tokens as the second. So what is computed of a text does not depend on which texts
# are read with it, and weights that come from memory serve many tokens: SmolLM2 reads texts of 19
# tokens three times as fast this way as one by one.
_ROUNDED, _BLOCK = 4, 256
_SAVED = 60.0  # seconds after which what was read is saved


@dataclass(frozen=True)
class FolderModel:
    """A model in a folder, and how it is used.

    Parameters
    ----------
    path : str
        Absolute, or the name of a packaged model.
    how : {"probe", "finetuned", "lora"}
    sha256 : str
        Of its weights and its tokenizer.
    config : GPTConfig or LlamaConfig
    """

    path: str
    how: str
    sha256: str
    config: Config

    @property
    def kind(self) -> str | None:
        """What is kept of a text for it, if anything."""
        return {"probe": POOLED, "lora": TOKENS}.get(self.how)

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that a probe chooses among, or the one below those that LoRA adapts.

        0 is the embedding and `n_layer` the last layer, after the final norm.
        """
        last = self.config.n_layer
        if self.kind == TOKENS:
            return (max(0, last - UPPER),)
        return tuple(sorted({-(-last * k // _CHOICES) for k in range(1, _CHOICES + 1)}))

    @property
    def folder(self) -> Path:
        """Where its states are kept."""
        inputs = {"model": self.sha256, "kind": self.kind, "layers": self.layers}
        return resources.cache_dir() / "states" / pretraining.cache_name(inputs)

    def size(self, tokens: int, documents: int) -> int:
        """Return how many bytes are kept of this many documents with this many tokens."""
        rows = tokens if self.kind == TOKENS else 2 * len(self.layers) * documents
        return 4 * self.config.n_embd * rows


@functools.lru_cache(maxsize=1)
def load(path: str) -> LanguageModel:
    """Return the model of a folder; the last one stays in memory."""
    return language_model.load(path)


def of_path(path: str, how: str) -> FolderModel:
    """Return the model of a folder, with what tells it from others.

    Raises
    ------
    ModelError, OptionError
        When the folder holds no model, or one without a tokenizer.
    """
    whole = path if packaged.is_name(path) else os.path.abspath(path)
    model = load(whole)
    if model.tokenizer is None:
        raise OptionError(f"{path}: the model has no tokenizer; put its tokenizer.json there")
    digest = hashlib.sha256(adapters.fingerprint(model.config, model.gpt.parameters).encode())
    for name, content in sorted(folder.tokenizer_files(model.tokenizer, model.config).items()):
        if isinstance(content, bytes):
            digest.update(name.encode() + content)
    return FolderModel(whole, how, digest.hexdigest(), model.config)


def encode(model: LanguageModel, documents: Iterable[str]) -> list[list[int]]:
    """Return the ids of texts, cut to the context; one without a token is an end of text."""
    found = [model.encode(text) if text.strip() else [] for text in documents]
    return [ids[: model.config.n_positions] or [model.end_of_text or 0] for ids in found]


# ---------------------------------------------------------------------------- what is kept


@dataclass(frozen=True, eq=False)
class State:
    """What is kept of one text.

    Parameters
    ----------
    states : ndarray of shape (L, 2, C) or (T, C)
    tokens : int
        T.
    seconds : float
        How long reading it took, as its share of a block.
    """

    states: Array
    tokens: int
    seconds: float


class Kept:
    """What is kept for one model.

    Parameters
    ----------
    model : FolderModel
    """

    def __init__(self, model: FolderModel) -> None:
        self.model = model
        self._places: dict[bytes, tuple[Made, int, int]] = {}
        for path in sorted(model.folder.glob("*.safetensors")):
            if made := pretraining.load_entry(path):
                self._add(made)

    def __contains__(self, text: str) -> bool:
        """Return whether a text is kept."""
        return _digest(text) in self._places

    def get(self, texts: Sequence[str]) -> list[State]:
        """Return what is kept of texts; those that are not kept are read now, for this process."""
        if missing := [text for text in texts if text not in self]:
            for block in blocks(load(self.model.path), missing):
                self.add(read_block([self.model], block), save=False)
        return [self._get(text) for text in texts]

    def _get(self, text: str) -> State:
        made, number, start = self._places[_digest(text)]
        tokens = int(made.arrays["tokens"][number])
        seconds = float(made.arrays["seconds"][number])
        states = made.arrays["states"]
        if self.model.kind == POOLED:
            return State(states[number], tokens, seconds)
        return State(states[start : start + tokens], tokens, seconds)

    def add(self, read: Sequence[Read], *, save: bool = True) -> None:
        """Keep what was read, in one more file; where that cannot be written, in memory only."""
        if not read:
            return
        own = [one.states[self.model.kind or ""] for one in read]
        arrays = {
            "texts": np.stack([np.frombuffer(_digest(one.text), np.uint8) for one in read]),
            "tokens": np.array([one.tokens for one in read]),
            "seconds": np.array([one.seconds for one in read]),
            "states": np.stack(own) if self.model.kind == POOLED else np.concatenate(own),
        }
        made = Made(arrays, {})
        if save:
            name = hashlib.sha256(arrays["texts"].tobytes()).hexdigest()
            pretraining.save_entry(self.model.folder / f"{name}.safetensors", made)
        self._add(made)

    def _add(self, made: Made) -> None:
        ends = np.cumsum(made.arrays["tokens"])
        starts = (ends - made.arrays["tokens"]).tolist()
        for number, text in enumerate(made.arrays["texts"]):
            self._places[text.tobytes()] = made, number, starts[number]


@functools.lru_cache(maxsize=8)
def kept(model: FolderModel) -> Kept:
    """Return what is kept for a model: what this process found first, and what it read since."""
    return Kept(model)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


# --------------------------------------------------------------------------------- reading


@dataclass(frozen=True, eq=False)
class Read:
    """What was computed of one text: its `states` by kind; the rest as for `State`."""

    text: str
    tokens: int
    seconds: float
    states: dict[str, Array]


@dataclass(frozen=True)
class Block:
    """Texts to be read together: `rows` of them or fewer, padded to `length` tokens."""

    length: int
    rows: int
    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]


def blocks(model: LanguageModel, documents: Iterable[str]) -> list[Block]:
    """Return blocks of texts of similar length, each text once; the longest texts come first."""
    texts = list(dict.fromkeys(documents))
    ids = encode(model, texts)
    return [
        Block(
            length,
            rows,
            tuple(texts[i] for i in members),
            tuple(tuple(ids[i]) for i in members),
        )
        for length, rows, members in grouped(list(map(len, ids)), model.config.n_positions)
    ]


def grouped(lengths: Sequence[int], context: int) -> Iterator[tuple[int, int, list[int]]]:
    """Yield the length and the rows of each block, and the numbers of the texts in it.

    >>> list(grouped([3, 19, 4], 1024))
    [(20, 12, [1]), (4, 64, [0, 2])]
    """
    by_length: dict[int, list[int]] = {}
    for number, length in enumerate(lengths):
        rounded = min(context, -(-length // _ROUNDED) * _ROUNDED)
        by_length.setdefault(rounded, []).append(number)
    for length, members in sorted(by_length.items(), reverse=True):
        rows = max(1, _BLOCK // length)
        for start in range(0, len(members), rows):
            yield length, rows, members[start : start + rows]


def read_block(models: Sequence[FolderModel], block: Block) -> list[Read]:
    """Read the texts of a block, for one or several uses of one model."""
    start = time.perf_counter()
    loaded = load(models[0].path)
    ids = np.zeros((block.rows, block.length), np.int64)
    lengths = np.ones(block.rows, np.int64)
    for i, text in enumerate(block.ids):
        ids[i, : len(text)], lengths[i] = text, len(text)
    # The last output of a body is after its final norm, so one layer more is computed than needed.
    highest = min(loaded.config.n_layer, 1 + max(max(model.layers) for model in models))
    body = architectures.body(loaded.config.with_layers(highest), loaded.gpt.parameters)
    hidden = body.hidden_states(ids)
    states: dict[str, list[Array]] = {}
    for model in models:
        used = [hidden[layer] for layer in model.layers]
        if model.kind == POOLED:
            pools = [(F.mean_pool(x, lengths)[0], F.last_token_pool(x, lengths)[0]) for x in used]
            states[POOLED] = list(np.stack([np.stack(pair, 1) for pair in pools], 1))
        else:
            states[TOKENS] = [used[0][i, :n].copy() for i, n in enumerate(lengths)]
    seconds = (time.perf_counter() - start) / len(block.texts)
    return [
        Read(text, len(block.ids[i]), seconds, {kind: of[i] for kind, of in states.items()})
        for i, text in enumerate(block.texts)
    ]


@dataclass(frozen=True)
class Reading:
    """The texts that one model has to read before the runs, for one or several uses.

    Parameters
    ----------
    models : tuple of FolderModel
        Of one path.
    texts : tuple of str
        Those that are not kept yet.
    """

    models: tuple[FolderModel, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, models: Sequence[FolderModel], documents: Iterable[str]) -> Reading:
        """Return what is missing of the texts that the runs need."""
        different = dict.fromkeys(documents)
        missing = [text for text in different if any(text not in kept(m) for m in models)]
        return cls(tuple(models), tuple(missing))

    def plan(self, threads: int) -> tuple[str, float]:
        """Return what will be read and kept, in words, and the seconds of all threads together.

        A block is read to measure the speed.
        """
        tokens = sum(map(len, encode(load(self.models[0].path), self.texts)))
        (trial,) = read_block(self.models, Block(16, 8, ("",), ((0,) * 16,)))
        seconds = trial.seconds / (16 * 8) * tokens
        size = sum(model.size(tokens, len(self.texts)) for model in self.models)
        return (
            f"{Path(self.models[0].path).name} reads {len(self.texts):,} texts "
            f"({tokens:,} tokens) once, about {progress.duration(seconds / threads)}; "
            f"{size / 1e6:,.0f} MB are kept in {resources.cache_dir() / 'states'}"
        ), seconds

    def run(self, threads: int) -> None:
        """Read, with a progress line; what was read before an interruption is kept."""
        keep_freed_memory()
        waiting: list[Read] = []

        def save() -> None:
            for model in self.models:
                kept(model).add([one for one in waiting if one.text not in kept(model)])
            waiting.clear()

        last = time.monotonic()
        with (
            contextlib.ExitStack() as stack,
            progress.Progress("reading texts", len(self.texts)) as line,
        ):
            pool = stack.enter_context(ThreadPoolExecutor(threads))
            stack.callback(pool.shutdown, cancel_futures=True)
            stack.callback(save)
            for found in self._found(pool):
                waiting += found
                line.advance(len(found))
                if time.monotonic() - last > _SAVED:
                    save()
                    last = time.monotonic()

    def _found(self, pool: ThreadPoolExecutor) -> Iterator[list[Read]]:
        read = functools.partial(read_block, self.models)
        return pool.map(read, blocks(load(self.models[0].path), self.texts))
