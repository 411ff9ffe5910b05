"""Several files of a folder changed together: all of them or none, even if the process dies.

    1. every new file is written into the subfolder `.staging` and flushed to the disk
    2. the record `.staging/.commit.json` is written atomically: from now on the change has happened
    3. files that are no longer wanted are removed, each staged file is renamed into its place
    4. the record is removed, and `.staging` with it

After a kill before 2, the folder is as it was; the next process that opens it deletes `.staging`.
After a kill later, the next process continues with 3. A reader that may not write, or that comes
while another process writes, finds files through `locate`, as if the change were finished.

Why not write a whole folder aside and swap one pointer? No pointer works everywhere. transformers
opens DIR/config.json itself, so DIR must hold plain files. A symbolic link needs special rights on
Windows and is lost in copies and archives; a file that names the current folder means nothing to
transformers; renaming DIR takes two steps (old away, new in) with no model between them, fails on
Windows while any file in it is open, and would have to carry along logs, pictures and `versions/`.
So the pointer is the record: `.staging` is the folder written aside.
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
RECORD = f"{STAGING}/.commit.json"  # no content can have this name: see `files.is_safe_name`

# Seconds. A reader that finishes a killed process's change holds the lock for a moment.
_PATIENCE = 1.0

Content = bytes | Callable[[safetensors.Sink], object]


class Digest(NamedTuple):
    """What shows damage to a file: its size in bytes and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


class FolderWriter:
    """The only process that may change a folder, for the length of a `with` block.

    Entering makes the folder, takes its lock and settles what a killed process left behind.

    Parameters
    ----------
    path : path-like
    wait : float
        Seconds to wait for another process to release the folder.

    Attributes
    ----------
    path : Path
    stale_pid : int or None
        The process that died holding the folder, if one did.

    Raises
    ------
    OutputError
        On entering, when another process has the folder, or it cannot be made or written to.
    ModelError
        On entering, when the record of an unfinished change is damaged.
    """

    def __init__(self, path: str | os.PathLike[str], *, wait: float = _PATIENCE) -> None:
        files.check_path(path, "the output folder")
        self.path = Path(path)
        self.wait = wait
        self.stale_pid: int | None = None
        self._held = contextlib.ExitStack()
        self._is_new = False

    def __enter__(self) -> Self:
        """Take the lock and settle the folder."""
        with contextlib.ExitStack() as stack:
            with _told(f"{self.path}: cannot be written to"):
                self._is_new = not self.path.exists()
                self.path.mkdir(parents=True, exist_ok=True)
                self.stale_pid = stack.enter_context(
                    files.FolderLock(self.path, wait=self.wait)
                ).stale_pid
            self.settle()
            self._held = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Release the folder; one that was made for nothing is removed."""
        if self._is_new and exception[0] is not None:
            with contextlib.suppress(OSError):
                if os.listdir(self.path) == [files.FolderLock.NAME]:
                    (self.path / files.FolderLock.NAME).unlink()
                    self.path.rmdir()
        self._held.close()

    def settle(self) -> None:
        """Finish a change that was committed, or discard one that was not.

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
            By name, with "/" between subfolder and file. A callable writes to the sink it gets.
        remove : collection of str
            Names of files to remove; some may not exist.
        seal : callable, optional
            Takes the digests of the contents and returns more files that belong to the change.

        Raises
        ------
        OutputError
            When the disk is full or the folder read-only. The folder is then unchanged or, if only
            a rename failed, the next process that opens it finishes the change.
        """
        self.settle()
        with _told(f"{self.path}: cannot be saved; the last good files in it are whole"):
            try:
                (self.path / STAGING).mkdir(exist_ok=True)
                digests = _stage(self.path, contents)
                if seal:
                    _stage(self.path, seal(digests))
                files.write_json(self.path / RECORD, {"remove": sorted(remove)})
            except BaseException:
                if not is_changing(self.path):
                    _discard(self.path)
                raise
            _finish(self.path, remove)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn an OSError into an OutputError that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{what} ({error.strerror or error}); check the free space and the permissions"
        ) from error


def settle_if_free(folder: Path) -> None:
    """Finish or discard what a killed process left, where nobody is writing and this one may.

    Raises
    ------
    ModelError
        When the record of an unfinished change is damaged.
    """
    if (folder / STAGING).exists():
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
    """Let the system reuse the memory in which it caches a file that will be replaced.

    The new file is then cached in that memory. On virtual machines, which get fresh memory slowly,
    this halves the time to save.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _settle(folder: Path) -> None:
    """Finish a change that was committed, or discard one that was not."""
    if not is_changing(folder):
        _discard(folder)
        return
    record = files.read_object(folder / RECORD, max_bytes=1 << 20)
    remove = record.get("remove")
    if not isinstance(remove, list) or not all(map(files.is_safe_name, remove)):
        raise ModelError(
            f"not the record of a save; copy the folder again from a good one, with its {STAGING}",
            folder / RECORD,
        )
    _finish(folder, remove)


def _finish(folder: Path, remove: Collection[str]) -> None:
    """Do what is left of a committed change."""
    for name in remove:
        path = folder / name
        path.unlink(missing_ok=True)
        if path.parent != folder:
            with contextlib.suppress(OSError):  # not empty yet, or already gone
                path.parent.rmdir()
    touched = [folder]
    for staged in sorted((folder / STAGING).rglob("*")):  # a subfolder comes before its files
        target = folder / staged.relative_to(folder / STAGING)
        if staged.is_dir():
            target.mkdir(exist_ok=True)
            touched.append(target)
        elif staged != folder / RECORD:
            _replace(staged, target)
    for directory in touched:
        files.sync_folder(directory)
    (folder / RECORD).unlink()
    # On the disk too, or a power cut during the next save could bring this record back.
    files.sync_folder(folder / STAGING)
    _discard(folder)


def _discard(folder: Path) -> None:
    """Delete what is staged."""
    shutil.rmtree(folder / STAGING, ignore_errors=True)


def _replace(source: Path, target: Path) -> None:
    """Rename over a file; on Windows, wait a moment for a reader or virus scanner to close it."""
    for wait in (0.1, 0.2, 0.4, 0.8):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(wait)
    os.replace(source, target)


class _Digesting:
    """Writes bytes to a file and hashes them at the same time, in a second thread.

    Both release the interpreter lock, and both take about as long.
    """

    _SMALL = 1 << 16  # bytes; below this, a thread costs more than it saves

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
