"""`minilm.json`: a model's lineage, and checksums of its files and of itself.

It holds no times, so that two runs of the same command leave the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from minilm import errors, files
from minilm.errors import ModelError, OptionError
from minilm.store.transaction import Digest

NAME = "minilm.json"

_FORMAT = 1
_MAX_BYTES = 1 << 24
_BLANK = "0" * 64


@dataclass(frozen=True)
class Source:
    """A text file that a model has learned from."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Stage:
    """One training run in a model's history.

    Attributes
    ----------
    kind : str
        "pretrain", "finetune" or "update"; "convert" where it came from another program's
        file, and what it learned from is not known.
    data : tuple of Source
        What it learned from.
    steps : int
        Updates of the parameters.
    tokens : int
        Next tokens that it had to predict.
    settings : mapping
        The options that matter; JSON values.
    """

    kind: str
    data: tuple[Source, ...]
    steps: int
    tokens: int
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Manifest:
    """The content of `minilm.json`.

    Attributes
    ----------
    files : mapping of str to Digest
    lineage : tuple of Stage
    adapter : mapping, optional
        For an adapter's folder: what `adapters` records of its base and labels.
    """

    files: Mapping[str, Digest]
    lineage: tuple[Stage, ...]
    adapter: Mapping[str, Any] | None = None


def source(path: str | os.PathLike[str]) -> Source:
    """Return name, size and checksum of a text file."""
    return Source(Path(path).name, Path(path).stat().st_size, files.sha256(path))


def render(
    digests: Mapping[str, Digest],
    lineage: Sequence[Stage],
    adapter: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the bytes of a manifest. Its own checksum is that of the text with 64 zeros instead.

    Raises
    ------
    OptionError
        When JSON cannot hold a setting.
    """
    content: dict[str, Any] = {
        "checksum": _BLANK,
        "format": _FORMAT,
        "files": {name: digests[name]._asdict() for name in sorted(digests)},
        "lineage": [asdict(stage) for stage in lineage],
    }
    if adapter is not None:
        content["adapter"] = dict(adapter)
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise OptionError(f"the settings of a stage cannot be saved as JSON ({error})") from None
    return text.replace(_BLANK, _checksum(text), 1).encode()


def read(path: Path) -> Manifest:
    """Read a manifest.

    Raises
    ------
    ModelError
        When a byte of it was changed.
    """
    text = files.read_text(path, max_bytes=_MAX_BYTES, error=ModelError)
    content = files.as_object(files.parse_json(text, path, error=ModelError), path)
    checksum = content.get("checksum")
    if not isinstance(checksum, str) or _checksum(text.replace(checksum, _BLANK, 1)) != checksum:
        raise ModelError(
            "its own checksum differs: it was changed or damaged; restore it from a copy, or "
            "delete it to read the folder without checksums",
            path,
        )
    if content.get("format") != _FORMAT:
        raise ModelError(
            f"format {errors.brief(content.get('format'))} is from a later minilm; upgrade minilm",
            path,
        )
    try:
        digests = {name: Digest(**entry) for name, entry in content["files"].items()}
        lineage = tuple(
            Stage(**{**stage, "data": tuple(Source(**item) for item in stage["data"])})
            for stage in content["lineage"]
        )
    except (KeyError, TypeError, AttributeError):
        raise ModelError(
            "not a manifest as minilm writes it; restore it from a copy", path
        ) from None
    if unsafe := [name for name in digests if not files.is_safe_name(name)]:
        raise ModelError(f"{errors.listed(unsafe)} cannot be a file of the folder", path)
    return Manifest(digests, lineage, content.get("adapter"))


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
