"""A classifier of sequences on the body of GPT-2 or Llama.

    scores = pool(hidden, lengths) @ score.weight.T

With `pooling="last"` this is Hugging Face's `GPT2ForSequenceClassification`, or Llama's: each
sequence is judged by its last real position, the only one that has seen all of it. Sequences are
padded on the right; the padding is never seen, as no position sees the future.

Predicting the next word can be an auxiliary loss, so that the body does not forget what it learned
from text (Radford et al. 2018, "Improving Language Understanding by Generative
Pre-Training", equation 5):

    loss = mean over texts of (cross-entropy of the label
                               + lm_weight * mean cross-entropy of the text's next words)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minilm.arrays import Array, Ids
from minilm.errors import OptionError
from minilm.nn import architectures, checks, lora
from minilm.nn import functional as F
from minilm.nn.config import POOLINGS
from minilm.nn.functional import Cache
from minilm.nn.gpt import initial_parameters
from minilm.nn.parameters import Config, FlatStore, Gradients, Parameters


def with_score(
    parameters: Parameters, config: Config, labels: int, *, rng: np.random.Generator
) -> Parameters:
    """Return a copy of a body's parameters with a new `score.weight` of shape (labels, C)."""
    if labels < 2:
        raise OptionError(f"{labels} labels are too few for a classifier; use 2 or more")
    larger = parameters.extended({"score.weight": (labels, config.n_embd)})
    larger["score.weight"][...] = rng.normal(0.0, config.initializer_range, (labels, config.n_embd))
    return larger


class SequenceClassifier:
    """Scores labels for whole sequences.

    The body is in the attribute `body`.

    Parameters
    ----------
    config : GPTConfig or LlamaConfig
    labels : int, optional
        K, the number of labels for a new model.
    rng : numpy.random.Generator, optional
        Draws a new model; required, with `labels`, unless `parameters` are given.
    dtype : float dtype
        The dtype of new parameters.
    parameters : Parameters, optional
        An existing store that holds `score.weight` (`with_score` adds it), used without a copy.
    pooling : {"last", "mean"}
        Whether to classify a sequence by its last real position or by the mean of the real ones.
    lm_weight : float
        The weight of the auxiliary loss in `gradients`; `loss` leaves it out.

    Examples
    --------
    >>> from minilm.nn.config import GPTConfig
    >>> config = GPTConfig(50, 8, 12, 2, 3)
    >>> model = SequenceClassifier(config, labels=2, rng=np.random.default_rng(0))
    >>> ids, lengths = np.array([[1, 2, 3], [4, 0, 0]]), np.array([3, 1])
    >>> model.logits(ids, lengths).shape
    (2, 2)
    """

    def __init__(
        self,
        config: Config,
        *,
        labels: int | None = None,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
        parameters: Parameters | None = None,
        pooling: str = "last",
        lm_weight: float = 0.0,
    ) -> None:
        if parameters is None:
            if rng is None or labels is None:
                raise OptionError("a new classifier needs labels, and rng to draw its parameters")
            parameters = initial_parameters(config, rng=rng, dtype=dtype)
            parameters = with_score(parameters, config, labels, rng=rng)
        self.body = architectures.body(config, parameters)
        self.config = config
        self.parameters = parameters
        shape = parameters.shapes.get("score.weight", ())
        if len(shape) != 2 or shape[1] != config.n_embd:
            raise OptionError(
                f"the parameter score.weight has shape {shape or 'none'}; "
                f"a classifier needs (labels, {config.n_embd})"
            )
        if pooling not in POOLINGS:
            raise OptionError(f"pooling is {pooling!r}; expected {' or '.join(POOLINGS)}")
        self.labels = shape[0]
        self.pooling = pooling
        self.lm_weight = lm_weight

    @property
    def adapter(self) -> lora.Adapter | None:
        """What stands beside the body's matrices; set it through `use`."""
        return self.body.adapter

    def use(self, adapter: lora.Adapter | None) -> None:
        """Put an adapter to work on the body; see `gpt.Body.use`."""
        self.body.use(adapter)

    def logits(self, ids: ArrayLike, lengths: ArrayLike) -> Array:
        """Return the labels' scores, (B, K).

        Parameters
        ----------
        ids : integer array of shape (B, T)
            Padded on the right with any id of the vocabulary.
        lengths : integer array of shape (B,)
            How many ids of each sequence are real, from 1 to T.

        Raises
        ------
        OptionError
            When ids or lengths are invalid.
        TrainingError
            When a parameter is not finite; the message names it.
        """
        scores, *_ = self._forward(ids, lengths, rng=None, backward=False)
        return checks.check_finite(scores, "a score", self.parameters)

    def features(self, ids: ArrayLike, lengths: ArrayLike) -> Array:
        """Return the features of each sequence that the head gets, (B, C)."""
        checked = checks.check_ids(ids, self.config)
        hidden, _ = self.body.hidden(checked, backward=False)
        return self._pool(hidden, checks.check_lengths(lengths, checked))[0]

    def loss(self, ids: ArrayLike, lengths: ArrayLike, targets: ArrayLike) -> float:
        """Return the mean cross-entropy, in nats, of the labels `targets` of shape (B,)."""
        scores, *_ = self._forward(ids, lengths, rng=None, backward=False)
        loss, _ = F.cross_entropy(scores, checks.check_classes(targets, len(scores), self.labels))
        return float(checks.check_finite(loss, "the loss", self.parameters))

    def loss_and_grad(
        self,
        ids: ArrayLike,
        lengths: ArrayLike,
        targets: ArrayLike,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, FlatStore]:
        """Return the loss and its gradient with respect to every trainable parameter.

        With `rng`, dropout is drawn from it; without it there is none.
        """
        loss, gradients = self.gradients(ids, lengths, targets, rng=rng)
        return loss, self.parameters.gathered(gradients)

    def gradients(
        self,
        ids: ArrayLike,
        lengths: ArrayLike,
        targets: ArrayLike,
        *,
        share: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradients]:
        """Return the loss, and by name the gradient of `share * loss`; see `GPT.gradients`."""
        scores, hidden, caches, (pool, head) = self._forward(ids, lengths, rng=rng, backward=True)
        goals = checks.check_classes(targets, len(scores), self.labels)
        loss, cache = F.cross_entropy(scores, goals)
        value = float(checks.check_finite(loss, "the loss", self.parameters))
        dpooled, dscore = F.unembed_backward(F.cross_entropy_backward(share, cache), head)
        if self.pooling == "last":
            dhidden = F.last_token_pool_backward(dpooled, pool)
        else:
            dhidden = F.mean_pool_backward(dpooled, pool)
        gradients = {"score.weight": dscore}
        if self.lm_weight:
            words, dwords, of_table = self._next_words(
                hidden, np.asarray(ids), np.asarray(lengths), share
            )
            value += self.lm_weight * checks.check_finite(words, "the loss", self.parameters)
            dhidden = dhidden + dwords
            gradients.update(of_table)
        return value, self.body.hidden_backward(dhidden, caches, gradients)

    def _next_words(
        self, hidden: Array, ids: Ids, lengths: Ids, share: float
    ) -> tuple[float, Array, Gradients]:
        """Return the auxiliary loss, and its gradients in hidden and in the word table.

        A text of one token has no next word; it counts as predicted perfectly.
        """
        inside = np.arange(ids.shape[1]) < lengths[:, None] - 1
        targets = ids[:, 1:][inside[:, :-1]]
        logits, head = F.unembed(hidden[inside], self.parameters[self.config.head])
        dlogits = np.empty_like(logits)
        loss, stop = 0.0, 0
        for length in lengths[lengths > 1] - 1:
            text = slice(stop, stop := stop + int(length))
            mean, cache = F.cross_entropy(logits[text], targets[text])
            loss += float(mean) / len(ids)
            dlogits[text] = F.cross_entropy_backward(share * self.lm_weight / len(ids), cache)
        dhidden = np.zeros_like(hidden)
        dhidden[inside], of_table = _head_backward(dlogits, head, self.parameters, self.config.head)
        return loss, dhidden, of_table

    def _forward(
        self,
        ids: ArrayLike,
        lengths: ArrayLike,
        *,
        rng: np.random.Generator | None,
        backward: bool,
    ) -> tuple[Array, Array, list[Cache], tuple[Cache, Cache]]:
        checked = checks.check_ids(ids, self.config)
        real = checks.check_lengths(lengths, checked)
        hidden, caches = self.body.hidden(checked, rng=rng, backward=backward)
        pooled, pool = self._pool(hidden, real)
        scores, head = F.unembed(pooled, self.parameters["score.weight"])
        return scores, hidden, caches, (pool, head)

    def _pool(self, hidden: Array, lengths: Ids) -> tuple[Array, Cache]:
        if self.pooling == "last":
            return F.last_token_pool(hidden, lengths)
        return F.mean_pool(hidden, lengths)


def _head_backward(
    dlogits: Array, cache: Cache, parameters: Parameters, name: str
) -> tuple[Array, Gradients]:
    """Return dhidden of `F.unembed(hidden, parameters[name])`, and dweight if it is trained."""
    if name not in parameters.trainable:
        return F.unembed(dlogits, parameters[name].T)[0], {}
    dhidden, dweight = F.unembed_backward(dlogits, cache)
    return dhidden, {name: dweight}


class Probe:
    """The head alone, on features of a frozen body, which are computed only once.

    Parameters
    ----------
    parameters : Parameters
        They hold `score.weight` of shape (labels, C).
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def __repr__(self) -> str:
        """Return the class with its size."""
        labels, width = self.parameters.shapes["score.weight"]
        return f"Probe({labels} labels, {width} wide)"

    def logits(self, features: Array) -> Array:
        """Return the labels' scores: (B, C) -> (B, K)."""
        return F.unembed(features, self.parameters["score.weight"])[0]

    def gradients(
        self,
        features: Array,
        targets: Ids,
        *,
        share: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradients]:
        """Return the loss, and the gradient of `share * loss`; `rng` is not used."""
        scores, head = F.unembed(features, self.parameters["score.weight"])
        loss, cache = F.cross_entropy(scores, targets)
        _, dscore = F.unembed_backward(F.cross_entropy_backward(share, cache), head)
        return float(loss), {"score.weight": dscore}
