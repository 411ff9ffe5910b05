"""The text of files cut into documents, without losing a character.

Unlike `text.corpus.read_documents`, which leaves blank lines out, the documents here put together
are the file: bits per byte can then be counted over all of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from minilm.data import corpus, records
from minilm.errors import InputError


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
    found = corpus.find_files(paths)
    empty = True
    for path in found:
        if path.suffix.lower() in corpus.TEXT_SUFFIXES:
            documents: Iterator[str] = (t for _, t in records.blocks(path, unit, encoding))
        else:
            documents = corpus.read_documents([path], encoding=encoding, text_column=text_column)
        for document in documents:
            if not document.isspace():
                empty = False
                yield document
    if empty:
        raise InputError("no text in it, only blank lines", found[0] if found else None)
