"""A new folder for a result that is written when training has ended."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from minilm.errors import OutputError
from minilm.files import FolderLock
from minilm.store import adapters, folder
from minilm.store.folder import Writer


@contextlib.contextmanager
def new_folder(output: str | os.PathLike[str]) -> Iterator[Writer]:
    """Hold a folder without a model; remove it again if it was made here and nothing was saved.

    Raises
    ------
    OutputError
        When the folder holds a model or an adapter, or is in use.
    """
    path = Path(output)
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path}: a file with that name exists; choose another --output-dir")
    is_new, is_held = not path.exists(), False
    try:
        with Writer(path) as writer:
            is_held = True
            if folder.exists(path) or adapters.exists(path):
                raise OutputError(f"{path}: holds a model already; choose another --output-dir")
            yield writer
    finally:
        if is_new and is_held and not (folder.exists(path) or adapters.exists(path)):
            with contextlib.suppress(OSError):
                (path / FolderLock.NAME).unlink()
                path.rmdir()
