"""Kata 1.4  Applying byte pairs

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 1.4    or on every save: minilm kata watch
    minilm kata read 1.4     the page
    minilm kata hint 1.4     a hint
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from minilm.errors import InputError, OptionError


def apply(
    ids: Sequence[int], ranks: Mapping[tuple[int, int], int], joined: Sequence[int]
) -> list[int]:
    """Apply merges to one word: the earliest learned first, and of equal ones the leftmost.

    Parameters
    ----------
    ids : sequence of int
        The word, as ids of single symbols.
    ranks : mapping of (int, int) to int
        The place of each pair of ids in the list of merges; 0 was learned first.
    joined : sequence of int
        For each rank, the id that the pair becomes.

    Returns
    -------
    list of int
        The word's tokens, when no pair of neighbors is left that can be joined.

    Examples
    --------
    >>> apply([0, 1, 2, 0, 1], ranks={(1, 2): 0, (0, 1): 1}, joined=[3, 4])
    [0, 3, 4]
    """
    raise NotImplementedError("not written yet")


def encode(
    piece: str,
    byte_ids: Sequence[int],
    ranks: Mapping[tuple[int, int], int],
    joined: Sequence[int],
) -> list[int]:
    """Return the ids of one piece of text: those of its UTF-8 bytes, with the merges applied.

    Parameters
    ----------
    piece : str
        What merges may join, such as a word with the blank before it.
    byte_ids : sequence of 256 int
        The id of each byte.
    ranks, joined
        The merges, as in `apply`.

    Returns
    -------
    list of int

    Raises
    ------
    InputError
        When the piece has a lone surrogate (such as "\\ud800"), which UTF-8 has no bytes for.
    """
    raise NotImplementedError("not written yet")


def decode(ids: Iterable[int], token_bytes: Mapping[int, bytes]) -> str:
    """Return the text of tokens; bytes that are not UTF-8 become U+FFFD.

    Parameters
    ----------
    ids : iterable of int
    token_bytes : mapping of int to bytes
        The bytes of each token. A token may hold a part of a character only.

    Raises
    ------
    OptionError
        When an id has no token.

    References
    ----------
    A. Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.2.
    """
    raise NotImplementedError("not written yet")
