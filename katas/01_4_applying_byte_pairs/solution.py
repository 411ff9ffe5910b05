"""Kata 1.4  Applying byte pairs: a solution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from minilm.errors import InputError, OptionError


def apply(
    ids: Sequence[int], ranks: Mapping[tuple[int, int], int], joined: Sequence[int]
) -> list[int]:
    """Apply merges to one word: the earliest learned first, and of equal ones the leftmost."""
    tokens = list(ids)
    for _ in ids:  # each merge makes the word shorter, so there are fewer than that
        found = [(ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]
        if not found:
            break
        rank, i = min(found)
        tokens[i : i + 2] = [joined[rank]]
    return tokens


def encode(
    piece: str,
    byte_ids: Sequence[int],
    ranks: Mapping[tuple[int, int], int],
    joined: Sequence[int],
) -> list[int]:
    """Return the ids of one piece of text: those of its UTF-8 bytes, with the merges applied."""
    try:
        data = piece.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{piece!a} has a lone surrogate; UTF-8 has no bytes for it") from None
    return apply([byte_ids[byte] for byte in data], ranks, joined)


def decode(ids: Iterable[int], token_bytes: Mapping[int, bytes]) -> str:
    """Return the text of tokens; bytes that are not UTF-8 become U+FFFD."""
    data = b""
    for token_id in ids:
        if token_id not in token_bytes:
            raise OptionError(f"no token has the id {token_id}")
        data += token_bytes[token_id]
    return data.decode("utf-8", errors="replace")
