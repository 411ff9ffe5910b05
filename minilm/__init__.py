"""minilm: pretraining and fine-tuning, built by hand in NumPy.

The names below are resolved when they are first used, so that `import minilm` costs nothing and the
command line can choose the number of BLAS threads before NumPy loads.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import Any

__version__ = "0.1.0"

# name -> the module that defines it
_PUBLIC: dict[str, str] = {
    "load": "minilm.models.loading",
    "pretrain": "minilm.training.front",
    "finetune": "minilm.training.front",
    "update": "minilm.training.front",
    "LanguageModel": "minilm.models.language_model",
    "TextClassifier": "minilm.models.text_classifier",
    "GPT": "minilm.nn.gpt",
    "GPTConfig": "minilm.nn.config",
    "AdamW": "minilm.nn.optim",
    "BytePairTokenizer": "minilm.text.bpe",
    "WordTokenizer": "minilm.text.words",
    "Vocabulary": "minilm.text.words",
    "CooccurrenceClassifier": "minilm.classify.estimators",
    "TransformerClassifier": "minilm.training.estimators",
    "check": "minilm.course.notebook",
    "demo": "minilm.course.notebook",
    "plug": "minilm.course.notebook",
    "read_documents": "minilm.data.documents",
    "read_labelled": "minilm.data.labelled",
    "MinilmError": "minilm.errors",
}

__all__ = ["__version__", *_PUBLIC]


def _drop_absent_backend() -> None:
    """Ignore a matplotlib backend that is not installed: `import matplotlib` would fail.

    Jupyter and Colab set `MPLBACKEND` for every program started from a cell, also for one that runs
    in another environment. minilm's pictures need no backend at all.
    """
    backend = os.environ.get("MPLBACKEND", "")
    if backend.startswith("module://"):
        package = backend.removeprefix("module://").partition(".")[0]
        if not package or importlib.util.find_spec(package) is None:
            del os.environ["MPLBACKEND"]


_drop_absent_backend()


def __getattr__(name: str) -> Any:
    """Import the module behind a public name on first use (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'minilm' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
