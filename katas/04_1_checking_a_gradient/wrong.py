"""Gradient checks as people write them at first."""

from __future__ import annotations

import numpy as np

from minilm.course.mistakes import mistake
from minilm.nn import gradcheck

# ------------------------------------------------------------------------------ slope


@mistake("slope")
def one_side_only(function, step):
    """this is the forward difference, from one side only.

    Its error shrinks with the step, not with its square: half the step, half the error. Take the
    points on both sides of 0.
    """
    return (function(step) - function(0.0)) / step


@mistake("slope")
def other_side_only(function, step):
    """this is the backward difference, from one side only.

    Its error shrinks with the step, not with its square: half the step, half the error. Take the
    points on both sides of 0.
    """
    return (function(0.0) - function(-step)) / step


@mistake("slope")
def both_from_one_side(function, step):
    """near and far are forward differences, from one side of 0 only.

    Their errors grow with the step, not with its square, so 4 near - far does not cancel them. Take
    the points on both sides: function(step) - function(-step), over 2 step.
    """
    near = (function(step) - function(0.0)) / step
    far = (function(2 * step) - function(0.0)) / (2 * step)
    return (4 * near - far) / 3


@mistake("slope")
def two_points(function, step):
    """this is one central difference, of two points; its error grows with the square of the step.

    Take a second one, at twice the distance. Its error is four times as large, so it cancels in
    4 near - far. Divide by 3.
    """
    return (function(step) - function(-step)) / (2 * step)


@mistake("slope")
def two_far_points(function, step):
    """this is one central difference, of two points, and of the far ones.

    The near one is four times as good. Take both: in 4 near - far their errors cancel. Divide by
    3.
    """
    return (function(2 * step) - function(-2 * step)) / (4 * step)


@mistake("slope")
def not_halved(function, step):
    """the 2 below is missing: from -step to step the distance is 2 step.

    Yours is twice the slope. (And it has two points only; four make the error much smaller.)
    """
    return (function(step) - function(-step)) / step


@mistake("slope")
def both_averaged(function, step):
    """the near and the far difference were averaged, so their errors are averaged too.

    The far one is off by four times as much. 4 near - far cancels that; divide by 4 - 1 = 3.
    """
    return (_near(function, step) + _far(function, step)) / 2


@mistake("slope")
def near_and_far_swapped(function, step):
    """the weights are the wrong way around: near must be taken 4 times, far once.

    The far difference has the larger error, so it has the smaller weight: (4 near - far) / 3.
    """
    return (4 * _far(function, step) - _near(function, step)) / 3


@mistake("slope")
def far_added(function, step):
    """the far points were added; they must be subtracted.

    Adding makes the errors pile up, and the result is no longer a slope: the weights 8 and +1 over
    12 do not fit. It is (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h.
    """
    near, far = _near(function, step), _far(function, step)
    return (4 * near + far) / 3


@mistake("slope")
def sign(function, step):
    """the sign is wrong: what lies ahead, at +step, minus what lies behind, at -step."""
    return -(4 * _near(function, step) - _far(function, step)) / 3


@mistake("slope")
def not_divided_by_the_step(function, step):
    """the differences were not divided by the step.

    A slope is a difference of values over a distance.
    """
    return step * (4 * _near(function, step) - _far(function, step)) / 3


@mistake("slope")
def own_step(function, step):
    """`step` is not used: the step in your function is fixed at 1e-5.

    The caller chooses it. With four points a step around 1e-3 is best; at 1e-5 rounding costs more
    than the smaller step gains.
    """
    h = 1e-5
    return (4 * _near(function, h) - _far(function, h)) / 3


@mistake("slope")
def third_forgotten(function, step):
    """the division by 3 is missing: 4 near - far is three times the slope."""
    return 4 * _near(function, step) - _far(function, step)


def _near(function, step):
    return (function(step) - function(-step)) / (2 * step)


def _far(function, step):
    return (function(2 * step) - function(-2 * step)) / (4 * step)


# ------------------------------------------------------------------ directional_error


def _slope(function, step):
    return (4 * _near(function, step) - _far(function, step)) / 3


def _drawn(gradients, rng):
    return {name: rng.standard_normal(g.shape) for name, g in gradients.items()}


def _length(arrays):
    return np.sqrt(sum((d**2).sum() for d in arrays.values()))


def _unit(gradients, rng):
    direction = _drawn(gradients, rng)
    length = _length(direction)
    return {name: d / length for name, d in direction.items()}


def _measured(function, arguments, direction, step):
    def along(t):
        moved = {name: arguments[name] + t * d for name, d in direction.items()}
        return function(**{**arguments, **moved})

    return _slope(along, step)


def _given(gradients, direction):
    return sum((gradients[name] * d).sum() for name, d in direction.items())


def _typical(gradients):
    return _length(gradients) / np.sqrt(sum(g.size for g in gradients.values()))


def _relative(difference, measured, gradients):
    largest = max(abs(measured), _typical(gradients))
    return float(difference / largest) if largest > 0 else 0.0


def _slopes(function, arguments, gradients, rng, step):
    """Check, and return the slope that the gradient predicts, and the one measured."""
    gradcheck.check_arguments(arguments, gradients)
    direction = _unit(gradients, rng)
    return _given(gradients, direction), _measured(function, arguments, direction, step)


@mistake("directional_error")
def direction_not_scaled(function, arguments, gradients, *, rng, step=1e-3):
    """the direction was not scaled to length 1.

    In a model with a million entries its length would be a thousand, and so would that of each
    step. Divide all of it by one length: the root of the sum of all squares.
    """
    gradcheck.check_arguments(arguments, gradients)
    direction = _drawn(gradients, rng)
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(_given(gradients, direction) - measured), measured, gradients)


@mistake("directional_error")
def each_scaled_by_itself(function, arguments, gradients, *, rng, step=1e-3):
    """each array of the direction was scaled by itself; all of them together have length 1.

    One common length: the root of the sum of the squares of all arrays.
    """
    gradcheck.check_arguments(arguments, gradients)
    direction = {name: d / np.linalg.norm(d) for name, d in _drawn(gradients, rng).items()}
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(_given(gradients, direction) - measured), measured, gradients)


@mistake("directional_error")
def scaled_on_one_side(function, arguments, gradients, *, rng, step=1e-3):
    """the function is measured along the scaled direction, the gradient along the unscaled one.

    Both slopes must be along the same direction. Scale it once, right after it is drawn.
    """
    gradcheck.check_arguments(arguments, gradients)
    drawn = _drawn(gradients, rng)
    length = _length(drawn)
    direction = {name: d / length for name, d in drawn.items()}
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(_given(gradients, drawn) - measured), measured, gradients)


@mistake("directional_error")
def all_ones(function, arguments, gradients, *, rng, step=1e-3):
    """the direction is all ones, not random.

    Along it only the *sum* of the gradient counts: two errors that cancel are never seen. Draw it
    with rng.standard_normal.
    """
    gradcheck.check_arguments(arguments, gradients)
    ones = {name: np.ones(g.shape) for name, g in gradients.items()}
    length = _length(ones)
    direction = {name: d / length for name, d in ones.items()}
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(_given(gradients, direction) - measured), measured, gradients)


@mistake("directional_error")
def uniform_direction(function, arguments, gradients, *, rng, step=1e-3):
    """the direction was drawn with rng.random, so all of its entries are positive.

    It is then close to "all ones" every time. rng.standard_normal has no favorite direction.
    """
    gradcheck.check_arguments(arguments, gradients)
    drawn = {name: rng.random(g.shape) for name, g in gradients.items()}
    length = _length(drawn)
    direction = {name: d / length for name, d in drawn.items()}
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(_given(gradients, direction) - measured), measured, gradients)


@mistake("directional_error")
def own_generator(function, arguments, gradients, *, rng, step=1e-3):
    """`rng` is not used: the direction comes from a generator that you made yourself.

    With a seed of its own it is the same direction for every check. Draw from the rng that is
    passed in.
    """
    measured_along = np.random.default_rng(0)
    given, measured = _slopes(function, arguments, gradients, measured_along, step)
    return _relative(abs(given - measured), measured, gradients)


@mistake("directional_error")
def not_relative(function, arguments, gradients, *, rng, step=1e-3):
    """the difference was not divided by anything: it is the absolute error, not the relative one.

    1e-4 is a catastrophe for gradients of 1e-4, and nothing for gradients of 1e6.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    return float(abs(given - measured))


@mistake("directional_error")
def no_absolute_value(function, arguments, gradients, *, rng, step=1e-3):
    """the absolute value of the difference is missing.

    A gradient that is far too small gets a negative error, and that is below every tolerance.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    return _relative(given - measured, measured, gradients)


@mistake("directional_error")
def sizes_compared(function, arguments, gradients, *, rng, step=1e-3):
    """only the sizes of the two slopes were compared: a gradient with the wrong sign passes.

    Take the difference first, then its absolute value: abs(given - measured).
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    return _relative(abs(abs(given) - abs(measured)), measured, gradients)


@mistake("directional_error")
def relative_to_the_measured(function, arguments, gradients, *, rng, step=1e-3):
    """the difference was divided by the measured slope, which may be near 0.

    Along some directions a function is flat by chance, and rounding over nearly nothing looks like
    a mistake. Divide by the typical slope where that is larger.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    return float(abs(given - measured) / abs(measured))


@mistake("directional_error")
def relative_to_the_typical(function, arguments, gradients, *, rng, step=1e-3):
    """the difference was divided by the typical slope of the gradient only.

    A gradient of zeros has none. Divide by the measured slope where that is larger.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    typical = _typical(gradients)
    return float(abs(given - measured) / typical) if typical > 0 else 0.0


@mistake("directional_error")
def relative_to_the_length(function, arguments, gradients, *, rng, step=1e-3):
    """the difference was divided by the length of the whole gradient.

    The more entries, the longer it is, while the slope along one direction stays as it is. The
    typical slope is the root of the *mean* of the squares.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    largest = max(abs(measured), _length(gradients))
    return float(abs(given - measured) / largest) if largest > 0 else 0.0


@mistake("directional_error")
def zero_over_zero(function, arguments, gradients, *, rng, step=1e-3):
    """0 / 0: no slope, and a gradient of zeros, are in perfect agreement; the error is 0.

    An unused parameter is like that. Divide only if there is something to divide by.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    return float(abs(given - measured) / max(abs(measured), _typical(gradients)))


@mistake("directional_error")
def in_place(function, arguments, gradients, *, rng, step=1e-3):
    """the arguments were moved in place (`+=`), so each step starts where the last one ended.

    And the caller's arrays have changed. Write arguments[name] + t * d, a new array.
    """
    gradcheck.check_arguments(arguments, gradients)
    direction = _unit(gradients, rng)

    def along(t):
        for name, d in direction.items():
            arguments[name] += t * d
        return function(**arguments)

    measured = _slope(along, step)
    return _relative(abs(_given(gradients, direction) - measured), measured, gradients)


@mistake("directional_error")
def other_arguments_lost(function, arguments, gradients, *, rng, step=1e-3):
    """only the arguments that have a gradient were passed to the function.

    The others stay where they are, but the function needs them: {**arguments, **moved}.
    """
    gradcheck.check_arguments(arguments, gradients)
    direction = _unit(gradients, rng)
    moved = {name: arguments[name] for name in direction}
    measured = _measured(function, moved, direction, step)
    return _relative(abs(_given(gradients, direction) - measured), measured, gradients)


@mistake("directional_error")
def gradient_without_the_direction(function, arguments, gradients, *, rng, step=1e-3):
    """the entries of the gradient were added up without the direction.

    The slope along a direction is a dot product: each entry times how far you walk that way.
    """
    given = sum(g.sum() for g in gradients.values())
    _, measured = _slopes(function, arguments, gradients, rng, step)
    return _relative(abs(given - measured), measured, gradients)


@mistake("directional_error")
def mean_of_the_products(function, arguments, gradients, *, rng, step=1e-3):
    """the products of gradient and direction were averaged; a dot product is their sum."""
    gradcheck.check_arguments(arguments, gradients)
    direction = _unit(gradients, rng)
    given = sum((gradients[name] * d).mean() for name, d in direction.items())
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(given - measured), measured, gradients)


@mistake("directional_error")
def default_step(function, arguments, gradients, *, rng, step=1e-3):
    """`step` is not passed on to slope: yours is 1e-3 whatever the caller asks for."""
    given, measured = _slopes(function, arguments, gradients, rng, 1e-3)
    return _relative(abs(given - measured), measured, gradients)


@mistake("directional_error")
def nothing_refused(function, arguments, gradients, *, rng, step=1e-3):
    """nothing is refused: not float32, not a gradient of another shape.

    In float32 a difference with step 1e-3 has three correct digits, and NumPy broadcasts a wrong
    shape silently. Begin with gradcheck.check_arguments(arguments, gradients).
    """
    direction = _unit(gradients, rng)
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(_given(gradients, direction) - measured), measured, gradients)


@mistake("slope")
def half_the_divisor(function, step):
    """the result is twice too large: with the weights 1, 8, 8, 1 the divisor is 12 step.

    Or as two differences: over 2 step and over 4 step, then (4 near - far) / 3.
    """
    return 2 * (4 * _near(function, step) - _far(function, step)) / 3


@mistake("slope")
def far_over_two_steps(function, step):
    """the far difference was divided by 2 step; its points are 4 step apart.

    From -2 step to 2 step the distance is 4 step.
    """
    return (4 * _near(function, step) - 2 * _far(function, step)) / 3


@mistake("directional_error")
def length_without_its_root(function, arguments, gradients, *, rng, step=1e-3):
    """the direction was divided by the sum of squares; the square root is missing.

    The length of (3, 4) is sqrt(9 + 16) = 5, not 25.
    """
    gradcheck.check_arguments(arguments, gradients)
    drawn = _drawn(gradients, rng)
    direction = {name: d / _length(drawn) ** 2 for name, d in drawn.items()}
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(_given(gradients, direction) - measured), measured, gradients)


@mistake("directional_error")
def typical_without_its_root(function, arguments, gradients, *, rng, step=1e-3):
    """the typical slope is the mean of the squares; its square root is missing.

    A mean of squares does not have the units of a slope. Take np.sqrt of it.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    largest = max(abs(measured), _typical(gradients) ** 2)
    return float(abs(given - measured) / largest) if largest > 0 else 0.0


@mistake("directional_error")
def relative_to_the_sum(function, arguments, gradients, *, rng, step=1e-3):
    """the difference was divided by the sum of the sizes of the two slopes.

    Both may be near 0 by chance, along a direction where the function is flat. Divide by the
    measured slope or by the typical one, whichever is larger.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    return float(abs(given - measured) / (abs(given) + abs(measured)))


@mistake("directional_error")
def relative_to_the_larger(function, arguments, gradients, *, rng, step=1e-3):
    """the difference was divided by the larger of the two slopes along the direction.

    Both may be near 0 by chance, where the function is flat. Divide by the measured slope or by
    the typical one, the root of the mean square of the gradient, whichever is larger.
    """
    given, measured = _slopes(function, arguments, gradients, rng, step)
    return float(abs(given - measured) / max(abs(given), abs(measured)))


@mistake("directional_error")
def arguments_without_gradient_moved(function, arguments, gradients, *, rng, step=1e-3):
    """the direction was drawn for every argument, also for those that have no gradient.

    Those must stay where they are. Draw one array for each entry of `gradients`.
    """
    gradcheck.check_arguments(arguments, gradients)
    direction = _unit(arguments, rng)
    given = sum((gradients[name] * direction[name]).sum() for name in gradients)
    measured = _measured(function, arguments, direction, step)
    return _relative(abs(given - measured), measured, gradients)


@mistake("directional_error")
def passed_by_position(function, arguments, gradients, *, rng, step=1e-3):
    """the moved arguments were passed as one dict; the function takes them by keyword.

    function(**moved) hands them over by name: function(x=..., gain=...).
    """
    gradcheck.check_arguments(arguments, gradients)
    direction = _unit(gradients, rng)

    def along(t):
        moved = {name: arguments[name] + t * d for name, d in direction.items()}
        return function({**arguments, **moved})

    return _relative(_slope(along, step), 1.0, gradients)
