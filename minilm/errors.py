"""The exceptions of minilm, and how a message quotes what it found in a file.

Each message is one line: what is wrong, where (file and line, option, parameter) and what to do
about it. The command line prints that line and exits with code 2, without a traceback. Errors form
one tree, so that a caller can catch as much of it as needed:

    MinilmError
    ├── InputError          a text, table or JSON file cannot be used as it is
    │   └── ModelError      a model folder or tokenizer file is damaged or not supported
    ├── OptionError         an option or argument has a value that cannot work
    ├── OutputError         a result cannot be written where it should go
    ├── TrainingError       training cannot continue (a loss that is not finite)
    └── MissingExtraError   an optional package is needed but not installed
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any


class MinilmError(Exception):
    """Base of all errors that minilm raises for a user's mistake."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows: the one line, as the command line does."""
        return [f"{type(self).__name__}: {self}"]


class InputError(MinilmError):
    """A file cannot be used as it is.

    Parameters
    ----------
    message : str
        What is wrong and what to do.
    path : path-like, optional
        The file in question.
    line : int, optional
        The line of the file, counted from 1.
    """

    def __init__(
        self, message: str, path: str | os.PathLike[str] | None = None, line: int | None = None
    ) -> None:
        self.path = path
        self.line = line
        place = "" if path is None else f"{os.fspath(path)}{'' if line is None else f':{line}'}: "
        super().__init__(place + message)


class OptionError(MinilmError):
    """An option or argument has a value that cannot work."""


class OutputError(MinilmError):
    """A result cannot be written where it should go."""


class ModelError(InputError):
    """A model folder or tokenizer file is damaged or not supported."""


class TrainingError(MinilmError):
    """Training cannot continue."""


class MissingExtraError(MinilmError):
    """An optional package is needed but not installed.

    Parameters
    ----------
    package : str
        Its name, as in an `import` statement.
    extra : str
        The extra of minilm that installs it.
    purpose : str
        What needs it; the message begins with this.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}; install it with: pip install 'minilm[{extra}]'"
        )


def brief(value: Any) -> str:
    """Return a value from a file, quoted and short enough for a message of one line.

    >>> brief("wte\\n" + 99 * "x")
    "'wte\\\\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    text = repr(value[:99] if isinstance(value, (str, list, tuple)) else value)
    text = " ".join(text.splitlines())  # an array takes several
    return text if len(text) <= 60 else text[:57] + "..."


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first few of some names, quoted, and how many more there are.

    >>> listed(["a", "b", "c", "d", "e"])
    "'a', 'b', 'c' and 2 more"
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(brief, names[:most])) + more
