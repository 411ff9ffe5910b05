"""The transformer as a scikit-learn estimator: a base, texts in, labels out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm import files
from minilm.classify import base as classify
from minilm.errors import OptionError
from minilm.models import texts
from minilm.models.language_model import LanguageModel
from minilm.models.text_classifier import TextClassifier
from minilm.nn import lora
from minilm.store import folder
from minilm.store.classification import Head
from minilm.store.folder import SavedModel
from minilm.training import finetune
from minilm.training.finetune import Fitted
from minilm.training.settings import FinetuneSettings


class TransformerClassifier(classify.Classifier):
    """A pretrained language model, fine-tuned to labels; the base itself is never changed.

    Parameters
    ----------
    base : path-like or LanguageModel
        A model's folder, read again in each fit, or a model in memory.
    method, rank, alpha, targets, layers, epochs, updates, batch, learning_rate, layer_decay,
    lm_weight, pooling, weight_decay, dropout, seed, threads
        As in `minilm.training.settings.FinetuneSettings`.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The labels, sorted.
    classifier_ : TextClassifier
        The fitted classifier; `classifier_.save(folder)` keeps it.
    fitted_ : Fitted
        Details of the training; as a string, the share of parameters that was trained.
    truncated_ : int
        How many texts were cut in `fit` because they were longer than the context.

    Examples
    --------
    >>> from minilm.text.wordlevel import WordLevelTokenizer
    >>> from minilm.nn.config import GPTConfig
    >>> from minilm.nn.gpt import initial_parameters
    >>> words = WordLevelTokenizer.train(["a fine film", "a dull film"], min_count=1)
    >>> config = GPTConfig(6, 8, 12, 1, 2)
    >>> parameters = initial_parameters(config, rng=np.random.default_rng(0))
    >>> base = LanguageModel(SavedModel(config, parameters, words, 0, ()))
    >>> model = TransformerClassifier(base, epochs=40, learning_rate=0.01)
    >>> model.fit(["a fine film", "a dull film"], ["good", "bad"]).predict(["fine, fine"])
    array(['good'], dtype='<U4')
    """

    input_kind = "texts"

    def __init__(
        self,
        base: str | os.PathLike[str] | LanguageModel,
        *,
        method: str = FinetuneSettings.method,
        rank: int = FinetuneSettings.rank,
        alpha: float | None = FinetuneSettings.alpha,
        targets: tuple[str, ...] = FinetuneSettings.targets,
        layers: int = FinetuneSettings.layers,
        epochs: float = FinetuneSettings.epochs,
        updates: int | None = FinetuneSettings.updates,
        batch: int = FinetuneSettings.batch,
        learning_rate: float | None = FinetuneSettings.learning_rate,
        layer_decay: float | None = FinetuneSettings.layer_decay,
        lm_weight: float = FinetuneSettings.lm_weight,
        pooling: str = FinetuneSettings.pooling,
        weight_decay: float = FinetuneSettings.weight_decay,
        dropout: float = FinetuneSettings.dropout,
        seed: int = FinetuneSettings.seed,
        threads: int = FinetuneSettings.threads,
    ) -> None:
        self.base = base
        self.method = method
        self.rank = rank
        self.alpha = alpha
        self.targets = targets
        self.layers = layers
        self.epochs = epochs
        self.updates = updates
        self.batch = batch
        self.learning_rate = learning_rate
        self.layer_decay = layer_decay
        self.lm_weight = lm_weight
        self.pooling = pooling
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.seed = seed
        self.threads = threads

    def fit(self, documents: Sequence[str], labels: ArrayLike) -> Self:
        """Fine-tune a copy of the base.

        Raises
        ------
        OptionError
            When a text, a label or a setting cannot work.
        ModelError
            When the base's folder cannot be read.
        """
        settings = FinetuneSettings(
            **{field.name: getattr(self, field.name) for field in fields(FinetuneSettings)}
        )
        settings.check()
        checked = classify.check_texts(documents)
        y = classify.check_labels(labels, len(checked))
        classes, targets = classify.encode_labels(y, None)
        base = self._read_base()
        if base.tokenizer is None:
            raise OptionError("the base has no tokenizer; add its tokenizer.json to its folder")
        encoded = texts.encode(
            base.tokenizer,
            checked,
            context=base.config.n_positions,
            end_of_text=base.end_of_text,
        )
        self.fitted_: Fitted = finetune.fit(
            base.config,
            base.parameters,
            encoded.ids,
            targets,
            classes=len(classes),
            settings=settings,
        )
        self.classifier_ = TextClassifier(
            replace(base, parameters=self.fitted_.model.parameters),
            Head(tuple(map(str, classes)), settings.pooling),
        )
        self.classifier_.model.use(self.fitted_.model.adapter)
        self.truncated_ = encoded.truncated
        self.classes_ = classes
        return self

    def predict_proba(self, documents: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of each class: N texts -> (N, K)."""
        return np.asarray(
            self.classifier_.predict_proba(classify.check_texts(documents)), np.float64
        )

    def _read_base(self) -> SavedModel:
        base = self.base
        if not isinstance(base, LanguageModel):
            files.check_path(base, "base")
            return folder.load(base)
        parameters = base.gpt.parameters
        if base.gpt.adapter is not None:
            parameters = lora.merge(parameters, base.gpt.adapter)
        return SavedModel(
            base.config, parameters, base.tokenizer, base.end_of_text, base.lineage, base.seen
        )
