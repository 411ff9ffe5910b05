"""What people write in kata 4.3."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake

Array = np.ndarray
Cache = tuple[Any, ...]

SCALE = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def _gated(x: Array, gate: Array) -> tuple[Array, Cache]:
    return x * gate, (x, gate)


def _inner(x: Array) -> Array:
    return SCALE * (x + CUBIC * x**3)


def _slope(x: Array, gate: Array) -> Array:
    """Return the slope of the gate."""
    return 2 * gate * (1 - gate) * SCALE * (1 + 3 * CUBIC * x**2)


@mistake("gelu")
def exact_form(x: Array) -> tuple[Array, Cache]:
    """this is the exact GELU, with erf. GPT-2 has the tanh form.

    The two differ by less than 0.0005, and a model that was trained with one would give nearly the
    same text with the other. But a gradient check sees the difference, and so will you when you
    compare your model with GPT-2's numbers.
    """
    gate = 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    return _gated(x, gate.astype(x.dtype))


@mistake("gelu")
def sigmoid_form(x: Array) -> tuple[Array, Cache]:
    """the gate is a sigmoid of 1.702 * x: the rougher approximation from the same paper.

    It is off by up to 0.02. GPT-2 has the tanh form with the cubic term.
    """
    with np.errstate(over="ignore"):
        return _gated(x, 1 / (1 + np.exp(-1.702 * x)))


@mistake("gelu")
def silu(x: Array) -> tuple[Array, Cache]:
    """the gate is a sigmoid of x: this is SiLU (or Swish), the gate of Llama.

    The idea is the same, the curve is not. GELU's gate is the share of a normal distribution that
    lies below x, here in its tanh form.
    """
    with np.errstate(over="ignore"):
        return _gated(x, 1 / (1 + np.exp(-x)))


@mistake("gelu")
def relu(x: Array) -> tuple[Array, Cache]:
    """the gate is 0 or 1, with a jump at 0: this is ReLU.

    GELU's gate opens smoothly: 0.5 at x = 0, 0.84 at x = 1, 0.16 at x = -1.
    """
    return _gated(x, (x > 0).astype(x.dtype))


@mistake("gelu")
def half_forgotten(x: Array) -> tuple[Array, Cache]:
    """the factor 0.5 is missing: the gate goes from 0 to 2.

    tanh goes from -1 to 1. Adding 1 gives 0 to 2, and half of
    that gives 0 to 1.
    """
    return _gated(x, 1 + np.tanh(_inner(x)))


@mistake("gelu")
def one_forgotten(x: Array) -> tuple[Array, Cache]:
    """the 1 is missing: the gate is 0.5 * tanh, which goes from -0.5 to 0.5.

    A gate is between 0 (shut) and 1 (open). tanh goes from -1 to 1; add 1 first, then take half.
    """
    return _gated(x, 0.5 * np.tanh(_inner(x)))


@mistake("gelu")
def half_of_the_one_only(x: Array) -> tuple[Array, Cache]:
    """0.5 multiplies the 1 but not the tanh: parentheses are missing.

    The gate is 0.5 * (1 + tanh(...)). Without the parentheses it goes from -0.5 to 1.5.
    """
    return _gated(x, 0.5 + np.tanh(_inner(x)))


@mistake("gelu")
def scale_of_x_only(x: Array) -> tuple[Array, Cache]:
    """sqrt(2 / pi) multiplies x, but not the cube: parentheses are missing.

    The factor multiplies the whole polynomial: sqrt(2 / pi) * (x + 0.044715 * x**3). Near zero the
    cube is small, so most numbers look right.
    """
    return _gated(x, 0.5 * (1 + np.tanh(SCALE * x + CUBIC * x**3)))


@mistake("gelu")
def without_the_cube(x: Array) -> tuple[Array, Cache]:
    """the cubic term 0.044715 * x**3 is missing.

    It bends the curve between 1 and 3, where tanh alone opens too slowly.
    """
    return _gated(x, 0.5 * (1 + np.tanh(SCALE * x)))


@mistake("gelu")
def square_for_the_cube(x: Array) -> tuple[Array, Cache]:
    """the small term has x**2; it should be the cube, x**3.

    A square is positive on both sides, so the gate of -x would not be 1 minus the gate of x.
    """
    return _gated(x, 0.5 * (1 + np.tanh(SCALE * (x + CUBIC * x**2))))


@mistake("gelu")
def scale_forgotten(x: Array) -> tuple[Array, Cache]:
    """the factor sqrt(2 / pi), about 0.798, is missing inside tanh.

    It makes the slope of the gate at zero that of the normal distribution: 0.399.
    """
    return _gated(x, 0.5 * (1 + np.tanh(x + CUBIC * x**3)))


@mistake("gelu")
def scale_without_the_root(x: Array) -> tuple[Array, Cache]:
    """the factor inside tanh is 2 / pi (0.637); it is the square root of that (0.798).

    With the root the slope of the gate at zero is 0.399, as in the normal distribution.
    """
    return _gated(x, 0.5 * (1 + np.tanh(2 / math.pi * (x + CUBIC * x**3))))


@mistake("gelu")
def root_of_two_pi(x: Array) -> tuple[Array, Cache]:
    """the factor inside tanh is not the square root of 2 / pi (0.798): the 2 or pi is misplaced.

    You have 1 / sqrt(2 * pi), which is 0.399. That is the slope of the gate at zero, and 0.5 in
    front of tanh gives the other half of it.
    """
    return _gated(x, 0.5 * (1 + np.tanh(1 / math.sqrt(2 * math.pi) * (x + CUBIC * x**3))))


@mistake("gelu")
def the_gate_is_returned(x: Array) -> tuple[Array, Cache]:
    """y is the gate itself; it was not multiplied by x.

    The gate says which share of x is let through. What comes out is x * gate.
    """
    gate = 0.5 * (1 + np.tanh(_inner(x)))
    return gate, (x, gate)


@mistake("gelu")
def tanh_in_the_cache(x: Array) -> tuple[Array, Cache]:
    """y is right, but the cache holds the tanh instead of the gate.

    The backward gets (x, gate), and gate = 0.5 * (1 + tanh) is between 0 and 1.
    """
    tanh = np.tanh(_inner(x))
    return 0.5 * x * (1 + tanh), (x, tanh)


@mistake("gelu")
def y_in_the_cache(x: Array) -> tuple[Array, Cache]:
    """y is right, but the cache holds y instead of the gate.

    The backward needs the gate. It could not divide y by x to get it back: x may be 0.
    """
    y = 0.5 * x * (1 + np.tanh(_inner(x)))
    return y, (x, y)


@mistake("gelu")
def cache_in_another_order(x: Array) -> tuple[Array, Cache]:
    """the cache is (gate, x); it must be (x, gate).

    The order matters because the backward unpacks it, and it may be another person's backward.
    """
    gate = 0.5 * (1 + np.tanh(_inner(x)))
    return x * gate, (gate, x)


@mistake("gelu")
def float64_from_a_numpy_scalar(x: Array) -> tuple[Array, Cache]:
    """float32 became float64: `np.sqrt(2 / np.pi)` is a NumPy float64, and it decides.

    A Python float takes the dtype of the array that it meets; a NumPy scalar keeps its own. Use
    math.sqrt, or float(...). A model in float64 needs twice the memory and twice the time.
    """
    gate = 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + CUBIC * x**3)))
    return _gated(x, gate)


@mistake("gelu_backward")
def gate_as_a_constant(dy: Array, cache: Cache) -> Array:
    """the gate was taken for a constant: dx is only dy * gate.

    The gate is made of the same x. A product has two terms when you differentiate it: the slope of
    x times the gate, plus x times the slope of the gate.
    """
    _, gate = cache
    return dy * gate


@mistake("gelu_backward")
def only_through_the_gate(dy: Array, cache: Cache) -> Array:
    """the first term of the product rule is missing: x also acts directly, with the gate as slope.

    y = x * gate, so the slope is gate + x * dgate.
    """
    x, gate = cache
    return dy * x * _slope(x, gate)


@mistake("gelu_backward")
def three_forgotten(dy: Array, cache: Cache) -> Array:
    """the slope of 0.044715 * x**3 has a 3 in front, and yours does not.

    The slope of x**3 is 3 * x**2, so inside tanh the slope is
    sqrt(2 / pi) * (1 + 3 * 0.044715 * x**2).
    """
    x, gate = cache
    dgate = 2 * gate * (1 - gate) * SCALE * (1 + CUBIC * x**2)
    return dy * (gate + x * dgate)


@mistake("gelu_backward")
def cube_kept(dy: Array, cache: Cache) -> Array:
    """the slope of what is inside tanh has x**3; it should be x**2.

    The slope of x**3 is 3 * x**2: the 3 comes down, and the power loses one.
    """
    x, gate = cache
    dgate = 2 * gate * (1 - gate) * SCALE * (1 + 3 * CUBIC * x**3)
    return dy * (gate + x * dgate)


@mistake("gelu_backward")
def chain_ends_at_tanh(dy: Array, cache: Cache) -> Array:
    """the chain rule stops at tanh: the slope of what is inside it is missing.

    tanh(inner) changes with x as (1 - tanh**2) times the slope of inner, which is
    sqrt(2 / pi) * (1 + 3 * 0.044715 * x**2).
    """
    x, gate = cache
    return dy * (gate + x * 2 * gate * (1 - gate))


@mistake("gelu_backward")
def scale_forgotten_inside(dy: Array, cache: Cache) -> Array:
    """the factor sqrt(2 / pi) is missing from the slope of what is inside tanh.

    It multiplies the polynomial, so it multiplies the slope of the polynomial as well.
    """
    x, gate = cache
    return dy * (gate + x * _slope(x, gate) / SCALE)


@mistake("gelu_backward")
def without_the_cubes_slope(dy: Array, cache: Cache) -> Array:
    """the slope of the cubic term, 3 * 0.044715 * x**2, is missing.

    Inside tanh there is sqrt(2 / pi) * (x + 0.044715 * x**3), and both terms have a slope.
    """
    x, gate = cache
    return dy * (gate + x * 2 * gate * (1 - gate) * SCALE)


@mistake("gelu_backward")
def slope_of_a_sigmoid(dy: Array, cache: Cache) -> Array:
    """a factor 2 is missing from the slope of the gate.

    gate * (1 - gate) is the slope of a sigmoid. Here tanh = 2 * gate - 1, so 1 - tanh**2 is
    4 * gate * (1 - gate); with the 0.5 in front of tanh, two of the four are left.
    """
    x, gate = cache
    return dy * (gate + x * _slope(x, gate) / 2)


@mistake("gelu_backward")
def half_forgotten_behind(dy: Array, cache: Cache) -> Array:
    """the slope of the gate is twice too large: the 0.5 in front of tanh was left out.

    gate = 0.5 * (1 + tanh(...)), so the slope of the gate is 0.5 * (1 - tanh**2) * (...).
    """
    x, gate = cache
    return dy * (gate + 2 * x * _slope(x, gate))


@mistake("gelu_backward")
def gate_taken_for_the_tanh(dy: Array, cache: Cache) -> Array:
    """this is 1 - gate**2; it should be 1 - tanh**2: the cache has the gate, not the tanh.

    tanh = 2 * gate - 1.
    """
    x, gate = cache
    dgate = 0.5 * (1 - gate**2) * SCALE * (1 + 3 * CUBIC * x**2)
    return dy * (gate + x * dgate)


@mistake("gelu_backward")
def cache_taken_for_the_tanh(dy: Array, cache: Cache) -> Array:
    """the second entry of the cache was used as the tanh; it is the gate, between 0 and 1.

    So 0.5 * (1 + it) is not the gate, and 1 - it**2 is not the slope of tanh. tanh = 2 * gate - 1.
    """
    x, tanh = cache
    dgate = 0.5 * (1 - tanh**2) * SCALE * (1 + 3 * CUBIC * x**2)
    return dy * (0.5 * (1 + tanh) + x * dgate)


@mistake("gelu_backward")
def x_forgotten(dy: Array, cache: Cache) -> Array:
    """the slope of the gate was not multiplied by x.

    y = x * gate: its slope is gate + x * dgate. What is differentiated is the gate; the x beside it
    stays.
    """
    x, gate = cache
    return dy * (gate + _slope(x, gate))


@mistake("gelu_backward")
def terms_subtracted(dy: Array, cache: Cache) -> Array:
    """the two terms were subtracted; the product rule adds them.

    y = x * gate: its slope is gate + x * dgate. The minus sign belongs to a quotient.
    """
    x, gate = cache
    return dy * (gate - x * _slope(x, gate))


@mistake("gelu_backward")
def dy_in_the_first_term_only(dy: Array, cache: Cache) -> Array:
    """dy multiplies the first term only: parentheses are missing.

    The upstream gradient multiplies the whole slope, both terms: dy * (gate + x * dgate).
    """
    x, gate = cache
    return dy * gate + x * _slope(x, gate)


@mistake("gelu_backward")
def without_dy(dy: Array, cache: Cache) -> Array:
    """this is the slope of GELU; it was not multiplied by dy.

    dy says how much the loss changes with y, the slope how much y changes with x. The chain rule
    multiplies them. With dy = 1 everywhere, nobody notices.
    """
    x, gate = cache
    return gate + x * _slope(x, gate)


@mistake("gelu_backward")
def slope_of_the_exact_form(dy: Array, cache: Cache) -> Array:
    """the slope of the gate is the normal density: that of the exact GELU, with erf.

    The forward has the tanh form, and a backward must be the slope of the function that the forward
    really computes, approximation or not.
    """
    x, gate = cache
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return dy * (gate + x * density)


@mistake("gelu_backward")
def slope_of_relu(dy: Array, cache: Cache) -> Array:
    """this is the backward of ReLU: dy where x is positive, 0 elsewhere.

    GELU has a slope on both sides of zero: gate + x * dgate.
    """
    x, _ = cache
    return dy * (x > 0)


@mistake("gelu_backward")
def in_place_on_dy(dy: Array, cache: Cache) -> Array:
    """dy was multiplied in place (`dy *= ...`).

    The array belongs to the caller, who may use it again. Make a new one: dx = dy * slope.
    """
    x, gate = cache
    dy *= gate + x * _slope(x, gate)
    return dy


@mistake("gelu_backward")
def float64_in_the_backward(dy: Array, cache: Cache) -> Array:
    """float32 became float64: `np.sqrt(2 / np.pi)` is a NumPy float64, and it decides.

    A Python float takes the dtype of the array that it meets; a NumPy scalar keeps its own. Use
    math.sqrt, or float(...).
    """
    x, gate = cache
    dgate = 2 * gate * (1 - gate) * np.sqrt(2 / np.pi) * (1 + 3 * CUBIC * x**2)
    return dy * (gate + x * dgate)


@mistake("gelu")
def cube_subtracted(x: Array) -> tuple[Array, Cache]:
    """the cubic term has a minus sign; it is added: x + 0.044715 * x**3.

    It makes the gate open faster farther out. With a minus the gate would close again for large x.
    """
    return _gated(x, 0.5 * (1 + np.tanh(SCALE * (x - CUBIC * x**3))))


@mistake("gelu")
def ten_times_the_cube(x: Array) -> tuple[Array, Cache]:
    """the cubic term is ten times too large: a zero is missing from 0.044715.

    A typo like this changes y by less than 0.2, and a model still trains with it.
    """
    return _gated(x, 0.5 * (1 + np.tanh(SCALE * (x + 10 * CUBIC * x**3))))


@mistake("gelu_backward")
def tanh_not_squared(dy: Array, cache: Cache) -> Array:
    """the slope of tanh is 1 - tanh**2, and the square is missing.

    Far to the left tanh is -1, and 1 - tanh would be 2 where the curve is flat.
    """
    x, gate = cache
    dgate = (1 - gate) * SCALE * (1 + 3 * CUBIC * x**2)
    return dy * (gate + x * dgate)


@mistake("gelu_backward")
def cache_unpacked_in_another_order(dy: Array, cache: Cache) -> Array:
    """x and gate have changed places: the cache is (x, gate), in this order.

    Nothing warns you, since both have the same shape.
    """
    gate, x = cache
    return dy * (gate + x * _slope(x, gate))


@mistake("gelu_backward")
def tanh_of_x(dy: Array, cache: Cache) -> Array:
    """the slope has tanh(x) where the tanh of the gate belongs, which is tanh(inner).

    You need not compute it again: tanh = 2 * gate - 1.
    """
    x, gate = cache
    slope = 0.5 * (1 - np.tanh(x) ** 2) * SCALE * (1 + 3 * CUBIC * x**2)
    return dy * (gate + x * slope)
