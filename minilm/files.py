"""Reading and writing files safely: atomic writes, strict JSON, safe names, one writer per folder.

Texts and tables are read in `data`, which knows how much of them it can hold.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from minilm import errors
from minilm.errors import InputError, ModelError, OptionError, OutputError

# A file of a folder or of one subfolder; nothing hidden, no drive, no way up.
_SAFE_NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")


def is_safe_name(name: Any) -> bool:
    """Return whether a name found in a file stays inside its folder, on every system.

    >>> [is_safe_name(n) for n in ("training/state.json", "../a", "/a", "C:a", ".lock", 7)]
    [True, False, False, False, False, False]
    """
    return isinstance(name, str) and len(name) < 200 and bool(_SAFE_NAME.fullmatch(name))


def check_path(path: Any, what: str) -> None:
    """Raise OptionError unless this is a path; an empty one would be the current folder."""
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise OptionError(f"{what} is {errors.brief(path)}; give its path ('.' is this folder)")


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when the block ends without an error.

    The content goes to a temporary file in the same folder, is flushed to the disk (fsync), and is
    then renamed over `path`. A reader sees the old file or the new one; a crash leaves the old one.
    Text is UTF-8 with LF line ends on every system.

    Parameters
    ----------
    path : path-like
        The file to write. Its folder must exist.
    mode : {"w", "wb"}
        Text or bytes.

    Raises
    ------
    OSError
        When the disk is full or the folder read-only; `path` is then unchanged. The error's
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
        # mkstemp makes the file private to its owner; others expect the usual permissions.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        # A failed write names no file, and the temporary name would tell the user nothing.
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


def read_text(
    path: str | os.PathLike[str], *, max_bytes: int, error: type[InputError] = InputError
) -> str:
    """Return the text of a UTF-8 file, line ends as they are.

    Parameters
    ----------
    path : path-like
    max_bytes : int
        A larger file is refused before memory is taken for it.
    error : InputError or a subclass
        The kind of exception: what a broken file means depends on the file.

    Raises
    ------
    InputError
        When the file is missing, larger than `max_bytes`, or not UTF-8.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise error(f"{size:,} bytes; minilm reads at most {max_bytes:,}", path)
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise error("no such file; check the path", path) from None
    except IsADirectoryError:
        raise error("a folder; name a file in it", path) from None
    except UnicodeDecodeError as fault:
        raise error(f"not UTF-8 at byte {fault.start}; save the file as UTF-8", path) from None
    except OSError as fault:
        raise error(f"cannot be read: {fault.strerror or fault}", path) from None


def read_json(
    path: str | os.PathLike[str],
    *,
    max_bytes: int = 1 << 28,
    error: type[InputError] = InputError,
) -> Any:
    """Read a JSON file strictly: see `read_text` and `parse_json`. It may begin with a BOM."""
    text = read_text(path, max_bytes=max_bytes, error=error)
    return parse_json(text.removeprefix("\ufeff"), path, error=error)


def parse_json(
    text: str,
    path: str | os.PathLike[str],
    line: int | None = None,
    *,
    error: type[InputError] = InputError,
) -> Any:
    """Parse strict JSON (no NaN or infinity, no key twice); errors name the file and the line.

    Parameters
    ----------
    text : str
        One JSON value.
    path : path-like
        The file it comes from, for the message.
    line : int, optional
        The line of the file where `text` starts (default: 1).
    error : InputError or a subclass
        The kind of exception.

    Raises
    ------
    InputError
        When `text` is not such JSON.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) != len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise error(
                f"the JSON key {errors.brief(twice)} appears twice in one object", path, line
            )
        return record

    def no_constant(name: str) -> None:
        raise error(f"{name} is not JSON and cannot be used; remove it", path, line)

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    except json.JSONDecodeError as fault:
        at = (line or 1) + fault.lineno - 1
        raise error(f"not valid JSON ({fault.msg}, column {fault.colno})", path, at) from None
    except RecursionError:
        raise error("JSON nested too deeply", path, line) from None
    except ValueError as fault:  # an integer of thousands of digits
        raise error(f"not valid JSON ({fault})", path, line) from None


def read_object(path: Path, *, max_bytes: int) -> dict[str, Any]:
    """Read a model's file that holds one JSON object; raises ModelError where it does not."""
    return as_object(read_json(path, max_bytes=max_bytes, error=ModelError), path)


def as_object(content: Any, path: Path) -> dict[str, Any]:
    """Return parsed JSON if it is an object, or raise ModelError."""
    if not isinstance(content, dict):
        raise ModelError("expected a JSON object; copy the file again", path)
    return content


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class FolderLock:
    """One writer per folder, by a lock of the operating system.

    The lock is on the file `.lock` inside the folder (flock on Unix, a byte range on Windows). It
    ends with its process, however that ends. The file names the holder for the error message.

    Parameters
    ----------
    folder : path-like
        An existing folder.
    wait : float
        Seconds to wait for another process to release it; `math.inf` waits as long as it takes.

    Attributes
    ----------
    stale_pid : int or None
        The process that died holding the lock, known once the lock is taken.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder, FolderLock(folder) as lock:
    ...     lock.stale_pid is None
    True
    """

    NAME = ".lock"
    # Windows keeps others from reading a locked range: lock one byte far behind the text.
    _OFFSET = 1 << 20
    _PAUSE = 0.02  # seconds between two attempts

    def __init__(self, folder: str | os.PathLike[str], *, wait: float = 0.0) -> None:
        self.folder = Path(folder)
        self.wait = wait
        self.stale_pid: int | None = None
        self._file: IO[str] | None = None

    def __enter__(self) -> FolderLock:
        """Take the lock, or raise an OutputError that names its holder."""
        deadline = time.monotonic() + self.wait
        while not self._is_current(file := self._locked(deadline)):
            file.close()
        self.stale_pid = self._holder(file)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return self

    def __exit__(self, *exception: object) -> None:
        """Release it. The file stays, empty, for whoever waits for it."""
        assert self._file is not None  # noqa: S101  (entered before it is left)
        self._file.truncate(0)
        self._file.close()
        self._file = None

    def _locked(self, deadline: float) -> IO[str]:
        path = self.folder / self.NAME
        file = open(path, "a+", encoding="ascii", errors="replace")  # noqa: SIM115  (held)
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
        return file

    def _is_current(self, file: IO[str]) -> bool:
        """Return whether a locked file is still in the folder: its holder may have removed it."""
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self.folder / self.NAME))
        return False

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
                "choose a folder on a local disk"
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
