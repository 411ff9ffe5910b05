"""The randomized SVD against NumPy's exact one, and the vectors that come of it."""

from __future__ import annotations

import numpy as np
import pytest
from closeness import assert_close

from minilm.embeddings import cooccurrence, ppmi, svd
from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def some_counts(size: int, words: int = 6000) -> SparseMatrix:
    rng = np.random.default_rng(size)
    ids = rng.zipf(1.3, words) % size
    ids[::13] = -1
    return cooccurrence.count(ids, 3, size)


def sparse(dense: np.ndarray) -> SparseMatrix:
    keys = np.flatnonzero(dense)
    return SparseMatrix(keys, dense.reshape(-1)[keys], len(dense))


def test_leading_values_and_vectors_equal_the_exact_ones():
    rng = np.random.default_rng(0)
    left = np.linalg.qr(rng.standard_normal((80, 80))).Q
    right = np.linalg.qr(rng.standard_normal((80, 80))).Q
    values = 0.8 ** np.arange(80)
    matrix = (left * values) @ right.T
    U, S, Vt = svd.truncated_svd(sparse(matrix), 10, rng=rng)
    assert U.shape == (80, 10)
    assert Vt.shape == (10, 80)
    assert_close(S, values[:10], rtol=2e-6)
    np.testing.assert_allclose(np.abs((U * left[:, :10]).sum(axis=0)), 1, atol=2e-5)
    np.testing.assert_allclose(np.abs((Vt.T * right[:, :10]).sum(axis=0)), 1, atol=2e-5)
    best = (left[:, :10] * values[:10]) @ right[:, :10].T
    np.testing.assert_allclose((U * S) @ Vt, best, atol=2e-5)


def test_the_dense_svd_is_the_exact_one_cut_off_with_signs_of_its_own():
    matrix = np.random.default_rng(5).standard_normal((7, 4))
    U, S, Vt = svd.dense_svd(matrix, 3)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    assert_close(S, values[:3])
    assert_close((U * S) @ Vt, (left[:, :3] * values[:3]) @ right[:3])
    assert (U[np.abs(U).argmax(axis=0), range(3)] > 0).all()


def test_signs_follow_the_first_of_equally_large_entries():
    U, Vt = np.array([[-0.5, 0.1], [0.5, -0.9]]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    left, right = svd.fix_signs(U, Vt)
    assert left.tolist() == [[0.5, -0.1], [-0.5, 0.9]]
    assert right.tolist() == (-Vt).tolist()


def test_the_randomized_svd_agrees_with_the_dense_one_to_the_signs():
    dense = np.diag(0.5 ** np.arange(30.0)) @ np.random.default_rng(6).standard_normal((30, 30))
    for one, other in zip(
        svd.truncated_svd(sparse(dense), 5, rng=np.random.default_rng(7)),
        svd.dense_svd(dense, 5),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=2e-5 * np.abs(dense).max())


def test_real_weights_agree_with_the_exact_values():
    weights = ppmi.ppmi(some_counts(300))
    exact = np.linalg.svd(weights.dense(), compute_uv=False)
    # The values fall slowly here, so the trailing ones need many iterations. None is too large.
    U, S, Vt = svd.truncated_svd(weights, 20, rng=np.random.default_rng(1), iterations=50)
    assert_close(S, exact[:20], rtol=1e-5)
    _, few, _ = svd.truncated_svd(weights, 20, rng=np.random.default_rng(1))
    assert_close(few, exact[:20], rtol=0.05)
    assert (few <= exact[:20] * (1 + 1e-5)).all()
    np.testing.assert_allclose(U.T @ U, np.eye(20), atol=5e-6)
    np.testing.assert_allclose(Vt @ Vt.T, np.eye(20), atol=5e-6)


def test_full_rank_gives_the_matrix_back():
    dense = np.random.default_rng(2).standard_normal((12, 12))
    U, S, Vt = svd.truncated_svd(sparse(dense), 12, rng=np.random.default_rng(3))
    np.testing.assert_allclose((U * S) @ Vt, dense, atol=2e-5)


@pytest.mark.parametrize("true_rank", [0, 1, 3, 12])
def test_a_rank_above_that_of_the_matrix_adds_zeros(true_rank):
    rng = np.random.default_rng(true_rank)
    dense = rng.standard_normal((60, true_rank)) @ rng.standard_normal((true_rank, 60))
    U, S, Vt = svd.truncated_svd(sparse(dense), 20, rng=rng)
    exact = np.linalg.svd(dense, compute_uv=False)[:20]
    np.testing.assert_allclose(S, exact, atol=1e-5 * max(exact[0], 1))
    np.testing.assert_allclose(U.T @ U, np.eye(20), atol=5e-6)
    np.testing.assert_allclose(Vt @ Vt.T, np.eye(20), atol=5e-6)


def test_more_dimensions_than_the_counts_have_do_not_make_noise_look_like_vectors():
    # Two pairs of words that meet, and two words that meet none: rank 4 of 6.
    counts = cooccurrence.count(np.array([0, 1, -1, 0, 1, -1, 2, 3, -1, 4, -1, 5]), 2, 6)
    vectors = svd.word_vectors(counts, dimensions=6, rng=np.random.default_rng(0))
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(vectors @ vectors.T, np.diag(lengths), atol=1e-5)


def test_blocks_multiply_as_the_dense_matrix_does(monkeypatch):
    monkeypatch.setattr(svd, "_BLOCK_ROWS", 7)
    weights = ppmi.ppmi(some_counts(100, words=500))
    dense = weights.dense()
    right = np.random.default_rng(4).standard_normal((100, 5)).astype(np.float32)
    for kept in (svd._KEPT_CELLS, 0):  # blocks built once, or again each time
        monkeypatch.setattr(svd, "_KEPT_CELLS", kept)
        blocks = svd._Blocks(weights)
        np.testing.assert_allclose(blocks.times(right), dense @ right, rtol=1e-4, atol=1e-4)


def test_same_seed_same_bits_and_signs_are_fixed():
    weights = ppmi.ppmi(some_counts(120))
    one = svd.truncated_svd(weights, 8, rng=np.random.default_rng(5))
    two = svd.truncated_svd(weights, 8, rng=np.random.default_rng(5))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    U = one[0]
    assert (U[np.abs(U).argmax(axis=0), np.arange(8)] > 0).all()


@pytest.mark.parametrize("rank", [0, -1, 121])
def test_a_rank_that_the_matrix_does_not_have_is_refused(rank):
    with pytest.raises(OptionError, match="dimensions from 120 words"):
        svd.truncated_svd(some_counts(120), rank, rng=np.random.default_rng(0))


@pytest.mark.parametrize("weighting", ["count", "ppmi"])
@pytest.mark.parametrize("dimensions", [None, 5])
def test_vectors_have_unit_length_and_lonely_words_are_zero(weighting, dimensions):
    counts = some_counts(50, words=300)
    counts = SparseMatrix(counts.rows * 52 + counts.columns, counts.values, 52)  # two more words
    vectors = svd.word_vectors(
        counts, weighting=weighting, dimensions=dimensions, rng=np.random.default_rng(6)
    )
    assert vectors.shape == (52, dimensions or 52)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    met = counts.row_sums() > 0
    if weighting == "count":
        np.testing.assert_allclose(lengths[met], 1, atol=1e-6)
    assert ((np.abs(lengths - 1) < 1e-6) | (lengths == 0)).all()
    assert (lengths[50:] == 0).all()


def test_all_columns_are_the_rows_of_the_weights():
    counts = some_counts(40, words=400)
    rng = np.random.default_rng(7)
    dense = counts.dense().astype(float)
    rows = dense / np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-300)
    vectors = svd.word_vectors(counts, weighting="count", dimensions=None, rng=rng)
    assert_close(vectors, rows, rtol=1e-6)


def test_full_rank_vectors_keep_the_cosines_that_singular_values_of_one_half_give():
    counts = some_counts(30, words=400)
    U, S, _ = np.linalg.svd(ppmi.ppmi(counts).dense())
    expected = U[:, :4] * np.sqrt(S[:4])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    vectors = svd.word_vectors(counts, dimensions=4, rng=np.random.default_rng(8))
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-3)


def test_mistakes_are_named():
    counts = some_counts(10)
    rng = np.random.default_rng(0)
    with pytest.raises(OptionError, match="weighting is 'tfidf'; choose one of count, ppmi"):
        svd.word_vectors(counts, weighting="tfidf", rng=rng)
    with pytest.raises(OptionError, match="11 dimensions from 10 words"):
        svd.word_vectors(counts, dimensions=11, rng=rng)
    lonely = SparseMatrix(np.array([0]), np.array([1]), 90_000)
    with pytest.raises(OptionError, match="a column for each of 90000 words"):
        svd.word_vectors(lonely, weighting="count", dimensions=None, rng=rng)


@pytest.mark.peers
def test_singular_values_equal_those_of_scikit_learn(peer):
    extmath = peer("sklearn.utils.extmath")
    weights = ppmi.ppmi(some_counts(400, words=20_000))
    _, S, _ = svd.truncated_svd(weights, 15, rng=np.random.default_rng(9), iterations=40)
    _, theirs, _ = extmath.randomized_svd(weights.dense(), 15, n_iter=40, random_state=0)
    assert_close(S, theirs, rtol=1e-5)
