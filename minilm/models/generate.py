"""Generate text with a language model, a token at a time, with a cache of keys and values.

The operations are those of training, on a shorter time axis (`nn.gpt.KeyValueCache`). What limits
the speed is reading all weights from memory once for each token.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from minilm.arrays import Array
from minilm.errors import OptionError
from minilm.nn import functional as F
from minilm.nn.gpt import GPT, KeyValueCache


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen from the scores.

    Parameters
    ----------
    temperature : float
        Divides the scores: higher is more random; 0 is greedy.
    top_k : int, optional
        Only this many of the most likely tokens can be chosen.
    top_p : float, optional
        Only the most likely tokens that together have this probability can be chosen: "nucleus
        sampling" (A. Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration",
        section 3.1).

    Raises
    ------
    OptionError
        When a value cannot work.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        heat, k, p = self.temperature, self.top_k, self.top_p
        if not (isinstance(heat, Real) and 0 <= heat < math.inf):
            raise OptionError(f"temperature {heat!r}: it must be 0 or more")
        if k is not None and not (isinstance(k, Integral) and k >= 1):
            raise OptionError(f"top-k {k!r}: it must be a whole number of 1 or more")
        if p is not None and not (isinstance(p, Real) and 0 < p <= 1):
            raise OptionError(f"top-p {p!r}: it must be above 0 and at most 1")

    def probabilities(self, logits: Array) -> Array:
        """Return the probability of each token to be chosen, (V,) -> (V,)."""
        return token_probabilities(
            logits, temperature=self.temperature, top_k=self.top_k, top_p=self.top_p
        )


def token_probabilities(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Array:
    """Return the probability of each token to be chosen.

    The temperature comes first, then top-k, then top-p of what is left.

    Parameters
    ----------
    logits : ndarray of shape (V,)
    temperature : float
        Divides the scores; 0 gives the likeliest token all of the probability (the first of
        several).
    top_k : int, optional
        The k likeliest tokens stay, and those that are as likely as the last of them.
    top_p : float, optional
        The likeliest tokens stay, as few as have this probability together.

    Returns
    -------
    ndarray of shape (V,), float64
        They sum to one; tokens that cannot be chosen have zero.

    References
    ----------
    A. Fan, M. Lewis and Y. Dauphin (2018), "Hierarchical Neural Story Generation", section 5.4
    (top-k); A. Holtzman et al. (2020), "The Curious Case of Neural Text Degeneration", section 3.1
    (top-p).

    Examples
    --------
    >>> logits = np.log([0.5, 0.3, 0.2])
    >>> token_probabilities(logits, top_k=2)
    array([0.625, 0.375, 0.   ])
    >>> token_probabilities(logits, top_p=0.5)
    array([1., 0., 0.])
    """
    if temperature == 0:
        return np.eye(1, logits.size, int(logits.argmax()))[0]
    scores: Array = logits.astype(np.float64)
    scores = (scores - scores.max()) / temperature
    if top_k is not None and top_k < scores.size:
        scores[scores < np.partition(scores, -top_k)[-top_k]] = -np.inf
    y = F.softmax(scores)[0]
    if top_p is not None:
        order = np.argsort(-y, kind="stable")
        before = np.cumsum(y[order]) - y[order]
        y[order[before >= top_p]] = 0
        y /= y.sum()
    return y


@dataclass(frozen=True)
class Chosen:
    """A generated token.

    Attributes
    ----------
    id : int
    probabilities : ndarray of shape (V,)
        What it was chosen from; shorter where `vocabulary` says so.
    """

    id: int
    probabilities: Array


def generate(
    model: GPT,
    ids: Sequence[int],
    count: int,
    sampling: Sampling,
    *,
    rng: np.random.Generator | None = None,
    stop: int | Collection[int] | None = None,
    slide: bool = False,
    vocabulary: int | None = None,
) -> Iterator[Chosen]:
    """Yield tokens that continue a text.

    Parameters
    ----------
    model : GPT
    ids : sequence of int
        The text so far, at least one token.
    count : int
        How many tokens to make at most.
    sampling : Sampling
    rng : numpy.random.Generator, optional
        Chooses; not needed at temperature 0.
    stop : int or collection of int, optional
        Tokens after which there is nothing more; they are not yielded.
    slide : bool
        What to do when text and continuation fill the context: continue from its last half, or
        end. Positions are counted from the start of the context, so the keys and values of the half
        that stays are computed again.
    vocabulary : int, optional
        Only ids below this are chosen (default: all V). Models from elsewhere may have a table that
        is padded to a round number; the ids beyond the tokenizer's have no text.

    Raises
    ------
    OptionError
        When the text is empty, or fills the context and `slide` is not set.
    """
    context = model.config.n_positions
    held = [int(number) for number in ids]
    if not held:
        raise OptionError("there is no token to start with; give a prompt")
    if len(held) >= context and not slide:
        raise OptionError(
            f"the prompt has {len(held)} tokens, and the model's context is {context}; shorten it, "
            "or slide over it"
        )
    if not hasattr(rng, "random") and sampling.temperature > 0:
        raise OptionError("sampling needs rng, a numpy.random.Generator; or use temperature 0")
    # A prompt that is too long is cut to the context's last half at once.
    held = held[-max(1, context // 2) :] if len(held) > context else held
    cache = KeyValueCache(model, length=min(context, len(held) + count))
    ends = {stop} if isinstance(stop, int) else set(stop or ())
    fed = 0
    for _ in range(count):
        if len(held) > context:
            held = held[-max(1, context // 2) :]
            cache.length = fed = 0
        logits = model.next_logits(np.array([held[fed:]]), cache)[0][:vocabulary]
        fed = len(held)
        probabilities = sampling.probabilities(logits)
        token = _choose(probabilities, rng)
        if token in ends:
            return
        yield Chosen(token, probabilities)
        held.append(token)
        if len(held) >= context and not slide:
            return


def _choose(probabilities: Array, rng: np.random.Generator | None) -> int:
    """Draw an index: where the running sum passes a random number."""
    if rng is None:
        return int(probabilities.argmax())
    sums = np.cumsum(probabilities)
    return int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
