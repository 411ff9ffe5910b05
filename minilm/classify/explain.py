"""What each word contributed to a prediction, found by leaving it out. Works for any classifier.

    effect(word) = P(class | text) - P(class | text without the word)

A positive effect is evidence for the class. Effects do not add up to the probability: if two words
say the same, leaving out either changes little, and "not" acts through the word that follows it.
This measures one prediction of one classifier, not the meaning of the word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from minilm.errors import OptionError

SHOWN = 30  # the most words shown, as lines or in a picture

# Letters and digits, with an apostrophe inside: "don't" is left out as a whole.
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_WIDE = 24  # columns for the word itself
_HALF = 20  # columns for a bar, on each side
_BLUE, _ORANGE, _PLAIN = "\033[34m", "\033[33m", "\033[0m"


@dataclass(frozen=True)
class Explanation:
    """The probabilities of the classes for a text with all words, and without each word.

    Attributes
    ----------
    words : tuple of str
        The n words of the text, in order.
    probabilities : ndarray of shape (K,)
        For the whole text.
    without : ndarray of shape (n, K)
        For the text without each word.
    """

    words: tuple[str, ...]
    probabilities: np.ndarray
    without: np.ndarray

    def __repr__(self) -> str:
        """Return the class with its size."""
        return f"Explanation({len(self.words)} words, {self.probabilities.size} classes)"

    @property
    def predicted(self) -> int:
        """The most probable class of the whole text."""
        return int(self.probabilities.argmax())

    def effects(self, target: int) -> np.ndarray:
        """Return the effect of each word on the probability of class `target`: (n,)."""
        effects: np.ndarray = self.probabilities[target] - self.without[:, target]
        return effects

    def strongest(self, target: int, count: int = SHOWN) -> list[int]:
        """Return the positions of the words with the largest effects, in the order of the text."""
        order = np.argsort(-np.abs(self.effects(target)), kind="stable")[:count]
        return sorted(int(i) for i in order)


def first_words(text: str, count: int) -> str:
    """Return the first `count` words of a text; numbers are not counted as words.

    >>> first_words("To be, or 2 not!", 2), first_words("To be, or 2 not!", 9)
    ('To be', 'To be, or 2 not!')
    """
    words = (match for match in _WORD.finditer(text) if any(map(str.isalpha, match.group())))
    last = next(islice(words, count - 1, None), None)
    return text if last is None else text[: last.end()]


def leave_one_out(predict_proba: Callable[[Sequence[str]], np.ndarray], text: str) -> Explanation:
    """Explain a prediction by leaving out each word in turn.

    Parameters
    ----------
    predict_proba : callable
        N texts -> probabilities of shape (N, K); called once, with n + 1 texts.
    text : str

    Raises
    ------
    OptionError
        When the text has fewer than two words, so that leaving one out leaves nothing.

    References
    ----------
    Li, Monroe and Jurafsky (2016), Understanding Neural Networks through Representation Erasure,
    equation 1, here as a difference of probabilities.

    Examples
    --------
    >>> def of_words(texts):
    ...     good = [0.5 + 0.4 * ("good" in text) - 0.3 * ("not" in text) for text in texts]
    ...     return np.array([[1 - p, p] for p in good])
    >>> found = leave_one_out(of_words, "A good film.")
    >>> found.words, found.effects(1).round(3)
    (('A', 'good', 'film'), array([0. , 0.4, 0. ]))
    """
    found = list(_WORD.finditer(text))
    if len(found) < 2:
        raise OptionError(f"{text[:40]!r} has fewer than two words; use a longer text")
    texts = [text, *(_without(text, *match.span()) for match in found)]
    probabilities = np.asarray(predict_proba(texts))
    return Explanation(tuple(m.group() for m in found), probabilities[0], probabilities[1:])


def _without(text: str, start: int, stop: int) -> str:
    """Remove a word, with the blanks after it or, if there are none, those before it.

    >>> _without("A good film.", 2, 6), _without("A good film.", 7, 11)
    ('A film.', 'A good.')
    """
    after = text[stop:].lstrip()
    if len(after) == len(text) - stop:
        return text[:start].rstrip() + after
    return text[:start] + after


def lines(
    explanation: Explanation, classes: Sequence[str], target: int, *, color: bool = False
) -> list[str]:
    """Return an explanation as lines of at most 79 columns, with a bar for each word.

    Parameters
    ----------
    explanation : Explanation
    classes : sequence of K str
    target : int
        The class whose probability is explained.
    color : bool
        Whether to color the bars, for a terminal.

    Examples
    --------
    >>> found = Explanation(("fine", "film"), np.array([0.2, 0.8]), np.array([[0.7, 0.3], [0, 1]]))
    >>> print("\\n".join(lines(found, ["bad", "good"], 1)))
    P(good) = 0.800, and what each word did to it
    fine                     +0.500                     |++++++++++++++++++++
    film                     -0.200             --------|
    """
    effects = explanation.effects(target)
    lengths = np.rint(_HALF * effects / max(float(np.abs(effects).max()), 1e-12)).astype(int)
    name, probability = _cut(classes[target], 20), explanation.probabilities[target]
    found = [f"P({name}) = {probability:.3f}, and what each word did to it"]
    shown = explanation.strongest(target)
    for i in shown:
        word = _cut(explanation.words[i], _WIDE)
        blanks = " " * (_HALF - max(-lengths[i], 0))
        against = _bar("-" * -lengths[i], _ORANGE if color else None)
        pro = _bar("+" * lengths[i], _BLUE if color else None)
        found.append(f"{word:<{_WIDE}} {effects[i]:+.3f} {blanks}{against}|{pro}")
    if left_out := len(effects) - len(shown):
        found.append(f"({left_out} more words, of smaller effect)")
    return found


def _bar(bar: str, color: str | None) -> str:
    return f"{color}{bar}{_PLAIN}" if bar and color else bar


def _cut(word: str, width: int) -> str:
    return word if len(word) <= width else word[: width - 3] + "..."
