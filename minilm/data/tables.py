"""Rows out of files of text: lines, CSV, TSV, JSON and JSON Lines, checked as they are read.

Everything streams, line by line, so that a corpus larger than memory can be read; only a `.json`
file is taken whole, because JSON has no other way. Every complaint names the file and the line, or
the item of a `.json` list.
"""

from __future__ import annotations

import codecs
import csv
import reprlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from minilm import files
from minilm.errors import InputError, OptionError

# A line longer than this is a mistake (a binary file, a dump without line ends), not a document.
MAX_LINE = 1 << 24

TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")

# A record of the file: its number and its columns. The number is the line it starts on; in a .json
# file, whose parser does not tell lines, its place in the list. Both count from 1.
Row = tuple[int, dict[str, str]]


def check_file(path: Path, encoding: str) -> None:
    """Raise unless `path` is a file with something in it and `encoding` is one of text."""
    try:
        "a".encode(encoding)  # `codecs.lookup` would know hex and rot13 too, which no file is in
    except (LookupError, ValueError):
        raise OptionError(
            f"unknown encoding {reprlib.repr(encoding)}; utf-8 and latin-1 are usual"
        ) from None
    if not path.exists():
        raise InputError("no such file; check the path", path)
    if not path.is_file():
        raise InputError("not a file of text", path)
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
        At a byte that the encoding does not have, and at a line longer than `MAX_LINE`.
    """
    check_file(path, encoding)
    name = codecs.lookup(encoding).name
    if name == "utf-8":
        encoding = "utf-8-sig"
    with open(path, encoding=encoding) as file:
        number = 0
        try:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise InputError(
                        f"a line of more than {MAX_LINE:,} characters; put each document on a line "
                        "of its own",
                        path,
                        number,
                    )
                yield line
        except UnicodeError:
            raise InputError(
                f"not {name.removesuffix('-sig')}; if the file has another encoding, name it, "
                "as in --encoding latin-1",
                path,
                _line_of_first_bad_byte(path, encoding),
            ) from None


def _line_of_first_bad_byte(path: Path, encoding: str) -> int:
    """Return the line on which decoding fails; the reader itself is some buffers ahead of it."""
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


def read_rows(path: Path, encoding: str = "utf-8") -> Iterator[Row]:
    """Yield the records of a .csv, .tsv, .json or .jsonl file as strings by column.

    A plain string in a JSON list or line is a record with the one column `text`.

    Raises
    ------
    InputError
        When the file is not what its name says, naming the line.
    """
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return _csv_rows(path, encoding, "," if suffix == ".csv" else "\t")
    if suffix == ".jsonl":
        return _jsonl_rows(path, encoding)
    if suffix == ".json":
        return _json_rows(path, encoding)
    raise InputError(f"not a table; its name should end in {', '.join(TABLE_SUFFIXES)}", path)


def row_error(message: str, path: Path, number: int) -> InputError:
    """Return the error that complains of a row: by its line or, in a .json file, by its item.

    >>> print(row_error("no text", Path("r.csv"), 5), row_error("no text", Path("r.json"), 5))
    r.csv:5: no text r.json: item 5: no text
    """
    if path.suffix.lower() == ".json":
        return InputError(f"item {number}: {message}", path)
    return InputError(message, path, number)


def _csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE)
    lines = read_lines(path, encoding)
    first = next(lines, "")
    _check_separator(first, delimiter, path)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    start = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) != len(header) or not all(header):
            raise InputError("the header needs a different name for each column", path, 1)
        start = reader.line_num + 1
        for fields in reader:
            if fields and len(fields) != len(header):
                raise InputError(
                    f"{len(fields)} fields where the header has {len(header)}; put fields that "
                    "hold the separator in double quotes",
                    path,
                    start,
                )
            if fields:
                yield start, dict(zip(header, fields, strict=True))
            start = reader.line_num + 1
    except csv.Error as error:
        # A quote that nobody closes is noticed at the end of the file; the fault is where it began.
        raise InputError(
            f"not valid CSV in the record that starts here ({error}); close each double quote, and "
            "write one inside a quoted field twice",
            path,
            start,
        ) from None


_SEPARATORS = {";": "';'", "\t": "tabs", ",": "','"}


def _check_separator(header: str, delimiter: str, path: Path) -> None:
    """Raise when the header would be one field because the file's separator is another one."""
    if delimiter in header:
        return
    for separator, name in _SEPARATORS.items():
        if separator in header:
            raise InputError(
                f"the separator seems to be {name}; save the table with commas (or as .tsv, with "
                "tabs)",
                path,
                1,
            )


def _jsonl_rows(path: Path, encoding: str) -> Iterator[Row]:
    for number, line in enumerate(read_lines(path, encoding), start=1):
        if line.strip():
            yield number, _record(files.parse_json(line, path, number), path, number)


def _json_rows(path: Path, encoding: str) -> Iterator[Row]:
    text = "".join(read_lines(path, encoding))
    content = files.parse_json(text, path)
    if not isinstance(content, list):
        raise InputError("the JSON should be a list of strings or of records", path, 1)
    for number, item in enumerate(content, start=1):
        yield number, _record(item, path, number)


def _record(item: Any, path: Path, number: int) -> dict[str, str]:
    """Return a JSON string or object as columns of strings; null and nested values are absent."""
    if isinstance(item, str):
        return {"text": item}
    if isinstance(item, dict):
        return {k: str(value) for k, value in item.items() if isinstance(value, str | int | float)}
    raise row_error("neither a string nor a record", path, number)


# What people call these columns, and columns that hold neither.
_USUAL = {
    "text": ("text", "sentence", "review", "document", "message", "content", "body", "comment"),
    "label": ("label", "class", "category", "sentiment", "target", "topic"),
}
_RESERVED = ("split", "hard", "id")
_LISTED = 5  # columns that a message names


def choose_columns(columns: list[str], asked: dict[str, str | None], path: Path) -> dict[str, str]:
    """Return which column holds the text, and which the label where that is asked too.

    A column is taken when it was named by the user, else when it is the only one with a usual name
    (text, review, ...; label, class, ...), else when it is the only one left.

    Parameters
    ----------
    columns : list of str
        The names in the file.
    asked : dict
        `{"text": name or None}`, with a key "label" when a label is needed; None means guess.
    path : Path
        The file, for the message.

    Raises
    ------
    InputError
        When there is no such column, or not exactly one sensible choice.

    Examples
    --------
    >>> choose_columns(["id", "review", "stars"], {"text": None, "label": None}, Path("r.csv"))
    {'text': 'review', 'label': 'stars'}
    """
    chosen: dict[str, str] = {}

    def complain(kind: str, what: str) -> InputError:
        listed = ", ".join(map(reprlib.repr, columns[:_LISTED]))
        if len(columns) > _LISTED:
            listed += f" and {len(columns) - _LISTED} more"
        has_header = path.suffix.lower() in (".csv", ".tsv")
        return InputError(
            f"{what}; name it with --{kind}-column (there are: {listed})",
            path,
            1 if has_header else None,
        )

    for kind, name in asked.items():
        if name is not None:
            if name not in columns:
                raise complain(kind, f"no column {reprlib.repr(name)}")
            chosen[kind] = name
    for take_unusual in (False, True):
        for kind in asked:
            if kind in chosen:
                continue
            free = [c for c in columns if c not in _RESERVED and c not in chosen.values()]
            usual = [c for c in free if c.lower() in _USUAL[kind]]
            others = [c for k, names in _USUAL.items() if k != kind for c in names]
            unusual = [c for c in free if c.lower() not in others]
            choices = unusual if take_unusual and not usual else usual
            if len(choices) == 1:
                chosen[kind] = choices[0]
            elif take_unusual or len(choices) > 1:
                count = "more than one column" if choices else "no column"
                raise complain(kind, f"{count} may hold the {kind}")
    return chosen


def find_label(columns: list[str], asked: str | None, path: Path) -> str | None:
    """Return the column that holds the label: the one asked for, else one with a usual name.

    Unlike `choose_columns`, which is for tables that need a label, this finds none in doubt.

    >>> find_label(["text", "stars"], None, Path("r.csv")) is None
    True
    >>> find_label(["text", "Sentiment"], None, Path("r.csv"))
    'Sentiment'
    """
    if asked is not None:
        return choose_columns(columns, {"label": asked}, path)["label"]
    usual = [name for name in columns if name.lower() in _USUAL["label"]]
    return usual[0] if len(usual) == 1 else None
