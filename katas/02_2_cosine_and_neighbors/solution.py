"""Kata 2.2  Cosine and neighbors: a solution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def unit_rows(matrix: np.ndarray) -> np.ndarray:
    """Scale each row to Euclidean length 1; zero rows stay zero."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)


def cosine(a: np.ndarray, b: np.ndarray) -> npt.NDArray[np.float64]:
    """Return the cosine of each row of `a` with each row of `b`: (n, D), (m, D) -> (n, m)."""
    cosines = unit_rows(np.asarray(a, np.float64)) @ unit_rows(np.asarray(b, np.float64)).T
    return np.clip(cosines, -1.0, 1.0)


def nearest(
    query: np.ndarray, vectors: np.ndarray, top: int, exclude: Sequence[int] = ()
) -> list[tuple[int, float]]:
    """Return the `top` rows of `vectors` most similar to one vector, best first."""
    scores = np.round(cosine(query[None, :], vectors)[0], 6)
    order = np.argsort(-scores, kind="stable")  # stable: equal scores stay in order of id
    kept = [int(i) for i in order if i not in exclude]
    return [(i, float(scores[i])) for i in kept[:top]]
