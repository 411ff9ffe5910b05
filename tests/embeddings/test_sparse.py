"""The sparse matrix against its dense form."""

from __future__ import annotations

import numpy as np
import pytest

from minilm.embeddings.sparse import SparseMatrix
from minilm.errors import OptionError


def test_rows_columns_sums_and_dense_agree():
    dense = np.array([[0, 3, 0], [3, 0, 1], [0, 1, 2]])
    keys = np.flatnonzero(dense)
    matrix = SparseMatrix(keys, dense.reshape(-1)[keys], size=3)
    np.testing.assert_array_equal(dense[matrix.rows, matrix.columns], matrix.values)
    np.testing.assert_array_equal(matrix.dense(), dense)
    assert matrix.dense(np.float32).dtype == np.float32
    assert matrix.row_sums().tolist() == [3.0, 4.0, 3.0]


def test_rows_without_entries_sum_to_zero():
    nothing = np.empty(0, np.int64)
    assert SparseMatrix(nothing, nothing, size=2).row_sums().tolist() == [0.0, 0.0]


def test_a_dense_matrix_that_does_not_fit_is_refused_before_memory_is_taken():
    matrix = SparseMatrix(np.array([0]), np.array([1]), size=10_000_000)
    with pytest.raises(OptionError, match="use fewer dimensions"):
        matrix.dense()


@pytest.mark.parametrize("size", [3, 65_536, 65_537])
def test_transposed(size):
    cells = {(0, 2): 4, (0, size - 1): 5, (1, 0): 6, (size - 1, 0): 7}
    keys = sorted(row * size + column for row, column in cells)
    values = np.array([cells[divmod(key, size)] for key in keys])
    matrix = SparseMatrix(np.array(keys), values, size).transposed()
    assert (np.diff(matrix.keys) > 0).all()
    pairs = zip(matrix.columns.tolist(), matrix.rows.tolist(), strict=True)
    assert dict(zip(pairs, matrix.values.tolist(), strict=True)) == cells


def test_a_repr_tells_the_size():
    matrix = SparseMatrix(np.array([1, 3]), np.array([5.0, 7.0]), size=2)
    assert repr(matrix) == "SparseMatrix(2 x 2, 2 entries, float64)"
