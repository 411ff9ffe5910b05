"""Documents with their place in the files they come from, and the same files written again.

`corpus` gives texts to learn from and refuses what cannot be learned from; here every record comes,
the blank one too, so that it can be judged, and dropped or changed in a copy of the file.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple

from minilm import files
from minilm.data import corpus, tables
from minilm.data.quality import damage
from minilm.errors import OptionError

UNITS = ("lines", "paragraphs")

# Parts of a split, as the column `split` or a file's own name calls them.
PARTS = {"train": "train", "dev": "dev", "valid": "dev", "validation": "dev", "test": "test"}

# What decides on a record when a file is written again: its number in the file, from 0, and its
# text, to the text that it shall have, or None to leave it out.
Decide = Callable[[int, str], str | None]


class Record(NamedTuple):
    """A document and where it stands.

    Attributes
    ----------
    path : Path
    number : int
        The line where it begins; in a .json file its place in the list. Both count from 1.
    text : str
    label : str or None
        None where the file has no such column; blank where a row has no value.
    part : {"train", "dev", "test"} or None
        By the column `split` or, where there is none, by the file's name (train.csv).
    """

    path: Path
    number: int
    text: str
    label: str | None = None
    part: str | None = None

    @property
    def place(self) -> str:
        """File and line, as `grep` writes them."""
        return place(self.path, self.number)


def place(path: Path, number: int, inside: Path | None = None) -> str:
    """Return the name of a file and the line, or the item of a .json file.

    Parameters
    ----------
    path : Path
    number : int
    inside : Path, optional
        The file that is spoken of already: its name is left out.

    Examples
    --------
    >>> place(Path("data/r.csv"), 7), place(Path("r.json"), 7)
    ('r.csv:7', 'r.json: item 7')
    >>> place(Path("r.csv"), 7, Path("r.csv")), place(Path("r.csv"), 7, Path("s.csv"))
    ('line 7', 'r.csv:7')
    """
    if path == inside:
        return f"item {number}" if _is_json(path) else f"line {number}"
    return f"{path.name}: item {number}" if _is_json(path) else f"{path.name}:{number}"


def read(
    paths: Iterable[str | os.PathLike[str]],
    *,
    unit: str | None = None,
    encoding: str = "utf-8",
    text_column: str | None = None,
    label_column: str | None = None,
) -> Iterator[Record]:
    """Yield the records of files and folders, in order.

    Parameters
    ----------
    paths : iterable of path-like
        Files (.txt, .md, .csv, .tsv, .json, .jsonl) or folders of them.
    unit : {"lines", "paragraphs"}, optional
        As for `blocks`.
    encoding : str
        Of all files.
    text_column, label_column : str, optional
        The columns; guessed by their usual names unless said. Labels are optional.

    Raises
    ------
    InputError
        When a file cannot be read as what its name says, naming file and line.
    """
    for path in corpus.find_files(paths):
        if path.suffix.lower() in corpus.TEXT_SUFFIXES:
            for number, block in blocks(path, unit, encoding):
                yield Record(path, number, block, part=PARTS.get(path.stem.lower()))
            continue
        rows = tables.read_rows(path, encoding)
        first = next(rows, None)
        if first is None:
            continue
        names = list(first[1])
        text = tables.choose_columns(names, {"text": text_column}, path)["text"]
        label = tables.find_label(names, label_column, path)
        for number, row in chain([first], rows):
            yield Record(
                path,
                number,
                row.get(text, ""),
                None if label is None else row.get(label, "").strip(),
                PARTS.get(row.get("split", path.stem).strip().lower()),
            )


def blocks(path: Path, unit: str | None, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the documents of a .txt or .md file, which put together are the file, and their lines.

    Parameters
    ----------
    path : Path
    unit : {"lines", "paragraphs"} or None
        What a document is: a line, or lines up to a blank one; blank lines belong to the document
        before them. With None, a file with a blank line between others has paragraphs.
    encoding : str

    Yields
    ------
    line : int
        The first one that is not blank.
    text : str
    """
    if unit is not None and unit not in UNITS:
        raise OptionError(f"documents are {' or '.join(UNITS)}, not {unit!r}")
    kind = unit or ("paragraphs" if _has_paragraphs(path, encoding) else "lines")
    line = 1
    for block in group_lines(tables.read_lines(path, encoding), kind):
        if not block.isspace():
            blank = block[: len(block) - len(block.lstrip())].count("\n")
            yield line + blank, block
        line += block.count("\n")


def group_lines(lines: Iterable[str], unit: str) -> Iterator[str]:
    """Join lines to documents: each begins with a line that is not blank.

    A document of more than `tables.MAX_LINE` characters is cut, so that memory stays bounded.

    >>> list(group_lines(["a\\n", "b\\n", "\\n", "c\\n"], "paragraphs"))
    ['a\\nb\\n\\n', 'c\\n']
    >>> list(group_lines(["a\\n", "b\\n", "\\n", "c\\n"], "lines"))
    ['a\\n', 'b\\n\\n', 'c\\n']
    """
    block: list[str] = []
    size, begun, blank = 0, False, False
    for line in lines:
        last_blank, blank = blank, not line.strip()
        begins = begun and not blank and (unit == "lines" or last_blank)
        if begins or size > tables.MAX_LINE:
            yield "".join(block)
            block, size = [], 0
        block.append(line)
        size += len(line)
        begun = begun or not blank
    if block:
        yield "".join(block)


def _has_paragraphs(path: Path, encoding: str) -> bool:
    """Return whether a blank line stands between two that are not blank."""
    texts = blanks = 0
    for line in tables.read_lines(path, encoding):
        if not line.strip():
            blanks += texts > 0
        elif blanks:
            return True
        else:
            texts += 1
    return False


def _is_json(path: Path) -> bool:
    return path.suffix.lower() == ".json"


def rewrite(
    path: Path,
    out: str | os.PathLike[str],
    decide: Decide,
    *,
    unit: str | None = None,
    encoding: str = "utf-8",
    text_column: str | None = None,
) -> None:
    """Write a file again, without some of its records or with another text in them, atomically.

    What is not the text of a record stays: other columns, nested values, blank lines. The copy is
    in UTF-8.

    Parameters
    ----------
    path : Path
        One file, as `read` takes it.
    out : path-like
        The copy; its name must end as that of `path` does.
    decide : callable
        Asked for each record in the order of `read`.
    unit, encoding, text_column
        As for `read`.

    Raises
    ------
    OptionError
        When `out` is `path` or has another suffix.
    OSError
        When `out` cannot be written; it is then as it was.
    """
    out = Path(out)
    suffix = path.suffix.lower()
    if out.suffix.lower() != suffix:
        raise OptionError(f"{out}: the copy of a {suffix} file should be named {out.stem}{suffix}")
    if out.exists() and out.samefile(path):
        raise OptionError(f"{out}: this is the file itself; give the copy another name")
    with files.atomic_write(out) as file:
        if suffix in corpus.TEXT_SUFFIXES:
            _rewrite_text(path, file, decide, unit, encoding)
        elif suffix in (".csv", ".tsv"):
            _rewrite_csv(path, file, decide, encoding, text_column)
        else:
            _rewrite_json(path, file, decide, encoding, text_column)


def _rewrite_text(
    path: Path, file: IO[str], decide: Decide, unit: str | None, encoding: str
) -> None:
    for number, (_, block) in enumerate(blocks(path, unit, encoding)):
        text = decide(number, block)
        if text is not None:
            file.write(text)


def _rewrite_csv(
    path: Path, file: IO[str], decide: Decide, encoding: str, text_column: str | None
) -> None:
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    for number, (_, row) in enumerate(tables.read_rows(path, encoding)):
        if number == 0:
            column = tables.choose_columns(list(row), {"text": text_column}, path)["text"]
            writer.writerow(row)
        text = decide(number, row[column])
        if text is not None:
            writer.writerow({**row, column: text}.values())


def _rewrite_json(
    path: Path, file: IO[str], decide: Decide, encoding: str, text_column: str | None
) -> None:
    """Write JSON or JSON Lines again, with whatever the records hold besides strings."""
    whole = _is_json(path)
    lines = tables.read_lines(path, encoding)
    content = (
        files.parse_json("".join(lines), path)
        if whole
        else (files.parse_json(line, path) for line in lines if line.strip())
    )
    # The readers know which records there are and which column holds the text; this knows the rest.
    rows = tables.read_rows(path, encoding)
    column = ""
    kept: list[Any] = []
    for number, (item, (_, row)) in enumerate(zip(content, rows, strict=True)):
        if number == 0:
            column = tables.choose_columns(list(row), {"text": text_column}, path)["text"]
        before = row.get(column, "")
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
    """Return JSON, escaped where letters cannot be written as they are (halves of a character)."""
    text = json.dumps(content, ensure_ascii=False, indent=indent)
    return json.dumps(content, indent=indent) if damage.has_lost_letters(text) else text
