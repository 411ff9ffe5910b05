"""Is a gradient right? Compare it with differences of the function itself, in float64.

`directional_error` checks all entries at once: it compares the slope of the function along one
random direction with the slope that the gradient predicts. `element_errors` checks entry by entry
and says which argument and which index is wrong. Both use the five-point difference, whose own
error is so small that a correct gradient agrees to ten digits:

    f'(0) ~ (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h

(Abramowitz and Stegun, Handbook of Mathematical Functions, table 25.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilm.arrays import Array
from minilm.errors import OptionError

Arguments = Mapping[str, Array]


@dataclass(frozen=True)
class Mismatch:
    """One entry of a gradient that disagrees with the function.

    Attributes
    ----------
    argument : str
        The name of the argument.
    index : tuple of int
        Its index in the gradient.
    given, measured : float
        The entry of the gradient, and the difference quotient.
    error : float
        Their difference, relative to the largest measured entry of that argument.
    """

    argument: str
    index: tuple[int, ...]
    given: float
    measured: float
    error: float

    def __str__(self) -> str:
        """Return one line that names the entry and both values."""
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return (
            f"d{self.argument}{place} is {self.given:.6g}, expected {self.measured:.6g} "
            f"(relative error {self.error:.1e})"
        )


def against(forward: Callable[..., tuple[Array, Any]], upstream: Array) -> Callable[..., float]:
    """Turn an operation into a function that returns one number: `sum(upstream * y)`.

    Its gradient with respect to `y` is `upstream`, which should be random: the plain sum of the
    outputs would hide errors. (For a layer norm that sum is constant, and half of all wrong
    backwards would pass.)
    """
    return lambda **arguments: float(np.vdot(upstream, forward(**arguments)[0]))


def slope(function: Callable[[float], float], step: float) -> float:
    """Return the derivative of a function of one number at 0, by the five-point difference.

    >>> round(slope(lambda t: 3 * t + t * t, 1e-3), 9)
    3.0
    """
    return (function(-2 * step) - 8 * function(-step) + 8 * function(step) - function(2 * step)) / (
        12 * step
    )


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
        Takes the arguments by keyword, returns one number. (`against` makes one of an operation.)
    arguments : mapping of str to float64 ndarray
        The point at which the gradient was taken.
    gradients : mapping of str to ndarray
        The gradient of `function` with respect to some or all arguments; the others are kept
        fixed.
    rng : numpy.random.Generator
        Draws the direction: normal, of unit length over all arguments together.
    step : float
        The distance between the points of the difference.

    Returns
    -------
    float
        |slope given - slope measured| divided by the length of the gradient, or by the measured
        slope if that is larger: around 1e-11 for a correct gradient.

    Raises
    ------
    OptionError
        When an argument is not float64, or a gradient does not have the shape of its argument.

    Examples
    --------
    >>> point = {"x": np.array([1.0, 2.0])}
    >>> gradient = {"x": np.array([2.0, 4.0])}
    >>> rng = np.random.default_rng(0)
    >>> directional_error(lambda x: float(x @ x), point, gradient, rng=rng) < 1e-9
    True
    """
    _check(arguments, gradients)
    direction = {name: rng.standard_normal(g.shape) for name, g in gradients.items()}
    length = np.sqrt(sum(float(np.vdot(d, d)) for d in direction.values()))

    def along(t: float) -> float:
        moved = {name: arguments[name] + (t / length) * d for name, d in direction.items()}
        return function(**{**arguments, **moved})

    measured = slope(along, step)
    given = sum(float(np.vdot(gradients[n], d)) for n, d in direction.items()) / length
    # The slope along a direction may happen to be near 0; compare with the gradient's size then.
    size = np.sqrt(sum(float(np.vdot(g, g)) for g in gradients.values())) / length
    return float(abs(given - measured) / max(abs(measured), size, np.finfo(np.float64).tiny))


def element_errors(
    function: Callable[..., float],
    arguments: Arguments,
    gradients: Arguments,
    *,
    tolerance: float = 1e-7,
    samples: int | None = None,
    rng: np.random.Generator | None = None,
    step: float = 1e-3,
) -> list[Mismatch]:
    """Return the entries of a gradient that are wrong, the worst first.

    Parameters
    ----------
    function, arguments, gradients, step
        As for `directional_error`.
    tolerance : float
        The largest error that is accepted, relative to the largest measured entry of the argument.
        Where that is tiny (a bias without effect), relative to 1e-3 of the largest of all.
    samples : int, optional
        How many entries of each argument are tried; all by default.
    rng : numpy.random.Generator, optional
        Draws the sample; required with `samples`.

    Examples
    --------
    >>> wrong = {"x": np.array([2.0, -4.0])}
    >>> for mismatch in element_errors(lambda x: float(x @ x), {"x": np.array([1.0, 2.0])}, wrong):
    ...     print(mismatch)
    dx[1] is -4, expected 4 (relative error 2.0e+00)
    """
    _check(arguments, gradients)
    measured: dict[str, dict[tuple[int, ...], float]] = {}
    for name, gradient in gradients.items():
        chosen = np.arange(gradient.size)
        if samples is not None and samples < gradient.size:
            if rng is None:
                raise OptionError("element_errors: samples needs rng, to draw them")
            chosen = np.sort(rng.choice(gradient.size, samples, replace=False))
        measured[name] = {}
        for flat in chosen:
            index = tuple(int(i) for i in np.unravel_index(flat, gradient.shape))
            measured[name][index] = slope(_moving(function, arguments, name, index), step)
    sizes = {
        n: max((abs(v) for v in values.values()), default=0.0) for n, values in measured.items()
    }
    floor = max(1e-3 * max(sizes.values(), default=0.0), np.finfo(np.float64).tiny)
    found = []
    for name, values in measured.items():
        for index, value in values.items():
            given = float(gradients[name][index])
            error = abs(given - value) / max(sizes[name], floor)
            if not error <= tolerance:  # true for NaN too
                found.append(Mismatch(name, index, given, value, error))
    return sorted(found, key=lambda m: -m.error if m.error == m.error else -np.inf)


def _moving(
    function: Callable[..., float], arguments: Arguments, name: str, index: tuple[int, ...]
) -> Callable[[float], float]:
    """Return the function of a change in one entry of one argument."""

    def along(t: float) -> float:
        moved = arguments[name].copy()
        moved[index] += t
        return function(**{**arguments, name: moved})

    return along


def _check(arguments: Arguments, gradients: Arguments) -> None:
    for name, gradient in gradients.items():
        if name not in arguments:
            raise OptionError(f"gradient check: {name} has a gradient but is not an argument")
        argument = arguments[name]
        if argument.dtype != np.float64:
            raise OptionError(f"gradient check: {name} is {argument.dtype}; use float64")
        if gradient.shape != argument.shape:
            raise OptionError(
                f"gradient check: d{name} has shape {gradient.shape}, {name} has {argument.shape}"
            )
