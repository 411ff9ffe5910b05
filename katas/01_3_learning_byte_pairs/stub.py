"""Kata 1.3  Learning byte pairs

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 1.3    or on every save: minilm kata watch
    minilm kata read 1.3     the page
    minilm kata hint 1.3     a hint
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def learn(
    words: Mapping[str, int], symbols: Sequence[str], vocab_size: int
) -> tuple[list[str], list[tuple[str, str]]]:
    """Learn merges: again and again, the most frequent pair of neighbors becomes one token.

    Pairs with equal counts: the lower id of the left token goes first, then of the right one. A
    token's id is its position among the tokens.

    Parameters
    ----------
    words : mapping of str to int
        How often each word occurs. Merges never reach across words.
    symbols : sequence of str
        The tokens to begin with, in the order of their ids; every character of a word is among
        them. Longer strings (special tokens) only take up their ids.
    vocab_size : int
        How many tokens to stop at; there are fewer when no pair is left.

    Returns
    -------
    tokens : list of str
        All tokens in the order of their ids, `symbols` first. No token is there twice.
    merges : list of (str, str)
        The pairs in the order in which they were joined.

    Examples
    --------
    >>> learn({"hug": 10, "pug": 5, "hugs": 5}, list("ghpsu"), 8)
    (['g', 'h', 'p', 's', 'u', 'ug', 'hug', 'pug'], [('u', 'g'), ('h', 'ug'), ('p', 'ug')])

    References
    ----------
    R. Sennrich, B. Haddow and A. Birch, "Neural Machine Translation of Rare Words with Subword
    Units", ACL 2016, algorithm 1.
    """
    raise NotImplementedError("not written yet")
