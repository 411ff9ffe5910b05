"""`minilm.load`: a folder becomes the object that it holds."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import DTypeLike

from minilm import files
from minilm.errors import OptionError
from minilm.models import adapted
from minilm.models.language_model import LanguageModel
from minilm.models.text_classifier import TextClassifier
from minilm.store import adapters, classification


def load(
    path: str | os.PathLike[str],
    *,
    base: str | os.PathLike[str] | None = None,
    dtype: DTypeLike = np.float32,
) -> LanguageModel | TextClassifier:
    """Read a folder: a language model, a classifier, or either one's adapter on its base.

    The folder may be minilm's own, or in the layout of transformers (GPT-2, Llama) or peft (LoRA).
    A GGUF file works too, and so does the name of a packaged one, `smollm2`.

    Parameters
    ----------
    path : path-like
    base : path-like, optional
        The base of an adapter; by default the folder that the adapter names.
    dtype : float dtype
        To compute in.

    Raises
    ------
    ModelError
        When something in the folder is missing or damaged, or the base of an adapter is not there;
        it names the file.
    """
    files.check_path(path, "a model's folder")
    try:
        usable = np.dtype(dtype).kind == "f"
    except TypeError:
        usable = False
    if not usable:
        raise OptionError(f"dtype is {dtype!r}; expected a float type, such as 'float32'")
    if adapters.exists(path):
        found = adapted.load_base_of(path, base, dtype=dtype)
        adapter = found.adapter(path)
        return found.language_model(adapter) if adapter.head is None else found.classifier(adapter)
    saved, head = classification.load_any(path, dtype=dtype)
    return LanguageModel(saved) if head is None else TextClassifier(saved, head)
