"""One base, read once, and the adapters that belong to it: small models that share its weights.

The base is neither copied nor changed. Every classifier or language model made here uses the same
arrays, with its own factors beside them. To switch adapters, use another object.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike

from minilm.errors import ModelError, OptionError
from minilm.models import language_model, text_classifier
from minilm.models.description import described
from minilm.models.language_model import LanguageModel
from minilm.models.text_classifier import TextClassifier
from minilm.store import adapters, classification, folder
from minilm.store.adapters import SavedAdapter
from minilm.store.folder import SavedModel
from minilm.store.huggingface import SCORE

T = TypeVar("T")


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32) -> Base:
    """Read a base: a language model's folder, or the body in a classifier's folder.

    Raises
    ------
    ModelError
        When something in the folder is missing or damaged; it names the file.
    """
    return Base(folder.load(path, dtype=dtype))


def load_base_of(
    path: str | os.PathLike[str],
    base: str | os.PathLike[str] | None = None,
    *,
    dtype: DTypeLike = np.float32,
) -> Base:
    """Read the base of an adapter's folder: `base`, or the folder that the adapter names.

    Raises
    ------
    ModelError
        When the recorded base is not there.
    """
    if base is None:
        base = adapters.load(path).base_name
        if not folder.can_hold(base):
            raise ModelError(f"its base, {base}, is not here; name the folder of the base", path)
    return load(base, dtype=dtype)


def load_classifiers(
    path: str | os.PathLike[str], adapter_paths: Sequence[str | os.PathLike[str]] = ()
) -> list[tuple[str | None, TextClassifier]]:
    """Read models that predict labels: a classifier, or adapters on a base that is read once.

    Parameters
    ----------
    path : path-like
        A classifier's folder; an adapter's, which names its base; or the base of `adapter_paths`.
    adapter_paths : sequence of path-like

    Returns
    -------
    list of (name, TextClassifier)
        The name of the adapter's folder, or its path if names repeat; None for a classifier
        without an adapter.

    Raises
    ------
    ModelError
        When a folder is damaged or of another kind, or an adapter belongs to another base.
    """
    return _load_all(path, adapter_paths, text_classifier.load, Base.classifier)


def load_language_models(
    path: str | os.PathLike[str], adapter_paths: Sequence[str | os.PathLike[str]] = ()
) -> list[tuple[str | None, LanguageModel]]:
    """Read models that predict text: as `load_classifiers`, for language models.

    Raises
    ------
    ModelError
        Also when the folder holds a classifier.
    """
    if not adapter_paths and not adapters.exists(path) and classification.is_classifier(path):
        raise ModelError(
            "a classifier, which predicts labels and not text; use minilm predict, or the language "
            "model it was made from",
            path,
        )
    return _load_all(path, adapter_paths, language_model.load, Base.language_model)


def _load_all(
    path: str | os.PathLike[str],
    adapter_paths: Sequence[str | os.PathLike[str]],
    alone: Callable[[str | os.PathLike[str]], T],
    adapt: Callable[[Base, SavedAdapter], T],
) -> list[tuple[str | None, T]]:
    if not adapter_paths and not adapters.exists(path):
        return [(None, alone(path))]
    base = load(path) if adapter_paths else load_base_of(path)
    found = [Path(p) for p in adapter_paths or (path,)]
    names = [p.name for p in found]
    if len(set(names)) < len(names):  # of folders in different places
        names = [str(p) for p in found]
    return [(name, adapt(base, base.adapter(p))) for name, p in zip(names, found, strict=True)]


class Base:
    """A model that adapters are used on.

    Parameters
    ----------
    saved : SavedModel

    Examples
    --------
    >>> from minilm.nn import lora
    >>> from minilm.nn.config import GPTConfig
    >>> from minilm.nn.gpt import initial_parameters
    >>> config, rng = GPTConfig(50, 8, 12, 1, 2), np.random.default_rng(0)
    >>> base = Base(SavedModel(config, initial_parameters(config, rng=rng), None, None, ()))
    >>> adapter = SavedAdapter(lora.new_adapter(config, rank=2, rng=rng), "here", base.sha256)
    >>> adapted = base.language_model(adapter)
    >>> adapted.gpt.parameters is base.language_model().gpt.parameters
    True
    """

    def __init__(self, saved: SavedModel) -> None:
        self.saved = saved

    def __repr__(self) -> str:
        """Return the size of the model."""
        return f"Base({described(self.saved.config, self.saved.parameters)})"

    @cached_property
    def sha256(self) -> str:
        """The fingerprint by which adapters recognize their base."""
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

    def fits(self, path: str | os.PathLike[str]) -> bool:
        """Return whether an adapter belongs to this base."""
        found = adapters.load(path)
        try:
            adapters.check_base(found, path, self.saved.config, self.sha256)
        except ModelError:
            return False
        return True

    def classifier(self, adapter: SavedAdapter) -> TextClassifier:
        """Return the base with an adapter and its head.

        Raises
        ------
        OptionError
            When the adapter has no head.
        """
        if adapter.score is None or adapter.head is None:
            raise OptionError(
                "this adapter is for the language model and has no labels; make one that has them "
                "with minilm finetune --task"
            )
        parameters = self.saved.parameters.beside({SCORE: adapter.score})
        lineage = adapter.lineage or self.saved.lineage
        whole = replace(self.saved, parameters=parameters, lineage=lineage)
        adapted = TextClassifier(whole, adapter.head)
        adapted.model.use(adapter.adapter)
        return adapted

    def language_model(self, adapter: SavedAdapter | None = None) -> LanguageModel:
        """Return the base as a language model, with or without an adapter.

        Raises
        ------
        OptionError
            When the adapter is a classifier's.
        """
        if adapter is None:
            return LanguageModel(self.saved)
        if adapter.head is not None:
            raise OptionError(
                "this adapter predicts labels "
                f"({', '.join(map(repr, adapter.head.labels[:3]))}); use it with minilm predict or "
                "evaluate --task"
            )
        adapted = LanguageModel(replace(self.saved, lineage=adapter.lineage or self.saved.lineage))
        adapted.gpt.use(adapter.adapter)
        return adapted
