"""Files so that nothing is lost and nothing trusted: whole or not at all, one writer for a folder.

Leaves out the reading of text and tables: what may be read there, and how much of it, is decided
where the format is known.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import reprlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from minilm.errors import InputError, OutputError


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when the block has ended without an error.

    The content goes to a temporary file in the same folder, is flushed to the disk (fsync), and is
    then renamed over `path`: a reader sees the old file or the new one, and a crash at any moment
    leaves the old one. Text is UTF-8 with LF line ends on every system.

    Parameters
    ----------
    path : path-like
        The file to write. Its folder must exist.
    mode : {"w", "wb"}
        Text or bytes.

    Raises
    ------
    OSError
        When the disk is full or the folder read-only; `path` is then as it was. The error's
        `filename` is `path`, unless the block raised one that names another file.
    """
    path = Path(path)
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        descriptor, temporary = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".tmp", dir=path.parent
        )
    except OSError as error:
        error.filename = os.fspath(path)
        raise
    try:
        with os.fdopen(descriptor, mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes the file private to its owner; a shared folder expects the usual rights.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        # A failed write names no file, and the temporary name says nothing to anybody.
        if isinstance(error, OSError) and error.filename in (None, temporary):
            error.filename = os.fspath(path)
        raise
    sync_folder(path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename survives a power cut. Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON, atomically; NaN and infinity, which JSON lacks, raise."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_write(path) as file:
        file.write(text)


def read_json(path: str | os.PathLike[str], *, max_bytes: int = 1 << 28) -> Any:
    """Read a JSON file strictly: UTF-8 (a BOM may stand first), no NaN, no key twice, bounded size.

    Raises
    ------
    InputError
        When the file is missing, larger than `max_bytes` or not such JSON; with the line.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise InputError(
                f"{size:,} bytes of JSON; at most {max_bytes:,} are read at once", path
            )
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError("no such file; check the path", path) from None
    except IsADirectoryError:
        raise InputError("is a folder; name a JSON file in it", path) from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 at byte {error.start}; save the file as UTF-8", path) from None
    return parse_json(text, path)


def parse_json(text: str, path: str | os.PathLike[str], line: int | None = None) -> Any:
    """Parse strict JSON (no NaN or infinity, no key twice); errors name the file and the line.

    Parameters
    ----------
    text : str
        One JSON value.
    path : path-like
        The file it comes from, for the message.
    line : int, optional
        The line of the file where `text` starts; 1 unless said.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) != len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise InputError(
                f"the JSON key {reprlib.repr(twice)} stands twice in one object", path, line
            )
        return record

    def no_constant(name: str) -> None:
        raise InputError(f"{name} is not JSON and cannot be used; remove it", path, line)

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        at = (line or 1) + error.lineno - 1
        raise InputError(f"not valid JSON ({error.msg}, column {error.colno})", path, at) from None
    except RecursionError:
        raise InputError("JSON nested too deeply", path, line) from None
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(f"not valid JSON ({error})", path, line) from None


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class FolderLock:
    """One writer for a folder, held by the operating system while the process lives.

    The lock is on the file `.lock` inside the folder (flock on Unix, a byte range on Windows), so
    it ends with its process however that ends; the file names the holder for the error message.

    Parameters
    ----------
    folder : path-like
        An existing folder.
    wait : float
        Seconds to wait for another process to let go; `math.inf` for as long as it takes.

    Attributes
    ----------
    stale_pid : int or None
        The process that held the folder and died without letting go, once the lock is taken.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder, FolderLock(folder) as lock:
    ...     lock.stale_pid is None
    True
    """

    NAME = ".lock"
    # Windows forbids others to read a locked range: lock one byte far behind the text.
    _OFFSET = 1 << 20
    _PAUSE = 0.02  # seconds between two tries

    def __init__(self, folder: str | os.PathLike[str], *, wait: float = 0.0) -> None:
        self.folder = Path(folder)
        self.wait = wait
        self.stale_pid: int | None = None
        self._file: IO[str] | None = None

    def __enter__(self) -> FolderLock:
        """Take the lock, or raise OutputError that names the process which has it."""
        file = open(self.folder / self.NAME, "a+", encoding="ascii", errors="replace")
        deadline = time.monotonic() + self.wait
        try:
            while not self._acquired(file):
                if time.monotonic() >= deadline:
                    raise OutputError(
                        f"{self.folder}: in use by process {self._holder(file) or 'unknown'}; "
                        "wait until it ends, or choose another folder"
                    )
                time.sleep(self._PAUSE)
        except BaseException:
            file.close()
            raise
        self.stale_pid = self._holder(file)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return self

    def __exit__(self, *exception: object) -> None:
        """Let go. The file stays, empty: removing it would let two others lock different files."""
        assert self._file is not None  # noqa: S101  (entered before it is left)
        self._file.truncate(0)
        self._file.close()
        self._file = None

    def _holder(self, file: IO[str]) -> int | None:
        file.seek(0)
        text = file.read(20).strip()
        return int(text) if text.isdecimal() else None

    def _acquired(self, file: IO[str]) -> bool:
        """Take the lock if it is free; return whether it was."""
        try:
            self._acquire(file)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise OutputError(
                f"{self.folder}: cannot be locked ({error.strerror or error}); "
                "choose a folder on a disk of this machine"
            ) from None
        return True

    def _acquire(self, file: IO[str]) -> None:
        if os.name == "nt":
            import msvcrt

            file.seek(self._OFFSET)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
