"""What commands have in common when they print: color or none, notes, cut lines."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def has_color(stream: TextIO) -> bool:
    """Return whether to color what is written: on a terminal, unless NO_COLOR is set [1]_.

    References
    ----------
    .. [1] https://no-color.org
    """
    return stream.isatty() and not os.environ.get("NO_COLOR")


def note(command: str, text: str) -> None:
    """Print a remark on standard error, out of the way of what a program might read."""
    print(f"minilm {command}: {text}", file=sys.stderr)


def cut(text: str, width: int) -> str:
    """Return a text on one line of at most `width` characters.

    >>> cut("a  long\\ntext", 8)
    'a lon...'
    """
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 3] + "..."
