"""Kata 7.1  Perplexity and bits per byte

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 7.1    or on every save: minilm kata watch
    minilm kata read 7.1     the page
    minilm kata hint 7.1     a hint
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from minilm.errors import OptionError


def mean_loss(losses: Sequence[float], counts: Sequence[int]) -> float:
    """Return the mean loss a token of a text that was measured batch by batch.

    Every token has the same say, whatever the size of its batch.

    Parameters
    ----------
    losses : sequence of float
        The mean loss of each batch, in nats a token.
    counts : sequence of int
        How many tokens were predicted in each; a batch may have none.

    Raises
    ------
    OptionError
        When no token was predicted at all.

    Examples
    --------
    >>> mean_loss([2.0, 5.0], [30, 10])
    2.75
    """
    raise NotImplementedError("not written yet")


def perplexity(loss: float) -> float:
    """Return the perplexity: among this many equally likely tokens the model seems to choose.

    Losses above 700 nats count as 700, as the result would be more than a float can hold.

    Parameters
    ----------
    loss : float
        Mean cross-entropy in nats a token.

    References
    ----------
    F. Jelinek, R. Mercer, L. Bahl and J. Baker (1977), "Perplexity: a measure of the difficulty of
    speech recognition tasks".

    Examples
    --------
    >>> round(perplexity(math.log(8)), 6)
    8.0
    """
    raise NotImplementedError("not written yet")


def bits_per_byte(loss: float, tokens: int, size: int) -> float:
    """Return how many bits the model needs for a byte of the text.

    Parameters
    ----------
    loss : float
        Mean cross-entropy in nats a token.
    tokens : int
        How many tokens were predicted.
    size : int
        How many bytes of text they are, in UTF-8; at least one.

    References
    ----------
    L. Gao et al. (2020), "The Pile: An 800GB Dataset of Diverse Text for Language Modeling",
    section 3.1.

    Examples
    --------
    >>> round(bits_per_byte(math.log(8), tokens=100, size=300), 6)
    1.0
    """
    raise NotImplementedError("not written yet")
