"""Fine-tuning, the maths: from a pretrained body and a few labelled texts to a classifier.

One pure function, `fit`, has all methods. They differ in which parameters are trained, and when
(`unfreezing.py`). Training from scratch is the same function on random parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm.arrays import Array, Ids
from minilm.errors import OptionError
from minilm.models import scores, texts
from minilm.models.scores import LabelScore
from minilm.nn import lora
from minilm.nn.heads import Probe, SequenceClassifier
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Config, Parameters, count_of, param_shapes
from minilm.random import generator
from minilm.store.huggingface import SCORE
from minilm.training import loop, unfreezing
from minilm.training.log import Row
from minilm.training.loop import Plan
from minilm.training.settings import FinetuneSettings
from minilm.training.used_rows import AllRows, Texts, UsedRows

_LOOKS = 10  # evaluations of the development part in a run


@dataclass(frozen=True)
class Fitted:
    """A classifier, and what its training took.

    Attributes
    ----------
    model : SequenceClassifier
        With LoRA, `model.adapter` has the factors, and the body is unchanged.
    settings : FinetuneSettings
    trained : int
        Parameters that were trained.
    base_count : int
        Parameters of the body.
    updates : int
    tokens : int
        Tokens read in training, without padding.
    rows : list of Row
        The log: a row for each step.
    """

    model: SequenceClassifier
    settings: FinetuneSettings
    trained: int
    base_count: int
    updates: int
    tokens: int
    rows: list[Row]

    def __str__(self) -> str:
        """Return what was trained, in words."""
        return self.settings.share(self.trained, self.base_count)


def sizes(config: Config, classes: int, settings: FinetuneSettings) -> tuple[int, int]:
    """Return how many parameters are trained, and how many the body has.

    >>> from minilm.nn.config import GPTConfig
    >>> sizes(GPTConfig(512, 32, 64, 2, 2), 2, FinetuneSettings("probe"))
    (128, 134912)
    """
    shapes = _shapes(config, classes, settings)
    body = param_shapes(config)
    return count_of(shapes, unfreezing.groups(config, shapes, settings)[-1]), count_of(body, body)


def fit(
    config: Config,
    base: Mapping[str, Array],
    encoded: Texts,
    labels: ArrayLike,
    *,
    classes: int,
    settings: FinetuneSettings,
    dev: tuple[Texts, ArrayLike] | None = None,
    say: Callable[[str], None] | None = None,
) -> Fitted:
    """Fit a classifier of texts on a body.

    A pure function: the same arguments give the same bits, and `base` does not change.

    Parameters
    ----------
    config : GPTConfig or LlamaConfig
    base : mapping of str to ndarray
        The body's parameters. If they include a `score.weight` of shape (classes, C), training
        continues from that head; otherwise a new one is drawn.
    encoded : sequence of sequences of int
        The ids of each text: at least one, at most the context's length, as from `texts.encode`.
    labels : integer array of shape (N,)
        From 0 to classes - 1.
    classes : int
    settings : FinetuneSettings
    dev : (texts, labels), optional
        A development part, which is evaluated ten times; it does not influence the training.
    say : callable, optional
        Takes lines for the person who waits.

    Raises
    ------
    OptionError
        When texts, labels and settings do not fit together.
    TrainingError
        When the loss is not finite.
    """
    settings.check()
    targets = _checked(config, encoded, labels, classes)
    checked_dev = None if dev is None else (dev[0], _checked(config, *dev, classes))
    whole = _classifier(config, _starting_point(config, base, classes, settings), settings)
    # The auxiliary loss predicts a word among all words, so it needs every row; and a separate
    # head has as many rows as the word table.
    every = settings.lm_weight > 0 or config.head != config.table
    rows = (AllRows if every else UsedRows)(config, whole.parameters, encoded)

    def current() -> SequenceClassifier:
        rows.put_back()
        return whole

    model = _classifier(rows.config.with_dropout(settings.dropout), rows.parameters, settings)
    kind = _ProbeRun if settings.method == "probe" else _Run
    run = kind(model, rows.texts, targets, settings, checked_dev, current)
    log = loop.fit(run, plan(settings, run.steps), say)
    read = np.concatenate([run.order[step] for step in range(run.steps)])
    return Fitted(
        current(),
        settings,
        *sizes(config, classes, settings),
        run.steps,
        int(run.order.lengths[read].sum()),
        log,
    )


def plan(settings: FinetuneSettings, steps: int) -> Plan:
    """Return the loop's plan: a tenth of the steps warms up."""
    return Plan(
        steps=steps,
        learning_rate=settings.peak,
        warmup=steps // 10,
        seed=settings.seed,
        threads=settings.threads,
        evaluate_every=max(1, steps // _LOOKS),
    )


def adapter(config: Config, settings: FinetuneSettings, parameters: Parameters) -> lora.Adapter:
    """Return the adapter whose factors are in a store that is trained."""
    alpha = 2.0 * settings.rank if settings.alpha is None else settings.alpha
    targets = lora.targets_for(config, settings.targets)
    return lora.Adapter(settings.rank, alpha, targets, parameters)


def _checked(config: Config, encoded: Texts, labels: ArrayLike, classes: int) -> Ids:
    targets: NDArray[Any] = np.asarray(labels)
    if targets.shape != (len(encoded),) or not len(encoded) or targets.dtype.kind not in "iu":
        raise OptionError(
            f"{len(encoded)} texts and labels of shape {targets.shape} and dtype {targets.dtype}; "
            "give one whole number per text, and at least one text"
        )
    if targets.min() < 0 or targets.max() >= classes:
        raise OptionError(
            f"labels go from {targets.min()} to {targets.max()}; use 0 to {classes - 1}"
        )
    if empty := [i for i, text in enumerate(encoded) if not len(text)]:
        raise OptionError(f"text {empty[0]} has no token; leave it out")
    for i, text in enumerate(encoded):
        if min(text) < 0 or max(text) >= config.vocab_size:
            raise OptionError(
                f"text {i} has an id outside the vocabulary of {config.vocab_size}; use the "
                "tokenizer that belongs to the model"
            )
    return targets


def _shapes(config: Config, classes: int, settings: FinetuneSettings) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the body, the head and LoRA's factors."""
    shapes = {**param_shapes(config), SCORE: (classes, config.n_embd)}
    if settings.method == "lora":
        targets = lora.targets_for(config, settings.targets)
        shapes.update(lora.adapter_shapes(config, settings.rank, targets))
    return shapes


def _starting_point(
    config: Config, base: Mapping[str, Array], classes: int, settings: FinetuneSettings
) -> Parameters:
    """Return a store of the body's copy, a head and LoRA's factors."""
    shapes = _shapes(config, classes, settings)
    parameters = Parameters(shapes, base[config.table].dtype)
    for name in param_shapes(config):
        parameters[name][...] = base[name]
    if SCORE not in base:
        rng = generator(settings.seed, "head")
        drawn = rng.normal(0.0, config.initializer_range, shapes[SCORE])
        parameters[SCORE][...] = drawn
    elif base[SCORE].shape != shapes[SCORE]:
        raise OptionError(
            f"the head has {len(base[SCORE])} labels and the task {classes}; fine-tune the "
            "language model that it was made from"
        )
    else:
        parameters[SCORE][...] = base[SCORE]
    if settings.method == "lora":
        rng = generator(settings.seed, "lora")
        lora.initialize(adapter(config, settings, parameters), config, rng=rng)
    return parameters


def _classifier(
    config: Config, parameters: Parameters, settings: FinetuneSettings
) -> SequenceClassifier:
    model = SequenceClassifier(
        config, parameters=parameters, pooling=settings.pooling, lm_weight=settings.lm_weight
    )
    if settings.method == "lora":
        model.use(adapter(config, settings, parameters))
    return model


class _Run(unfreezing.Staged):
    """The task of the loop: batches of texts with their labels."""

    def __init__(
        self,
        model: SequenceClassifier,
        encoded: Texts,
        targets: Ids,
        settings: FinetuneSettings,
        dev: tuple[Texts, Ids] | None,
        current: Callable[[], SequenceClassifier],
    ) -> None:
        config = model.config
        names = unfreezing.groups(config, model.parameters, settings)
        decay = settings.decay(config.n_layer)
        super().__init__(model, names, [len(text) for text in encoded], settings, decay)
        self.encoded, self.targets, self.dev = encoded, targets, dev
        self.current = current  # the whole model: the development part may use other words

    def batch(self, step: int) -> tuple[NDArray[Any], ...]:
        """Return ids, lengths and labels."""
        chosen = self.chosen(step)
        return *texts.pad([self.encoded[i] for i in chosen]), self.targets[chosen]

    def evaluate(self, shards: Shards) -> LabelScore | None:
        """Return the score on the development part."""
        if self.dev is None:
            return None
        encoded, targets = self.dev
        return scores.label_score(texts.apply(self.current().logits, encoded), targets)


class _ProbeRun(_Run):
    """The task for a probe: the features of all texts are computed once."""

    def __init__(self, model: SequenceClassifier, *arguments: Any) -> None:
        super().__init__(model, *arguments)
        self.features = texts.apply(model.features, self.encoded)
        self.dev_features = self.dev and texts.apply(self.current().features, self.dev[0])
        self.model = Probe(model.parameters)

    def batch(self, step: int) -> tuple[NDArray[Any], ...]:
        """Return features and labels."""
        chosen = self.order[step]
        return self.features[chosen], self.targets[chosen]

    def evaluate(self, shards: Shards) -> LabelScore | None:
        """Return the score on the development part."""
        if self.dev is None or self.dev_features is None:
            return None
        return scores.label_score(self.model.logits(self.dev_features), self.dev[1])
