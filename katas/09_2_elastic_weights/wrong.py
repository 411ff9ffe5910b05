"""What people write in kata 9.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilm.course.mistakes import mistake

Generator = np.random.Generator


def _probabilities(logits: Any) -> Any:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _draw(logits: Any, rng: Generator) -> Any:
    return np.argmax(logits + rng.gumbel(size=logits.shape), axis=-1)


def _most_likely(logits: Any, _: Generator) -> Any:
    return np.argmax(logits, axis=-1)


def _scores(
    model: Any, windows: Any, rng: Generator, draw: Callable[..., Any] = _draw
) -> tuple[list[Any], list[int]]:
    """Return the gradient of the mean loss for each window, and the windows' lengths."""
    gradients, lengths = [], []
    for window in windows:
        ids = np.asarray(window)[np.newaxis]
        gradients.append(model.loss_and_grad(ids, draw(model.logits(ids), rng))[1].flat.copy())
        lengths.append(ids.size)
    return gradients, lengths


def _sum(model: Any, parts: Any) -> Any:
    total = np.zeros(model.parameters.count(), model.parameters.dtype)
    for part in parts:
        total += part
    return total


# --------------------------------------------------------------------------- sampled


@mistake("sampled")
def most_likely_token(logits: Any, *, rng: Generator) -> Any:
    """it takes the most likely token every time: without noise, nothing is drawn.

    A model that is right nine times in ten has to be wrong once. Add a Gumbel number to each logit
    first. (One number for all logits of a position, or the same for all, changes nothing.)
    """
    return np.argmax(logits, axis=-1)


@mistake("sampled")
def noise_shared_by_all_positions(logits: Any, *, rng: Generator) -> Any:
    """all positions share their noise: V numbers were drawn, not one for each logit.

    Draws at different positions must be independent; the estimate of the information needs that.
    rng.gumbel(size=logits.shape).
    """
    return np.argmax(logits + rng.gumbel(size=logits.shape[-1]), axis=-1)


@mistake("sampled")
def normal_noise(logits: Any, *, rng: Generator) -> Any:
    """the noise is normal; only Gumbel noise gives draws from the softmax.

    With any other noise the most likely tokens come too often or too rarely. rng.gumbel.
    """
    return np.argmax(logits + rng.standard_normal(logits.shape), axis=-1)


@mistake("sampled")
def uniform_noise(logits: Any, *, rng: Generator) -> Any:
    """the noise is uniform; only Gumbel noise gives draws from the softmax.

    A number from 0 to 1 can never lift a token that is more than one logit behind. rng.gumbel.
    """
    return np.argmax(logits + rng.random(logits.shape), axis=-1)


@mistake("sampled")
def gumbel_by_hand(logits: Any, *, rng: Generator) -> Any:
    """the noise was made by hand, -log(-log(u)): it is Gumbel noise, but not the agreed draws.

    The same rng gives other tokens than the stub asks for. Call rng.gumbel(size=logits.shape).
    """
    noise = -np.log(-np.log(rng.random(logits.shape)))
    return np.argmax(logits + noise, axis=-1)


@mistake("sampled")
def noise_on_probabilities(logits: Any, *, rng: Generator) -> Any:
    """the noise was added to the probabilities; it belongs on the logits.

    Probabilities differ by less than one, and Gumbel noise by several: that is nearly an even
    draw. No softmax is needed at all.
    """
    return np.argmax(_probabilities(logits) + rng.gumbel(size=logits.shape), axis=-1)


@mistake("sampled")
def drawn_by_choice(logits: Any, *, rng: Generator) -> Any:
    """the tokens were drawn with rng.choice: they follow the distribution, but are not the agreed
    draws.

    Use the Gumbel-max trick, so that the same rng gives the same tokens. It needs no loop either.
    """
    rows = _probabilities(logits.astype(float)).reshape(-1, logits.shape[-1])
    tokens = [rng.choice(len(row), p=row) for row in rows]
    return np.array(tokens).reshape(logits.shape[:-1])


@mistake("sampled")
def noise_subtracted(logits: Any, *, rng: Generator) -> Any:
    """the noise has the wrong sign: it was subtracted.

    A Gumbel number is lopsided: large ones are up. With the sign turned, these are not draws from
    the softmax.
    """
    return np.argmax(logits - rng.gumbel(size=logits.shape), axis=-1)


@mistake("sampled")
def largest_along_time(logits: Any, *, rng: Generator) -> Any:
    """the largest was taken along axis 1, which is time; the tokens are along the last axis.

    (B, T, V) -> (B, T): the axis that goes is V. axis=-1.
    """
    return np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)


@mistake("sampled")
def no_axis(logits: Any, *, rng: Generator) -> Any:
    """argmax has no axis, so it gave one place in the whole array.

    You need one token for each position: axis=-1.
    """
    return np.argmax(logits + rng.gumbel(size=logits.shape))


# --------------------------------------------------------------------------- fisher_diagonal


@mistake("fisher_diagonal")
def texts_own_tokens(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the targets are the text's own next tokens; they must be drawn from the model.

    That is another quantity, the "empirical" Fisher. Where the model fits the text it is too small,
    and where it does not it is too large. sampled(model.logits(ids), rng=rng).
    """
    total, places = _sum(model, []), 0
    for window in windows:
        ids = np.asarray(window)[np.newaxis]
        _, gradient = model.loss_and_grad(ids, np.roll(ids, -1))
        total += (gradient.flat * ids.size) ** 2
        places += ids.size
    return total / max(places, 1)


@mistake("fisher_diagonal")
def most_likely_targets(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the targets are the most likely tokens; they must be drawn.

    The information is an expectation over all tokens. The unlikely ones have the large scores.
    """
    gradients, lengths = _scores(model, windows, rng, _most_likely)
    squares = [(g * n) ** 2 for g, n in zip(gradients, lengths, strict=True)]
    return _sum(model, squares) / max(sum(lengths), 1)


@mistake("fisher_diagonal")
def inputs_as_targets(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the targets are the inputs themselves; they must be drawn from the model.

    sampled(model.logits(ids), rng=rng) gives the tokens that the model would go on with.
    """
    total, places = np.zeros(model.parameters.count(), model.parameters.dtype), 0
    for window in windows:
        ids = np.asarray(window)[np.newaxis]
        total += (model.loss_and_grad(ids, ids)[1].flat * ids.size) ** 2
        places += ids.size
    return total / max(places, 1)


@mistake("fisher_diagonal")
def used_up(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the windows were gone through twice, and the second time there are none left.

    They come from an iterable that can be gone through only once. Count the tokens in the same loop
    that adds up the scores.
    """
    places = sum(len(window) for window in windows)
    gradients, lengths = _scores(model, windows, rng)
    squares = [(g * t) ** 2 for g, t in zip(gradients, lengths, strict=True)]
    return _sum(model, squares) / max(places, 1)


@mistake("fisher_diagonal")
def mean_taken_for_the_score(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the gradient of the mean loss was squared as it is; the score is T times as large.

    The loss is a mean over T tokens and the log-likelihood a sum. Multiply by ids.size before you
    square.
    """
    gradients, lengths = _scores(model, windows, rng)
    return _sum(model, [g**2 for g in gradients]) / max(sum(lengths), 1)


@mistake("fisher_diagonal")
def length_not_squared(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the length T was multiplied in after the square, so it is there only once.

    The score is T times the gradient of the mean, and then it is squared: (gradient * T) ** 2.
    """
    gradients, lengths = _scores(model, windows, rng)
    parts = [n * g**2 for g, n in zip(gradients, lengths, strict=True)]
    return _sum(model, parts) / max(sum(lengths), 1)


@mistake("fisher_diagonal")
def per_window(model: Any, windows: Any, *, rng: Generator) -> Any:
    """it was divided by the number of windows; divide by the number of predicted tokens.

    Otherwise the springs would be stiffer for a text that was cut into longer windows. Add up
    ids.size.
    """
    gradients, lengths = _scores(model, windows, rng)
    squares = [(g * n) ** 2 for g, n in zip(gradients, lengths, strict=True)]
    return _sum(model, squares) / max(len(lengths), 1)


@mistake("fisher_diagonal")
def square_of_the_sum(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the scores were added first and squared afterward.

    Scores have both signs and cancel. Square the score of each window, then add.
    """
    gradients, lengths = _scores(model, windows, rng)
    scores = [g * n for g, n in zip(gradients, lengths, strict=True)]
    return _sum(model, scores) ** 2 / max(sum(lengths), 1)


@mistake("fisher_diagonal")
def absolute_value(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the absolute value of the score was taken; it has to be squared.

    The information is the curvature of the loss, and that is a square.
    """
    gradients, lengths = _scores(model, windows, rng)
    scores = [np.abs(g * n) for g, n in zip(gradients, lengths, strict=True)]
    return _sum(model, scores) / max(sum(lengths), 1)


@mistake("fisher_diagonal")
def not_divided(model: Any, windows: Any, *, rng: Generator) -> Any:
    """it was not divided by the count of tokens, so it grows with the sample.

    Per predicted token: divide by the sum of all ids.size.
    """
    gradients, lengths = _scores(model, windows, rng)
    return _sum(model, [(g * n) ** 2 for g, n in zip(gradients, lengths, strict=True)])


@mistake("fisher_diagonal")
def last_window_only(model: Any, windows: Any, *, rng: Generator) -> Any:
    """each window was assigned, not added (= instead of +=), so only the last window counts.

    total += score * score.
    """
    gradients, lengths = _scores(model, windows, rng)
    squares = [(g * n) ** 2 for g, n in zip(gradients, lengths, strict=True)]
    return _sum(model, squares[-1:]) / max(sum(lengths), 1)


@mistake("fisher_diagonal")
def batch_axis_missing(model: Any, windows: Any, *, rng: Generator) -> Any:
    """the window has no axis for the batch: the model takes ids of shape (B, T).

    A batch of one: np.asarray(window)[np.newaxis].
    """
    total, places = _sum(model, []), 0
    for ids in windows:
        _, gradient = model.loss_and_grad(ids, _draw(model.logits(ids), rng))
        total += (gradient.flat * ids.size) ** 2
        places += ids.size
    return total / max(places, 1)


# --------------------------------------------------------------------------- penalty


@mistake("penalty")
def half_forgotten(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """the half is missing: the penalty is twice as large as it should be.

    The energy of a spring is half of its stiffness times the stretch squared. The half goes when
    you differentiate, so the pull is right.
    """
    moved = theta - anchor
    pull = strength * fisher * moved
    return np.asarray(np.sum(pull * moved)), (pull,)


@mistake("penalty")
def half_in_the_pull(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """the half is in the pull; it belongs to the energy alone.

    A spring pulls with its stiffness times the stretch. The half comes in with the energy, 1/2 *
    sum of pull * moved.
    """
    moved = theta - anchor
    pull = 0.5 * strength * fisher * moved
    return np.asarray((pull * moved).sum()), (pull,)


@mistake("penalty")
def difference_of_squares(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """theta and anchor were squared one by one; the square is of their difference.

    theta**2 - anchor**2 is not (theta - anchor)**2: it may be negative.
    """
    pull = strength * fisher * (theta - anchor)
    return np.asarray(0.5 * strength * (fisher * (theta**2 - anchor**2)).sum()), (pull,)


@mistake("penalty")
def square_of_the_whole_sum(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """the moves were added first and squared afterward; square each, then add.

    Springs that are pulled to opposite sides would cancel, but both hold energy.
    """
    moved = theta - anchor
    return np.asarray(0.5 * strength * (fisher * moved).sum() ** 2), (strength * fisher * moved,)


@mistake("penalty")
def pull_without_strength(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """the pull in the cache lacks the strength.

    The value is right. But the backward has only the cache: the pull is the whole force, including
    the strength.
    """
    moved = theta - anchor
    return np.asarray(0.5 * strength * np.sum(fisher * moved**2)), (fisher * moved,)


@mistake("penalty")
def not_summed(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """the springs were not added up: the sum is missing.

    A penalty is one number, so that it can be added to the loss.
    """
    moved = theta - anchor
    pull = strength * fisher * moved
    return 0.5 * pull * moved, (pull,)


@mistake("penalty")
def mean_of_the_springs(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """it is the mean over the parameters; the energies add up.

    With a mean, a larger model would have weaker springs.
    """
    moved = theta - anchor
    pull = strength * fisher * moved
    return np.asarray(0.5 * np.mean(pull * moved)), (pull,)


@mistake("penalty")
def fisher_squared(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """the fisher information was squared along with the stretch.

    Only the stretch is squared: fisher * moved**2. Check your parentheses.
    """
    moved = theta - anchor
    return np.asarray(0.5 * strength * np.sum((fisher * moved) ** 2)), (strength * fisher * moved,)


@mistake("penalty")
def all_springs_alike(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """the fisher information is missing: all springs are equally stiff.

    That is plain decay toward the old model. The point is that parameters which did not matter may
    move freely.
    """
    moved = theta - anchor
    return np.asarray(0.5 * strength * np.sum(moved**2)), (strength * moved,)


@mistake("penalty")
def pull_with_the_wrong_sign(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """the pull has the wrong sign: it was computed from anchor - theta.

    The value does not notice, because of the square. But the gradient is positive where the
    parameter is above its anchor: theta - anchor.
    """
    moved = anchor - theta
    pull = strength * fisher * moved
    return np.asarray(0.5 * np.sum(pull * moved)), (pull,)


@mistake("penalty")
def written_into_theta(theta: Any, anchor: Any, fisher: Any, strength: float) -> Any:
    """theta was changed in place: those are the parameters of the model.

    `theta -= anchor` writes into them. Make a new array: moved = theta - anchor.
    """
    theta -= anchor
    pull = strength * fisher * theta
    return np.asarray(0.5 * np.sum(pull * theta)), (pull,)


# --------------------------------------------------------------------------- penalty_backward


@mistake("penalty_backward")
def upstream_gradient_forgotten(dy: float, cache: Any) -> Any:
    """dy is missing: the upstream gradient has to be multiplied in.

    With dy = 1 nothing is noticed. In training it is the share of the batch that one thread
    computes.
    """
    return cache[0]


@mistake("penalty_backward")
def cache_not_unpacked(dy: float, cache: Any) -> Any:
    """the cache is a tuple of one, and it was used as if it were the array.

    NumPy makes an array with one more axis of it. Unpack it: (pull,) = cache.
    """
    return dy * np.array(cache)


@mistake("penalty_backward")
def times_two(dy: float, cache: Any) -> Any:
    """a factor 2 too much: the half in front of the square has taken it already.

    The derivative of x**2 / 2 is x, and the pull is that.
    """
    return 2 * dy * cache[0]


@mistake("penalty_backward")
def sign_turned(dy: float, cache: Any) -> Any:
    """the sign is wrong: this is the force, and the gradient is its opposite.

    The optimizer subtracts the gradient; it makes the force of it. Return dy * pull.
    """
    return -dy * cache[0]


@mistake("penalty_backward")
def written_into_the_cache(dy: float, cache: Any) -> Any:
    """the cache was changed in place: a second call would give another gradient.

    Write dy * pull, which is a new array.
    """
    (pull,) = cache
    pull *= dy
    return pull


@mistake("penalty_backward")
def one_number(dy: float, cache: Any) -> Any:
    """this is the sum over all parameters: one number instead of one for each.

    The penalty is a sum, but its gradient has the shape of theta.
    """
    return np.sum(dy * cache[0])
