"""The files of a folder or a zip, read into memory within limits; what is refused has its reason.

Sizes in an archive are checked before anything is read, and reading stops at the limit whatever the
archive says. Links and special files are refused. So is a path that leads outside: nothing is
unpacked to the disk, but an honest archive has no such path. A zip may hold zips, but those may
not hold more.
"""

from __future__ import annotations

import io
import os
import re
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from minilm.errors import InputError

# The most bytes of one file, by its ending; others are not read.
LIMITS = {
    ".py": 1 << 20,
    ".ipynb": 16 << 20,
    ".json": 4 << 20,
    ".md": 1 << 20,
    ".zip": 64 << 20,
}
_MOST_TOGETHER = 2 << 30  # bytes that are read of a whole class
_MOST_OF_ZIP = 64 << 20  # bytes that are read of a student's zip
_MOST_ENTRIES = 200_000
_MOST_DEPTH = 2  # a zip, and a zip in it
# Left behind by systems and editors: not submissions.
_SKIPPED = {"__MACOSX", "__pycache__", "node_modules", "site-packages"}
STATE = ".state.json"
# The files of a gradebook (`outputs.py`) tell a folder that grades went to before.
_GRADEBOOK = {"grades.csv", "results.csv", "marks.csv", "grades.html"}
_FEEDBACK = "feedback"
EMPTY = "the folder is empty", "the zip is empty"
_FOLDER_LINK = "a symbolic link; hand in the folder itself"


@dataclass(frozen=True)
class Entry:
    """A file that was handed in.

    Attributes
    ----------
    parts : tuple of str
        Its path; a zip counts as a folder.
    data : bytes
        Empty where it was not read.
    modified : float
        Seconds since 1970, as the system or the archive says.
    problem : str
        Why it cannot be graded.
    is_folder : bool
        Whether it is a folder or a zip, of which nothing is graded.
    """

    parts: tuple[str, ...]
    data: bytes = b""
    modified: float = 0.0
    problem: str = ""
    is_folder: bool = False


class _Budget:
    """What may still be read, of a class or of one zip in it."""

    def __init__(self, most: int, outer: _Budget | None = None) -> None:
        self.most, self.outer = most, outer
        self.bytes, self.entries = most, _MOST_ENTRIES

    def problem(self, size: int, ending: str) -> str:
        """Return why a file of a size is not read; otherwise take it off."""
        if size > LIMITS[ending]:
            return f"{size:,} bytes; at most {LIMITS[ending]:,} are read of a {ending} file"
        if size > self.bytes:
            return f"beyond the {self.most:,} bytes that are read together"
        if self.outer is not None and (problem := self.outer.problem(size, ending)):
            return problem
        self.bytes -= size
        return ""


def read(place: Path, *, without: Path | None = None) -> list[Entry]:
    """Return every file, and the folders with nothing in them, in order.

    Parameters
    ----------
    place : Path
        A folder or a zip.
    without : Path, optional
        A folder that is left out: where the grades go.

    Raises
    ------
    InputError
        When it is neither.
    """
    budget = _Budget(_MOST_TOGETHER)
    if place.is_dir():
        found = list(_of_folder(place, budget, without))
    elif not place.exists():
        raise InputError("no such folder or zip", place)
    elif not zipfile.is_zipfile(place):
        raise InputError("neither a folder nor a zip; name the folder of submissions", place)
    else:
        with open(place, "rb") as file:
            found = list(_of_zip((), file, budget, 1))
    for entry in found:
        if not entry.parts:
            raise InputError(entry.problem, place)
    return sorted(found, key=lambda entry: entry.parts)


def ending(name: str) -> str:
    """Return the ending of a file's name, in small letters; ".py.txt" is a ".py".

    >>> ending("A.PY"), ending("04_6.py.txt"), ending("notes.txt")
    ('.py', '.py', '.txt')
    """
    name = name.lower().removesuffix(".txt") if name.lower().endswith(".py.txt") else name.lower()
    return PurePosixPath(name).suffix


def stem(name: str) -> str:
    """Return a file's name without its ending."""
    return re.sub(r"(?i)(\.py\.txt|\.\w{1,5})$", "", name)


def _is_skipped(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith(".") for part in parts[:-1]) or (
        parts[-1].startswith(".") and parts[-1] != STATE
    )
    return hidden or not _SKIPPED.isdisjoint(parts)


def _is_read(name: str) -> bool:
    """Return whether a file is read at all.

    Of JSON a learner's state and the summary of a run are, of Markdown a page of evidence.
    """
    kind = ending(name)
    if kind == ".json":
        return is_state(name) or name == "summary.json"
    return kind in LIMITS and (kind != ".md" or name.lower().endswith("_report.md"))


def is_state(name: str) -> bool:
    """Return whether a file's name is that of a learner's state, with or without its dot.

    >>> is_state(".state.json"), is_state("ada_state.json"), is_state("settings.json")
    (True, True, False)
    """
    return name.lower().endswith(STATE[1:])


def _of_folder(place: Path, budget: _Budget, without: Path | None) -> Iterator[Entry]:
    left_out = None if without is None else without.resolve()
    unread: list[OSError] = []  # a folder that cannot be read is somebody's, and is not left out
    for folder, folders, files in os.walk(place, onerror=unread.append):
        here = Path(folder)
        if set(files) >= _GRADEBOOK:
            folders[:] = [name for name in folders if name != _FEEDBACK]
            files = [name for name in files if name not in _GRADEBOOK]
            if not folders and not files:
                continue
        inside = tuple(map(_clean, here.relative_to(place).parts))
        for name in list(folders):
            path = here / name
            if path.is_symlink() and not _is_skipped((*inside, name)):
                yield Entry((*inside, _clean(name)), problem=_FOLDER_LINK, is_folder=True)
            if path.is_symlink() or _is_skipped((*inside, name)) or path.resolve() == left_out:
                folders.remove(name)
        for name in files:
            parts = (*inside, _clean(name))
            if not _is_skipped(parts):
                yield from _of_path(parts, here / name, budget)
        if inside and not folders and not files:
            yield _empty(inside)
    for error in unread:
        inside = tuple(map(_clean, Path(error.filename).relative_to(place).parts))
        yield Entry(inside, problem=f"cannot be read: {error.strerror}", is_folder=True)


def _clean(name: str) -> str:
    """Return a name without what is no text: names of files may be any bytes."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _of_path(parts: tuple[str, ...], path: Path, budget: _Budget) -> Iterator[Entry]:
    """Yield a file of a folder, or what is in it if it is a zip."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        yield Entry(parts, problem="a symbolic link; hand in the file itself")
    elif not stat.S_ISREG(found.st_mode):
        yield Entry(parts, problem="not a file")
    elif not _is_read(path.name):
        yield Entry(parts, modified=found.st_mtime)
    elif problem := budget.problem(found.st_size, ending(path.name)):
        yield _whole(parts, problem)
    else:
        try:
            data = path.read_bytes()
        except OSError as error:
            yield Entry(parts, problem=f"cannot be read: {error.strerror}")
            return
        yield from _opened(Entry(parts, data, found.st_mtime), budget, 0)


def _empty(parts: tuple[str, ...]) -> Entry:
    return Entry(parts, problem=EMPTY[0], is_folder=True)


def _whole(parts: tuple[str, ...], problem: str) -> Entry:
    """Return a file that is refused; a zip is refused as the folder that it would be."""
    is_zip = ending(parts[-1]) == ".zip"
    kept = (*parts[:-1], stem(parts[-1])) if is_zip else parts
    return Entry(kept, problem=problem, is_folder=is_zip)


def _opened(entry: Entry, budget: _Budget, depth: int) -> Iterator[Entry]:
    """Yield a file, or the files in it if it is a zip."""
    if ending(entry.parts[-1]) != ".zip":
        yield entry
    elif depth == _MOST_DEPTH:
        yield _whole(entry.parts, "a zip in a zip in a zip; hand in one zip")
    else:
        parts = (*entry.parts[:-1], stem(entry.parts[-1]))
        inner = _Budget(_MOST_OF_ZIP, budget)
        yield from _of_zip(parts, io.BytesIO(entry.data), inner, depth + 1)


def _of_zip(
    parts: tuple[str, ...], file: IO[bytes], budget: _Budget, depth: int
) -> Iterator[Entry]:
    """Yield the files of a zip, or its own problem."""
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            budget.entries -= len(infos)
            if budget.entries < 0:
                yield Entry(parts, problem=f"more than {_MOST_ENTRIES:,} files", is_folder=True)
                return
            filled = {p for info in infos for p in PurePosixPath(info.filename).parents}
            for info in infos:
                if not info.is_dir():
                    yield from _of_info(parts, archive, info, budget, depth)
                elif PurePosixPath(info.filename) not in filled:
                    yield _empty((*parts, *PurePosixPath(_decoded(info)).parts))
            if not infos:
                yield Entry(parts, problem=EMPTY[1], is_folder=True)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        yield Entry(parts, problem=f"a damaged zip: {error}", is_folder=True)


def _of_info(
    outer: tuple[str, ...],
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    budget: _Budget,
    depth: int,
) -> Iterator[Entry]:
    """Yield one file of a zip."""
    name = _decoded(info).replace("\\", "/")
    inner = PurePosixPath(name).parts
    if not inner or name.startswith("/") or ".." in inner or re.match(r"[A-Za-z]:", name):
        last = re.split(r"[/:]", name.rstrip("/."))[-1] or "nameless"
        yield Entry((*outer, last), problem=f"its path leads outside the zip: {name}")
        return
    parts = (*outer, *inner)
    if _is_skipped(inner):
        return
    if stat.S_ISLNK(info.external_attr >> 16):
        yield Entry(parts, problem="a symbolic link; hand in the file itself")
    elif not _is_read(inner[-1]):
        yield Entry(parts, modified=_modified(info))
    elif problem := budget.problem(info.file_size, ending(inner[-1])):
        yield _whole(parts, problem)
    else:
        try:
            with archive.open(info) as file:
                data = file.read(info.file_size + 1)  # no more than it says, whatever there is
        except RuntimeError:
            yield Entry(parts, problem="locked with a password; hand it in without")
        except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError) as error:
            yield Entry(parts, problem=f"damaged in the zip: {error}")
        else:
            yield from _opened(Entry(parts, data, _modified(info)), budget, depth)


def _decoded(info: zipfile.ZipInfo) -> str:
    """Return a name in a zip; many programs write UTF-8 without saying so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _modified(info: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
