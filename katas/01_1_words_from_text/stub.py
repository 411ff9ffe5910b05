"""Kata 1.1  Words from text

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 1.1    or on every save: minilm kata watch
    minilm kata read 1.1     the page
    minilm kata hint 1.1     a hint
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WordTokenizer:
    """Cut a text into words: lower case, letters of any script, nothing else.

    A word is a run of letters that cannot be made longer on either side. Digits, punctuation and
    underscores belong to no word. No word is empty.

    Parameters
    ----------
    stop_words : frozenset of str
        Words to leave out, in lower case.

    Examples
    --------
    >>> WordTokenizer().tokenize("It's 3 o'clock: the Émigré sleeps.")
    ['it', 's', 'o', 'clock', 'the', 'émigré', 'sleeps']
    >>> WordTokenizer(frozenset({"all", "was", "not", "in", "the"})).tokenize("All was not well.")
    ['well']
    """

    stop_words: frozenset[str] = frozenset()

    def tokenize(self, text: str) -> list[str]:
        """Return the words of `text`, in order."""
        raise NotImplementedError("not written yet")
