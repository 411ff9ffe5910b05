"""Kata 2.2  Cosine and neighbors

Write the bodies; the docstrings say what each must do. Then:

    minilm kata check 2.2    or on every save: minilm kata watch
    minilm kata read 2.2     the page
    minilm kata hint 2.2     a hint
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def unit_rows(matrix: np.ndarray) -> np.ndarray:
    """Scale each row to Euclidean length 1; zero rows stay zero.

    Parameters
    ----------
    matrix : ndarray of shape (n, D), float

    Returns
    -------
    ndarray of shape (n, D), dtype of `matrix`
    """
    raise NotImplementedError("not written yet")


def cosine(a: np.ndarray, b: np.ndarray) -> npt.NDArray[np.float64]:
    """Return the cosine of each row of `a` with each row of `b`: (n, D), (m, D) -> (n, m).

    Computed in float64. A zero row has cosine 0 with everything. No cosine is outside [-1, 1],
    though rounding may say otherwise.

    Examples
    --------
    >>> cosine(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[1.0, 0.0]]))
    array([[0.6],
           [0. ]])
    """
    raise NotImplementedError("not written yet")


def nearest(
    query: np.ndarray, vectors: np.ndarray, top: int, exclude: Sequence[int] = ()
) -> list[tuple[int, float]]:
    """Return the `top` rows of `vectors` most similar to one vector, best first.

    Parameters
    ----------
    query : ndarray of shape (D,)
    vectors : ndarray of shape (V, D)
    top : int
        How many, at most.
    exclude : sequence of int
        Rows to leave out.

    Returns
    -------
    list of (id, cosine)
        Cosines rounded to six decimals. Rows whose rounded cosines are equal come in order of id.

    Examples
    --------
    >>> nearest(np.array([1.0, 0.0]), np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]]), top=2)
    [(0, 1.0), (1, 0.707107)]
    """
    raise NotImplementedError("not written yet")
