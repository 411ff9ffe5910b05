"""Lines of text files, decoded strictly: a file that is not text in this encoding is refused.

An encoding is never guessed. The message says what a file is if its first bytes leave no doubt
(another encoding with its byte order mark, an archive, a spreadsheet with another suffix, any
binary file).
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

# Encodings of names and of program text.
_NOT_FOR_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape")

_BYTE_ORDER_MARK = "\ufeff"


def check_file(path: Path, encoding: str) -> None:
    """Raise unless `path` is a file that is not empty, and `encoding` is a text encoding."""
    try:
        "a".encode(encoding)  # `codecs.lookup` would also accept hex and rot13
        if codecs.lookup(encoding).name in _NOT_FOR_FILES:
            raise LookupError
    except (LookupError, TypeError, ValueError):
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
        Its encoding; a byte order mark is skipped, also where files were put together.

    Raises
    ------
    InputError
        When the file is of another kind (gzip, a spreadsheet, UTF-16, ...), has a byte that is not
        valid in the encoding, or a line longer than `MAX_LINE`.
    """
    check_file(path, encoding)
    name = codecs.lookup(encoding).name
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
                if line := line.removeprefix(_BYTE_ORDER_MARK):
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
    (b"{\\rtf", "an RTF file", "save it as plain text (UTF-8)"),
    (b"version https://", "a pointer of Git LFS", "fetch the file with: git lfs pull"),
)
# Control characters; of them text has tabs, line ends, and the escape of ISO-2022.
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b")
# Files inside a zip archive that show what it is.
_IN_ZIP = (
    ("xl/workbook.xml", "an Excel workbook", "save it as CSV (UTF-8)"),
    ("xl/workbook.bin", "an Excel workbook", "save it as CSV (UTF-8)"),
    ("word/document.xml", "a Word document", "save it as plain text (UTF-8)"),
    ("content.xml", "an OpenDocument file", "save it as CSV or as plain text (UTF-8)"),
)
_BYTE_ORDER_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8", ("utf-8-sig",)),
    (codecs.BOM_UTF32_LE, "utf-32", ("utf-32-le",)),
    (codecs.BOM_UTF32_BE, "utf-32", ("utf-32-be",)),
    (codecs.BOM_UTF16_LE, "utf-16", ("utf-16-le",)),
    (codecs.BOM_UTF16_BE, "utf-16", ("utf-16-be",)),
)
# Encodings of several bytes: how many, and which of them is not zero in ASCII.
_WIDE = (("utf-16-le", 2, 0), ("utf-16-be", 2, 1), ("utf-32-le", 4, 0), ("utf-32-be", 4, 3))


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
    if found := _other_encoding(head, encoding):
        return found
    for mark, name, advice in _MARKS:
        if head.startswith(mark):
            return f"this is {name}, not text; {advice}"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        name, advice = _kind_of_zip(path)
        return f"this is {name}, not text; {advice}"
    if not encoding.startswith(("utf-16", "utf-32")) and not _CONTROL.isdisjoint(head):
        return "this is a binary file, not text; name a file of text"
    if not encoding.startswith("utf") and encoding != "ascii" and _is_utf8(path):
        return f"this is UTF-8, not {encoding}; leave --encoding out"
    return None


def _is_utf8(path: Path) -> bool:
    """Return whether all of a file is UTF-8, not ASCII alone: no other text is, but by chance."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_ascii = True
    with open(path, "rb") as file:
        try:
            while piece := file.read(1 << 20):
                is_ascii = is_ascii and piece.isascii()
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return not is_ascii


def _other_encoding(head: bytes, encoding: str) -> str | None:
    """Return what the first bytes of a file say about its encoding when it is not the given one."""
    for mark, name, others in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            if encoding in (name, *others):
                return None
            advice = (
                "leave --encoding out" if name == "utf-8" else f"read it with --encoding {name}"
            )
            return f"this is {name.upper()} (it has a byte order mark); {advice}"
    wide = encoding.startswith(("utf-16", "utf-32"))
    if encoding in ("utf-16", "utf-32"):
        return (
            f"no byte order mark, which {encoding.upper()} needs; if the file has this encoding, "
            f"read it with --encoding {encoding}-le or {encoding}-be, else leave --encoding out"
        )
    if wide and 0 not in head and head.isascii():
        return f"this is not {encoding.upper()}, but looks like plain text; leave --encoding out"
    if len(head) == 16 and not wide:
        # ASCII in UTF-16 has a zero in every second byte, in UTF-32 three in a row.
        for name, step, letter in _WIDE:
            rest = [byte for place, byte in enumerate(head) if place % step != letter]
            if all(head[letter::step]) and not any(rest):
                return f"this looks like {name[:6].upper()}; read it with --encoding {name}"
    return None


def _kind_of_zip(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = set(archive.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        inside = set()
    found = ((name, advice) for entry, name, advice in _IN_ZIP if entry in inside)
    return next(found, ("a zip archive", "unpack it first"))
