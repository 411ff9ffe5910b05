"""What a model has seen: a fingerprint of each document, in the model's folder.

The file `seen.hashes` is in the manifest and changes in one transaction with the weights, so they
always agree. Held-out documents are in it too: a later session must not train on what an earlier
one was measured on.

    8 bytes   b"mlmseen1"
    8 bytes   n, the number of fingerprints, little-endian
    8 n bytes the fingerprints, little-endian, each larger than the one before
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm.data.quality import fingerprints
from minilm.errors import ModelError

NAME = "seen.hashes"

_MAGIC = b"mlmseen1"
_HEADER = 16
_DTYPE = np.dtype("<u8")


@dataclass(frozen=True, eq=False)
class Ledger:
    """The fingerprints of the documents that a model has seen.

    Attributes
    ----------
    hashes : ndarray of shape (n,), uint64
        In ascending order, without duplicates.

    Examples
    --------
    >>> seen = Ledger.of(["a text", "another"])
    >>> seen.knows([fingerprints.fingerprint(text) for text in ("a  text", "a new one")])
    array([ True, False])
    >>> len(seen), len(seen.extended(Ledger.of(["another", "a new one"])))
    (2, 3)
    """

    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Ledger:
        """Return the ledger of some documents. It keeps 8 bytes per document, not the texts."""
        return cls.of_hashes(np.fromiter(map(fingerprints.fingerprint, texts), np.uint64))

    @classmethod
    def of_hashes(cls, hashes: ArrayLike) -> Ledger:
        """Return the ledger of fingerprints in any order."""
        return cls(np.unique(np.asarray(hashes, np.uint64)))

    def __len__(self) -> int:
        """Return the number of different documents."""
        return len(self.hashes)

    def knows(self, hashes: ArrayLike) -> NDArray[np.bool_]:
        """Return which of these fingerprints are in the ledger: (m,) -> (m,)."""
        asked = np.asarray(hashes, np.uint64)
        places = np.searchsorted(self.hashes, asked)
        inside = places < len(self.hashes)
        found: NDArray[np.bool_] = np.zeros(len(asked), bool)
        found[inside] = self.hashes[places[inside]] == asked[inside]
        return found

    def extended(self, other: Ledger) -> Ledger:
        """Return the ledger of the documents in either."""
        return Ledger(np.union1d(self.hashes, other.hashes))

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        count = len(self.hashes).to_bytes(8, "little")
        return _MAGIC + count + self.hashes.astype(_DTYPE).tobytes()


def read(path: Path) -> Ledger:
    """Read a ledger.

    Raises
    ------
    ModelError
        When the file is not such a ledger, or cannot be read.
    """

    def damaged(what: str) -> ModelError:
        return ModelError(f"not a ledger as minilm writes it: {what}; restore it from a copy", path)

    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            header = file.read(_HEADER)
            if len(header) < _HEADER or not header.startswith(_MAGIC):
                raise damaged("it begins with something else")
            count = int.from_bytes(header[8:], "little")
            if size != _HEADER + _DTYPE.itemsize * count:
                raise damaged(f"{size:,} bytes cannot hold {count:,} fingerprints")
            hashes: NDArray[Any] = np.fromfile(file, _DTYPE)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", path) from None
    if not (hashes[1:] > hashes[:-1]).all():
        raise damaged("the fingerprints are not in order")
    return Ledger(hashes.astype(np.uint64, copy=False))
