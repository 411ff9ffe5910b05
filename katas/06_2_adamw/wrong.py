"""AdamW as people write it at first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _moments(g: Any, mean: Any, square: Any, betas: Any) -> tuple[Any, Any]:
    beta1, beta2 = betas
    return beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * g * g


def _corrected(mean: Any, square: Any, step: int, betas: Any) -> tuple[Any, Any]:
    return mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)


def _moved(p: Any, m: Any, s: Any, rate: float, epsilon: float, decay: float) -> Any:
    return p - rate * (decay * p + m / (np.sqrt(s) + epsilon))


@mistake("adamw")
def no_bias_correction(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the bias correction is missing from both means.

    They start at zero and are pulled toward it for many steps. After the first one, mean' is only
    0.1 g, and square' only 0.001 g**2. Divide by 1 - beta1**step and 1 - beta2**step. Look at the
    first step: its length should be the learning rate; yours is sqrt(10) times that.
    """
    mean, square = _moments(g, mean, square, betas)
    return _moved(p, mean, square, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def square_not_corrected(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """only the mean is corrected for its start at zero; the mean of squares is not.

    It is the one that needs it more: beta2 is nearer to 1, so it needs a thousand steps to catch
    up. Until then the root is too small and the step too long. s = square' / (1 - beta2**step).
    """
    mean, square = _moments(g, mean, square, betas)
    m, _ = _corrected(mean, square, step, betas)
    return _moved(p, m, square, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def mean_not_corrected(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """only the mean of squares is corrected for its start at zero; the mean is not.

    After the first step mean' is 0.1 g: the first steps are ten times too short.
    m = mean' / (1 - beta1**step).
    """
    mean, square = _moments(g, mean, square, betas)
    _, s = _corrected(mean, square, step, betas)
    return _moved(p, mean, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def decay_in_the_gradient(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the decay was added to the gradient, and so went through the moments (Adam with L2).

    There it is divided by the root of the squares like everything else: a parameter with large
    gradients hardly decays, one with small ones far too much. Decoupled means beside it:
    p' = p - learning_rate * (weight_decay * p + ...). That is the W in AdamW.
    """
    mean, square = _moments(g + weight_decay * p, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, 0.0), mean, square


@mistake("adamw")
def decay_not_scaled_by_the_learning_rate(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the decay is not scaled by the learning rate: weight_decay * p was subtracted as it is.

    The rule here is PyTorch's, p * (1 - learning_rate * weight_decay). So the decay fades with the
    schedule, and a weight_decay of 0.1 takes 0.1 % a step at a learning rate of 0.01, not 10 %.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, 0.0) - weight_decay * p, mean, square


@mistake("adamw")
def decay_after_the_step(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the decay was computed from the new parameters, after the step.

    Both terms of the rule use the p that came in. The difference is tiny in one step, a product of
    two small numbers, but it adds up over a run. Compute the decay from the old p.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    p = _moved(p, m, s, learning_rate, epsilon, 0.0)
    return p * (1 - learning_rate * weight_decay), mean, square


@mistake("adamw")
def decay_forgotten(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """weight_decay is not used: this is Adam, not AdamW.

    Subtract learning_rate * weight_decay * p as well. With weight_decay = 0 the two are the same.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, 0.0), mean, square


@mistake("adamw")
def epsilon_inside_the_root(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """epsilon was added inside the root: sqrt(s + epsilon).

    Inside, 1e-8 acts like 1e-4 outside, and gradients smaller than that are slowed down. It is
    added after the root: m / (sqrt(s) + epsilon).
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    p = p - learning_rate * (weight_decay * p + m / np.sqrt(s + epsilon))
    return p, mean, square


@mistake("adamw")
def epsilon_before_the_correction(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """epsilon was added to the root of square' and not to that of the corrected s.

    With both corrections moved into the learning rate, the root is that of the uncorrected square,
    and epsilon has to shrink with it: sqrt(square') + epsilon * sqrt(1 - beta2**step).
    """
    mean, square = _moments(g, mean, square, betas)
    rate = learning_rate * math.sqrt(1 - betas[1] ** step) / (1 - betas[0] ** step)
    p = p * (1 - learning_rate * weight_decay) - rate * mean / (np.sqrt(square) + epsilon)
    return p, mean, square


@mistake("adamw")
def root_forgotten(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the root is missing: the mean was divided by the mean of squares itself.

    m has the unit of the gradient and s that of its square. Only m / sqrt(s) is a pure number, so
    that the learning rate alone says how far to go.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    return p - learning_rate * (weight_decay * p + m / (s + epsilon)), mean, square


@mistake("adamw")
def not_an_average(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the new gradient comes in whole: the factors (1 - beta) are missing.

    beta * old + new is the velocity of SGD's momentum, a sum. A running mean keeps beta of the old
    and takes 1 - beta of the new, and only for a mean is the bias 1 - beta**step.
    """
    mean, square = betas[0] * mean + g, betas[1] * square + g * g
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def betas_exchanged(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the betas are swapped: beta1 = 0.9 belongs to the mean, beta2 = 0.999 to the squares.

    The direction should follow the last ten gradients or so, the scale the last thousand.
    """
    betas = betas[::-1]
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def old_and_new_exchanged(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """beta is on the new gradient and 1 - beta on the old mean; it is the other way round.

    With beta1 = 0.9 the mean should *keep* nine tenths of what it was. So it is a mean over about
    1 / (1 - beta1) = 10 steps, and yours over hardly more than one.
    """
    mean = (1 - betas[0]) * mean + betas[0] * g
    square = (1 - betas[1]) * square + betas[1] * g * g
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def square_of_the_mean(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """square' was made from the mean, squared, and not from the gradient, squared.

    The mean of noisy gradients is small, the mean of their squares is not; that the two differ is
    what slows Adam down where the gradient is only noise. square' takes (1 - beta2) * g * g.
    """
    mean = betas[0] * mean + (1 - betas[0]) * g
    square = betas[1] * square + (1 - betas[1]) * mean * mean
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def corrected_moments_returned(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the corrected m and s were returned as the state.

    The next step would correct them again. What is kept are mean' and square' as they are; m and s
    are for this one step only.
    """
    m, s = _corrected(*_moments(g, mean, square, betas), step, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), m, s


@mistake("adamw")
def step_with_the_old_moments(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """p moved by the means as they came in; this step's gradient is not in them yet.

    First bring both means up to date, then move. With the old ones the first step divides zero by
    epsilon and goes nowhere.
    """
    m, s = _corrected(mean, square, step, betas)
    moments = _moments(g, mean, square, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), *moments


@mistake("adamw")
def beta_times_step(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the correction has beta * step; it should be beta**step.

    Each step keeps a share beta of the zero that the mean began with; after `step` of them it is
    beta multiplied with itself, a power: `**`, not `*`.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = mean / (1 - betas[0] * step), square / (1 - betas[1] * step)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def corrected_as_at_step_one(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the correction ignores the step: 1 - beta instead of 1 - beta**step.

    It is right for the first step. Later less and less of the zero is left, and the factor goes to
    1; yours stays at ten, and a thousand.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, 1, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def one_minus_beta_to_the_step(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the power is on the wrong thing: (1 - beta)**step; the correction is 1 - beta**step.

    A share of beta**step of the mean is still the zero that it began with; the rest is 1 less that.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = (x / (1 - beta) ** step for x, beta in zip((mean, square), betas, strict=True))
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def corrections_exchanged(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the two corrections are swapped: beta1 belongs to the mean, beta2 to the squares.

    Each running mean is corrected with the beta that it was made with.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas[::-1])
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def correction_outside_the_root(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the correction of the squares is outside the root: sqrt(square') / (1 - beta2**step).

    It corrects square', so it is inside: sqrt(square' / (1 - beta2**step)). Written apart, the
    correction needs a root of its own.
    """
    mean, square = _moments(g, mean, square, betas)
    m, _ = _corrected(mean, square, step, betas)
    root = np.sqrt(square) / (1 - betas[1] ** step)
    return _moved(p, m, root**2, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def the_largest_square(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the larger of the old and the new mean of squares was kept: that is AMSGrad.

    A good method, but another one: there the scale can only grow. Here square' is the running mean
    as it comes.
    """
    mean, new = _moments(g, mean, square, betas)
    square = np.maximum(square, new)
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def step_counted_from_zero(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the correction uses step - 1; step counts from 1 already.

    At the first step beta**0 = 1 makes it a division by zero. The number of gradients in the mean
    is `step`.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step - 1, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def step_plus_one(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the correction uses step + 1; step counts from 1 already.

    In a loop that counts from 0 you would need the + 1. Here `step` is the number of this step, so
    the first has 1 - beta.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step + 1, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def uphill(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the step goes uphill: it was added.

    The gradient points to where the loss rises. Subtract the step: p - learning_rate * ...
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, -m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def float64_from_a_numpy_scalar(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """float32 parameters came back as float64: a NumPy scalar came in, such as np.sqrt(2).

    np.sqrt of a Python float is a float64 *scalar*, and in NumPy 2 float64 times a float32 array
    is float64: twice the memory, half the speed. Use math.sqrt, whose result is a Python float,
    and takes the dtype of the array.
    """
    mean, square = _moments(g, mean, square, betas)
    root = np.sqrt(1 - betas[1] ** step)
    change = mean * root / (1 - betas[0] ** step) / (np.sqrt(square) + epsilon * root)
    return p - learning_rate * (weight_decay * p + change), mean, square


@mistake("adamw")
def in_place_on_the_state(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """mean and square were updated in place: `mean *= ...` writes into the caller's arrays.

    A rule that is called twice with the same state should give the same answer twice. Make new
    arrays, `mean = mean * beta1`; from there on `+=` is fine. The optimizer stores them.
    """
    mean *= betas[0]
    mean += (1 - betas[0]) * g
    square *= betas[1]
    square += (1 - betas[1]) * g * g
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def in_place_on_the_parameters(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the parameters were moved in place: `p -= ...` writes into the caller's array.

    The rule returns the new parameters; it is the optimizer that puts them where the old ones were.
    """
    mean, square = _moments(g, mean, square, betas)
    m, s = _corrected(mean, square, step, betas)
    p[...] = _moved(p, m, s, learning_rate, epsilon, weight_decay)
    return p, mean, square


@mistake("adamw")
def gradient_in_place_of_its_mean(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the step follows the gradient itself, not its running mean (the momentum).

    The gradient of one batch is noisy; its mean over the last ten or so is what Adam follows. Use
    m = mean' / (1 - beta1**step) above the root.
    """
    mean, square = _moments(g, mean, square, betas)
    _, s = _corrected(mean, square, step, betas)
    return _moved(p, g, s, learning_rate, epsilon, weight_decay), mean, square


@mistake("adamw")
def gradient_not_squared(
    p, g, mean, square, *, step, learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0
):
    """the second running mean is of g, not of its square g * g.

    It should measure how large gradients are, whatever their sign. A mean of g itself can be zero
    or negative, and then it has no root.
    """
    beta1, beta2 = betas
    mean, square = beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * g
    m, s = _corrected(mean, square, step, betas)
    return _moved(p, m, np.abs(s), learning_rate, epsilon, weight_decay), mean, square
