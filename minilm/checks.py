"""What every reader of files needs that trusts none: strict JSON, safe names, short messages."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from minilm import errors, files
from minilm.errors import InputError, ModelError

# A file of the folder or of one subfolder; nothing hidden, no drive, no way up.
_NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")


def is_safe_name(name: Any) -> bool:
    """Return whether a name out of a file stays inside its folder, on every system.

    >>> [is_safe_name(n) for n in ("training/state.json", "../a", "/a", "C:a", ".lock", 7)]
    [True, False, False, False, False, False]
    """
    return isinstance(name, str) and len(name) < 200 and bool(_NAME.fullmatch(name))


def listed(names: list[str]) -> str:
    """Return the first three of some names and how many more there are.

    >>> listed(["a", "b", "c", "d", "e"])
    "'a', 'b', 'c' and 2 more"
    """
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(errors.brief, names[:3])) + more


def read_text(path: Path, *, max_bytes: int) -> str:
    """Return the text of a file in UTF-8, line ends as they are.

    Raises
    ------
    ModelError
        When the file is missing, larger than `max_bytes`, or no UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise ModelError(f"{size:,} bytes; at most {max_bytes:,} are read", path)
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"not UTF-8 at byte {error.start}; copy it again", path) from None
    except FileNotFoundError:
        raise ModelError("no such file; copy the folder again", path) from None
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", path) from None


def parse_object(text: str, path: str | os.PathLike[str]) -> dict[str, Any]:
    """Parse a JSON object as strictly as `files.parse_json`.

    Raises
    ------
    ModelError
        When it is no such object.
    """
    try:
        content = files.parse_json(text, path)
    except InputError as error:
        converted = ModelError(str(error))
        converted.path, converted.line = error.path, error.line
        raise converted from None
    if not isinstance(content, dict):
        raise ModelError("a JSON object was expected; copy the file again", path)
    return content


def read_object(path: Path, *, max_bytes: int) -> dict[str, Any]:
    """Read a file that holds a JSON object; raises as `read_text` and `parse_object`."""
    return parse_object(read_text(path, max_bytes=max_bytes), path)
