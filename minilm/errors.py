"""The exceptions of minilm: one small tree, so that a caller can catch as much as it means to.

Every message is one line that says what is wrong, where (file and line, option, parameter) and what
to do about it. The command line prints that line and exits with code 2; it never shows a traceback
for one of these.

    MinilmError
    ├── InputError          a text, table or JSON file cannot be used as it is
    │   └── ModelError      a model folder or tokenizer file is damaged or not of this kind
    ├── OptionError         an option or argument has a value that cannot work
    ├── OutputError         a result cannot be written where it was asked for
    ├── TrainingError       training cannot go on (a loss that is not finite)
    └── MissingExtraError   an optional package is needed and absent
"""

from __future__ import annotations

import os
from typing import Any


class MinilmError(Exception):
    """Base of all errors that minilm raises on a user's mistake."""


class InputError(MinilmError):
    """A file of the user's cannot be used as it is.

    Parameters
    ----------
    message : str
        What is wrong and what to do.
    path : path-like, optional
        The file it is about.
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
    """A result cannot be written where it was asked for."""


class ModelError(InputError):
    """A model folder or tokenizer file is damaged, or is not what it is taken for."""


class TrainingError(MinilmError):
    """Training cannot go on."""


class MissingExtraError(MinilmError):
    """An optional package is needed and absent.

    Parameters
    ----------
    package : str
        The name of the package as `import` knows it.
    extra : str
        The extra of minilm that installs it.
    purpose : str
        What it is needed for, to be read after "for".
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}; install it with: pip install 'minilm[{extra}]'"
        )


def brief(value: Any) -> str:
    """Return a value out of a file as it may stand in a message of one line.

    >>> brief("wte\\n" + 99 * "x")
    "'wte\\\\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    text = repr(value[:99] if isinstance(value, (str, list, tuple)) else value)
    return text if len(text) <= 60 else text[:57] + "..."
