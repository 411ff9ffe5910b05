"""Texts as a classifier reads them: ids within the context, and batches with little padding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from minilm.arrays import Array, Ids
from minilm.errors import OptionError
from minilm.random import generator
from minilm.store.folder import Tokenizer
from minilm.text import several
from minilm.text.bpe import BytePairTokenizer

_TOKENS = 1 << 12  # in a batch that is not trained on, padding included

# Texts are sorted by length in groups of this many batches. Of 256 of the shipped film reviews in
# batches of 16, padding is then 13 %, in place of 20 % in groups of four batches and 41 % in none;
# and batches still differ in every epoch.
_SORTED_BATCHES = 8


@dataclass(frozen=True)
class Encoded:
    """Texts as ids.

    Attributes
    ----------
    ids : list of list of int
        At least one and at most the context's length each.
    truncated : int
        How many were longer than the context; the first of their ids are kept.
    empty : int
        How many had no token; they are read as an end of text.
    """

    ids: list[list[int]]
    truncated: int
    empty: int


def encode(
    tokenizer: Tokenizer, texts: Iterable[str], *, context: int, end_of_text: int | None
) -> Encoded:
    """Return the ids of texts.

    Raises
    ------
    OptionError
        When a text is not a string; when it has no token, and the model has no end-of-text token to
        replace it.

    Examples
    --------
    >>> from minilm.text.wordlevel import WordLevelTokenizer
    >>> words = WordLevelTokenizer.train(["to be or not to be"], min_count=1)
    >>> encode(words, ["to be or not", "?"], context=3, end_of_text=0)
    Encoded(ids=[[3, 2, 5], [0]], truncated=1, empty=1)
    """
    found: list[list[int]] = []
    truncated = empty = 0
    for number, text in enumerate(several.strings(texts), 1):
        ids = tokenizer.encode(text)
        truncated += len(ids) > context
        empty += not ids
        if not ids and end_of_text is None:
            raise OptionError(
                f"text {number} has nothing that this tokenizer knows, and the model has no "
                "end-of-text token to replace it; leave it out"
            )
        found.append(ids[:context] if ids else [end_of_text or 0])
    return Encoded(found, truncated, empty)


def known_share(tokenizer: Tokenizer, texts: Iterable[Sequence[int]]) -> float:
    """Return the share of tokens that the tokenizer learned from text; 1 if it learned none.

    For words these are the words in its vocabulary; for byte-level BPE, the merged tokens: in a
    text of another language, few of the learned merges occur.
    """
    if isinstance(tokenizer, BytePairTokenizer):
        learned = np.array([len(tokenizer.token_bytes(i)) > 1 for i in range(len(tokenizer.vocab))])
    else:
        learned = np.ones(len(tokenizer.vocab), bool)
    learned[[tokenizer.vocab[token] for token in tokenizer.special_tokens]] = False
    if not learned.any():
        return 1.0
    return float(np.mean(learned[np.concatenate(list(texts))]))


def pad(texts: Sequence[Sequence[int]]) -> tuple[Ids, Ids]:
    """Return ids of shape (B, T), padded on the right with zeros, and lengths of shape (B,).

    >>> pad([[5, 6, 7], [8]])
    (array([[5, 6, 7],
           [8, 0, 0]]), array([3, 1]))
    """
    lengths = np.array([len(text) for text in texts])
    ids = np.zeros((len(texts), lengths.max()), np.int64)
    ids[np.arange(ids.shape[1]) < lengths[:, None]] = np.concatenate(texts)
    return ids, lengths


def apply(function: Callable[[Ids, Ids], Array], texts: Sequence[Sequence[int]]) -> Array:
    """Return the rows that a function of ids and lengths gives for all texts, in their order.

    Texts are batched by similar length, a few thousand tokens at a time.

    Parameters
    ----------
    function : callable
        Takes padded ids (B, T) and lengths (B,), returns an array of shape (B, K).
    texts : sequence of sequences of int
    """
    order = np.argsort([len(text) for text in texts], kind="stable")
    rows: Array | None = None
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * len(texts[order[stop]]) <= _TOKENS:
            stop += 1
        chosen = order[start:stop]
        found = function(*pad([texts[i] for i in chosen]))
        if rows is None:
            rows = np.empty((len(texts), found.shape[1]), found.dtype)
        rows[chosen] = found
        start = stop
    if rows is None:
        raise OptionError("there are no texts")
    return rows


class ShuffledTexts:
    """The batches of a training run: in each epoch every text once, in another order.

    Texts of similar length come together, so there is little padding. Which make up a batch is a
    pure function of the seed and the batch's number.

    Parameters
    ----------
    lengths : sequence of int
        Of all texts.
    batch : int
        Texts in a batch; the last of an epoch may have fewer.
    seed : int

    Attributes
    ----------
    count : int
        Batches in an epoch.

    Examples
    --------
    >>> texts = ShuffledTexts([3, 9, 4, 8], batch=2, seed=0)
    >>> texts.count, sorted(texts[0].tolist() + texts[1].tolist())
    (2, [0, 1, 2, 3])
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self.lengths = np.asarray(lengths)
        self.batch = batch
        self.seed = seed
        self.count = -(-len(self.lengths) // batch)
        self._epoch = lru_cache(maxsize=2)(self._lay_out)

    def __getitem__(self, step: int) -> Ids:
        """Return the indices of the texts in batch `step`, from 0."""
        epoch, place = divmod(step, self.count)
        return self._epoch(epoch)[place]

    def _lay_out(self, epoch: int) -> list[Ids]:
        rng = generator(self.seed, "texts", epoch)
        order = rng.permutation(len(self.lengths))
        span = self.batch * _SORTED_BATCHES
        for start in range(0, len(order), span):
            group = order[start : start + span]
            order[start : start + span] = group[np.argsort(self.lengths[group], kind="stable")]
        batches = [order[i : i + self.batch] for i in range(0, len(order), self.batch)]
        return [batches[i] for i in rng.permutation(len(batches))]
