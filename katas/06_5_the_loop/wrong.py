"""One training step as people write it at first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake
from minilm.errors import TrainingError
from minilm.nn import optim


def _finite(norm: float) -> float:
    if not math.isfinite(norm):
        raise TrainingError("the gradient is not finite")
    return norm


def _factor(norm: float, clip: float | None) -> float:
    return 1.0 if clip is None else optim.clip_factor(norm, clip)


def _step(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
    checked: Any = _finite,
    length: Any = optim.global_norm,
    factor: Any = _factor,
    changed: Any = None,
) -> Any:
    """Take one step as it should be; each mistake below changes one thing."""
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = checked(length(gradient))
    scale = factor(norm, clip)
    if changed is not None:
        changed(gradient, scale, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


# --------------------------------------------------------------------------- clipping


@mistake("train_step")
def no_clipping(*arguments, **options):
    """the gradient was not clipped.

    One strange batch would throw the model far away. Pass clip_factor(norm, clip) to the optimizer
    as `scale`.
    """
    return _step(*arguments, **options, factor=lambda norm, clip: 1.0)


@mistake("train_step")
def no_limit_not_thought_of(*arguments, **options):
    """clip=None means no limit: then the factor is 1.

    Check for None before you call clip_factor, which needs a number.
    """
    return _step(*arguments, **options, factor=optim.clip_factor)


@mistake("train_step")
def no_limit_taken_for_one(*arguments, **options):
    """clip=None means no limit, and you took it for a limit of 1.

    1.0 is the default. Somebody who asks for None wants the gradient as it comes.
    """

    def limited(norm: float, clip: float | None) -> float:
        return _factor(norm, 1.0 if clip is None else clip)

    return _step(*arguments, **options, factor=limited)


@mistake("train_step")
def limit_for_factor(*arguments, **options):
    """the limit itself was passed as `scale`; the factor is clip_factor(norm, clip).

    `scale` multiplies the gradient. Yours shortens every one, and lengthens it where clip is above
    1.
    """
    return _step(*arguments, **options, factor=lambda norm, clip: 1.0 if clip is None else clip)


@mistake("train_step")
def norm_for_factor(*arguments, **options):
    """the norm was passed as `scale`, so long gradients become longer still.

    The factor is clip_factor(norm, clip), at most 1.
    """
    return _step(*arguments, **options, factor=lambda norm, clip: norm)


@mistake("train_step")
def short_gradients_stretched(*arguments, **options):
    """short gradients are stretched to the limit: clip / norm is above 1 for them.

    Clipping does nothing to a gradient that is short enough. clip_factor is at most 1.
    """

    def stretched(norm: float, clip: float | None) -> float:
        return 1.0 if clip is None else clip / (norm + 1e-6)

    return _step(*arguments, **options, factor=stretched)


@mistake("train_step")
def always_of_length_one(*arguments, **options):
    """the limit is 1, whatever `clip` is.

    Either 1 was passed to clip_factor in its place, or the factor is 1 / norm. The limit is `clip`,
    and a gradient that is shorter stays as it is: clip_factor(norm, clip).
    """

    def one(norm: float, clip: float | None) -> float:
        return 1.0 if clip is None else 1 / (norm + 1e-6)

    return _step(*arguments, **options, factor=one)


@mistake("train_step")
def clipped_entry_by_entry(*arguments, **options):
    """each entry of the gradient was cut off at the limit, by itself.

    That turns the gradient: it points elsewhere (kata 6.3). One factor for all entries,
    clip_factor(norm, clip), keeps its direction.
    """

    def cut(gradient: Any, _: float, clip: float | None) -> None:
        if clip is not None:
            np.clip(gradient.flat, -clip, clip, out=gradient.flat)

    return _step(*arguments, **options, factor=lambda norm, clip: 1.0, changed=cut)


@mistake("train_step")
def learning_rate_clipped(model, batch, optimizer, *, learning_rate, shards, clip=1.0, rng=None):
    """the learning rate was multiplied by the factor, and the gradient came in whole.

    That is the same for plain descent only. A velocity, or Adam's running means, would remember the
    long gradient for many steps. Pass the factor as `scale`.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    rate = learning_rate * _factor(norm, clip)
    optimizer.update(gradient, learning_rate=rate, each=shards.each)
    return loss, norm


@mistake("train_step")
def scaled_twice(*arguments, **options):
    """the gradient was scaled twice: once by you, and once by the optimizer.

    optimizer.update multiplies by `scale` itself. Do one or the other.
    """

    def scaled(gradient: Any, scale: float, _: float | None) -> None:
        gradient.flat[...] *= scale

    return _step(*arguments, **options, changed=scaled)


@mistake("train_step")
def long_gradients_skipped(model, batch, optimizer, *, learning_rate, shards, clip=1.0, rng=None):
    """a gradient that is longer than the limit was skipped: no step was taken.

    At the start of a run nearly every gradient is that long. Shorten it, and take the step.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    if clip is None or norm <= clip:
        optimizer.update(gradient, learning_rate=learning_rate, each=shards.each)
    return loss, norm


# --------------------------------------------------------------------------- norm and loss


@mistake("train_step")
def not_refused(*arguments, **options):
    """a gradient that is not finite was not refused.

    One infinite entry makes every parameter NaN in the next step, and forever. A finite loss is no
    guarantee: look at the gradient's norm, and raise TrainingError before the update.
    """
    return _step(*arguments, **options, checked=lambda norm: norm)


@mistake("train_step")
def refused_too_late(*arguments, **options):
    """the norm is checked after the update: by then the parameters are ruined.

    Refuse before anything is changed.
    """
    loss, norm = _step(*arguments, **options, checked=lambda norm: norm)
    return loss, _finite(norm)


@mistake("train_step")
def loss_after_the_step(model, batch, optimizer, **options):
    """the loss is the one after the step, which took another forward pass.

    The loss before it is known already: loss_and_grad returns it. Training curves show that one,
    and it costs nothing.
    """
    _, norm = _step(model, batch, optimizer, **options)
    return model.loss(*batch), norm


@mistake("train_step")
def clipped_norm(*arguments, clip=1.0, **options):
    """the norm is the one after clipping; return the norm of the gradient before clipping.

    A log of clipped norms shows the limit, line after line, and hides every outburst.
    """
    loss, norm = _step(*arguments, clip=clip, **options)
    return loss, norm * _factor(norm, clip)


@mistake("train_step")
def norm_of_the_parameters(model, batch, optimizer, **options):
    """this is the norm of the parameters; clipping is about the gradient.

    optim.global_norm(gradient).
    """

    def length(_: Any) -> float:
        return optim.global_norm(model.parameters)

    return _step(model, batch, optimizer, **options, length=length)


@mistake("train_step")
def largest_entry(*arguments, **options):
    """this is the largest entry of the gradient; the norm is the length of all of it.

    optim.global_norm(gradient): the root of the sum of all squares.
    """
    return _step(*arguments, **options, length=lambda g: float(np.abs(g.flat).max()))


@mistake("train_step")
def squared_norm(*arguments, **options):
    """this is the square of the norm: the root is missing.

    optim.global_norm(gradient) is the root of the sum of all squares.
    """
    return _step(*arguments, **options, length=lambda g: float(g.flat @ g.flat))


@mistake("train_step")
def sum_of_norms(*arguments, **options):
    """the norms of the arrays were added up; the norm is of all parameters together.

    Lengths do not add up, squares do: the root of the sum of all squares, which is
    optim.global_norm(gradient).
    """

    def length(gradient: Any) -> float:
        return float(sum(np.linalg.norm(array) for array in gradient.values()))

    return _step(*arguments, **options, length=length)


# --------------------------------------------------------------------------- the parts


@mistake("train_step")
def no_dropout(*arguments, rng=None, **options):
    """`rng` was not passed on, so there is no dropout.

    The model drops out only if it is given a generator: shards.loss_and_grad(model, *batch,
    rng=rng).
    """
    return _step(*arguments, **options)


@mistake("train_step")
def always_dropout(*arguments, rng=None, **options):
    """there is dropout even if no `rng` was given: a generator was made here.

    Without a generator there is no dropout. Pass on what came: rng=rng.
    """
    return _step(*arguments, rng=np.random.default_rng(0) if rng is None else rng, **options)


@mistake("train_step")
def without_the_shards(model, batch, optimizer, *, shards, **options):
    """the gradient was computed by the model itself, without the shards.

    Without dropout the numbers are the same, but only one thread works, however many there are. Use
    shards.loss_and_grad(model, *batch, rng=rng).
    """

    class Alone:
        each = shards.each

        def loss_and_grad(self, model: Any, *batch: Any, rng: Any) -> Any:
            return model.loss_and_grad(*batch, rng=rng)

    return _step(model, batch, optimizer, shards=Alone(), **options)


@mistake("train_step")
def no_update(model, batch, optimizer, *, learning_rate, shards, clip=1.0, rng=None):
    """the parameters have not moved: optimizer.update was not called.

    Loss and norm are right, and will be the same in the next step, and in the one after that.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    return loss, _finite(optim.global_norm(gradient))


@mistake("train_step")
def updated_twice(model, batch, optimizer, *, learning_rate, shards, clip=1.0, rng=None):
    """the update was made twice.

    One gradient, one step. The second one uses a gradient that no longer fits where the model is.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _factor(norm, clip)
    for _ in range(2):
        optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def batch_not_unpacked(model, batch, optimizer, **options):
    """the batch was passed as one thing; it must be unpacked, *batch.

    `batch` is (ids, targets), and the model takes two arrays.
    """
    return _step(model, (batch,), optimizer, **options)


@mistake("train_step")
def by_position(model, batch, optimizer, *, learning_rate, shards, clip=1.0, rng=None):
    """learning rate and scale were passed by position; optimizer.update takes them by name only.

    optimizer.update(gradient, learning_rate=..., scale=..., each=shards.each). Three floats in a
    row are too easy to mix up.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    optimizer.update(gradient, learning_rate, _factor(norm, clip))
    return loss, norm


@mistake("train_step")
def results_in_another_order(*arguments, **options):
    """loss and norm are returned in the wrong order.

    First the loss, then the norm.
    """
    loss, norm = _step(*arguments, **options)
    return norm, loss


@mistake("train_step")
def without_the_optimizer(model, batch, optimizer, *, learning_rate, shards, clip=1.0, rng=None):
    """the parameters were changed by hand: the optimizer was not used.

    It knows more than a learning rate: velocity or running means, weight decay, the number of the
    step. Call optimizer.update.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    model.parameters.flat[...] -= learning_rate * _factor(norm, clip) * gradient.flat
    return loss, norm


@mistake("train_step")
def uphill(*arguments, **options):
    """the step goes uphill: the optimizer subtracts already.

    `scale` is positive. The sign is the optimizer's business.
    """
    return _step(*arguments, **options, factor=lambda norm, clip: -_factor(norm, clip))
