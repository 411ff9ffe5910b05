"""Seeing that a file was saved, or a key pressed, by looking now and then: works everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

PAUSE = 0.2  # seconds between two looks


def changes(
    paths: Callable[[], Sequence[Path]],
    pause: Callable[[float], None] = time.sleep,
    key: Callable[[], str] = str,
) -> Iterator[list[Path] | str]:
    """Yield the files whose content is new or differs from the last look, and keys.

    The files are small, so they are read: times and lengths do not show every change. Editors write
    in pieces or replace the file, so one that is empty or missing is looked at again.

    Parameters
    ----------
    paths : callable
        Returns the files to look at.
    pause : callable
        Waits that many seconds.
    key : callable
        Returns the key that was pressed, or an empty text.
    """
    known = {path: _content(path) for path in paths()}
    while True:
        pause(PAUSE)
        if pressed := key():
            yield pressed
            for path in paths():  # a file that the key has made was not saved by hand
                known.setdefault(path, _content(path))
        now = {path: _content(path) for path in paths()}
        saved = [path for path, content in now.items() if content and known.get(path) != content]
        known.update((path, content) for path, content in now.items() if content)
        if saved:
            yield saved


def _content(path: Path) -> bytes:
    """Return what is in a file; nothing if it is missing or cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
