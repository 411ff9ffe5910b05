"""What commands have in common when they print: notes, JSON, color or none, cut lines."""

from __future__ import annotations

import json
import os
import sys
import webbrowser
from pathlib import Path
from typing import Any, TextIO


def has_color(stream: TextIO) -> bool:
    """Return whether to use color: on a terminal, unless NO_COLOR is set [1]_.

    References
    ----------
    .. [1] https://no-color.org
    """
    return stream.isatty() and not os.environ.get("NO_COLOR")


def say(line: str) -> None:
    """Print a line at once, in a pipe too."""
    print(line, flush=True)


def aside(line: str) -> None:
    """Print a line at once on standard error, away from what a program might read."""
    print(line, file=sys.stderr, flush=True)


def note(command: str, text: str) -> None:
    """Print a remark of a command on standard error."""
    aside(f"minilm {command}: {text}")


def print_json(content: Any) -> None:
    """Print one JSON value."""
    json.dump(content, sys.stdout, indent=2)
    print()


def open_page(path: Path) -> None:
    """Open a page in the browser, or say how to."""
    if not webbrowser.open(path.resolve().as_uri()):
        aside(f"no browser was found here; open {path} in yours")


def cut(text: str, width: int) -> str:
    """Return a text on one line of at most `width` characters.

    >>> cut("a  long\\ntext", 8)
    'a lon...'
    """
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 3] + "..."
