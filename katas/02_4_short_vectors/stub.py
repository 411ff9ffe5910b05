"""Kata 2.4  Short vectors

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 2.4    or on every save: minilm kata watch
    minilm kata read 2.4     the page
    minilm kata hint 2.4     a hint
"""

from __future__ import annotations

import numpy as np

from minilm.arrays import Array


def fix_signs(U: Array, Vt: Array) -> tuple[Array, Array]:
    """Choose the signs, which the SVD leaves open: (M, R), (R, N) -> (M, R), (R, N).

    The entry of greatest absolute value of each column of U becomes positive (the first, if several
    are equally large), and the row of Vt changes its sign with it: their product stays the same.

    Parameters
    ----------
    U : ndarray of shape (M, R), float
        A column may be zero; then nothing changes.
    Vt : ndarray of shape (R, N), float

    Returns
    -------
    U, Vt : ndarray of the same shapes and dtypes

    Examples
    --------
    >>> fix_signs(np.array([[0.6], [-0.8]]), np.array([[0.5, 2.0]]))
    (array([[-0.6],
           [ 0.8]]), array([[-0.5, -2. ]]))
    """
    raise NotImplementedError("not written yet")


def dense_svd(matrix: Array, rank: int) -> tuple[Array, Array, Array]:
    """Return the leading singular vectors and values of a dense matrix: matrix ~ (U * S) @ Vt.

    You may use `np.linalg.svd`.

    Parameters
    ----------
    matrix : ndarray of shape (M, N), float
    rank : int
        R, from 1 to the smaller of M and N.

    Returns
    -------
    U : ndarray of shape (M, R)
        Orthonormal columns, with the signs of `fix_signs`.
    S : ndarray of shape (R,)
        Singular values, descending.
    Vt : ndarray of shape (R, N)
        Orthonormal rows.

    References
    ----------
    C. Eckart and G. Young, "The Approximation of One Matrix by Another of Lower Rank",
    Psychometrika 1(3), 1936.
    """
    raise NotImplementedError("not written yet")
