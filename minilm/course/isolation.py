"""What keeps a stranger's submission from the rest of the machine, as far as Python can.

Kept from it: the network, other programs, writing outside a scratch folder, loading native code,
and endless memory and computing time where the system has limits for them. NOT kept from it:
reading files, and whatever reaches past Python's audit events. It is a fence for accidents and
pranks, not a wall against an attack; for that, grade in a container or a virtual machine.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from pathlib import Path
from typing import IO, Any

_MEMORY = 4 << 30  # bytes
_MEMORY_SHUT_IN = 2 << 30  # several of these run side by side
_FILE = 16 << 20  # bytes of a written file
_shut_in = False
_timed = False

_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.kill",
    "ctypes.",
    "webbrowser.",
    "winreg.",
    "pty.",
    "sys.addaudithook",
)
# Events whose arguments are paths that are written to.
_WRITING = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "os.utime",
    "shutil.",
    "tempfile.",
)
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def limit_memory() -> None:
    """Hold this process to 4 GiB, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _lower(resource.RLIMIT_AS, _MEMORY)


def limit_time(seconds: float, trace: IO[str]) -> None:
    """End this process after some seconds, whatever it is at; write to a file where that was."""
    global _timed
    _timed = True
    faulthandler.dump_traceback_later(seconds, exit=True, file=trace)


def lift_time_limit() -> None:
    """Let this process go on for as long as it needs: no learner's code runs in it any more."""
    if _timed:  # others may have set a timer of their own, as pytest does
        faulthandler.cancel_dump_traceback_later()


def is_shut_in() -> bool:
    """Return whether `enter` was called in this process."""
    return _shut_in


def enter(scratch: Path) -> None:
    """Shut this process in, for good.

    Parameters
    ----------
    scratch : Path
        The folder that may be written to.
    """
    global _shut_in
    _shut_in = True
    allowed = scratch.resolve()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITE_FLAGS:
                _check_path(path, allowed)
        elif event.startswith(_WRITING):
            for path in arguments:
                _check_path(path, allowed)
        elif event.startswith(_FORBIDDEN):
            raise PermissionError(f"a submission may not do this while it is graded: {event}")

    sys.addaudithook(watch)
    try:
        import resource
    except ImportError:
        return
    _lower(resource.RLIMIT_FSIZE, _FILE)
    _lower(resource.RLIMIT_AS, _MEMORY_SHUT_IN)


def _check_path(path: Any, allowed: Path) -> None:
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if isinstance(path, str | os.PathLike) and not Path(path).resolve().is_relative_to(allowed):
        raise PermissionError(f"a submission may write to its scratch folder only, not to {path}")


def _lower(limit: int, value: int) -> None:
    """Set a limit of the system, as far as it lets itself be set."""
    import resource

    _, most = resource.getrlimit(limit)
    if most != resource.RLIM_INFINITY:
        value = min(value, most)
    try:
        resource.setrlimit(limit, (value, most))
    except (ValueError, OSError):  # macOS has no limit of address space
        return
