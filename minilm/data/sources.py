"""Which files are read: every file given by name; in a folder, only what a person put there.

In a folder, these are left out: hidden files and folders (`.git`, `.ipynb_checkpoints`),
`__MACOSX`, folders that minilm and other programs fill with models, and the run's own output. What
is left out is reported.
"""

from __future__ import annotations

import codecs
import difflib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from minilm import files
from minilm.data import lines
from minilm.errors import InputError

TEXT_SUFFIXES = (".txt", ".md")
TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")
SUFFIXES = TEXT_SUFFIXES + TABLE_SUFFIXES

_NAMED = 3  # places that a message lists

# Files that show what a folder is; all of one tuple must be there.
_SIGNS = (
    (("minilm.json",), "a model"),
    (("adapter_config.json",), "a model"),
    (("config.json", "tokenizer.json"), "a model"),
    (("config.json", "model.safetensors"), "a model"),
    (("config.json", "model.safetensors.index.json"), "a model"),
    (("config.json", "pytorch_model.bin"), "a model"),
    (("config.json", "vocab.json"), "a model"),
    (("tokenizer.json", "model.onnx"), "a model"),
    (("training/tokens.json",), "a model's training"),
    (("manifest.json", "results.csv"), "a comparison"),
)


def find_files(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    output: str | os.PathLike[str] | None = None,
    say: Callable[[str], None] | None = None,
) -> list[Path]:
    """Return the files that paths mean: the files themselves, and the texts inside folders.

    The files of a folder are in alphabetical order of their paths, so that a run can be repeated on
    another system.

    Parameters
    ----------
    paths : path-like, or iterable of path-like
    output : path-like, optional
        The folder that the run writes to; it is left out.
    say : callable, optional
        Takes a line for each folder about what was left out.

    Raises
    ------
    InputError
        When a path does not exist, a file is of an unknown kind, or a folder has no known files.
    """
    found: list[Path] = []
    for path in as_paths(paths):
        if path.is_dir():
            found += _in_folder(path, None if output is None else Path(output), say)
        else:
            _check_named(path)
            found.append(path)
    return found


def as_paths(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return one path or several as a list.

    >>> [path.name for path in as_paths("a.txt")], [path.name for path in as_paths(["a", "b"])]
    (['a.txt'], ['a', 'b'])
    """
    several = isinstance(paths, Iterable) and not isinstance(paths, str | bytes)
    given: Any = paths if several else [paths]
    found = list(given)
    for path in found:
        files.check_path(path, "a file or folder of text")
    return list(map(Path, found))


def nearest_folder(path: str | os.PathLike[str], holds: Callable[[Path], bool]) -> Path | None:
    """Return the folder beside `path` that was probably meant: the one with the closest name.

    Parameters
    ----------
    path : path-like
        A folder that does not exist or is of another kind.
    holds : callable
        Whether a folder is of the right kind.
    """
    path = Path(path)
    if not path.parent.is_dir():
        return None
    names = [other.name for other in path.parent.iterdir() if other.is_dir() and holds(other)]
    close = difflib.get_close_matches(path.name, names, 1, cutoff=0)
    return path.parent / close[0] if close else None


def _check_named(path: Path) -> None:
    lines.check_file(path, "utf-8")
    if path.suffix.lower() in SUFFIXES:
        return
    if kind := lines.foreign_kind(path, codecs.lookup("utf-8").name):
        raise InputError(kind, path)
    raise InputError(f"unknown kind of file; known are {', '.join(SUFFIXES)}", path)


def _in_folder(folder: Path, output: Path | None, say: Callable[[str], None] | None) -> list[Path]:
    if output is not None and output.exists() and output.samefile(folder):
        raise InputError(
            "the output would go into the folder of the data; choose another output folder", folder
        )
    if what := _made_by_a_program(folder):
        raise InputError(f"this folder holds {what}, not texts; name the texts", folder)
    left_out: list[str] = []
    found = list(_walk(folder, folder, output, left_out))
    if say is not None and left_out:
        say(f"{folder}: left out {_listed(left_out)}; a file given by name is always read")
    if not found:
        kinds = ", ".join(SUFFIXES)
        hint = f"; left out: {_listed(left_out)}" if left_out else ""
        raise InputError(f"a folder without text ({kinds}){hint}", folder)
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _walk(folder: Path, root: Path, output: Path | None, left_out: list[str]) -> Iterator[Path]:
    """Yield the texts inside a folder; add what is left out, and why, to a list."""
    for path in sorted(folder.iterdir()):
        name = path.relative_to(root).as_posix()
        if not path.is_dir():
            if path.suffix.lower() in SUFFIXES and path.is_file():
                if path.name.startswith("."):
                    left_out.append(f"{name} (hidden)")
                else:
                    yield path
            continue
        if path.is_symlink():
            continue
        why = None
        if output is not None and output.exists() and output.samefile(path):
            why = "the output"
        elif path.name.startswith("."):
            why = "hidden"
        elif path.name == "__MACOSX":
            why = "made by macOS"
        else:
            why = _made_by_a_program(path)
        if why is None:
            yield from _walk(path, root, output, left_out)
        elif _holds_text(path):
            left_out.append(f"{name}/ ({why})")


def _made_by_a_program(folder: Path) -> str | None:
    """Return what a folder holds if a program filled it; None for a person's folder."""
    for names, what in _SIGNS:
        if all((folder / name).is_file() for name in names):
            return what
    return None


def _holds_text(folder: Path) -> bool:
    """Return whether there is a text inside a folder; only that is worth reporting."""
    return any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
