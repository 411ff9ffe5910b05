"""The truncated SVD as people write it at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm.course.mistakes import mistake


def _largest(U: Any) -> Any:
    """Return the entry of greatest absolute value of each column."""
    return U[np.abs(U).argmax(axis=0), np.arange(U.shape[1])]


def _signed(U: Any, Vt: Any, deciding: Any) -> Any:
    """Change the sign where what decides is negative."""
    signs = np.where(deciding < 0, -1, 1).astype(U.dtype)
    return U * signs, Vt * signs[:, np.newaxis]


def _right(U: Any, Vt: Any) -> Any:
    return _signed(U, Vt, _largest(U))


def _svd(matrix: Any) -> Any:
    U, S, Vt = np.linalg.svd(matrix, full_matrices=False)
    return (_right(U, Vt)[0], S, _right(U, Vt)[1])


@mistake("fix_signs")
def not_changed(U, Vt):
    """no sign was changed.

    For each column of U look at its largest entry in absolute value. If that one is negative,
    negate the column, and the row of Vt with it.
    """
    return U.copy(), Vt.copy()


@mistake("fix_signs")
def largest_made_negative(U, Vt):
    """the signs are the other way round: the largest entries came out negative.

    Negate where the entry is below 0, not above.
    """
    return _signed(U, Vt, -_largest(U))


@mistake("fix_signs")
def vt_not_changed(U, Vt):
    """U changed its signs, but Vt did not change with it.

    Their product was the matrix, and is not any more. Each row of Vt gets the sign of its column of
    U.
    """
    return _right(U, Vt)[0], Vt.copy()


@mistake("fix_signs")
def u_not_changed(U, Vt):
    """Vt changed its signs, but U did not change with it.

    Their product was the matrix, and is not any more. Each column of U gets the same sign.
    """
    return U.copy(), _right(U, Vt)[1]


@mistake("fix_signs")
def columns_of_vt_changed(U, Vt):
    """the signs do not broadcast over Vt: there they belong to rows, not columns.

    signs has shape (R,) and Vt (R, N): Vt * signs[:, np.newaxis] multiplies row by row. Where N and
    R are equal, Vt * signs runs without an error and is still wrong.
    """
    signs = np.where(_largest(U) < 0, -1, 1).astype(U.dtype)
    return U * signs, Vt * signs


@mistake("fix_signs")
def absolute_value_forgotten(U, Vt):
    """the largest entry was looked for without its absolute value.

    argmax of the entries themselves finds a positive one in nearly every column, so nothing
    changes. Take np.abs(U).argmax(axis=0), and then the entry itself.
    """
    return _signed(U, Vt, U.max(axis=0))


@mistake("fix_signs")
def first_entry_decides(U, Vt):
    """the first entry of each column decided.

    It may be nearly zero, and then rounding decides. The entry of greatest absolute value is safe.
    """
    return _signed(U, Vt, U[0])


@mistake("fix_signs")
def last_of_equals_decides(U, Vt):
    """of equally large entries the last one decided; it should be the first.

    np.argmax returns the first by itself. In reverse order, or by sorting, it is the last.
    """
    backward = U[::-1]
    return _signed(U, Vt, _largest(backward))


@mistake("fix_signs")
def sum_decides(U, Vt):
    """the sum of each column decided.

    It can be near zero for a large vector. The rule is about one entry, the largest in absolute
    value.
    """
    return _signed(U, Vt, U.sum(axis=0))


@mistake("fix_signs")
def vt_decides(U, Vt):
    """the largest entries of Vt decided; it should be those of U.

    Either is a good rule, but everybody must use the same one.
    """
    return _signed(U, Vt, _largest(Vt.T))


@mistake("fix_signs")
def zero_times_sign(U, Vt):
    """np.sign of a column of zeros is 0, which makes its row of Vt zero too.

    Use np.where(entry < 0, -1, 1): a sign is never 0.
    """
    signs = np.sign(_largest(U))
    return U * signs, Vt * signs[:, np.newaxis]


@mistake("fix_signs")
def all_positive(U, Vt):
    """every entry of U is positive: these are absolute values.

    A column is negated as a whole, or left alone. Only its largest entry is sure to be positive.
    """
    return np.abs(U), _right(U, Vt)[1]


@mistake("fix_signs")
def all_positive_vt_unchanged(U, Vt):
    """every entry of U is positive: these are absolute values. And Vt did not change.

    A column is negated as a whole, or left alone, and the row of Vt with it.
    """
    return np.abs(U), Vt.copy()


@mistake("fix_signs")
def rows_changed(U, Vt):
    """signs were chosen for the rows of U; they belong to its columns.

    A column is a singular vector. Take argmax over axis 0.
    """
    largest = U[np.arange(len(U)), np.abs(U).argmax(axis=1)]
    return U * np.where(largest < 0, -1, 1).astype(U.dtype)[:, np.newaxis], Vt.copy()


@mistake("fix_signs")
def signs_in_place(U, Vt):
    """the inputs were changed in place, by *= or by assigning to a part of them.

    U and Vt belong to the caller. U * signs makes a new array.
    """
    U[...], Vt[...] = _right(U, Vt)
    return U, Vt


@mistake("dense_svd")
def v_not_transposed(matrix, rank):
    """V was returned; asked for is its transpose, of shape (R, N).

    np.linalg.svd returns the transpose already, so that (U * S) @ Vt is the matrix.
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank], S[:rank], Vt[:rank].T


@mistake("dense_svd")
def columns_of_vt_kept(matrix, rank):
    """the first columns of Vt were kept; singular vectors are its rows.

    It is U[:, :rank], but Vt[:rank]: the axis of length R is the last one in U and the first in Vt.
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank], S[:rank], Vt[:, :rank]


@mistake("dense_svd")
def rows_of_u_kept(matrix, rank):
    """the first rows of U were kept; singular vectors are its columns.

    A row of U belongs to a row of the matrix: to a word. All words stay, with fewer numbers each:
    U[:, :rank].
    """
    U, S, Vt = np.linalg.svd(matrix, full_matrices=False)
    return U[:rank], S[:rank], Vt[:rank]


@mistake("dense_svd")
def diagonal_matrix(matrix, rank):
    """S is a diagonal matrix; asked for is the vector of its R values.

    U * S scales the columns without a matrix of zeros.
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank], np.diag(S[:rank]), Vt[:rank]


@mistake("dense_svd")
def nothing_cut_off(matrix, rank):
    """nothing was cut off: the rank was not used.

    Keep the first `rank` columns of U, values of S and rows of Vt.
    """
    return _svd(matrix)


@mistake("dense_svd")
def values_not_cut(matrix, rank):
    """U and Vt were cut to the rank, but S was not.

    Then U * S does not even broadcast. S[:rank].
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank], S, Vt[:rank]


@mistake("dense_svd")
def smallest_kept(matrix, rank):
    """the smallest singular values were kept, those that say least.

    np.linalg.svd returns them largest first, so keep the first ones: [:rank], not [-rank:].
    """
    U, S, Vt = _svd(matrix)
    return U[:, -rank:], S[-rank:], Vt[-rank:]


@mistake("dense_svd")
def ascending(matrix, rank):
    """the right values, but in ascending order: the largest belongs first.

    np.linalg.eigh sorts upward; np.linalg.svd sorts downward.
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank][:, ::-1], S[:rank][::-1], Vt[:rank][::-1]


@mistake("dense_svd")
def signs_left_open(matrix, rank):
    """the signs were left as np.linalg.svd gives them.

    Another version of NumPy, or another processor, may give the opposite ones. Send U and Vt
    through fix_signs.
    """
    U, S, Vt = np.linalg.svd(matrix, full_matrices=False)
    return U[:, :rank], S[:rank], Vt[:rank]


@mistake("dense_svd")
def squared(matrix, rank):
    """the singular values are squared: the root is missing.

    The eigenvalues of A.T @ A are the squares of the singular values of A.
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank], S[:rank] ** 2, Vt[:rank]


@mistake("dense_svd")
def scaled_u(matrix, rank):
    """U was multiplied by S already; its columns should have length 1.

    Return the three parts. Whoever wants U * S can multiply.
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank] * S[:rank], S[:rank], Vt[:rank]


@mistake("dense_svd")
def half_scaled_u(matrix, rank):
    """U was multiplied by the root of S already; its columns should have length 1.

    U * sqrt(S) makes good word vectors, but that is the next step, outside of this function.
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank] * np.sqrt(S[:rank]), S[:rank], Vt[:rank]


@mistake("dense_svd")
def mean_taken_off(matrix, rank):
    """the mean of each column was taken off first: that is PCA.

    It decomposes another matrix. For sparse weights it would also fill all the zeros.
    """
    U, S, Vt = _svd(matrix - matrix.mean(axis=0))
    return U[:, :rank], S[:rank], Vt[:rank]


@mistake("dense_svd")
def values_as_shares(matrix, rank):
    """the singular values were divided by their sum.

    Shares are good to look at, but (U * S) @ Vt then is not the matrix. Return S as it is.
    """
    U, S, Vt = _svd(matrix)
    return U[:, :rank], S[:rank] / S.sum(), Vt[:rank]


@mistake("dense_svd")
def one_too_few(matrix, rank):
    """one singular value too few was kept.

    The slice [:rank] has `rank` entries; [: rank - 1] has one fewer.
    """
    U, S, Vt = _svd(matrix)
    return U[:, : rank - 1], S[: rank - 1], Vt[: rank - 1]
