"""A new folder for a result that is written when training has ended: how it is held and filled."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from minilm.errors import OutputError
from minilm.files import FolderLock
from minilm.nn import lora
from minilm.progress import Say
from minilm.store import adapters, folder
from minilm.store.adapters import SavedAdapter
from minilm.store.folder import SavedModel, Stage, Writer
from minilm.training import log
from minilm.training.log import Row


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


def save_adapter(
    writer: Writer,
    adapter: lora.Adapter,
    base: SavedModel,
    place: str | os.PathLike[str],
    lineage: tuple[Stage, ...],
    **head: Any,
) -> None:
    """Save an adapter, with the place of its base and what the base is recognized by.

    Parameters
    ----------
    writer : Writer
    adapter : Adapter
        Its factors may be among the parameters of the model that was trained.
    base : SavedModel
    place : path-like
        The base's folder.
    lineage : tuple of Stage
    **head
        `score` and `head` of a classifier, as in `SavedAdapter`.
    """
    sha256 = adapters.fingerprint(base.config, base.parameters)
    saved = SavedAdapter(adapter.alone(), os.fspath(place), sha256, lineage=lineage, **head)
    adapters.write(writer, saved)


def save_log(folder: Path, rows: Sequence[Row], kind: str, say: Say, **texts: str) -> None:
    """Save the log of a run and its picture; say which kind of model the folder holds.

    `texts` are those of `log.draw`.
    """
    log.write(folder, rows)
    picture = log.draw(folder, **texts)
    say(f"{folder}: {kind}, {log.NAME} and {picture.name}")
