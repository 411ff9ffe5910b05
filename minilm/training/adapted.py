"""One base, read once, and the adapters that belong to it: small models that share its weights.

Nothing of the base is copied or written to. Each classifier or language model made here looks at
the same arrays and has its own factors beside them: to switch is to choose another object.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike

from minilm.errors import OptionError
from minilm.interop import adapters, folder
from minilm.interop.adapters import SavedAdapter
from minilm.interop.folder import SavedModel
from minilm.interop.huggingface import SCORE
from minilm.training.classifier import TextClassifier
from minilm.training.model import LanguageModel


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32) -> Base:
    """Read a base: a language model's folder, or a classifier's, of which the body is taken.

    Raises
    ------
    ModelError
        When something in the folder is missing or damaged; it names the file.
    """
    return Base(folder.load(path, dtype=dtype))


class Base:
    """A model that adapters are put on.

    Parameters
    ----------
    saved : SavedModel

    Examples
    --------
    >>> from minilm.nn import lora
    >>> from minilm.nn.config import GPTConfig
    >>> from minilm.nn.transformer import initial_parameters
    >>> config, rng = GPTConfig(50, 8, 12, 1, 2), np.random.default_rng(0)
    >>> base = Base(SavedModel(config, initial_parameters(config, rng=rng), None, None, ()))
    >>> adapter = SavedAdapter(lora.new_adapter(config, rank=2, rng=rng), "here", base.sha256)
    >>> adapted = base.language_model(adapter)
    >>> adapted.gpt.parameters is base.language_model().gpt.parameters
    True
    """

    def __init__(self, saved: SavedModel) -> None:
        self.saved = saved

    @cached_property
    def sha256(self) -> str:
        """The fingerprint by which adapters know their base."""
        return adapters.fingerprint(self.saved.config, self.saved.parameters)

    def adapter(self, path: str | os.PathLike[str]) -> SavedAdapter:
        """Read an adapter's folder.

        Raises
        ------
        ModelError
            When it is damaged, or belongs to another base.
        """
        found = adapters.load(path, dtype=self.saved.parameters.dtype)
        adapters.check_base(found, path, self.saved.config, self.sha256)
        return found

    def classifier(self, adapter: SavedAdapter) -> TextClassifier:
        """Return the base with an adapter and its head.

        Raises
        ------
        OptionError
            When the adapter has no head.
        """
        if adapter.score is None or adapter.head is None:
            raise OptionError(
                "this adapter is of the language model itself and has no labels; make one that has "
                "with minilm finetune --task"
            )
        parameters = self.saved.parameters.beside({SCORE: adapter.score})
        lineage = adapter.lineage or self.saved.lineage
        model = replace(self.saved, parameters=parameters, lineage=lineage)
        classifier = TextClassifier(model, adapter.head)
        classifier.model.use(adapter.adapter)
        return classifier

    def language_model(self, adapter: SavedAdapter | None = None) -> LanguageModel:
        """Return the base as a language model, with an adapter or alone.

        Raises
        ------
        OptionError
            When the adapter is a classifier's.
        """
        if adapter is None:
            return LanguageModel(self.saved)
        if adapter.head is not None:
            raise OptionError(
                f"this adapter tells {', '.join(map(repr, adapter.head.labels[:3]))} apart; it is "
                "for minilm predict, not for the language model"
            )
        model = LanguageModel(replace(self.saved, lineage=adapter.lineage or self.saved.lineage))
        model.gpt.use(adapter.adapter)
        return model
