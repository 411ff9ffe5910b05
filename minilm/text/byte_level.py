"""Byte-level tokens: from a piece of text to ids by way of its bytes, and back.

Every text is bytes and every byte has an id, so nothing is unknown. A token may end in the middle
of a character: only the bytes of all tokens together are text again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from minilm.errors import InputError, OptionError
from minilm.text import merges


def encode(
    piece: str,
    byte_ids: Sequence[int | None],
    ranks: Mapping[tuple[int, int], int],
    joined: Sequence[int],
) -> list[int]:
    """Return the ids of one piece of text: those of its UTF-8 bytes, with the merges applied.

    Parameters
    ----------
    piece : str
        What merges may join, such as a word with the blank before it.
    byte_ids : sequence of 256 int
        The id of each byte. None for a byte without a token, which some models from elsewhere have;
        it is left out, as Hugging Face's tokenizers leave it out.
    ranks, joined
        The merges, as in `merges.apply`.

    Returns
    -------
    list of int

    Raises
    ------
    InputError
        When the piece has a lone surrogate, which UTF-8 has no bytes for.

    Examples
    --------
    >>> encode("né", byte_ids=range(256), ranks={(0xC3, 0xA9): 0}, joined=[256])
    [110, 256]
    """
    ids = [number for byte in utf8(piece) if (number := byte_ids[byte]) is not None]
    return merges.apply(ids, ranks, joined)


def decode(ids: Iterable[int], token_bytes: Mapping[int, bytes]) -> str:
    """Return the text of tokens; bytes that are not UTF-8 become U+FFFD.

    Parameters
    ----------
    ids : iterable of int
    token_bytes : mapping of int to bytes
        The bytes of each token.

    Raises
    ------
    OptionError
        When an id has no token.

    Examples
    --------
    >>> decode([0, 1, 2], {0: b"n", 1: bytes([0xC3]), 2: bytes([0xA9])})
    'né'
    """
    parts = []
    for token_id in ids:
        if token_id not in token_bytes:
            raise OptionError(
                f"no token has the id {token_id}; the ids are 0 to {len(token_bytes) - 1}"
            )
        parts.append(token_bytes[token_id])
    return b"".join(parts).decode("utf-8", errors="replace")


def utf8(text: str) -> bytes:
    """Return the UTF-8 bytes of a text; InputError where it has a lone surrogate."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"the text has a lone surrogate, U+{ord(text[error.start]):04X} in {text[:40]!a}, and "
            "UTF-8 has no bytes for it; read the text again with its right encoding"
        ) from None
