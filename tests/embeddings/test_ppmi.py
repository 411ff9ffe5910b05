"""PPMI by hand, and against the formula spelled out cell by cell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from closeness import assert_close

from minilm.embeddings import cooccurrence, ppmi
from minilm.errors import OptionError


def test_by_hand():
    # tea meets milk 3 times and rain once; milk and rain meet only tea. Sum 8, rows 4, 3, 1.
    tea, milk, rain = 0, 1, 2
    ids = np.array([tea, milk, -1, tea, milk, -1, tea, milk, -1, tea, rain])
    weights = ppmi.ppmi(cooccurrence.count(ids, 1, 3), smoothing=1.0).dense()
    expected = np.zeros((3, 3))
    expected[tea, milk] = expected[milk, tea] = math.log((3 / 8) / (4 / 8 * 3 / 8))  # log 2
    expected[tea, rain] = expected[rain, tea] = math.log((1 / 8) / (4 / 8 * 1 / 8))  # log 2
    assert_close(weights, expected, rtol=1e-15)


def test_smoothing_by_hand():
    tea, milk, rain = 0, 1, 2
    ids = np.array([tea, milk, -1, tea, milk, -1, tea, milk, -1, tea, rain])
    weights = ppmi.ppmi(cooccurrence.count(ids, 1, 3), smoothing=0.75).dense()
    contexts = 4**0.75 + 3**0.75 + 1
    # The rarer context weighs less than its plain PMI of log 2, the more frequent a little more.
    assert weights[tea, rain] == pytest.approx(
        math.log((1 / 8) / (4 / 8 * 1 / contexts)), rel=1e-14
    )
    assert weights[tea, milk] == pytest.approx(
        math.log((3 / 8) / (4 / 8 * 3**0.75 / contexts)), rel=1e-14
    )
    assert weights[tea, rain] < math.log(2) < weights[tea, milk]


@pytest.mark.parametrize("smoothing", [0.5, 0.75, 1.0])
def test_equals_the_formula_cell_by_cell(smoothing):
    rng = np.random.default_rng(11)
    ids = rng.zipf(1.4, 2000) % 30
    ids[::9] = -1
    counts = cooccurrence.count(ids, 2, 31)  # word 30 never occurs
    n = counts.dense()
    weights = ppmi.ppmi(counts, smoothing)
    expected = np.zeros(n.shape)
    contexts = sum(int(n[:, c].sum()) ** smoothing for c in range(31))
    for w, c in zip(*np.nonzero(n), strict=True):
        joint = n[w, c] / n.sum()
        chance = n[w].sum() / n.sum() * n[:, c].sum() ** smoothing / contexts
        expected[w, c] = max(math.log(joint / chance), 0.0)
    np.testing.assert_allclose(weights.dense(), expected, rtol=1e-12, atol=1e-14)
    assert (weights.values > 0).all()
    assert 0 < weights.keys.size < counts.keys.size  # some pairs meet less than by chance
    assert (np.diff(weights.keys) > 0).all()


@pytest.mark.parametrize("smoothing", [0.0, -1.0, 1.5, math.nan])
def test_a_smoothing_outside_its_range_is_refused(smoothing):
    with pytest.raises(OptionError, match="the smoothing is"):
        ppmi.ppmi(cooccurrence.count(np.array([0, 1]), 1, 2), smoothing)


def test_no_counts_give_no_weights():
    assert ppmi.ppmi(cooccurrence.count(np.array([-1]), 1, 4)).keys.size == 0
