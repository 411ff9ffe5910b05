"""Keys that are pressed while something else goes on: read without waiting, on every system."""

from __future__ import annotations

import os
import select
import sys
from types import TracebackType
from typing import Any


class Keys:
    """Single keys from the terminal, while the block runs; none where there is no terminal."""

    def __enter__(self) -> Keys:
        """Let keys come through one by one."""
        self._before: list[Any] | None = None
        self._on = sys.stdin is not None and sys.stdin.isatty()
        if self._on and os.name != "nt":
            import termios
            import tty

            self._before = termios.tcgetattr(sys.stdin.fileno())
            tty.setcbreak(sys.stdin.fileno())  # no Enter needed; Ctrl-C still ends
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        if self._before is not None:
            import termios

            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    @property
    def are_read(self) -> bool:
        """Whether there is a terminal to press keys at."""
        return self._on

    def pressed(self) -> str:
        """Return the key that was pressed since the last look; empty if none was."""
        if not self._on:
            return ""
        if sys.platform == "win32":
            import msvcrt

            return msvcrt.getwch().lower() if msvcrt.kbhit() else ""
        ready, _, _ = select.select([sys.stdin], [], [], 0)
        return os.read(sys.stdin.fileno(), 1).decode("ascii", "ignore").lower() if ready else ""
