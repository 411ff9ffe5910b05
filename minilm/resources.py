"""Where the texts and lessons that ship with minilm are: in a checkout, or inside a wheel."""

from __future__ import annotations

from pathlib import Path

from minilm.errors import InputError


def corpora_dir() -> Path:
    """Return the folder of the shipped corpora."""
    return _shipped("corpora")


def _shipped(name: str) -> Path:
    package = Path(__file__).resolve().parent
    for folder in (package / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise InputError(f"the folder {name} of this installation is missing; install minilm again")
