"""A language model as one object: generate, evaluate, update, save."""

from __future__ import annotations

import codecs
import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minilm.arrays import Array
from minilm.errors import OptionError, brief
from minilm.models import batches, generate, scores
from minilm.models.description import described
from minilm.models.generate import Chosen, Sampling
from minilm.models.scores import Score
from minilm.nn import architectures, lora
from minilm.nn.gpt import GPT
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Config
from minilm.store import folder
from minilm.store.folder import SavedModel, Stage, Tokenizer
from minilm.text import several
from minilm.text.sentencepiece import SentencePieceTokenizer
from minilm.text.wordlevel import WordLevelTokenizer

_LONGEST = 1024  # tokens of a window in which a text is scored
_CELLS = 1 << 23  # logits held at a time when a text is scored, for each thread


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32) -> LanguageModel:
    """Read a model's folder: minilm's own, or a Hugging Face GPT-2's or Llama's.

    Parameters
    ----------
    path : path-like
    dtype : float dtype
        To compute in.

    Raises
    ------
    ModelError
        When something in the folder is missing or damaged; it names the file.
    """
    return LanguageModel(folder.load(path, dtype=dtype))


class LanguageModel:
    """A GPT-2 or Llama with its tokenizer.

    Parameters
    ----------
    saved : SavedModel

    Attributes
    ----------
    config : GPTConfig or LlamaConfig
    tokenizer : BytePairTokenizer, SentencePieceTokenizer, WordLevelTokenizer or None
    gpt : GPT or Llama
        With the parameters, by Hugging Face's names, in `gpt.parameters`.
    lineage : tuple of Stage
        How it was trained, oldest first.
    seen : Ledger or None
        The documents it has learned from, where that is known.

    Examples
    --------
    >>> from minilm.nn.config import GPTConfig
    >>> from minilm.text.bpe import BytePairTokenizer
    >>> from minilm.nn.gpt import initial_parameters
    >>> config = GPTConfig(257, 8, 12, 1, 2)
    >>> tokenizer = BytePairTokenizer.train([], 257, [folder.END_OF_TEXT])
    >>> parameters = initial_parameters(config, rng=np.random.default_rng(0))
    >>> model = LanguageModel(SavedModel(config, parameters, tokenizer, 0, ()))
    >>> model.logits(model.tokenizer.encode("abc")).shape
    (3, 257)
    >>> len(model.generate("abc", max_new_tokens=2, rng=np.random.default_rng(0)))
    2
    """

    def __init__(self, saved: SavedModel) -> None:
        self.config: Config = saved.config
        self.tokenizer: Tokenizer | None = saved.tokenizer
        self.gpt: GPT = architectures.language_model(saved.config, parameters=saved.parameters)
        self.lineage: tuple[Stage, ...] = saved.lineage
        self.end_of_text = saved.end_of_text
        self.seen = saved.seen

    def __repr__(self) -> str:
        """Return the size of the model."""
        size = described(self.config, self.gpt.parameters, self.gpt.adapter)
        return f"LanguageModel({size})"

    @property
    def stop_tokens(self) -> frozenset[int]:
        """The tokens that end a text: between documents, and what the configuration names."""
        named = getattr(self.config, "eos_token_id", None)
        ends = named if isinstance(named, tuple) else (named,)
        return frozenset(n for n in (self.end_of_text, *ends) if n is not None)

    def logits(self, ids: ArrayLike) -> Array:
        """Return the scores of each next token: (T,) -> (T, V), or (B, T) -> (B, T, V)."""
        array = np.asarray(ids)
        return self.gpt.logits(array[None])[0] if array.ndim == 1 else self.gpt.logits(array)

    def generate(
        self,
        prompt: str | Sequence[int] = "",
        *,
        max_new_tokens: int = 100,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        slide: bool = False,
        rng: np.random.Generator | None = None,
    ) -> str:
        """Return text that continues the prompt, without the prompt.

        It ends with the document, after `max_new_tokens`, or when the context is full.

        Parameters
        ----------
        prompt : str or sequence of int
            A text or its ids; with an empty prompt the model starts a document.
        max_new_tokens : int
        temperature, top_k, top_p
            As in `Sampling`. At temperature 0 the most likely token is chosen each time.
        slide : bool
            When the context is full, continue from its last half.
        rng : numpy.random.Generator
            Chooses; not needed at temperature 0.

        Raises
        ------
        OptionError
            When a value cannot work, or the prompt alone fills the context and `slide` is not set.
        """
        ids = self.encode(prompt)
        chosen = self.tokens(
            ids,
            max_new_tokens=max_new_tokens,
            sampling=Sampling(temperature, top_k, top_p),
            slide=slide,
            rng=rng,
        )
        return "".join(self.pieces(ids, (token.id for token in chosen)))

    def tokens(
        self,
        ids: Sequence[int],
        *,
        max_new_tokens: int,
        sampling: Sampling,
        slide: bool = False,
        rng: np.random.Generator | None = None,
        stop: Collection[int] | None = None,
    ) -> Iterator[Chosen]:
        """Yield the tokens of `generate` one by one, with what they were chosen from."""
        if not isinstance(max_new_tokens, Integral) or max_new_tokens < 1:
            raise OptionError(
                f"{max_new_tokens!r} new tokens; it must be a whole number of 1 or more"
            )
        return generate.generate(
            self.gpt,
            ids,
            max_new_tokens,
            sampling,
            rng=rng,
            stop=self.stop_tokens if stop is None else stop,
            slide=slide,
            vocabulary=len(self.tokenizer.vocab) if self.tokenizer else None,
        )

    def encode(self, prompt: str | Sequence[int]) -> list[int]:
        """Return the ids of a prompt; an empty prompt becomes the token between documents."""
        if isinstance(prompt, str):
            ids = self._begin() + self._tokenizer().encode(prompt)
        else:
            ids = _ids(prompt)
        if ids:
            return ids
        if self.end_of_text is None:
            raise OptionError("this model has no token that starts a text; give a prompt")
        return [self.end_of_text]

    def _begin(self) -> list[int]:
        """Return the token that belongs before a text, if the tokenizer has one."""
        tokenizer = self._tokenizer()
        return [] if tokenizer.begins_with is None else [tokenizer.vocab[tokenizer.begins_with]]

    def pieces(self, before: Sequence[int], ids: Iterable[int]) -> Iterator[str]:
        """Yield the text of tokens one by one; joined, it is the text after the tokens before.

        A character whose bytes are split between tokens comes with the last of them.
        """
        tokenizer = self._tokenizer()
        if isinstance(tokenizer, WordLevelTokenizer):
            blank = "" if list(before) == [self.end_of_text] else " "
            for number in ids:
                yield blank + tokenizer.decode([number])
                blank = " "
            return
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        # Before the first word of a text SentencePiece puts a blank that is not part of it.
        is_first = isinstance(tokenizer, SentencePieceTokenizer) and tokenizer.prefix != "never"
        is_first = is_first and set(before) <= set(self._begin())
        for number in ids:
            data = tokenizer.token_bytes(number)
            yield decoder.decode(data.removeprefix(b" ") if is_first else data)
            is_first = False
        yield decoder.decode(b"", final=True)

    def evaluate(self, texts: Iterable[str], *, threads: int = 1) -> Score:
        """Return how well documents are predicted: every token once, from those in its window.

        The text is cut into windows of the context's length (of 1,024 tokens at most: attention
        takes the square of it), each predicted without the others. The end of each document counts
        as a token too.

        Parameters
        ----------
        texts : iterable of str
            Documents; they are not held in memory.
        threads : int

        Raises
        ------
        OptionError
            When there is nothing to predict, or a text is not a string.
        """
        tokenizer = self._tokenizer()
        end = [] if self.end_of_text is None else [self.end_of_text]
        begin = self._begin()
        documents = (chain(begin, tokenizer.encode(text), end) for text in several.strings(texts))
        ids = chain(end, chain.from_iterable(documents))
        time = min(self.config.n_positions, _LONGEST)
        batch = max(1, _CELLS // (time * self.config.vocab_size))
        with Shards(threads) as shards:
            return scores.evaluate(
                self.gpt,
                batches.consecutive(ids, time, batch),
                shards,
                scores.byte_lengths(tokenizer),
            )

    def update(self, texts: Any, **settings: Any) -> Self:
        """Train the model further on new text, in place; return it.

        `save` keeps the result. `minilm.update` says which settings there are, and updates models
        in folders, where every update is a version.

        Parameters
        ----------
        texts : path-like, or sequence of path-like or str
            Files, folders, or documents. Documents that the model has seen are skipped.
        **settings
            Such as `epochs=3` or `learning_rate=4e-4`.

        Raises
        ------
        MinilmError
            When texts or settings cannot be used.
        """
        import minilm  # the front door knows the room of training, which is above this one

        minilm.update(self, texts, **settings)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save to a folder that transformers reads too; a model that it holds is replaced.

        An adapter is merged into the matrices.
        """
        parameters = self.gpt.parameters
        if self.gpt.adapter is not None:
            parameters = lora.merge(parameters, self.gpt.adapter)
        contents = folder.model_files(self.config, parameters, self.tokenizer, self.seen)
        folder.save(path, contents, self.lineage)

    def _tokenizer(self) -> Tokenizer:
        if self.tokenizer is None:
            raise OptionError(
                "this model's folder has no tokenizer; add its tokenizer.json, or give ids"
            )
        return self.tokenizer


def _ids(prompt: Any) -> list[int]:
    """Return a prompt that is not a string as ids, or raise OptionError."""
    with contextlib.suppress(TypeError, ValueError):
        found = np.asarray(prompt)
        if found.ndim == 1 and (found.dtype.kind in "iu" or not found.size):
            return [int(number) for number in found]
    raise OptionError(f"the prompt is {brief(prompt)}; give a text, or a list of its ids")
