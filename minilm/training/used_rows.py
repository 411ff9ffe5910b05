"""Fine-tuning on the rows of the word table that the texts use.

A few labelled texts use a small part of the vocabulary. The other rows of the word table never get
a gradient: AdamW only lets them decay, by the same factor in each step, and running the optimizer
over them is a waste. So the model that is trained has a smaller vocabulary, the tokens that occur
in the texts, and the rows are put back afterwards:

    whole[row] = small[place of row]           if the row is used
    whole[row] = whole[row] * decay            if not

The small table has one more row, all ones, which no text uses. It decays like the rows left out,
whatever the schedule, so after training it holds `decay`. The result equals that of training the
whole table, up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minilm.nn.parameters import Config, Parameters

Texts = Sequence[Sequence[int]]


class AllRows:
    """What is trained, and on which texts: the whole model, on the texts as they are.

    Parameters
    ----------
    config : GPTConfig or LlamaConfig
    whole : Parameters
        The parameters of the whole model.
    texts : sequence of sequences of int
        The ids of the texts to train on, all in the vocabulary.

    Attributes
    ----------
    config : GPTConfig or LlamaConfig
        Of the model to train.
    parameters : Parameters
        The ones to train.
    texts : sequence of sequences of int
        The texts in the vocabulary of `config`.
    """

    def __init__(self, config: Config, whole: Parameters, texts: Texts) -> None:
        self.config = config
        self.parameters = whole
        self.texts = texts

    def put_back(self) -> None:
        """Write the trained parameters, as they are now, into the whole model's."""


class UsedRows(AllRows):
    """The same with a smaller word table: the rows that the texts use.

    Parameters and attributes are those of `AllRows`.

    Examples
    --------
    >>> from minilm.nn.config import GPTConfig
    >>> whole = Parameters({"wte.weight": (1000, 2)}, np.float32)
    >>> used = UsedRows(GPTConfig(1000, 8, 2, 1, 1), whole, [[5, 907], [907, 31]])
    >>> [text.tolist() for text in used.texts], used.parameters["wte.weight"].shape
    ([[0, 2], [2, 1]], (4, 2))
    """

    def __init__(self, config: Config, whole: Parameters, texts: Texts) -> None:
        self._ids, places = np.unique(np.concatenate(texts).astype(np.int64), return_inverse=True)
        pieces: Any = np.split(places, np.cumsum([len(text) for text in texts])[:-1])
        size = len(self._ids) + 1
        shapes = {**whole.shapes, config.table: (size, config.n_embd)}
        smaller = replace(config, vocab_size=size)
        super().__init__(smaller, Parameters(shapes, whole.dtype), pieces)
        self._whole, self._before = whole, whole[config.table].copy()
        for name in self._others():
            self.parameters[name][...] = whole[name]
        self.parameters[config.table][:-1] = self._before[self._ids]
        self.parameters[config.table][-1] = 1.0

    def put_back(self) -> None:
        """Write the trained parameters, as they are now, into the whole model's."""
        for name in self._others():
            self._whole[name][...] = self.parameters[name]
        trained, table = self.parameters[self.config.table], self._whole[self.config.table]
        np.multiply(self._before, trained[-1], out=table)
        table[self._ids] = trained[:-1]
        self._whole.trainable = self.parameters.trainable

    def _others(self) -> list[str]:
        return [name for name in self.parameters if name != self.config.table]
