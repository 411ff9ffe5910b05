"""Cases of nearest centroids: gaps between class numbers, rows of all lengths, ties, zeros."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Case, Use
from minilm.errors import OptionError


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; rows of four numbers."""
    labels = np.array([7, 2, 2, 5, 7, 2, 7, 2, 5, 2, 2])
    rows = rng.standard_normal((11, 4)) + 0.5
    rows[labels == 5] *= 9.0  # a class of long rows
    rows[labels == 7] *= 0.2  # and one of short ones
    queries = rng.standard_normal((8, 4)) + 0.3
    numbered = np.searchsorted([2, 5, 7], labels)
    yield _case(rows, numbered, queries, name="classes 0, 1 and 2")
    longer = rows * 1e3
    yield _case(longer, numbered, queries * 1e-3, name="long rows to learn from, short ones new")
    yield _case(rows, labels, queries, "predicted of 2, 5 and 7", name="classes 2, 5 and 7")

    half = rng.integers(1, 6, (2, 4)).astype(float)  # whole numbers cancel in any order
    cancelling = np.concatenate((half, -half, rng.standard_normal((3, 4)) + 1.0))
    opposed = np.array([0, 0, 0, 0, 1, 1, 1])
    yield _case(
        cancelling,
        opposed,
        queries,
        "predicted beside a zero centroid",
        name="a class whose rows add up to nothing",
    )
    with_zeros = queries.copy()
    with_zeros[[0, 3]] = 0.0
    yield _case(rows, numbered, with_zeros, name="rows of zeros")

    whole = rng.integers(0, 6, (9, 4))
    yield _case(whole, numbered[:9], rng.integers(0, 6, (5, 4)), name="counts, whole numbers")

    # Class 2 points the way of class 1, but for the last digits that float64 has.
    base = rng.standard_normal((2, 4))
    toward = base.mean(axis=0) + 0.4 * rng.standard_normal((6, 4))
    tied = np.concatenate((base, 3 * base + 2e-12 * toward.mean(axis=0), -base[:1]))
    tied_labels = np.array([1, 1, 2, 2, 0])
    yield _case(tied, tied_labels, toward, "predicted of equals", name="equal cosines")

    broken = rows.copy()
    broken[2, 1] = np.nan
    refused = {
        "a NaN to learn from": (broken, labels, queries),
        "a NaN to classify": (rows, labels, broken),
        "one class only": (rows, np.full(11, 3), queries),
        "more labels than rows": (rows, np.append(labels, 2), queries),
        "new rows of another width": (rows, labels, queries[:, :3]),
    }
    for name, inputs in refused.items():
        yield _case(*inputs, name=name, raises=OptionError)


def _case(
    features: Any, labels: Any, queries: Any, predicted: str = "predicted", **about: Any
) -> Case:
    """Name what is predicted apart where it takes more: of two mistakes the first is then told."""
    inputs = {"features": features, "labels": labels, "queries": queries}
    returns = ("classes_", "centroids_", predicted, "what fit returns is the model")
    return Use("NearestCentroid", fit_and_predict, inputs, returns=returns, **about)


def fit_and_predict(classifier: Any, features: Any, labels: Any, queries: Any) -> Any:
    """Learn from labelled rows, and classify others."""
    model = classifier()
    returned = model.fit(features, labels)
    predicted = model.predict(queries)
    return model.classes_, model.centroids_, predicted, returned is model


def lengths_do_not_count(f: Any, rng: np.random.Generator) -> str | None:
    """Stretch the rows that are classified, and the rows of one class all alike."""
    features, labels = rng.standard_normal((12, 5)), np.arange(12) % 3
    queries = rng.standard_normal((40, 5))
    before = f.NearestCentroid().fit(features, labels).predict(queries)
    longer = features * np.where(labels == 1, 10.0, 1.0)[:, None]
    stretched = queries * rng.uniform(0.1, 10.0, (40, 1))
    after = f.NearestCentroid().fit(longer, labels).predict(stretched)
    changed = int(np.sum(before != after))
    if changed:
        return (
            "rows made longer or shorter still point the same way, but "
            f"{changed} of 40 predictions changed"
        )
    return None


def the_order_of_the_rows_does_not_count(f: Any, rng: np.random.Generator) -> str | None:
    """Shuffle what is learned from."""
    features, labels = rng.standard_normal((12, 5)), np.arange(12) % 3
    order = rng.permutation(12)
    one = f.NearestCentroid().fit(features, labels).centroids_
    other = f.NearestCentroid().fit(features[order], labels[order]).centroids_
    if not np.allclose(one, other):
        return "the same rows in another order give other centroids"
    return None


PROPERTIES = {
    "lengths do not count": lengths_do_not_count,
    "the order of the rows does not count": the_order_of_the_rows_does_not_count,
}
