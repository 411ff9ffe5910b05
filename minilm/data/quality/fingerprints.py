"""A document as one number, to tell texts apart when there are too many to keep.

Two documents count as the same if they differ only in white space or in how letters are composed,
as happens when a text is copied from one program to another.
"""

from __future__ import annotations

import hashlib
import unicodedata


def normalized(text: str) -> str:
    """Return the text with composed letters (NFC), and each run of white space as one space.

    >>> normalized("  Two\\twords\\n")
    'Two words'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def fingerprint(text: str) -> int:
    """Return 64 bits of BLAKE2b of the normalized text.

    Among n different documents, the probability that two have the same is about n**2 / 2**65: one
    in 37 million for a million documents.

    >>> fingerprint("Two words") == fingerprint(" Two  words\\n") != fingerprint("two words")
    True
    """
    data = normalized(text).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
