"""A learner's code in the process of a notebook: with a time limit, and with its output kept.

A process of its own (`process.py`) would be safer, but a function in a notebook depends on what the
cells before it have defined, and that cannot be sent. A crash or a hard exit ends the notebook's
process here; loops and floods of output do not.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from minilm.course.process import MOST_OUTPUT

# A bare `except:` in the learner's loop catches the exception; so it is raised again and again.
_AGAIN = 0.3
_SOON = 0.02


class StoppedError(KeyboardInterrupt):
    """The learner's code was stopped, as Ctrl-C would: a check passes that on, whatever it does."""


class LateError(StoppedError):
    """It took longer than the time limit."""


class FloodError(StoppedError):
    """It printed more than anybody reads."""


@contextlib.contextmanager
def time_limit(seconds: float, namespaces: Sequence[dict[str, Any]]) -> Iterator[None]:
    """Raise LateError in the learner's code once the time is over, in whatever thread that runs.

    The library's own code is never interrupted: it may be putting something back in its place. The
    exception comes between two steps of Python code, so a single call of a compiled function is not
    interrupted either. Signals would do that, but there are none on Windows or outside the main
    thread.

    Parameters
    ----------
    seconds : float
    namespaces : sequence of dict
        The globals of the learner's code.
    """
    thread = threading.get_ident()
    outside = sys._getframe(2)  # the notebook's cell, from which this is called, is learner's too
    is_done = threading.Event()

    def watch() -> None:
        wait = seconds
        while not is_done.wait(wait):
            wait = _SOON
            if _is_in(namespaces, sys._current_frames().get(thread), outside):
                what = ctypes.py_object(LateError)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
                wait = _AGAIN

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        _end(is_done, watcher)


def _is_in(
    namespaces: Sequence[dict[str, Any]], frame: FrameType | None, outside: FrameType
) -> bool:
    """Return whether one of the frames up to `outside` runs code with these globals."""
    while frame is not None and frame is not outside:
        names = frame.f_globals  # compared by identity: equality would look at every value
        if any(names is mine for mine in namespaces):
            return True
        frame = frame.f_back
    return False


def _end(is_done: threading.Event, watcher: threading.Thread) -> None:
    """Stop a time limit; an exception that is already on its way has no effect."""
    while True:
        try:
            is_done.set()
            watcher.join()
            for _ in range(100):  # an exception arrives at the end of a round, at the latest
                pass
            return
        except LateError:
            continue


class _Kept(io.TextIOBase):
    """A stream that keeps what is written to it, up to a limit."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.size += len(text)
        if self.size > MOST_OUTPUT:
            raise FloodError
        self.parts.append(text)
        return len(text)


@contextlib.contextmanager
def output_kept() -> Iterator[list[str]]:
    """Keep what the block prints, in the list that this gives, instead of showing it."""
    kept = _Kept()
    with contextlib.redirect_stdout(kept), contextlib.redirect_stderr(kept):
        yield kept.parts
