"""A progress line with the time left on a terminal; a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

Say = Callable[[str], None]  # takes a line for the person who waits


def silent(line: str) -> None:
    """Take a line and print nothing."""


def duration(seconds: float) -> str:
    """Return a readable time: seconds below two minutes, then minutes, then hours.

    >>> duration(9.4), duration(200), duration(8000)
    ('9 s', '3 min 20 s', '2 h 13 min')
    """
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def announce(text: str, stream: TextIO | None = None) -> None:
    """Print on a terminal what is starting; print nothing to a pipe or a log."""
    stream = stream if stream is not None else sys.stderr
    if stream.isatty():
        print(text, file=stream, flush=True)


class Progress:
    """Shows progress on standard error.

    On a terminal it rewrites one line, at most ten times a second. Elsewhere (a pipe, a log) it
    prints a plain line at each quarter: a log stays short, and a long job is not silent.

    Parameters
    ----------
    label : str
        What is being done.
    total : int
        How many steps there are.
    stream : text file, optional
        Where to write (default: standard error).
    """

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        self.label = label
        self.total = total
        self.stream = stream if stream is not None else sys.stderr
        self.terminal = self.stream.isatty()
        self.done = 0
        self._start = time.monotonic()
        self._last = float("-inf")
        self._width = 0

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count more finished steps; on a terminal, `note` is at the end of the line."""
        quarter = 4 * self.done // max(self.total, 1)
        self.done += count
        now = time.monotonic()
        elapsed = now - self._start
        left = elapsed / max(self.done, 1) * (self.total - self.done)
        share = f"{self.label}: {self.done} of {self.total}"
        if self.terminal:
            if now - self._last >= 0.1 or self.done == self.total:
                self._last = now
                self._rewrite(f"{share}, {duration(left)} left" + f" ({note})" * bool(note))
        elif 4 * self.done // max(self.total, 1) > quarter:
            print(f"{share} in {duration(elapsed)}", file=self.stream, flush=True)

    def _rewrite(self, text: str) -> None:
        text = text[:79]
        print("\r" + text.ljust(self._width), end="", file=self.stream, flush=True)
        self._width = len(text)

    def __enter__(self) -> Progress:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clear the terminal's line for what is printed next."""
        if self.terminal and self._width:
            print("\r" + " " * self._width + "\r", end="", file=self.stream, flush=True)
