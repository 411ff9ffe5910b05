"""Copy a file with some of its documents left out or changed, and everything else as it is."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from minilm import files
from minilm.data import columns, documents, lines
from minilm.data.quality import damage
from minilm.data.sources import TEXT_SUFFIXES
from minilm.data.tables import Table
from minilm.errors import OptionError
from minilm.text.wordlevel import END_OF_TEXT

# Decides about a record: takes its number in the file, from 0, and its text; returns the text to
# write, or None to leave the record out.
Decide = Callable[[int, str], str | None]


def rewrite(
    path: Path,
    out: str | os.PathLike[str],
    decide: Decide,
    *,
    unit: str | None = None,
    encoding: str = "utf-8",
    text_column: str | None = None,
    no_header: bool = False,
) -> None:
    """Copy a file, without some of its records or with changed texts, atomically.

    Everything but the text of the records is kept: other columns, nested values, blank lines. The
    copy is in UTF-8.

    Parameters
    ----------
    path : Path
        One file, as for `documents.read_records`.
    out : path-like
        The copy, with the suffix of `path`.
    decide : callable
        Called for each record, in the order of `read_records`.
    unit, encoding, text_column, no_header
        As for `read_records`.

    Raises
    ------
    OptionError
        When `out` is `path` or has another suffix, or several columns hold the text.
    OSError
        When `out` cannot be written; it is then unchanged.
    """
    out = Path(out)
    suffix = path.suffix.lower()
    if out.suffix.lower() != suffix:
        raise OptionError(f"{out}: the copy of a {suffix} file should be named {out.stem}{suffix}")
    if out.exists() and out.samefile(path):
        raise OptionError(f"{out}: this is the file itself; give the copy another name")
    with files.atomic_write(out) as file:
        if suffix in TEXT_SUFFIXES:
            _rewrite_text(path, file, decide, unit, encoding)
            return
        table = Table(path, encoding, no_header=no_header)
        chosen = columns.choose(table, text_column)
        if len(chosen.text) > 1:
            raise OptionError("--fix cleans one column; name a single --text-column")
        if suffix in (".csv", ".tsv"):
            _rewrite_csv(table, chosen, file, decide)
        else:
            _rewrite_json(table, chosen, file, decide)


def _rewrite_text(
    path: Path, file: IO[str], decide: Decide, unit: str | None, encoding: str
) -> None:
    has_marks = documents.has_marks(path, encoding)
    for number, (_, block) in enumerate(documents.blocks(path, unit, encoding)):
        text = decide(number, block)
        if text is not None:
            file.write(f"{text}{END_OF_TEXT}\n" if has_marks else text)


def _rewrite_csv(table: Table, chosen: columns.Columns, file: IO[str], decide: Decide) -> None:
    writer = csv.writer(file, delimiter=table.delimiter, lineterminator="\n")

    def write(fields: list[str]) -> None:
        if table.quoted:
            writer.writerow(fields)
        else:
            file.write(table.delimiter.join(fields) + "\n")

    if table.has_header:
        write(table.header)
    (column,) = chosen.text
    for number, (_, row) in enumerate(table):
        text = decide(number, row[column])
        if text is not None:
            write(list({**row, column: text}.values()))


def _rewrite_json(table: Table, chosen: columns.Columns, file: IO[str], decide: Decide) -> None:
    """Copy JSON or JSON Lines, with whatever the records hold besides strings."""
    path = table.path
    whole = path.suffix.lower() == ".json"
    found = lines.read_lines(path, table.encoding)
    content = (
        files.parse_json("".join(found), path)
        if whole
        else (files.parse_json(line, path) for line in found if line.strip())
    )
    (column,) = chosen.text
    kept: list[Any] = []
    # The table has the text of each record as a string; the content has everything else.
    for number, (item, (place, row)) in enumerate(zip(content, table, strict=True)):
        before = chosen.text_of(row, table, place)
        text = decide(number, before)
        if text is None:
            continue
        if text != before:
            item = text if isinstance(item, str) else {**item, column: text}
        if whole:
            kept.append(item)
        else:
            file.write(_dumped(item) + "\n")
    if whole:
        file.write(_dumped(kept, indent=2) + "\n")


def _dumped(content: Any, indent: int | None = None) -> str:
    """Return JSON; characters are escaped if one cannot be encoded (half of a surrogate pair)."""
    text = json.dumps(content, ensure_ascii=False, indent=indent)
    return json.dumps(content, indent=indent) if damage.has_lost_letters(text) else text
