"""SGD with momentum as people write it at first."""

from __future__ import annotations

from minilm.arrays import Array
from minilm.course.mistakes import mistake

Pair = tuple[Array, Array]


@mistake("sgd")
def without_velocity(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the velocity is not used and comes back as it was: this is plain gradient descent.

    The velocity is the memory. Bring it up to date with the gradient, move by it, and return it,
    or the next step will know nothing of this one.
    """
    return p - learning_rate * g, velocity


@mistake("sgd")
def moved_by_the_gradient(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the velocity is right, but the parameters moved by the gradient alone.

    Momentum acts only if the step is taken along the velocity: learning_rate * velocity'.
    """
    return p - learning_rate * g, momentum * velocity + g


@mistake("sgd")
def running_mean(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the gradient came in with a factor 1 - momentum, as in a running mean (Adam has one).

    Here the whole gradient comes in, so the velocity is a sum that forgets, not a mean. With
    momentum 0.9 yours goes ten times slower.
    """
    velocity = momentum * velocity + (1 - momentum) * g
    return p - learning_rate * velocity, velocity


@mistake("sgd")
def uphill(p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float) -> Pair:
    """the sign of the step: the parameters go up the gradient.

    The gradient points to where the loss grows. Subtract.
    """
    velocity = momentum * velocity + g
    return p + learning_rate * velocity, velocity


@mistake("sgd")
def old_velocity(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the step was taken with the old velocity, before the gradient came in.

    The very first step then goes nowhere, and every later one uses the gradient of the step before.
    Update the velocity first, then move.
    """
    return p - learning_rate * velocity, momentum * velocity + g


@mistake("sgd")
def rate_in_the_velocity(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the learning rate is in the velocity: it was multiplied in with the gradient.

    Some papers write it so. As long as the rate is constant, the path is the same. When it falls,
    old steps keep their old rate. Here the velocity is made of gradients alone, and the learning
    rate multiplies all of it at the end.
    """
    velocity = momentum * velocity + learning_rate * g
    return p - velocity, velocity


@mistake("sgd")
def rate_in_both(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the learning rate is there twice: in the velocity, and in the step again.

    The velocity knows nothing of it. It scales the step: p - learning_rate * velocity'.
    """
    velocity = momentum * velocity + learning_rate * g
    return p - learning_rate * velocity, velocity


@mistake("sgd")
def velocity_downhill(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the velocity points downhill: minus the gradient, with the learning rate in it.

    That is the form of Sutskever's paper. Here the sign and the learning rate stay outside:
    velocity' has plus g, and p' has minus learning_rate * velocity'.
    """
    velocity = momentum * velocity - learning_rate * g
    return p + velocity, velocity


@mistake("sgd")
def nesterov(p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float) -> Pair:
    """this is Nesterov's momentum: the step looks one step ahead, g + momentum * velocity'.

    A good method, but another one. Here the step is along velocity' itself.
    """
    velocity = momentum * velocity + g
    return p - learning_rate * (g + momentum * velocity), velocity


@mistake("sgd")
def momentum_on_the_gradient(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """momentum multiplies the gradient; it must multiply the old velocity.

    Momentum is how much of the past is kept. Yours keeps all of it forever, and never comes to
    rest.
    """
    velocity = velocity + momentum * g
    return p - learning_rate * velocity, velocity


@mistake("sgd")
def momentum_on_both(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """momentum multiplies both the old velocity and the gradient.

    Only the past fades; the new gradient comes in whole. With momentum 0 yours would not move at
    all, but it should be plain gradient descent.
    """
    velocity = momentum * (velocity + g)
    return p - learning_rate * velocity, velocity


@mistake("sgd")
def rate_and_momentum_exchanged(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """learning rate and momentum are swapped.

    Momentum is the share of the old velocity that is kept; the learning rate scales the step.
    """
    velocity = learning_rate * velocity + g
    return p - momentum * velocity, velocity


@mistake("sgd")
def no_friction(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """momentum is missing: the old velocity is kept whole.

    A ball without friction rolls forever. Multiply the old velocity by momentum before the gradient
    comes in.
    """
    velocity = velocity + g
    return p - learning_rate * velocity, velocity


@mistake("sgd")
def old_velocity_returned(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the step is right, but the old velocity is returned.

    The next step starts from what you return. Return the new velocity.
    """
    return p - learning_rate * (momentum * velocity + g), velocity


@mistake("sgd")
def step_returned(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """what is returned as the velocity is the step: it has the learning rate in it.

    The next call would multiply it once more. Return the velocity before the learning rate.
    """
    step = learning_rate * (momentum * velocity + g)
    return p - step, step


@mistake("sgd")
def no_learning_rate(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the learning rate is missing: the parameters moved by the whole velocity.

    p' = p minus the learning rate times velocity'.
    """
    velocity = momentum * velocity + g
    return p - velocity, velocity


@mistake("sgd")
def results_in_another_order(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """parameters and velocity are returned in the wrong order.

    The order is p', velocity', as in the arguments.
    """
    velocity = momentum * velocity + g
    return velocity, p - learning_rate * velocity


@mistake("sgd")
def velocity_in_place(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """the velocity was changed in place: `velocity *= momentum` writes to the caller's array.

    Write velocity = momentum * velocity + g, which makes a new one.
    """
    velocity *= momentum
    velocity += g
    return p - learning_rate * velocity, velocity


@mistake("sgd")
def everything_in_place(
    p: Array, g: Array, velocity: Array, *, learning_rate: float, momentum: float
) -> Pair:
    """parameters and velocity were changed in place: `p -= ...` writes to the caller's array.

    `x = x - y` makes a new array; `x -= y` changes the one that was passed in.
    """
    velocity *= momentum
    velocity += g
    p -= learning_rate * velocity
    return p, velocity


@mistake("sgd")
def velocity_of_the_negative_gradient(p, g, velocity, *, learning_rate, momentum):
    """the velocity collects the negative gradients, and the parameters move along with it.

    The parameters would go the same way. But here the velocity collects the gradients as they are,
    and it is the step that has the minus, as in PyTorch: what was saved could not be read there.
    """
    new = momentum * velocity - g
    return p + learning_rate * new, new
