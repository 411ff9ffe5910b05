"""Rows of tables: CSV, TSV, JSON and JSON Lines, checked as they are read.

Rows are streamed, so a table may be larger than memory; only a `.json` file has to be read at once.
The first thousand rows show which columns there are, whether the first row of a CSV file is a
header, and what a row looks like. Every error names the file and the line, or the item of a `.json`
list.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from minilm.data import json_rows, lines, quoting
from minilm.data.json_rows import Row
from minilm.data.sources import TABLE_SUFFIXES
from minilm.errors import InputError

_SAMPLED = 1_000  # rows that are examined before the first is yielded

# Usual names of these columns, and of columns that hold neither text nor label.
USUAL = {
    "text": ("text", "sentence", "review", "document", "message", "content", "body", "comment"),
    "label": ("label", "class", "category", "sentiment", "target", "topic"),
}

# Parts of a split, as the column `split` or a file's own name calls them.
PARTS = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "test": "test",
}
SPLIT = "split"
RESERVED = (SPLIT, "hard", "id")
_HEADINGS = {*USUAL["text"], *USUAL["label"], *RESERVED, "title", "name", "url", "date", "index"}

# What may separate the fields of a .csv file, and the line in which Excel names it.
_SEPARATORS = (",", ";", "\t", "|")
_EXCEL_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)

# A pandas index (written once or more) and the empty columns of a spreadsheet have such names.
_UNNAMED = re.compile(r"(unnamed: ?\d+(\.\d+|_level_\d+)*)?")

# Blanks, and marks that nobody sees, which other programs leave around a name.
_AROUND = " \t\r\n\xa0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"

_PAGES = ("<!doctype", "<html", "<?xml", "<table")


def normalized(name: str) -> str:
    """Return a column's name for comparing: in lower case, without surrounding blanks.

    >>> normalized(" Split ")
    'split'
    """
    return name.strip(_AROUND).lower()


class Table:
    """An open table: its columns, and its rows one by one.

    Parameters
    ----------
    path : Path
        A .csv, .tsv, .json or .jsonl file.
    encoding : str
    no_header : bool
        Whether the first row of a .csv or .tsv file is data. Otherwise that is recognized if the
        row has a number, or a value that repeats in its column.

    Attributes
    ----------
    columns : tuple of str
        All names in the first rows, in order; "1", "2", ... for a table without a header.
    has_header : bool
        False for a .csv or .tsv file without a header.
    header : list of str
        The first row of a .csv or .tsv file that has one, unchanged.
    delimiter : str
        What separates the fields of a .csv or .tsv file.
    quoted : bool
        False for a .tsv file without quoting.
    unnamed : int
        Columns without a name, which are set aside.
    nested : dict of str to str
        Columns that hold lists or objects, and which of the two.
    sample : tuple of Row
        The first rows.

    Raises
    ------
    InputError
        When the file is not what its name says, naming the line.
    """

    def __init__(self, path: Path, encoding: str = "utf-8", *, no_header: bool = False) -> None:
        self.path = path
        self.encoding = encoding
        self.has_header = True
        self.header: list[str] = []
        self.quoted = True
        self.unnamed = 0
        self.columns: tuple[str, ...] = ()
        suffix = path.suffix.lower()
        self.delimiter = "\t" if suffix == ".tsv" else ","
        if suffix in (".csv", ".tsv"):
            rows = self._csv_rows(no_header)
        elif suffix == ".jsonl":
            rows = json_rows.read_lines(path, encoding)
        elif suffix == ".json":
            rows = json_rows.read_list(path, encoding)
        else:
            known = ", ".join(TABLE_SUFFIXES)
            raise InputError(f"not a table; its name should end in {known}", path)
        # A .json file is in memory anyway, so all of it is examined.
        self.sample = tuple(rows if suffix == ".json" else islice(rows, _SAMPLED))
        self._rest = rows
        self.nested: dict[str, str] = {}
        names = dict.fromkeys(getattr(self, "_names", ()))
        for _, row in self.sample:
            for name, value in row.items():
                names.setdefault(name)
                if not isinstance(value, str):
                    self.nested.setdefault(name, "lists" if isinstance(value, list) else "objects")
        self.unnamed = sum(not name.strip() for name in names)
        self.columns = tuple(name for name in names if name.strip())

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; only once."""
        return chain(self.sample, self._rest)

    def __repr__(self) -> str:
        """Return the name and the columns."""
        return f"Table({self.path.name!r}, columns={list(self.columns)})"

    def _csv_rows(self, no_header: bool) -> Iterator[Row]:
        path = self.path
        content = lines.read_lines(path, self.encoding)
        begin = list(islice(content, _SAMPLED))
        start = 1
        if not begin:
            raise InputError("the file is empty; it needs some text", path)
        if begin[0].lstrip().lower().startswith(_PAGES):
            raise InputError("a page of HTML or XML, not a table; get the table itself", path)
        if path.suffix.lower() == ".tsv":
            _check_tabs(begin[0], path)
            # A quoted field may hold tabs and several lines: then only quoting gives equal rows.
            plain = _regular(begin, "\t", quoted=False)
            self.quoted = quoting.is_quoted(lines.read_lines(path, self.encoding), "\t") or (
                not plain and _regular(begin, "\t") is not None
            )
        elif named := _EXCEL_SEPARATOR.fullmatch(begin[0].strip("\r\n")):
            self.delimiter = named[1]
            begin, start = begin[1:], 2
        else:
            self.delimiter = _separator(begin)
        delimiter = self.delimiter
        records = _records(chain(begin, content), delimiter, self.quoted, path, start)
        head = list(islice(records, _SAMPLED + 1))
        first = head[0][1] if head else []
        head = [(number, _fitted(fields, first)) for number, fields in head]
        sample = [fields for _, fields in head if len(fields) == len(first)]
        if no_header or _is_data(sample):
            self.has_header = False
            names = [str(number) for number in range(1, len(first) + 1)]
        else:
            names, head, sample = self._header(first), head[1:], sample[1:]
        self._names = names
        rest = ((number, _fitted(fields, first)) for number, fields in records)
        return self._checked(chain(head, rest), names, quoting.Signs(sample))

    def _header(self, fields: Sequence[str]) -> list[str]:
        """Return the names of the columns; one without a name gets as many blanks as its number."""
        self.header = list(fields)
        names = [
            " " * number if _UNNAMED.fullmatch(normalized(field)) else field.strip()
            for number, field in enumerate(fields)
        ]
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise InputError(
                f"the header has the name {repeated[0]!r} twice; give each column its own name",
                self.path,
                1,
            )
        if fields and not any(map(str.strip, names)):
            raise InputError(
                "no column has a name; write the names in the first line", self.path, 1
            )
        return names

    def _checked(
        self,
        records: Iterator[tuple[int, list[str]]],
        names: Sequence[str],
        signs: quoting.Signs,
    ) -> Iterator[Row]:
        header = set(map(normalized, self.header))
        widest = max(map(len, self.header), default=0)
        for start, fields in records:
            if len(fields) != len(names):
                raise InputError(self._misfit(len(fields), len(names)), self.path, start)
            # Short fields alone are compared: the others cost nothing then.
            short = len(header) > 1 and len(fields[0]) <= widest
            if short and set(map(normalized, fields)) == header:
                what = "the header again, as where files were put together; remove this line"
                raise InputError(what, self.path, start)
            if signs.swallowed(fields, self.delimiter):
                count = max(field.count("\n") for field in fields) + 1
                raise InputError(
                    f"a quoted field that starts here runs over {count} lines, which look like "
                    "rows of their own; close the double quote, or write one inside a quoted "
                    "field twice",
                    self.path,
                    start,
                )
            yield start, dict(zip(names, fields, strict=True))

    def _misfit(self, count: int, names: int) -> str:
        """Return what is wrong with a row of another number of fields than the first."""
        first = "header" if self.has_header else "first row"
        said = f"{count} field{'s' * (count != 1)} where the {first} has {names}"
        if names == 1:
            return f"{said}; if the first line is a title or a comment, remove it"
        if count < names:
            return f"{said}; fill them in, or remove the line if it is no row"
        separator = "separator" + f" ({self.delimiter})" * (self.delimiter not in ",\t")
        return (
            f"{said}; put fields that hold the {separator} in double quotes; if every row has "
            f"{count}, name all of them in the first line"
        )


def _fitted(fields: list[str], first: list[str]) -> list[str]:
    """Return the fields of a row without separators at its end that the first row lacks.

    Where only the first row has them, the fields that nobody named are empty.

    >>> _fitted(["fine", "1", ""], ["text", "label"]), _fitted(["fine", "1"], ["text", "label", ""])
    (['fine', '1'], ['fine', '1', ''])
    """
    width = len(first)
    if len(fields) == width or any(map(str.strip, fields[width:] + first[len(fields) :])):
        return fields
    return fields[:width] + [""] * (width - len(fields))


def _records(
    content: Iterator[str], delimiter: str, quoted: bool, path: Path, start: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line where each record starts and its fields; blank rows are left out."""
    csv.field_size_limit(lines.MAX_LINE)
    before = start - 1  # lines of the file that come before the content
    if not quoted:
        for number, line in enumerate(content, start):
            if line.strip():
                yield number, line.rstrip("\n").split(delimiter)
        return
    reader = csv.reader(content, delimiter=delimiter, strict=True)
    try:
        for fields in reader:
            # A spreadsheet writes its empty rows as separators alone.
            if any(map(str.strip, fields)):
                yield start, fields
            start = before + reader.line_num + 1
    except csv.Error as error:
        # A quote that is never closed is noticed at the end of the file; the message names its row.
        raise InputError(
            f"not valid CSV in the record that starts here ({error}); close each double quote, and "
            "write one inside a quoted field twice",
            path,
            start,
        ) from None


def _separator(begin: Sequence[str]) -> str:
    r"""Return what separates the fields of a .csv file, judging by its first lines.

    Where the decimal sign is a comma, spreadsheets write semicolons. A separator gives every row
    the same number of fields. If two do, it is the one whose header has a usual name, or the comma.

    >>> _separator(["text;price\n", "fine, really;1,50\n"])
    ';'
    >>> _separator(["text,label\n", "so; so,1\n", "fine,0\n"])
    ','
    """
    present = [sign for sign in _SEPARATORS if sign in begin[0]]
    if present in ([], [","]):
        return ","
    heads = {sign: head for sign in present if (head := _regular(begin, sign))}
    named = [sign for sign in heads if any(normalized(name) in _HEADINGS for name in heads[sign])]
    if found := [*named, *heads]:
        return found[0]
    # None fits: the wrong row is reported when it is read. A "|" may be part of a text.
    return next((sign for sign in present if sign != "|"), ",")


def _regular(begin: Sequence[str], separator: str, *, quoted: bool = True) -> list[str] | None:
    """Return the first row if all have the same number of fields, at least two; otherwise None."""
    if quoted:
        csv.field_size_limit(lines.MAX_LINE)
        rows = list(csv.reader(begin, delimiter=separator))
    else:
        rows = [line.rstrip("\n").split(separator) for line in begin]
    if len(begin) == _SAMPLED:
        rows.pop()  # the last one may continue after the sample
    rows = [row for row in rows if any(map(str.strip, row))]
    widths = {len(row) for row in rows}
    return rows[0] if len(widths) == 1 and widths != {1} else None


def _check_tabs(header: str, path: Path) -> None:
    """Raise when the header of a .tsv file would be one field because it has no tab."""
    if "\t" in header:
        return
    for separator in ";,":
        if separator in header:
            raise InputError(
                f"the separator seems to be '{separator}'; rename the file to .csv", path, 1
            )


def _is_data(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row is data: no usual heading, but a number or a repeated value.

    >>> _is_data([["a fine film", "1"], ["a dull film", "0"]])
    True
    >>> _is_data([["text", "1"], ["a dull film", "0"]])
    False
    >>> _is_data([["a fine film", "good"], ["a dull film", "bad"], ["warm", "good"]])
    True
    """
    if len(rows) < 2:
        return False
    first, *others = rows
    if any(normalized(field) in _HEADINGS for field in first):
        return False
    if not any(field.strip() and not quoting.is_number(field) for field in first):
        return False  # only numbers: the names that pandas gives to columns
    if any(map(quoting.is_number, first)):
        return True
    if len(first) < 2:
        return False
    columns = zip(*others, strict=True)
    return any(
        field.strip() and field in column for field, column in zip(first, columns, strict=True)
    )
