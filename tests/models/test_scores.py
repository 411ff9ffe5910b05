"""Figures of a text: from the losses of batches to perplexity and bits per byte."""

import math

import numpy as np
import pytest

from minilm.errors import OptionError
from minilm.models import scores
from minilm.models.scores import Score
from minilm.nn.gpt import GPT, GPTConfig
from minilm.nn.parallel import Shards


def test_a_batch_counts_by_its_tokens():
    assert scores.mean_loss([1.0, 4.0, 9.0], [6, 3, 0]) == 2.0
    with pytest.raises(OptionError, match="no token to predict"):
        scores.mean_loss([2.0], [0])
    with pytest.raises(ValueError, match="shorter"):
        scores.mean_loss([2.0, 3.0], [1])


def test_perplexity_stays_finite():
    assert math.isclose(scores.perplexity(math.log(50257)), 50257)
    assert math.isfinite(scores.perplexity(1e9))


def test_cutting_a_text_into_other_tokens_does_not_change_its_bits_per_byte():
    one = scores.bits_per_byte(2.0, tokens=300, size=1200)
    assert math.isclose(one, scores.bits_per_byte(4.0, tokens=150, size=1200))
    assert math.isclose(one, 600 / math.log(2) / 1200)
    assert Score(2.0, 300, 1200).bits_per_byte == one
    assert Score(2.0, 300, None).bits_per_byte is None


def test_evaluate_is_the_loss_over_all_targets():
    model = GPT(GPTConfig(11, 5, 8, 1, 2), rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    ids, targets = rng.integers(0, 11, (2, 7, 5))
    targets[3, 1:] = -100
    pieces = [(ids[:2], targets[:2]), (ids[2:], targets[2:])]
    with Shards(1) as shards:
        score = scores.evaluate(model, pieces, shards, np.full(11, 2))
    assert score.tokens == 31
    assert score.bytes == 62
    assert math.isclose(score.loss, model.loss(ids, targets), rel_tol=1e-5)
