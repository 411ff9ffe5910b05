"""Rows out of JSON: a list of objects (.json), or one object per line (.jsonl)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minilm import files
from minilm.data import lines
from minilm.errors import InputError, listed

# A row of a table: its number and its columns. The number is the line it starts on; in a .json
# file, whose parser does not report lines, its place in the list. Both count from 1. A value is a
# string; nested JSON values stay as they are, and null is absent.
Row = tuple[int, dict[str, Any]]

# An object that is one line, and another below it.
_JSON_LINES = re.compile(r"\s*\{[^\n]*\}[ \t]*\n\s*\{")
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_lines(path: Path, encoding: str) -> Iterator[Row]:
    """Yield the rows of a .jsonl file; raises InputError at the first that is none."""
    for number, line in enumerate(lines.read_lines(path, encoding), start=1):
        if line.strip():
            if number == 1 and line.lstrip().startswith("["):
                raise InputError("a JSON list, not one object per line; rename it to .json", path)
            yield number, _record(files.parse_json(line, path, number), path, number)


def read_list(path: Path, encoding: str) -> Iterator[Row]:
    """Yield the rows of a .json file; raises InputError where it is no list of them."""
    text = "".join(lines.read_lines(path, encoding))
    if _JSON_LINES.match(text):
        raise InputError("one object per line, not a JSON list; rename it to .jsonl", path)
    content = files.parse_json(text, path)
    if not isinstance(content, list):
        found = f", not an object with {listed([*content])}" if isinstance(content, dict) else ""
        raise InputError(
            f"the JSON should be a list of strings or of objects{found}; write each row as an "
            "object of the list",
            path,
            1,
        )
    for number, item in enumerate(content, start=1):
        yield number, _record(item, path, number)


def row_error(message: str, path: Path, number: int) -> InputError:
    """Return the error about a row: by its line or, in a .json file, by its item.

    >>> print(row_error("no text", Path("r.csv"), 5), row_error("no text", Path("r.json"), 5))
    r.csv:5: no text r.json: item 5: no text
    """
    if path.suffix.lower() == ".json":
        return InputError(f"item {number}: {message}", path)
    return InputError(message, path, number)


def check_letters(text: str, path: Path, number: int) -> None:
    """Raise InputError at half a character, which JSON can hold and UTF-8 cannot."""
    if not text.isascii() and (found := _SURROGATE.search(text)) is not None:
        raise row_error(
            f"a lone surrogate, U+{ord(found[0]):04X}, which is half a character; remove it, or "
            "the row (minilm validate --fix does)",
            path,
            number,
        )


def _record(item: Any, path: Path, number: int) -> dict[str, Any]:
    """Return a JSON string or object as columns; numbers become strings, and null is absent."""
    if isinstance(item, str):
        return {"text": item}
    if isinstance(item, dict):
        return {
            key: str(value) if isinstance(value, str | int | float) else value
            for key, value in item.items()
            if value is not None
        }
    raise row_error("neither a string nor an object", path, number)
