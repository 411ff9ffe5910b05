"""Cases of the truncated SVD: tall, wide and square matrices, and signs that are not obvious."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of the signs, then those of the decomposition."""
    U, Vt = rng.standard_normal((6, 4)), rng.standard_normal((4, 5))
    U *= np.where(U[np.abs(U).argmax(axis=0), np.arange(4)] < 0, 1, -1) * [1, -1, 1, 1]
    U[:, 1] = -np.abs(U[:, 1])  # nothing above 0
    equal = np.array([[0.5, -0.5, 0.1], [-0.5, 0.5, -0.9], [0.5, 0.5, 0.2], [-0.5, -0.5, 0.3]])
    with_zero = U.copy()
    with_zero[:, 2] = 0.0
    pairs = {
        "four columns": (U, Vt),
        "as many columns as rows": (rng.standard_normal((3, 3)), rng.standard_normal((3, 3))),
        "equally large entries": (equal, Vt[:3]),
        "a column of zeros": (with_zero, Vt),
        "one column": (U[:, :1], Vt[:1]),
    }
    for name, (left, right) in pairs.items():
        inputs = {"U": left.copy(), "Vt": right.copy()}
        yield Call("fix_signs", inputs, returns=("U", "Vt"), name=name)
    single = {"U": U.astype(np.float32), "Vt": Vt.astype(np.float32)}
    yield Call("fix_signs", single, returns=("U", "Vt"), name="float32", tolerance=1e-5)

    matrices = {
        "7 rows of 5, rank 3": (_matrix(rng, 7, 5), 3),
        "4 rows of 6, rank 2": (_matrix(rng, 4, 6), 2),
        "5 rows of 5, rank 4": (_matrix(rng, 5, 5), 4),
        "6 rows of 4, all of the rank": (_matrix(rng, 6, 4), 4),
        "8 rows of 3, rank 1": (_matrix(rng, 8, 3), 1),
    }
    for name, (matrix, rank) in matrices.items():
        inputs = {"matrix": matrix, "rank": rank}
        yield Call("dense_svd", inputs, returns=("U", "S", "Vt"), name=name)
    inputs = {"matrix": _matrix(rng, 6, 5).astype(np.float32), "rank": 3}
    yield Call("dense_svd", inputs, returns=("U", "S", "Vt"), name="float32", tolerance=1e-3)


def _matrix(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Draw a matrix with well separated singular values, and columns whose mean is not zero."""
    size = min(rows, columns)
    left = np.linalg.qr(rng.standard_normal((rows, size)) + 0.4).Q
    right = np.linalg.qr(rng.standard_normal((columns, size)) - 0.4).Q
    return (left * (0.3 + 1.7 * np.arange(size, 0, -1))) @ right.T


def the_product_is_the_matrix(f: Any, rng: np.random.Generator) -> str | None:
    """Keep everything, and multiply."""
    matrix = _matrix(rng, 6, 4)
    U, S, Vt = f.dense_svd(matrix, 4)
    error = np.abs((U * S) @ Vt - matrix).max()
    if error > 1e-9:
        return f"with the full rank, (U * S) @ Vt is the matrix; yours differs by {error:.3g}"
    return None


PROPERTIES = {"the product is the matrix": the_product_is_the_matrix}
