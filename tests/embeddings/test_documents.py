"""Document vectors against plain means."""

from __future__ import annotations

import numpy as np
from closeness import assert_close

from minilm.embeddings import documents


def test_mean_of_the_words_and_zero_without_any():
    vectors = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)
    means = documents.mean_vectors([[0, 5, 5], np.array([2]), [], np.array([], int)], vectors)
    assert means.dtype == np.float32
    assert means.shape == (4, 3)
    assert_close(means[0], (vectors[0] + 2 * vectors[5]) / 3, rtol=1e-6)
    np.testing.assert_array_equal(means[1], vectors[2])
    assert (means[2:] == 0).all()


def test_no_documents():
    assert documents.mean_vectors([], np.ones((4, 2))).shape == (0, 2)
