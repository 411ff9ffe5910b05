"""The folder of a book: all of it is written, or nothing; nothing of anybody else is removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import minilm
from minilm import files
from minilm.errors import InputError, OutputError

_MARK = "book.json"
_MOST_BYTES = 1 << 22


def check(folder: Path) -> None:
    """Refuse a folder that a book must not replace.

    Raises
    ------
    OutputError
        When it has files that are not those of a book.
    """
    if folder.is_symlink() or not folder.exists():
        if folder.is_symlink():
            raise OutputError(f"{folder}: a link; name the folder itself with --out")
        return
    if not folder.is_dir():
        raise OutputError(f"{folder}: a file; choose another name with --out")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if not there:
        return
    others = sorted(there - _written(folder))
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise OutputError(
            f"{folder}: holds files that do not belong to a book ({others[0]}{more}); move them "
            "away, or choose another folder with --out"
        )


def _written(folder: Path) -> set[str]:
    """Return what an earlier book wrote into a folder, as it says itself."""
    if not (folder / _MARK).exists():
        return set()
    try:
        record = files.read_json(folder / _MARK, max_bytes=_MOST_BYTES)
    except InputError:
        return set()
    listed = record.get("files") if isinstance(record, dict) else None
    if not isinstance(listed, list):
        return set()
    return {_MARK, *(name for name in listed if isinstance(name, str))}


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Give a staging folder, which takes the folder's place when the block ends without an error.

    Raises
    ------
    OutputError
        When the folder holds something that is not part of a book: before the block, or at its end.
    """
    check(folder)
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        yield staging
        names = sorted(
            path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file()
        )
        files.write_json(staging / _MARK, {"minilm": minilm.__version__, "files": names})
        # mkdtemp makes a folder private to its owner; others expect the usual permissions.
        mask = os.umask(0)
        os.umask(mask)
        staging.chmod(0o777 & ~mask)
        check(folder)  # somebody may have put a file there since
        _move(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move(staging: Path, folder: Path) -> None:
    """Replace a folder with another: move the old one aside, then delete it."""
    if not folder.exists():
        os.replace(staging, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.parent))
    try:
        os.replace(folder, old / folder.name)
        try:
            os.replace(staging, folder)
        except OSError:
            os.replace(old / folder.name, folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def write(folder: Path, path: str, content: str) -> None:
    """Write a file of a book into its staging folder; lines end with LF on every system."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content, encoding="utf-8", newline="\n")
