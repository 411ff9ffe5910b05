"""Shards: the same gradient as without, the same bits in every run, errors that come through."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from minilm.errors import OptionError, TrainingError
from minilm.nn.gpt import GPT, GPTConfig
from minilm.nn.heads import SequenceClassifier
from minilm.nn.optim import AdamW
from minilm.nn.parallel import Shards
from minilm.training.loop import train_step

CONFIG = GPTConfig(61, 9, 24, 2, 3, embd_pdrop=0.1, attn_pdrop=0.1, resid_pdrop=0.1)
RNG = np.random.default_rng(3)
IDS, TARGETS = RNG.integers(0, 61, (7, 9)), RNG.integers(0, 61, (7, 9))
TARGETS[:2, 1:] = -100  # the shards do not have equally many


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12])
def test_the_gradient_is_that_of_the_whole_batch(count: int) -> None:
    model = GPT(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)
    loss, gradient = model.loss_and_grad(IDS, TARGETS)
    with Shards(count) as shards:
        sharded_loss, sharded = shards.loss_and_grad(model, IDS, TARGETS)
    assert sharded_loss == pytest.approx(loss, rel=1e-12)
    error = np.linalg.norm(sharded.flat - gradient.flat)
    assert error < 1e-12 * np.linalg.norm(gradient.flat)


def test_classifier_shards() -> None:
    model = SequenceClassifier(CONFIG, labels=3, rng=np.random.default_rng(0), dtype=np.float64)
    lengths, labels = np.array([9, 1, 4, 4, 5, 2, 7]), np.array([0, 1, 2, -100, 1, 0, 2])
    loss, gradient = model.loss_and_grad(IDS, lengths, labels)
    with Shards(2) as shards:
        sharded_loss, sharded = shards.loss_and_grad(model, IDS, lengths, labels)
    assert sharded_loss == pytest.approx(loss, rel=1e-12)
    assert np.linalg.norm(sharded.flat - gradient.flat) < 1e-12 * np.linalg.norm(gradient.flat)


def train(count: int, steps: int = 6) -> tuple[np.ndarray, list[float]]:
    rng = np.random.default_rng(5)
    model = GPT(CONFIG, rng=rng)
    optimizer = AdamW(model.parameters)
    with Shards(count) as shards:
        losses = [
            train_step(
                model, (IDS, TARGETS), optimizer, learning_rate=0.01, shards=shards, rng=rng
            )[0]
            for _ in range(steps)
        ]
    return model.parameters.flat, losses


@pytest.mark.parametrize("count", [1, 2, 3])
def test_two_runs_are_equal_to_the_bit(count: int) -> None:
    (flat, losses), (again, losses_again) = train(count), train(count)
    assert losses == losses_again
    np.testing.assert_array_equal(flat, again)
    assert losses[-1] < losses[0]


def test_dropout_differs_between_shards_and_steps() -> None:
    _, losses = train(2)
    assert len(set(losses)) == len(losses)
    model = GPT(CONFIG, rng=np.random.default_rng(0))
    ids, targets = np.tile(IDS[2:3], (2, 1)), np.tile(TARGETS[2:3], (2, 1))
    seen = []
    original = model.gradients

    def watched(*batch: np.ndarray, **options: object) -> object:
        loss, gradients = original(*batch, **options)  # type: ignore[arg-type]
        seen.append(loss)
        return loss, gradients

    model.gradients = watched  # type: ignore[method-assign,assignment]
    with Shards(2) as shards:
        shards.loss_and_grad(model, ids, targets, rng=np.random.default_rng(0))
    assert seen[0] != seen[1]


def test_a_shard_without_targets_adds_nothing() -> None:
    model = GPT(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)
    targets = TARGETS.copy()
    targets[:4] = -100
    with Shards(2) as shards:
        loss, gradient = shards.loss_and_grad(model, IDS, targets)
        with pytest.raises(OptionError, match="all targets of the batch are ignored"):
            shards.loss_and_grad(model, IDS, np.full_like(targets, -100))
        with pytest.raises(OptionError, match="first axis must be the same"):
            shards.loss_and_grad(model, IDS, targets[:3])
    alone_loss, alone = model.loss_and_grad(IDS[4:], targets[4:])
    assert loss == alone_loss
    np.testing.assert_array_equal(gradient.flat, alone.flat)


def test_an_error_in_any_shard_comes_through_and_the_threads_go_on() -> None:
    model = GPT(CONFIG, rng=np.random.default_rng(0))
    with Shards(2) as shards:
        for row in (0, 6):
            ids = IDS.copy()
            ids[row, 0] = 99
            with pytest.raises(OptionError, match="the id 99"):
                shards.loss_and_grad(model, ids, TARGETS)
        loss, _ = shards.loss_and_grad(model, IDS, TARGETS)
        assert np.isfinite(loss)
        flat = model.parameters.flat.copy()
        model.parameters["wpe.weight"][0, 0] = np.nan
        optimizer = AdamW(model.parameters)
        with pytest.raises(TrainingError, match=r"wpe\.weight\[0, 0\] is nan"):
            train_step(model, (IDS, TARGETS), optimizer, learning_rate=0.1, shards=shards)
    unchanged = model.parameters.flat == flat
    assert np.count_nonzero(~unchanged) == 1  # the NaN that was put there


def test_each_item_is_done_once_and_its_error_is_seen() -> None:
    done: list[int] = []
    threads: set[int] = set()
    together = threading.Barrier(3, timeout=30)

    def take(item: int) -> None:
        if item < 3:
            together.wait()  # only passes when three threads are at work
        threads.add(threading.get_ident())
        done.append(item)

    with Shards(3) as shards:
        shards.each(take, range(50))
        assert sorted(done) == list(range(50))
        assert len(threads) == 3

        def fail(item: int) -> None:
            if item == 20:
                raise IndexError("of the function's own")

        with pytest.raises(IndexError, match="of the function's own"):
            shards.each(fail, range(50))


def test_a_number_of_threads_that_cannot_be() -> None:
    with pytest.raises(OptionError, match="the number of threads is 0"):
        Shards(0)


def test_clipping_in_a_step() -> None:
    model = GPT(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)
    other = GPT(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)
    with Shards(2) as shards:
        _, gradient = shards.loss_and_grad(model, IDS, TARGETS)
        optimizer = AdamW(model.parameters)
        _, norm = train_step(
            model, (IDS, TARGETS), optimizer, learning_rate=0.1, shards=shards, clip=0.01
        )
    assert norm == pytest.approx(float(np.linalg.norm(gradient.flat)), rel=1e-12)
    gradient.flat *= 0.01 / (norm + 1e-6)
    AdamW(other.parameters).update(gradient, learning_rate=0.1)
    np.testing.assert_allclose(model.parameters.flat, other.parameters.flat, rtol=1e-9, atol=1e-12)
