"""Kata 8.2  Probe, freeze, thaw

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 8.2    or on every save: minilm kata watch
    minilm kata read 8.2     the page
    minilm kata hint 8.2     a hint
"""

from __future__ import annotations

import math  # for count_of
from collections.abc import Iterable, Mapping

from minilm.errors import OptionError
from minilm.nn.parameters import Shapes
from minilm.store.huggingface import SCORE  # "score.weight", the head's name


def stages(levels: Mapping[str, int], method: str, layers: int = 1) -> list[list[str]]:
    """Return which parameters are trained in each stage; all others are frozen.

        full       one stage: all parameters
        probe      one stage: the head alone, without the final norm
        lora       one stage: the head, and the names that have ".lora_" in them
        last-n     one stage: the last n layers, and all that is above them
        gradual    several stages: the first trains level 0, each further one a level more, and
                   the last one all parameters

    Parameters
    ----------
    levels : mapping of str to int
        How many layers down from the head each parameter is: 0 for the head and the final norm, 1
        for the last layer, 2 for the layer below, and so on. The embeddings are at the largest
        level, one below the first layer.
    method : {"full", "probe", "lora", "last-n", "gradual"}
    layers : int
        The n of last-n.

    Returns
    -------
    list of list of str
        A list for each stage, of names in the order of `levels`.

    Raises
    ------
    OptionError
        When the last n layers are more than there are.

    Examples
    --------
    >>> stages({"a": 2, "b": 1, "score.weight": 0}, "gradual")
    [['score.weight'], ['b', 'score.weight'], ['a', 'b', 'score.weight']]

    References
    ----------
    J. Howard and S. Ruder (2018), "Universal Language Model Fine-tuning for Text Classification",
    section 3.3.
    """
    raise NotImplementedError("not written yet")


def rate_factors(levels: Mapping[str, int], decay: float) -> dict[str, float]:
    """Return the factor on each parameter's learning rate.

    At level 0 it is 1. From each level to the one below it shrinks in the same ratio, `decay`.

    Parameters
    ----------
    levels : mapping of str to int
        As for `stages`.
    decay : float
        Above 0 and at most 1.

    Examples
    --------
    >>> rate_factors({"b": 1, "score.weight": 0}, 0.1)
    {'b': 0.1, 'score.weight': 1.0}
    """
    raise NotImplementedError("not written yet")


def count_of(shapes: Shapes, names: Iterable[str]) -> int:
    """Return how many numbers the parameters of these names have.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Of all parameters. A shape of `()` is that of a single number.
    names : iterable of str
        Those to count.

    Examples
    --------
    >>> count_of({"weight": (2, 3), "bias": (3,), "scale": ()}, ["weight", "scale"])
    7
    """
    raise NotImplementedError("not written yet")
