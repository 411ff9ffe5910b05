"""Options that more than one command has."""

from __future__ import annotations

import argparse
import reprlib
from pathlib import Path


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
