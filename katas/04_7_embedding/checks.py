"""Cases of the embedding: repeated ids, ids that never occur, two and one and no ids, float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case, Gradient
from minilm.nn import functional as F

_RETURNS = ("y", ("ids", "V"))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; no id is the table's last row but in one of them."""
    examples = {
        "six ids, some repeated": (np.array([4, 1, 4, 0, 1, 4]), (7, 3)),
        "two sentences: ids of shape (2, 5)": (
            np.array([[3, 0, 3, 5, 2], [0, 3, 7, 2, 2]]),
            (9, 4),
        ),
        "no id repeated": (np.array([2, 5, 0]), (6, 4)),
        "the table's first and last row": (np.array([[5, 0, 5]]), (6, 2)),
    }
    for name, (ids, shape) in examples.items():
        weight = rng.standard_normal(shape)
        yield Call("embedding", {"ids": ids, "weight": weight}, returns=_RETURNS, name=name)
        yield Gradient(
            "embedding_backward",
            F.embedding,
            {"weight": weight},
            rng=rng,
            options={"ids": ids},
            name=name,
        )
    ids, shape = examples["two sentences: ids of shape (2, 5)"]
    single = rng.standard_normal(shape, dtype=np.float32)
    inputs = {"ids": ids, "weight": single}
    yield Call("embedding", inputs, returns=_RETURNS, tolerance=1e-4, name="float32")
    dy = rng.standard_normal((*ids.shape, shape[1]), dtype=np.float32)
    inputs = {"dy": dy, "cache": (ids, shape[0])}
    yield Call("embedding_backward", inputs, returns="dweight", tolerance=1e-4, name="float32")


def nothing_is_lost(f: Any, rng: np.random.Generator) -> str | None:
    """Sum the gradient over all rows of the table."""
    ids, dy = rng.integers(0, 5, (3, 8)), rng.standard_normal((3, 8, 4))
    lost = np.abs(f.embedding_backward(dy, (ids, 11)).sum(axis=0) - dy.sum(axis=(0, 1))).max()
    if lost > 1e-9:
        return (
            "every dy goes to one row, so dweight summed over its rows is dy summed over all "
            f"places; yours differs by {lost:.3g}"
        )
    return None


PROPERTIES = {"no part of dy is lost": nothing_is_lost}
