"""What pretraining made, kept for the next comparison on the same text with the same settings.

An entry is one safetensors file, `<key>.safetensors`, in a folder of the user's (MINILM_CACHE, or
where the system keeps such things). The key is a hash of everything that decides the content: the
text, the settings, the code that does it, NumPy's version. A file appears whole or not at all, two
processes write the same bytes, and a damaged entry is made anew; so the folder needs no lock, and
can be deleted at any time.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minilm import files
from minilm.errors import InputError
from minilm.store import safetensors

# The rooms whose code decides what pretraining makes.
_ROOMS = ("embeddings", "nn", "training", "text")
_FILES = ("compare/pretraining.py", "compare/transformer.py")


@dataclass(frozen=True, eq=False)
class Made:
    """What was made, and what it took.

    Parameters
    ----------
    arrays : dict of str to ndarray
    details : dict
        Values of JSON: `seconds` and `flops`, and what else there is to say.
    from_cache : bool
        Whether it was there already; then `seconds` are those of the time it was made.
    """

    arrays: dict[str, np.ndarray]
    details: dict[str, Any]
    from_cache: bool = False


def folder() -> Path:
    """Return where entries are kept: MINILM_CACHE, or the system's place for such files."""
    if given := os.environ.get("MINILM_CACHE"):
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "minilm"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "minilm"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minilm"


def key(inputs: Mapping[str, Any]) -> str:
    """Return the name of an entry: a hash of what it is made from, of the code and of NumPy.

    Parameters
    ----------
    inputs : mapping
        Values of JSON.

    Examples
    --------
    >>> key({"window": 3}) == key({"window": 3}), key({"window": 3}) == key({"window": 4})
    (True, False)
    """
    content = {"inputs": inputs, "code": _code_version(), "numpy": np.__version__}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.cache
def _code_version() -> str:
    """Return a hash of the source files that decide what pretraining makes."""
    package = Path(__file__).resolve().parent.parent
    paths = [path for room in _ROOMS for path in (package / room).rglob("*.py")]
    paths += [package / name for name in _FILES]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def load(name: str) -> Made | None:
    """Return an entry, or None where there is none or it is damaged."""
    path = folder() / f"{name}.safetensors"
    if not path.exists():
        return None
    try:
        with safetensors.TensorFile(path) as tensors:
            arrays = {entry: np.array(tensors[entry]) for entry in tensors}
            text, digest = tensors.metadata["details"], tensors.metadata["sha256"]
        if digest != _digest(arrays, text):
            return None
        return Made(arrays, files.parse_json(text, path), from_cache=True)
    except (InputError, KeyError):
        return None


def save(name: str, made: Made) -> None:
    """Keep an entry; where that cannot be (a full disk, no home), the comparison goes on without.

    Raises
    ------
    Nothing: a cache that cannot be written only costs time.
    """
    text = json.dumps(made.details)
    metadata = {"details": text, "sha256": _digest(made.arrays, text)}
    try:
        folder().mkdir(parents=True, exist_ok=True)
        safetensors.save(made.arrays, folder() / f"{name}.safetensors", metadata)
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return


def _digest(arrays: Mapping[str, np.ndarray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
