"""Options that more than one command has: their values out of the text that was typed."""

from __future__ import annotations

import argparse
import reprlib


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
