"""Elastic weight consolidation: the penalty's gradient, and the Fisher information by hand."""

import itertools

import numpy as np
import pytest

from minilm.nn import gradcheck
from minilm.nn.gpt import GPT, GPTConfig
from minilm.nn.optim import SGD
from minilm.nn.parallel import Shards
from minilm.training import forgetting
from minilm.training.loop import train_step


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_penalty_has_the_gradient_that_it_says(rng):
    theta, anchor, fisher = rng.normal(size=(3, 7))
    fisher = fisher**2
    value, cache = forgetting.penalty(theta, anchor, fisher, 3.0)
    assert float(value) == pytest.approx(1.5 * float((fisher * (theta - anchor) ** 2).sum()))
    error = gradcheck.directional_error(
        lambda theta: float(forgetting.penalty(theta, anchor, fisher, 3.0)[0]),
        {"theta": theta},
        {"theta": forgetting.penalty_backward(1.0, cache)},
        rng=rng,
    )
    assert error < 1e-9
    np.testing.assert_array_equal(
        forgetting.penalty_backward(2.0, cache), 2 * forgetting.penalty_backward(1.0, cache)
    )


def test_the_estimate_tends_to_the_information_by_enumeration(rng):
    """The definition: all next tokens that there are, each with its probability."""
    model = GPT(GPTConfig(4, 2, 4, 1, 1), rng=rng, dtype=np.float64)
    model.parameters.flat[:] = rng.normal(scale=0.5, size=model.parameters.count())
    ids = np.array([[1, 3]])
    logits = model.logits(ids)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    exact = np.zeros(model.parameters.count())
    for pair in itertools.product(range(4), repeat=2):
        chance = probabilities[0, 0, pair[0]] * probabilities[0, 1, pair[1]]
        _, gradient = model.loss_and_grad(ids, np.array([pair]))
        exact += chance * (2 * gradient.flat) ** 2 / 2  # a score of two tokens, for each of them
    windows = [ids[0]] * 2000
    estimate = forgetting.fisher_diagonal(model, windows, rng=rng)
    assert np.abs(estimate - exact).max() < 0.08 * exact.max()
    assert estimate.sum() == pytest.approx(exact.sum(), rel=0.05)


def test_draws_are_from_what_is_predicted(rng):
    logits = np.log(np.array([0.7, 0.2, 0.1]))
    drawn = forgetting.sampled(np.broadcast_to(logits, (200, 100, 3)), rng=rng)
    shares = np.bincount(drawn.ravel()) / drawn.size
    np.testing.assert_allclose(shares, [0.7, 0.2, 0.1], atol=0.015)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_anchored_model_has_the_gradient_of_the_sum(rng, threads):
    model = GPT(GPTConfig(9, 4, 8, 2, 2), rng=rng, dtype=np.float64)
    anchor = model.parameters.flat + rng.normal(size=model.parameters.count())
    fisher = rng.random(model.parameters.count())
    ids, targets = rng.integers(9, size=(2, 3, 4))
    with Shards(threads) as shards:
        loss, gradient = shards.loss_and_grad(model, ids, targets)
        anchored = forgetting.Anchored(model, anchor, fisher, 2.0)
        same, total = shards.loss_and_grad(anchored, ids, targets)
    assert same == loss
    pull = 2.0 * fisher * (model.parameters.flat - anchor)
    np.testing.assert_allclose(total.flat, gradient.flat + pull, rtol=1e-10, atol=1e-12)


def test_the_anchor_holds(rng):
    """With springs stiff enough training moves nothing that the old text needs."""
    model = GPT(GPTConfig(9, 4, 8, 1, 2), rng=rng, dtype=np.float64)
    start = model.parameters.flat.copy()
    fisher = np.zeros(start.size)
    fisher[: start.size // 2] = 1.0
    anchored = forgetting.Anchored(model, start, fisher, 100.0)
    optimizer = SGD(model.parameters, momentum=0.0)
    ids, targets = rng.integers(9, size=(2, 3, 4))
    with Shards(1) as shards:
        for _ in range(50):
            train_step(anchored, (ids, targets), optimizer, learning_rate=0.01, shards=shards)
    moved = np.abs(model.parameters.flat - start)
    assert moved[: start.size // 2].max() < 0.1 * moved[start.size // 2 :].max()
