"""The one reader of documents: from files and folders of text, tables and JSON.

`read_records` yields every document with its place in the files, and the blank rows of a table too,
so that each can be checked. `read_documents` yields the texts to learn from. In a .txt or .md file,
blank lines belong to the document before them: joined together, the documents are the file, and
bits per byte can be measured over all of it. Labelled tables are read in `labelled.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from minilm.data import columns, json_rows, lines
from minilm.data.sources import TEXT_SUFFIXES, as_paths, find_files
from minilm.data.tables import PARTS, Table
from minilm.errors import InputError, OptionError
from minilm.text.wordlevel import END_OF_TEXT

UNITS = ("lines", "paragraphs")

_REPORTED = 5  # tables that `describe` reads through; the others are only counted


class Record(NamedTuple):
    """A document and where it is.

    Attributes
    ----------
    path : Path
    number : int
        The line where it begins; in a .json file, its place in the list. Both count from 1.
    text : str
    label : str or None
        None if the file has no such column; blank if a row has no value.
    part : {"train", "dev", "test"} or None
        From the column `split` or, if there is none, from the file's name (train.csv).
    """

    path: Path
    number: int
    text: str
    label: str | None = None
    part: str | None = None

    @property
    def place(self) -> str:
        """File and line, as `grep` prints them."""
        return place(self.path, self.number)


def place(path: Path, number: int, inside: Path | None = None) -> str:
    """Return the name of a file and the line, or the item of a .json file.

    Parameters
    ----------
    path : Path
    number : int
    inside : Path, optional
        The file that the message is about already: its name is left out.

    Examples
    --------
    >>> place(Path("data/r.csv"), 7), place(Path("r.json"), 7)
    ('r.csv:7', 'r.json: item 7')
    >>> place(Path("r.csv"), 7, Path("r.csv")), place(Path("r.csv"), 7, Path("s.csv"))
    ('line 7', 'r.csv:7')
    """
    item = path.suffix.lower() == ".json"
    if path == inside:
        return f"item {number}" if item else f"line {number}"
    return f"{path.name}: item {number}" if item else f"{path.name}:{number}"


def read_documents(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    unit: str | None = None,
    encoding: str = "utf-8",
    text_column: str | None = None,
    no_header: bool = False,
) -> Iterator[str]:
    """Yield the documents of files and folders in order, without blank ones.

    Parameters
    ----------
    paths : path-like, or iterable of path-like
        Files (.txt, .md, .csv, .tsv, .json, .jsonl) or folders of them; see `sources.find_files`.
    unit : {"lines", "paragraphs"}, optional
        What a document of a .txt or .md file is: a line, or the lines up to a blank one. By
        default, a file with a blank line between other lines has paragraphs. A file that contains
        `<|endoftext|>` is cut there and nowhere else. In the other formats each row is a document.
    encoding : str
        Of all files.
    text_column : str, optional
        The column that holds the text, by name or by number; several, separated by commas, are
        joined.
    no_header : bool
        Whether the first row of .csv and .tsv files is data.

    Raises
    ------
    InputError
        When a file cannot be used, naming file and line; when there is no text at all.
    """
    found = find_files(paths)
    empty = True
    for record in read_records(
        found, unit=unit, encoding=encoding, text_column=text_column, no_header=no_header
    ):
        if record.text and not record.text.isspace():
            empty = False
            json_rows.check_letters(record.text, record.path, record.number)
            yield record.text
    if empty:
        raise InputError("no text in it, only blank lines", found[0] if found else None)


def read_records(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    unit: str | None = None,
    encoding: str = "utf-8",
    text_column: str | None = None,
    label_column: str | None = None,
    no_header: bool = False,
) -> Iterator[Record]:
    """Yield the records of files and folders in order, including rows without a text.

    Parameters
    ----------
    paths, unit, encoding, text_column, no_header
        As for `read_documents`.
    label_column : str, optional
        The column that holds the label; by default, one with a usual name if there is one.

    Raises
    ------
    InputError
        When a file cannot be read as what its name says, naming file and line.
    """
    for path in find_files(paths):
        if path.suffix.lower() in TEXT_SUFFIXES:
            for number, text in blocks(path, unit, encoding):
                yield Record(path, number, text, part=PARTS.get(path.stem.lower()))
            continue
        table = Table(path, encoding, no_header=no_header)
        if not table.sample:
            continue
        chosen = columns.choose(table, text_column, label_column)
        for number, row in table:
            part = chosen.part_of(row, table, number) if chosen.split else path.stem.lower()
            label = chosen.label_of(row, table, number) if chosen.label else None
            yield Record(path, number, chosen.text_of(row, table, number), label, PARTS.get(part))


def read_texts(
    path: str | os.PathLike[str],
    *,
    encoding: str = "utf-8",
    text_column: str | None = None,
    no_header: bool = False,
) -> list[str]:
    """Return the texts of one file, for a command that answers each of them: none may be missing.

    In .txt and .md files each line is a text, returned without its line end; blank lines are
    skipped.

    Raises
    ------
    InputError
        When the file cannot be used, or a row of a table has no text; with the line.
    """
    path = Path(path)
    lines.check_file(path, encoding)
    if path.suffix.lower() in TEXT_SUFFIXES:
        found = read_documents([path], unit="lines", encoding=encoding)
        return [next(filter(str.strip, text.split("\n"))) for text in found]
    table = Table(path, encoding, no_header=no_header)
    if not table.sample:
        raise InputError("no rows; it needs a text in each", path)
    chosen = columns.choose(table, text_column)
    texts: list[str] = []
    for number, row in table:
        text = chosen.text_of(row, table, number)
        if not text.strip():
            name = ", ".join(map(repr, chosen.text))
            what = f"no text in the column {name}; fill it in, or leave the row out"
            raise json_rows.row_error(what, path, number)
        json_rows.check_letters(text, path, number)
        texts.append(text)
    return texts


def describe(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    encoding: str = "utf-8",
    text_column: str | None = None,
    label_column: str | None = None,
    no_header: bool = False,
    output: str | os.PathLike[str] | None = None,
) -> list[str]:
    """Return what would be read from files and folders, as lines for a person.

    For each table these are the columns and the number of rows; for folders, what is left out; for
    .txt files, those that are cut at `<|endoftext|>`. All files are read, and so checked.

    Parameters
    ----------
    paths, encoding, text_column, label_column, no_header
        As for `read_records`.
    output : path-like, optional
        As for `find_files`.

    Raises
    ------
    InputError
        When a file cannot be used, naming file and line.
    """
    found_lines: list[str] = []
    named = as_paths(paths)
    found = find_files(named, output=output, say=found_lines.append)
    found_lines += _held_out(named, found)
    in_tables = [path for path in found if path.suffix.lower() not in TEXT_SUFFIXES]
    texts = [path for path in found if path.suffix.lower() in TEXT_SUFFIXES]
    for path in in_tables[:_REPORTED]:
        table = Table(path, encoding, no_header=no_header)
        if table.sample:
            try:
                chosen = columns.choose(table, text_column, label_column)
            except InputError as error:
                if path in named:
                    raise
                hint = "or leave the file out: name the others, not the folder"
                raise InputError(f"{error}; {hint}") from None
            found_lines.append(_line(table, chosen))
    if len(in_tables) > _REPORTED:
        found_lines.append(f"and {len(in_tables) - _REPORTED} more tables")
    for path in texts:
        if cuts := sum(line.count(END_OF_TEXT) for line in lines.read_lines(path, encoding)):
            found_lines.append(
                f"{path.name}: cut only where {END_OF_TEXT} is ({counted(cuts, 'time')})"
            )
    return found_lines


def _held_out(named: Iterable[Path], found: Iterable[Path]) -> Iterator[str]:
    """Yield a line for each folder in which files or folders are named as the dev or test part."""
    for folder in named:
        inside = [path.relative_to(folder) for path in found if path.is_relative_to(folder)]
        names = [name for path in inside for name in (*path.parent.parts, path.stem)]
        parts = {name for name in names if PARTS.get(name.lower(), "train") != "train"}
        if parts and len(inside) > 1:
            listed = " and ".join(sorted(parts))
            yield f"{folder}: {listed} is read too; to test on it, name the other files alone"


def _line(table: Table, chosen: columns.Columns) -> str:
    """Return what is read from a table, after reading all of it."""
    count = without = unknown = 0
    for number, row in table:
        count += 1
        unknown += chosen.split is not None and chosen.part_of(row, table, number) not in PARTS
        without += not chosen.text_of(row, table, number).strip()
    missing = f", {counted(without)} without a text" if without else ""
    parts = ""
    if chosen.split is not None:
        parts = "; the rows of all parts are read"
    if unknown:
        parts += f"; {counted(unknown)} with a split that is not train, dev or test"
    return f"{table.path.name}: {counted(count)}{missing}, {chosen.line(table)}{parts}"


def counted(count: int, noun: str = "row") -> str:
    """Return a number and its noun.

    >>> counted(1), counted(1200), counted(1, "document")
    ('1 row', '1,200 rows', '1 document')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def blocks(path: Path, unit: str | None, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the documents of a .txt or .md file and the lines where they begin.

    Joined together, the documents are the file (without its `<|endoftext|>`).

    Parameters
    ----------
    path : Path
    unit : {"lines", "paragraphs"} or None
        As for `read_documents`.
    encoding : str

    Yields
    ------
    line : int
        The first line of the document that is not blank.
    text : str
    """
    if unit is not None and unit not in UNITS:
        raise OptionError(f"documents are {' or '.join(UNITS)}, not {unit!r}")
    if has_marks(path, encoding):
        found = cut_at_marks(lines.read_lines(path, encoding))
    else:
        unit = unit or ("paragraphs" if _has_paragraphs(path, encoding) else "lines")
        found = group_lines(lines.read_lines(path, encoding), unit)
    line = 1
    for block in found:
        if not block.isspace():
            blank = block[: len(block) - len(block.lstrip())].count("\n")
            yield line + blank, block
        line += block.count("\n")


def has_marks(path: Path, encoding: str) -> bool:
    """Return whether a file marks the ends of its documents with `<|endoftext|>`."""
    return any(END_OF_TEXT in line for line in lines.read_lines(path, encoding))


def _has_paragraphs(path: Path, encoding: str) -> bool:
    """Return whether there is a blank line between two lines that are not blank."""
    texts = blanks = 0
    for line in lines.read_lines(path, encoding):
        if not line.strip():
            blanks += texts > 0
        elif blanks:
            return True
        else:
            texts += 1
    return False


def group_lines(content: Iterable[str], unit: str) -> Iterator[str]:
    """Join lines into documents; each begins with a line that is not blank.

    A document longer than `lines.MAX_LINE` characters is cut, to bound the memory.

    >>> list(group_lines(["a\\n", "b\\n", "\\n", "c\\n"], "paragraphs"))
    ['a\\nb\\n\\n', 'c\\n']
    >>> list(group_lines(["a\\n", "b\\n", "\\n", "c\\n"], "lines"))
    ['a\\n', 'b\\n\\n', 'c\\n']
    """
    block: list[str] = []
    size, begun, blank = 0, False, False
    for line in content:
        last_blank, blank = blank, not line.strip()
        begins = begun and not blank and (unit == "lines" or last_blank)
        if begins or size > lines.MAX_LINE:
            yield "".join(block)
            block, size = [], 0
        block.append(line)
        size += len(line)
        begun = begun or not blank
    if block:
        yield "".join(block)


def cut_at_marks(content: Iterable[str]) -> Iterator[str]:
    """Join lines into documents that end at `<|endoftext|>`, which is left out.

    The rest of a mark's line belongs to the document before it if it is blank, so that lines can
    be counted. A document longer than `lines.MAX_LINE` characters is cut.

    >>> list(cut_at_marks(["a\\n", "b<|endoftext|>\\n", "\\n", "c<|endoftext|>d"]))
    ['a\\nb\\n', '\\nc', 'd']
    """
    block: list[str] = []
    size = 0
    for line in content:
        *ended, rest = line.split(END_OF_TEXT)
        if ended and not rest.strip():
            ended[-1] += rest
            rest = ""
        for piece in ended:
            yield "".join([*block, piece])
            block, size = [], 0
        if rest:
            block.append(rest)
            size += len(rest)
        if size > lines.MAX_LINE:
            yield "".join(block)
            block, size = [], 0
    if block:
        yield "".join(block)
