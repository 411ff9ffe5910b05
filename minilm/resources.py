"""Where the texts and lessons that ship with minilm are: in a checkout, or inside a wheel."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from minilm.errors import InputError


def corpora_dir() -> Path:
    """Return the folder of the shipped corpora."""
    return _shipped("corpora")


def katas_dir() -> Path:
    """Return the folder of the katas."""
    return _shipped("katas")


def is_shipped(path: Path) -> bool:
    """Return whether a path is one of the shipped corpora."""
    return path.resolve().is_relative_to(corpora_dir())


def find_corpus(path: Path) -> Path:
    """Return `path` if it exists; otherwise the shipped file of that name, if there is one.

    `corpora/general.txt` and plain `general.txt` both find the file that ships with minilm, so that
    the commands in lessons work from any folder.
    """
    if path.exists() or path.parent not in (Path(), Path("corpora")):
        return path
    shipped = corpora_dir() / path.name
    return shipped if shipped.exists() else path


def cache_dir() -> Path:
    """Return where things are kept that can be made again: MINILM_CACHE, or the system's place."""
    if given := os.environ.get("MINILM_CACHE"):
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "minilm"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "minilm"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minilm"


def _shipped(name: str) -> Path:
    package = Path(__file__).resolve().parent
    for folder in (package / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise InputError(f"this installation has no folder {name}; install minilm again")
