"""Seeing that a file was saved, by looking at it every so often: works on every system."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

PAUSE = 0.2  # seconds between two looks


def changes(
    paths: Callable[[], Sequence[Path]],
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[list[Path]]:
    """Yield the files whose content is new or another than at the last look.

    The files are small, so they are read: times and lengths do not tell every change. Editors write
    in pieces or put another file in the old one's place, so one that is empty or away is looked at
    again.

    Parameters
    ----------
    paths : callable
        Returns the files to look at.
    pause : callable
        Waits that many seconds.
    """
    known = {path: _content(path) for path in paths()}
    while True:
        pause(PAUSE)
        now = {path: _content(path) for path in paths()}
        saved = [path for path, content in now.items() if content and known.get(path) != content]
        known.update((path, content) for path, content in now.items() if content)
        if saved:
            yield saved


def _content(path: Path) -> bytes:
    """Return what is in a file; nothing if it is away."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
