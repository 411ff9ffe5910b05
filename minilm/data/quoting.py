"""Quotes in CSV and TSV: whether a .tsv file uses them, and where an open one swallows rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_FEW = 50  # the most different values a column may have, so that a value shows a row
_SHORT = 40  # the most characters of such a value
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")


def is_number(text: str) -> bool:
    """Return whether a field is a plain number.

    >>> is_number(" -1.0 "), is_number("1,5"), is_number("1st"), is_number("")
    (True, True, False, False)
    """
    return _NUMBER.fullmatch(text.strip()) is not None


def is_quoted(lines: Iterable[str], delimiter: str) -> bool:
    r"""Return whether lines were written with quoting: each field that opens a quote closes it.

    In a file without quoting, a quote is an ordinary character, and a field may begin with one
    without ending with one.

    >>> is_quoted(['text\tlabel\n', '"a ""b"" c"\t1\n'], "\t")
    True
    >>> is_quoted(['text\tlabel\n', '"Great film\t1\n', 'a mess called "\t0\n'], "\t")
    False
    """
    found = False
    inside = False  # a quoted field that continues on the next line
    for line in lines:
        rest = line.rstrip("\n")
        if '"' not in rest and not inside:
            continue
        while True:
            if not inside and not rest.startswith('"'):
                _, separator, rest = rest.partition(delimiter)
                if not separator:
                    break
                continue
            body = rest if inside else rest[1:]
            found, end = True, _closing(body)
            if end < 0:
                if delimiter in body:
                    return False  # a row, rather than the first line of a field
                inside = True
                break
            if inside and delimiter in body[:end]:
                return False
            inside, rest = False, body[end + 1 :]
            if not rest:
                break
            if not rest.startswith(delimiter):
                return False
            rest = rest[len(delimiter) :]
    return found and not inside


def _closing(text: str) -> int:
    """Return the place of the quote that closes a field, or -1; two in a row are a literal one."""
    place = text.find('"')
    while place >= 0 and text[place + 1 : place + 2] == '"':
        place = text.find('"', place + 2)
    return place


class Signs:
    """What the values of each column look like, to recognize a row that a quote has swallowed.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows of the table, all with the same number of fields.
    """

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        self.columns: list[tuple[frozenset[str], bool]] = []
        for column in zip(*rows, strict=True):
            values = [value.strip() for value in column if "\n" not in value]
            few = {value for value in values if 0 < len(value) <= _SHORT}
            numbers = bool(values) and all(map(is_number, values))
            self.columns.append((frozenset(few if len(few) <= _FEW else ()), numbers))

    def fits(self, column: int, value: str) -> bool:
        """Return whether a value looks like those of a column."""
        known, numbers = self.columns[column]
        return value.strip() in known or (numbers and is_number(value))

    def swallowed(self, fields: Sequence[str], delimiter: str) -> bool:
        r"""Return whether a field of a row spans lines that look like rows of their own.

        A review of several lines is fine. Lines that begin or end with a label and have exactly the
        separators of a row are not.

        >>> signs = Signs([["1", "fine"], ["0", "ok"]])
        >>> signs.swallowed(["1", "Great film\n0,so so\n0,they call it the end"], ",")
        True
        >>> signs.swallowed(["1", "First, it is long.\nThen, it ends."], ",")
        False
        """
        count = len(fields)
        for place, field in enumerate(fields):
            lines = [line for line in field.split("\n") if line.strip()]
            if len(lines) < 2 or delimiter not in field:
                continue
            pieces = [line.split(delimiter) for line in lines]
            # The first line is the end of a row from this column on, the last its beginning.
            judged = [self._looks(line, 0, count) for line in pieces[1:-1]]
            if place < count - 1:
                judged.append(self._looks(pieces[0], place, count, skip=place))
            if place > 0:
                judged.append(self._looks(pieces[-1], 0, place + 1, skip=place))
            if judged and sum(judged) >= 0.9 * len(judged):
                return True
        return False

    def _looks(self, pieces: Sequence[str], start: int, stop: int, skip: int = -1) -> bool:
        """Return whether pieces look like the columns `start` to `stop` of a row."""
        if len(pieces) != stop - start:
            return False
        return any(
            self.fits(column, piece) for column, piece in enumerate(pieces, start) if column != skip
        )
