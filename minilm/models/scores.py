"""How well a model predicts a text (loss, perplexity, bits per byte) or labels (accuracy)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.arrays import Array, Ids
from minilm.errors import OptionError
from minilm.nn import functional as F
from minilm.nn.gpt import GPT
from minilm.nn.parallel import Shards
from minilm.store.folder import Tokenizer
from minilm.text.bpe import BytePairTokenizer

_GROUP = 64  # batches in memory at a time


def mean_loss(losses: Sequence[float], counts: Sequence[int]) -> float:
    """Return the mean loss per token of several batches.

    Parameters
    ----------
    losses : sequence of float
        The mean loss of each batch, in nats per token.
    counts : sequence of int
        How many tokens were predicted in each batch.

    Raises
    ------
    OptionError
        When no token was predicted.

    Examples
    --------
    >>> mean_loss([2.0, 5.0], [30, 10])
    2.75
    """
    tokens = sum(counts)
    if tokens == 0:
        raise OptionError("no token to predict: the text is empty")
    return sum(loss * count for loss, count in zip(losses, counts, strict=True)) / tokens


def perplexity(loss: float) -> float:
    """Return exp(loss): the model is as uncertain as between this many equally likely tokens.

    Losses above 700 nats count as 700: exp(710) is more than a float can hold.

    Parameters
    ----------
    loss : float
        Mean cross-entropy in nats per token.

    References
    ----------
    F. Jelinek, R. Mercer, L. Bahl and J. Baker (1977), "Perplexity: a measure of the difficulty of
    speech recognition tasks".

    Examples
    --------
    >>> round(perplexity(math.log(8)), 6)
    8.0
    """
    return math.exp(min(loss, 700.0))


def bits_per_byte(loss: float, tokens: int, size: int) -> float:
    """Return the total loss in bits, divided by the bytes of text: comparable across tokenizers.

    Parameters
    ----------
    loss : float
        Mean cross-entropy in nats per token.
    tokens : int
        How many tokens were predicted.
    size : int
        How many bytes these tokens are in UTF-8; at least one.

    References
    ----------
    L. Gao et al. (2020), "The Pile: An 800GB Dataset of Diverse Text for Language Modeling",
    section 3.1.

    Examples
    --------
    >>> round(bits_per_byte(math.log(8), tokens=100, size=300), 6)
    1.0
    """
    return loss * tokens / math.log(2) / size


@dataclass(frozen=True)
class Score:
    """How well a text was predicted.

    Attributes
    ----------
    loss : float
        Mean cross-entropy in nats per token.
    tokens : int
        How many tokens were predicted.
    bytes : int or None
        How many bytes these tokens are; None if the tokenizer loses part of the text.

    Examples
    --------
    >>> score = Score(loss=math.log(8), tokens=100, bytes=300)
    >>> round(score.perplexity, 6), score.bits_per_byte
    (8.0, 1.0)
    """

    loss: float
    tokens: int
    bytes: int | None

    @property
    def perplexity(self) -> float:
        """exp(loss): the model is as uncertain as between this many equally likely tokens."""
        return perplexity(self.loss)

    @property
    def bits_per_byte(self) -> float | None:
        """The total loss in bits, divided by the bytes of text: comparable across tokenizers."""
        if not self.bytes:
            return None
        return bits_per_byte(self.loss, self.tokens, self.bytes)

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures to log, by name."""
        return {
            "loss": self.loss,
            "perplexity": self.perplexity,
            "bits_per_byte": self.bits_per_byte,
        }

    def __str__(self) -> str:
        """Return the figures as text."""
        bits = self.bits_per_byte
        return f"perplexity {self.perplexity:,.2f}" + (
            f", {bits:.4f} bits per byte" if bits else ""
        )


def byte_lengths(tokenizer: Tokenizer | None) -> NDArray[np.int64] | None:
    """Return how many bytes of text each id stands for, shape (V,); 0 for special tokens.

    None if the text cannot be restored from its tokens, as with the word tokenizer.
    """
    if not isinstance(tokenizer, BytePairTokenizer):
        return None
    lengths = np.array([len(tokenizer.token_bytes(i)) for i in range(len(tokenizer.vocab))])
    lengths[[tokenizer.vocab[token] for token in tokenizer.special_tokens]] = 0
    return lengths


def evaluate(
    model: GPT,
    batches: Iterable[tuple[Ids, Ids]],
    shards: Shards,
    lengths: NDArray[np.int64] | None,
) -> Score:
    """Return the score of a model on batches of (ids, targets), one batch on each thread.

    The sums follow the order of the batches, so they do not depend on the number of threads.

    Parameters
    ----------
    model : GPT
    batches : iterable of (ids, targets)
        Two integer arrays of shape (B, T) each; targets of -100 do not count.
    shards : Shards
    lengths : integer array of shape (V,), optional
        As `byte_lengths` returns them.

    Raises
    ------
    OptionError
        When there are no targets.
    """
    found: list[float] = []
    counts: list[int] = []
    size = 0
    stream = iter(batches)
    while group := list(islice(stream, _GROUP)):
        losses = [0.0] * len(group)

        def work(i: int, group: Any = group, losses: list[float] = losses) -> None:
            losses[i] = model.loss(*group[i])

        shards.each(work, range(len(group)))
        for loss, (_, targets) in zip(losses, group, strict=True):
            counted = targets[targets != -100]
            found.append(loss)
            counts.append(counted.size)
            size += int(lengths[counted].sum()) if lengths is not None else 0
    return Score(mean_loss(found, counts), sum(counts), size if lengths is not None else None)


@dataclass(frozen=True)
class LabelScore:
    """How well labels are predicted: mean cross-entropy in nats, and accuracy."""

    loss: float
    accuracy: float

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures to log, by name."""
        return {"loss": self.loss, "accuracy": self.accuracy}

    def __str__(self) -> str:
        """Return the figures as text."""
        return f"accuracy {self.accuracy:.1%}, loss {self.loss:.3f}"


def label_score(logits: Array, targets: Ids) -> LabelScore:
    """Return loss and accuracy of logits (N, K) for the labels `targets` (N,)."""
    loss, _ = F.cross_entropy(logits, targets)
    return LabelScore(float(loss), float(np.mean(logits.argmax(axis=1) == targets)))
