"""What a folder or a file holds of a model: opened, with its weights still there, and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minilm.nn.parameters import Config, Parameters, Shapes, param_shapes
from minilm.store import huggingface, ledger, transaction
from minilm.store.huggingface import StoredTensor, Tokenizer
from minilm.store.ledger import Ledger
from minilm.store.manifest import Manifest, Stage
from minilm.text.wordlevel import END_OF_TEXT

STATE = "training"


@dataclass(frozen=True)
class SavedModel:
    """What a model's folder holds, in memory.

    Attributes
    ----------
    config : GPTConfig or LlamaConfig
    parameters : Parameters
    tokenizer : BytePairTokenizer, WordLevelTokenizer or None
        None for a foreign folder without a tokenizer file.
    end_of_text : int or None
        The id between documents.
    lineage : tuple of Stage
        Oldest first; empty if unknown.
    seen : Ledger or None
        The documents it has learned from; None if unknown.
    """

    config: Config
    parameters: Parameters
    tokenizer: Tokenizer | None
    end_of_text: int | None
    lineage: tuple[Stage, ...]
    seen: Ledger | None = None


@dataclass(frozen=True)
class OpenModel:
    """A folder or a GGUF file whose parts fit together; its weights are not read yet.

    Attributes
    ----------
    settings : mapping
        Everything in `config.json`.
    stored : dict of str to StoredTensor
        Where each parameter is stored, also a classifier's head.
    manifest : Manifest or None
        None for a foreign folder.
    lineage : tuple of Stage
        Oldest first; empty if unknown.
    """

    path: Path
    config: Config
    settings: Mapping[str, Any]
    stored: dict[str, StoredTensor]
    tokenizer: Tokenizer | None
    end_of_text: int | None
    manifest: Manifest | None
    lineage: tuple[Stage, ...]

    def state_files(self) -> list[str]:
        """Return the names of the files for resuming."""
        return present_state(self.path, self.manifest)

    def seen(self) -> Ledger | None:
        """Read the ledger of what was seen; None if the folder is foreign or has no ledger."""
        if self.manifest is None or ledger.NAME not in self.manifest.files:
            return None
        return ledger.read(transaction.locate(self.path, ledger.NAME))

    def read(self, dtype: DTypeLike = np.float32, shapes: Shapes | None = None) -> SavedModel:
        """Read the weights; by default, those of the language model."""
        parameters = huggingface.read_parameters(
            self.stored, shapes or param_shapes(self.config), dtype=dtype
        )
        return SavedModel(
            self.config, parameters, self.tokenizer, self.end_of_text, self.lineage, self.seen()
        )


def end_of_text(tokenizer: Tokenizer | None, named: Any, config: Config) -> int | None:
    """Return the id between documents: the tokenizer's, else the one that a configuration names."""
    if tokenizer is not None and END_OF_TEXT in tokenizer.vocab:
        return tokenizer.vocab[END_OF_TEXT]
    return named if type(named) is int and 0 <= named < config.vocab_size else None


def present_state(folder: Path, listed: Manifest | None) -> list[str]:
    """Return the names under `training/`; none if the folder was passed on without them."""
    state = [name for name in listed.files if is_state(name)] if listed else []
    return state if any(transaction.locate(folder, name).exists() for name in state) else []


def is_state(name: str) -> bool:
    """Return whether a file of a folder is for resuming only."""
    return name.startswith(f"{STATE}/")
