"""Lines of text files, decoded strictly: a file that is not text in this encoding is refused.

An encoding is never guessed. The message says what a file is if its first bytes leave no doubt
(UTF-16 with its byte order mark, an archive, a spreadsheet with another suffix).
"""

from __future__ import annotations

import codecs
import reprlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from minilm.errors import InputError, OptionError

# A line longer than this is a mistake (a binary file, a dump without line ends), not a document.
MAX_LINE = 1 << 24


def check_file(path: Path, encoding: str) -> None:
    """Raise unless `path` is a file that is not empty, and `encoding` is a text encoding."""
    try:
        "a".encode(encoding)  # `codecs.lookup` would also accept hex and rot13
    except (LookupError, ValueError):
        raise OptionError(
            f"unknown encoding {reprlib.repr(encoding)}; utf-8 and latin-1 are usual"
        ) from None
    if not path.exists():
        raise InputError("no such file; check the path", path)
    if path.is_dir():
        raise InputError("this is a folder; name a file in it", path)
    if not path.is_file():
        raise InputError("not a text file", path)
    if path.stat().st_size == 0:
        raise InputError("the file is empty; it needs some text", path)


def read_lines(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of a file with their ends (CRLF becomes LF).

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        Its encoding; a byte order mark of UTF-8 is skipped.

    Raises
    ------
    InputError
        When the file is of another kind (gzip, a spreadsheet, UTF-16, ...), has a byte that is not
        valid in the encoding, or a line longer than `MAX_LINE`.
    """
    check_file(path, encoding)
    name = codecs.lookup(encoding).name
    if name == "utf-8":
        encoding = "utf-8-sig"
    if found := foreign_kind(path, name):
        raise InputError(found, path)
    with open(path, encoding=encoding) as file:
        number = 0
        try:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise InputError(
                        f"a line of more than {MAX_LINE:,} characters; put each document on its "
                        "own line",
                        path,
                        number,
                    )
                yield line
        except UnicodeError:
            raise InputError(
                f"not {name.removesuffix('-sig')}; if the file has another encoding, name it, "
                "as in --encoding cp1252 (Excel on Windows) or --encoding latin-1",
                path,
                _line_of_first_bad_byte(path, encoding),
            ) from None


def _line_of_first_bad_byte(path: Path, encoding: str) -> int:
    """Return the line on which decoding fails; the reader itself is some buffers further."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    strict = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    with open(path, "rb") as file:
        for piece in file:
            try:
                strict.decode(piece)
            except UnicodeError:
                break
            line += decoder.decode(piece).count("\n")
    return line


# What a file is by its first bytes, and what to do about it.
_MARKS = (
    (b"\x1f\x8b", "gzip", "unpack it first, as with gunzip"),
    (b"BZh", "bzip2", "unpack it first, as with bunzip2"),
    (b"\xfd7zXZ\x00", "xz", "unpack it first, as with unxz"),
    (b"(\xb5/\xfd", "zstd", "unpack it first, as with unzstd"),
    (b"7z\xbc\xaf'\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "save it as CSV (UTF-8) or as plain text"),
    (b"%PDF-", "a PDF", "save its text in a .txt file"),
    (b"PAR1", "a Parquet file", "convert it to .csv or .jsonl"),
    (b"SQLite format 3\x00", "an SQLite database", "save the table as .csv"),
)
# Files inside a zip archive that show what it is.
_IN_ZIP = (
    ("xl/workbook.xml", "an Excel workbook", "save it as CSV (UTF-8)"),
    ("xl/workbook.bin", "an Excel workbook", "save it as CSV (UTF-8)"),
    ("word/document.xml", "a Word document", "save it as plain text (UTF-8)"),
    ("content.xml", "an OpenDocument file", "save it as CSV or as plain text (UTF-8)"),
)
_BYTE_ORDER_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def foreign_kind(path: Path, encoding: str) -> str | None:
    """Return what a file is, if its first bytes show that it is not text in this encoding.

    Parameters
    ----------
    path : Path
    encoding : str
        The encoding to read it in, by its name in `codecs`.

    Returns
    -------
    str or None
        What it is and what to do about it; None if it may be text.
    """
    with open(path, "rb") as file:
        head = file.read(16)
    for mark, name in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            if encoding.startswith(name):
                return None
            return (
                f"this is {name.upper()} (it has a byte order mark); read it with --encoding {name}"
            )
    if encoding == "utf-8" and len(head) == 16:
        # ASCII in UTF-16 has a zero in every second byte.
        for name, zeros, others in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
            if not any(head[zeros::2]) and all(head[others::2]):
                return f"this looks like UTF-16; read it with --encoding {name}"
    for mark, name, advice in _MARKS:
        if head.startswith(mark):
            return f"this is {name}, not text; {advice}"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        name, advice = _kind_of_zip(path)
        return f"this is {name}, not text; {advice}"
    return None


def _kind_of_zip(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = set(archive.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        inside = set()
    found = ((name, advice) for entry, name, advice in _IN_ZIP if entry in inside)
    return next(found, ("a zip archive", "unpack it first"))
