"""A classifier of texts as one object: what a fine-tuned folder is loaded as."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import DTypeLike

from minilm.arrays import Array
from minilm.errors import OptionError, listed
from minilm.models import texts
from minilm.models.description import described
from minilm.models.texts import Encoded
from minilm.nn import functional as F
from minilm.nn import lora
from minilm.nn.heads import SequenceClassifier
from minilm.nn.parameters import Config
from minilm.store import classification, folder
from minilm.store.classification import Head
from minilm.store.folder import Content, SavedModel, Stage, Tokenizer


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32) -> TextClassifier:
    """Read a classifier's folder: minilm's own, or a `GPT2ForSequenceClassification`'s.

    Raises
    ------
    ModelError
        When something in the folder is missing or damaged, or it has no head; it names the file.
    """
    return TextClassifier(*classification.load(path, dtype=dtype))


class TextClassifier:
    """A body with a head, its tokenizer and the names of its labels.

    Parameters
    ----------
    saved : SavedModel
        With `score.weight` among its parameters.
    head : Head
        Labels and pooling.

    Attributes
    ----------
    model : SequenceClassifier
        `model.use` applies an adapter.
    config : GPTConfig or LlamaConfig
    tokenizer : BytePairTokenizer or WordLevelTokenizer
    labels : tuple of str
    lineage : tuple of Stage
    seen : Ledger or None
        The documents that the body has learned from.

    Examples
    --------
    >>> from minilm.text.wordlevel import WordLevelTokenizer
    >>> from minilm.nn.config import GPTConfig
    >>> from minilm.nn.heads import with_score
    >>> from minilm.nn.gpt import initial_parameters
    >>> words = WordLevelTokenizer.train(["good", "bad"], min_count=1)
    >>> config, rng = GPTConfig(4, 8, 12, 1, 2), np.random.default_rng(0)
    >>> parameters = with_score(initial_parameters(config, rng=rng), config, 2, rng=rng)
    >>> saved = SavedModel(config, parameters, words, 0, ())
    >>> classifier = TextClassifier(saved, Head(("no", "yes"), "mean"))
    >>> classifier.predict_proba(["Good!", "Bad."]).sum(axis=1).round(6)
    array([1., 1.])
    """

    def __init__(self, saved: SavedModel, head: Head) -> None:
        if saved.tokenizer is None:
            raise OptionError("this model's folder has no tokenizer; add its tokenizer.json")
        self.config: Config = saved.config
        self.tokenizer: Tokenizer = saved.tokenizer
        self.labels = head.labels
        self.lineage: tuple[Stage, ...] = saved.lineage
        self.end_of_text = saved.end_of_text
        self.seen = saved.seen
        self.model = SequenceClassifier(
            saved.config, parameters=saved.parameters, pooling=head.pooling
        )

    def __repr__(self) -> str:
        """Return the labels and the size of the model."""
        size = described(self.config, self.model.parameters, self.model.adapter)
        return f"TextClassifier({len(self.labels)} labels: {listed(self.labels, 5)}; {size})"

    def encode(self, documents: Iterable[str]) -> Encoded:
        """Return the ids of texts, cut to the context, and how many were cut or empty."""
        return texts.encode(
            self.tokenizer,
            documents,
            context=self.config.n_positions,
            end_of_text=self.end_of_text,
        )

    def logits(self, encoded: Encoded) -> Array:
        """Return the labels' scores of encoded texts: N of them -> (N, K)."""
        return texts.apply(self.model.logits, encoded.ids)

    def probabilities(self, encoded: Encoded) -> Array:
        """Return the labels' probabilities of encoded texts in float64: N of them -> (N, K)."""
        return F.softmax(self.logits(encoded).astype(np.float64))[0]

    def predict_proba(self, documents: Iterable[str]) -> Array:
        """Return the probabilities of `labels`, in their order: N texts -> (N, K), float64."""
        return self.probabilities(self.encode(documents))

    def predict(self, documents: Iterable[str]) -> list[str]:
        """Return the most probable label of each text."""
        return [self.labels[i] for i in self.predict_proba(documents).argmax(axis=1)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save to a folder; an adapter is merged into the matrices.

        transformers reads it too if the pooling is "last", and refuses it if it is "mean".
        """
        folder.save(path, self.files(), self.lineage)

    def files(self) -> dict[str, Content]:
        """Return the files of that folder."""
        parameters = self.model.parameters
        if self.model.adapter is not None:
            parameters = lora.merge(parameters, self.model.adapter)
        head = Head(self.labels, self.model.pooling)
        return classification.model_files(
            self.config,
            parameters,
            self.tokenizer,
            head,
            end_of_text=self.end_of_text,
            seen=self.seen,
        )
