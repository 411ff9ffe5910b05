"""Several files of a folder changed together: all of them or none, whenever the process dies.

    1. every new file is written into the subfolder `.staging` and flushed to the disk
    2. the record `.commit.json` is written atomically: from here on the change has happened
    3. each staged file is renamed into its place, files no longer wanted are removed
    4. the record is removed

Killed before 2, the folder is as it was, and the next to open it throws the staged files away.
Killed after 2, the next takes up 3 where it was left. A reader that may not write, or comes while
another process writes, finds files through `locate`, as if the change were finished.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Self

from minilm import files
from minilm.errors import ModelError, OutputError
from minilm.store import safetensors

STAGING = ".staging"
RECORD = ".commit.json"

# Seconds. A reader that finishes a killed process's change holds the lock for a moment.
_PATIENCE = 1.0

Content = bytes | Callable[[safetensors.Sink], object]


class Digest(NamedTuple):
    """What tells a file from a damaged one: its size in bytes and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


class FolderWriter:
    """The one process that may change a folder, while the `with` block lasts.

    Entering makes the folder, takes its lock and settles what a killed process left behind.

    Parameters
    ----------
    path : path-like
    wait : float
        Seconds to wait for another process to let the folder go.

    Attributes
    ----------
    path : Path
    stale_pid : int or None
        The process that held the folder and died without letting go.

    Raises
    ------
    OutputError
        On entering, when another process has the folder, or it cannot be made or written to.
    ModelError
        On entering, when the record of an unfinished change is damaged.
    """

    def __init__(self, path: str | os.PathLike[str], *, wait: float = _PATIENCE) -> None:
        self.path = Path(path)
        self.wait = wait
        self.stale_pid: int | None = None
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Take the lock and settle the folder."""
        with contextlib.ExitStack() as stack:
            with _told(f"{self.path}: cannot be written to"):
                self.path.mkdir(parents=True, exist_ok=True)
                self.stale_pid = stack.enter_context(
                    files.FolderLock(self.path, wait=self.wait)
                ).stale_pid
            self.settle()
            self._held = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Let the folder go."""
        self._held.close()

    def settle(self) -> None:
        """Finish a change that was committed but not finished, or throw away one that was not.

        Raises
        ------
        OutputError
            When that cannot be written.
        ModelError
            When the record of the change is damaged.
        """
        with _told(f"{self.path}: an unfinished save cannot be finished"):
            _settle(self.path)

    def write(
        self,
        contents: Mapping[str, Content],
        *,
        remove: Collection[str] = (),
        seal: Callable[[dict[str, Digest]], Mapping[str, Content]] | None = None,
    ) -> None:
        """Replace or add files and remove others, all of it or nothing.

        Parameters
        ----------
        contents : mapping of str to bytes or callable
            By name, with "/" between subfolder and file. A callable writes itself to what it gets.
        remove : collection of str
            Names of files that shall be gone; some may not exist.
        seal : callable, optional
            Given the digests of the contents, returns further files that belong to the change.

        Raises
        ------
        OutputError
            When the disk is full or the folder read-only. What was there is then as it was, or, if
            all was written and only a rename failed, the next to open the folder finishes it.
        """
        self.settle()
        with _told(f"{self.path}: cannot be saved; the last good files in it are whole"):
            try:
                digests = _stage(self.path, contents)
                sealed = _stage(self.path, seal(digests)) if seal else {}
                record = {"rename": sorted({*digests, *sealed}), "remove": sorted(remove)}
                files.write_json(self.path / RECORD, record)
            except BaseException:
                if not is_changing(self.path):
                    _discard(self.path)
                raise
            _finish(self.path, record)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn an error of the system into one of ours that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{what} ({error.strerror or error}); check the free space and the permissions"
        ) from error


def settle_if_free(folder: Path) -> None:
    """Finish or undo what a killed process left, unless one is writing or the folder is read-only.

    Raises
    ------
    ModelError
        When the record of an unfinished change is damaged.
    """
    if is_changing(folder) or (folder / STAGING).exists():
        with contextlib.suppress(OSError, OutputError), files.FolderLock(folder):
            _settle(folder)


def is_changing(folder: Path) -> bool:
    """Return whether a committed change is not finished yet."""
    return (folder / RECORD).exists()


def locate(folder: Path, name: str) -> Path:
    """Return where the content of a file is now: staged, if its change is committed."""
    staged = folder / STAGING / name
    return staged if is_changing(folder) and staged.exists() else folder / name


def _stage(folder: Path, contents: Mapping[str, Content]) -> dict[str, Digest]:
    digests = {}
    for name, content in contents.items():
        if not files.is_safe_name(name):
            raise OutputError(f"{folder}: {name!r} cannot be the name of a file in it")
        path = folder / STAGING / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _release_cache(folder / name)
        with files.atomic_write(path, "wb") as file, _Digesting(file) as sink:
            if callable(content):
                content(sink)
            else:
                sink.write(content)
        digests[name] = Digest(sink.size, sink.sha256.hexdigest())
    return digests


def _release_cache(path: Path) -> None:
    """Let the system take the memory in which it keeps a file that will be replaced.

    The new file is written into that memory, as if over the old one: on virtual machines, which get
    fresh memory slowly, that halves the time to save.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _settle(folder: Path) -> None:
    """Finish a change that was committed, or throw away one that was not."""
    record = _read_record(folder)
    if record is None:
        _discard(folder)
    else:
        _finish(folder, record)


def _finish(folder: Path, record: dict[str, list[str]]) -> None:
    """Do what the record says, or the rest of it."""
    for name in record["remove"]:
        path = folder / name
        path.unlink(missing_ok=True)
        if path.parent != folder:
            with contextlib.suppress(OSError):  # not empty yet, or gone already
                path.parent.rmdir()
    touched = {folder}
    for name in record["rename"]:
        target = folder / name
        if (folder / STAGING / name).exists():  # else it was moved before the process died
            target.parent.mkdir(exist_ok=True)
            _replace(folder / STAGING / name, target)
        touched.add(target.parent)
    for directory in touched:
        files.sync_folder(directory)
    (folder / RECORD).unlink()
    # On the disk too, or a power cut during the next save could bring this record back to life.
    files.sync_folder(folder)
    _discard(folder)


def _discard(folder: Path) -> None:
    """Throw staged files away, and what a record was being written to."""
    shutil.rmtree(folder / STAGING, ignore_errors=True)
    for unfinished in folder.glob(f".{RECORD}.*.tmp"):
        unfinished.unlink(missing_ok=True)


def _replace(source: Path, target: Path) -> None:
    """Rename over a file; on Windows, wait a moment for a reader or a virus scanner to let go."""
    for wait in (0.1, 0.2, 0.4, 0.8):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(wait)
    os.replace(source, target)


def _read_record(folder: Path) -> dict[str, list[str]] | None:
    path = folder / RECORD
    if not is_changing(folder):
        return None
    record = files.read_object(path, max_bytes=1 << 20)
    if (
        set(record) != {"rename", "remove"}
        or not all(isinstance(names, list) for names in record.values())
        or not all(files.is_safe_name(name) for names in record.values() for name in names)
    ):
        raise ModelError(
            "damaged: it is not the record of a save; copy the folder again from a good one, "
            f"with its {RECORD} and {STAGING}",
            path,
        )
    return record


class _Digesting:
    """Passes bytes on to a file and hashes them at the same time, in a second thread.

    Both let go of the interpreter lock, and each takes about as long as the other.
    """

    _SMALL = 1 << 16  # bytes that a thread is not worth

    def __init__(self, file: Any) -> None:
        self.sha256 = hashlib.sha256()
        self.size = 0
        self._file = file
        self._pool = ThreadPoolExecutor(1)

    def write(self, data: Any, /) -> int:
        """Write bytes or any buffer of bytes; return their number."""
        size = memoryview(data).nbytes
        self.size += size
        if size < self._SMALL:
            self.sha256.update(data)
            self._file.write(data)
        else:
            hashed = self._pool.submit(self.sha256.update, data)
            try:
                self._file.write(data)
            finally:
                hashed.result()
        return size

    def __enter__(self) -> _Digesting:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown()
