"""Options that more than one command has."""

from __future__ import annotations

import argparse
import os
import reprlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def dimensions(text: str) -> int | None:
    """Return how many columns of the vectors to keep; None, all of them, for "all".

    Raises
    ------
    argparse.ArgumentTypeError
        When the text is neither a positive number nor "all".

    Examples
    --------
    >>> dimensions("100"), dimensions("all")
    (100, None)
    """
    if text == "all":
        return None
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{reprlib.repr(text)} is neither a positive number nor all")


def add_adapter(parser: argparse.ArgumentParser) -> None:
    """Declare --adapter, which may be given more than once."""
    parser.add_argument(
        "--adapter",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="adapter to put on the model; several, each with its own --adapter, take turns",
    )


def add_table(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, *, labels: bool = False
) -> None:
    """Declare how files are read: every option that the messages of `minilm.data` advise.

    Parameters
    ----------
    parser : ArgumentParser or a group of one
    labels : bool
        Whether the command reads labels too.
    """
    parser.add_argument(
        "--text-column",
        metavar="NAME",
        help="column of the text, by name or number; 2,3 joins two (default: guessed)",
    )
    if labels:
        parser.add_argument(
            "--label-column",
            metavar="NAME",
            help="column of the label, by name or number (default: guessed)",
        )
    parser.add_argument(
        "--no-header",
        action="store_true",
        help="the first row of .csv and .tsv files is data (default: recognized)",
    )
    parser.add_argument("--encoding", default="utf-8", help="of the files (default: utf-8)")


def table_options(options: argparse.Namespace, *, labels: bool = False) -> dict[str, Any]:
    """Return what `add_table` declared, as the readers of `minilm.data` take it."""
    names = ["text_column", "no_header", "encoding"] + ["label_column"] * labels
    return {name: getattr(options, name) for name in names}


def report_data(
    paths: Sequence[str | os.PathLike[str]],
    reading: Mapping[str, Any],
    say: Callable[[str], None],
    *,
    output: str | os.PathLike[str] | None = None,
) -> None:
    """Say what is taken of files: the columns of tables, and what of a folder is left out.

    Parameters
    ----------
    paths : sequence of path-like
    reading : mapping
        How they are read, as by `table_options`.
    say : callable
    output : path-like, optional
        The folder that the command writes to.
    """
    from minilm.data import documents

    for line in documents.describe(paths, **reading, output=output):
        say(line)
