"""Texts as people give them from Python: several, each a string; what would be misread is refused.

A string is a sequence of its letters, a table one of its columns' names, a dictionary one of its
keys: each could be taken for texts without an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from minilm.errors import OptionError


def values_of(values: Any, name: str = "texts") -> Iterable[Any]:
    """Return values that can be gone through one by one, or raise OptionError.

    >>> values_of(("a text", "another"))
    ('a text', 'another')
    """
    if isinstance(values, str):
        raise OptionError(f"{name} is one string; pass a list of texts: [text]")
    if getattr(values, "ndim", 1) > 1:
        raise OptionError(
            f"{name} have {values.ndim} dimensions; pass one column, as table['text']"
        )
    if (
        not isinstance(values, Iterable)
        or isinstance(values, (bytes, bytearray, Mapping, Set))
        or getattr(values, "ndim", 1) == 0
    ):
        raise OptionError(f"{name} is of type {type(values).__name__}; pass a list of texts")
    return values


def strings(values: Any, name: str = "texts") -> Iterator[str]:
    """Yield several texts, or raise OptionError at the first that is not a string.

    >>> list(strings(["a text"]))
    ['a text']
    """
    for i, text in enumerate(values_of(values, name)):
        if not isinstance(text, str):
            raise OptionError(f"{name}[{i}] is of type {type(text).__name__}, not a string")
        yield text
