"""Guards of a run: Ctrl-C waits for a good moment, and overflow is not announced."""

from __future__ import annotations

import contextlib
import signal
import threading
import warnings
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def interrupt_later() -> Iterator[Callable[[], bool]]:
    """Hold back Ctrl-C until the caller asks for it; a second Ctrl-C does not wait.

    In the middle of a step some parameters are new and some are old, so nothing can be saved.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False  # there is another handler, or it is ignored
        return
    asked = False

    def handle(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def overflow_unannounced() -> Iterator[None]:
    """Silence NumPy's overflow warnings: every loss is checked, and a bad one is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
