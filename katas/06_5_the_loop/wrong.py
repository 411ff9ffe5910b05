"""One training step as people write it at first."""

from __future__ import annotations

import math
from typing import Any

from minilm.course.mistakes import mistake
from minilm.errors import TrainingError
from minilm.nn import optim


def _finite(norm: float) -> float:
    if not math.isfinite(norm):
        raise TrainingError("the gradient is not finite")
    return norm


def _scale(norm: float, clip: float | None) -> float:
    return 1.0 if clip is None else optim.clip_factor(norm, clip)


@mistake("train_step")
def no_clipping(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the gradient was not clipped.

    One strange batch would throw the model far away. Pass clip_factor(norm, clip) to the optimizer
    as `scale`.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    optimizer.update(gradient, learning_rate=learning_rate, each=shards.each)
    return loss, norm


@mistake("train_step")
def no_limit_not_thought_of(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """clip=None means no limit: then the factor is 1.

    Check for None before you call clip_factor, which needs a number.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = optim.clip_factor(norm, clip)  # type: ignore[arg-type]
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def no_limit_taken_for_one(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """clip=None means no limit, and you took it for a limit of 1.

    1.0 is the default. Somebody who asks for None wants the gradient as it comes.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, 1.0 if clip is None else clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def no_dropout(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """`rng` was not passed on, so there is no dropout.

    The model drops out only if it is given a generator: shards.loss_and_grad(model, *batch,
    rng=rng).
    """
    loss, gradient = shards.loss_and_grad(model, *batch)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def without_the_shards(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the gradient was computed by the model itself, without the shards.

    Without dropout the numbers are the same, but only one thread works, however many there are. Use
    shards.loss_and_grad(model, *batch, rng=rng).
    """
    loss, gradient = model.loss_and_grad(*batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def not_refused(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """a gradient that is not finite was not refused.

    One infinite entry makes every parameter NaN in the next step, and forever. A finite loss is no
    guarantee: look at the gradient's norm, and raise TrainingError before the update.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = optim.global_norm(gradient)
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def refused_too_late(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the norm is checked after the update: by then the parameters are ruined.

    Refuse before anything is changed.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = optim.global_norm(gradient)
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    _finite(norm)
    return loss, norm


@mistake("train_step")
def loss_after_the_step(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the loss is the one after the step, which took another forward pass.

    The loss before it is known already: loss_and_grad returns it. Training curves show that one,
    and it costs nothing.
    """
    _, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return model.loss(*batch), norm


@mistake("train_step")
def clipped_norm(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the norm is the one after clipping; return the norm of the gradient before clipping.

    A log of clipped norms shows the limit, line after line, and hides every outburst.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm * scale


@mistake("train_step")
def limit_for_factor(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the limit itself was passed as `scale`; the factor is clip_factor(norm, clip).

    `scale` multiplies the gradient. Yours shortens every one, and lengthens it where clip is above
    1.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = 1.0 if clip is None else clip
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def norm_for_factor(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the norm was passed as `scale`, so long gradients become longer still.

    The factor is clip_factor(norm, clip), at most 1.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = norm
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def learning_rate_clipped(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the learning rate was multiplied by the factor, and the gradient came in whole.

    That is the same for plain descent only. A velocity, or Adam's running means, would remember the
    long gradient for many steps. Pass the factor as `scale`.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    rate = learning_rate * _scale(norm, clip)
    optimizer.update(gradient, learning_rate=rate, each=shards.each)
    return loss, norm


@mistake("train_step")
def scaled_twice(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the gradient was scaled twice: once by you, and once by the optimizer.

    optimizer.update multiplies by `scale` itself. Do one or the other.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    gradient.flat[...] *= scale
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def no_update(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the parameters have not moved: optimizer.update was not called.

    Loss and norm are right, and will be the same in the next step, and in the one after that.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    return loss, norm


@mistake("train_step")
def updated_twice(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the update was made twice.

    One gradient, one step. The second one uses a gradient that no longer fits where the model is.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def norm_of_the_parameters(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """this is the norm of the parameters; clipping is about the gradient.

    optim.global_norm(gradient).
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(model.parameters))
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def batch_not_unpacked(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the batch was passed as one thing; it must be unpacked, *batch.

    `batch` is (ids, targets), and the model takes two arrays.
    """
    loss, gradient = shards.loss_and_grad(model, batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


@mistake("train_step")
def by_position(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """learning rate and scale were passed by position; optimizer.update takes them by name only.

    optimizer.update(gradient, learning_rate=..., scale=..., each=shards.each). Three floats in a
    row are too easy to mix up.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    optimizer.update(gradient, learning_rate, _scale(norm, clip))
    return loss, norm


@mistake("train_step")
def results_in_another_order(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """loss and norm are returned in the wrong order.

    First the loss, then the norm.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return norm, loss


@mistake("train_step")
def long_gradients_skipped(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """a gradient that is longer than the limit was skipped: no step was taken.

    At the start of a run nearly every gradient is that long. Shorten it, and take the step.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    if clip is None or norm <= clip:
        optimizer.update(gradient, learning_rate=learning_rate, each=shards.each)
    return loss, norm


@mistake("train_step")
def without_the_optimizer(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the parameters were changed by hand: the optimizer was not used.

    It knows more than a learning rate: velocity or running means, weight decay, the number of the
    step. Call optimizer.update.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = _scale(norm, clip)
    model.parameters.flat[...] -= learning_rate * scale * gradient.flat
    return loss, norm


@mistake("train_step")
def uphill(
    model: Any,
    batch: Any,
    optimizer: Any,
    *,
    learning_rate: float,
    shards: Any,
    clip: float | None = 1.0,
    rng: Any = None,
) -> Any:
    """the step goes uphill: the optimizer subtracts already.

    `scale` is positive. The sign is the optimizer's business.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = _finite(optim.global_norm(gradient))
    scale = -_scale(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm
