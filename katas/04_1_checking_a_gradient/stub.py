"""Kata 4.1  Checking a gradient

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 4.1    or on every save: minilm kata watch
    minilm kata read 4.1     the page
    minilm kata hint 4.1     a hint
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from minilm.arrays import Array
from minilm.nn import gradcheck

Arguments = Mapping[str, Array]


def slope(function: Callable[[float], float], step: float) -> float:
    """Return the derivative of a function of one number at 0, measured.

    From two central differences, at distances `step` and `2 * step`. Their errors grow with the
    square of the step and cancel: it is exact for polynomials up to degree 4.

    Parameters
    ----------
    function : callable
        Takes a number, returns a number.
    step : float
        The distance of the nearer points from 0.

    References
    ----------
    M. Abramowitz and I. Stegun (1964), "Handbook of Mathematical Functions", table 25.2.
    """
    raise NotImplementedError("not written yet")


def directional_error(
    function: Callable[..., float],
    arguments: Arguments,
    gradients: Arguments,
    *,
    rng: np.random.Generator,
    step: float = 1e-3,
) -> float:
    """Return the relative error of a whole gradient along one random direction.

    Parameters
    ----------
    function : callable
        Takes the arguments by keyword, returns one number.
    arguments : mapping of str to float64 ndarray
        The point at which the gradient was taken.
    gradients : mapping of str to ndarray
        The gradient of `function` with respect to some or all arguments; the others are kept
        fixed.
    rng : numpy.random.Generator
        Draws the direction: `rng.standard_normal` once for each gradient, in their order; then all
        of it together is scaled to length 1.
    step : float
        Passed to `slope`.

    Returns
    -------
    float
        The distance between the slope that the gradient predicts and the one measured, divided by
        the size of the measured slope or, if that is larger, by the typical slope: the root of the
        mean of the squares of all entries of the gradient. 0 if there is no slope at all.

    Raises
    ------
    OptionError
        When an argument is not float64, or a gradient does not have the shape of its argument:
        `gradcheck.check_arguments(arguments, gradients)` raises it.
    """
    raise NotImplementedError("not written yet")
