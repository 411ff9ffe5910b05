"""The text of files cut into documents, without losing a character.

Unlike `text.corpus.read_documents`, which leaves blank lines out, the documents here put together
are the file: bits per byte can then be counted over all of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from minilm.errors import InputError, OptionError
from minilm.text import corpus, tables

UNITS = ("lines", "paragraphs")


def read(
    paths: Iterable[str | os.PathLike[str]],
    *,
    unit: str | None = None,
    encoding: str = "utf-8",
    text_column: str | None = None,
) -> Iterator[str]:
    """Yield the documents of files and folders, in order.

    Parameters
    ----------
    paths : iterable of path-like
        Files (.txt, .md, .csv, .tsv, .json, .jsonl) or folders of them.
    unit : {"lines", "paragraphs"}, optional
        What a document of a .txt or .md file is: a line, or lines up to a blank one; blank lines
        belong to the document before them. Unless said, files with a blank line between others
        have paragraphs. In the other formats each row is a document.
    encoding : str
        Of all files.
    text_column : str, optional
        The column that holds the text, where the file has columns.

    Raises
    ------
    InputError
        When a file cannot be used, naming file and line; when there is no text at all.
    """
    if unit is not None and unit not in UNITS:
        raise OptionError(f"documents are {' or '.join(UNITS)}, not {unit!r}")
    found = corpus.find_files(paths)
    empty = True
    for path in found:
        if path.suffix.lower() in corpus.TEXT_SUFFIXES:
            kind = unit or ("paragraphs" if _has_paragraphs(path, encoding) else "lines")
            documents = group_lines(tables.read_lines(path, encoding), kind)
        else:
            documents = corpus.read_documents([path], encoding=encoding, text_column=text_column)
        for document in documents:
            if not document.isspace():
                empty = False
                yield document
    if empty:
        raise InputError("no text in it, only blank lines", found[0] if found else None)


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
