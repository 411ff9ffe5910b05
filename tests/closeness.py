"""How near two computations of the same thing must be, on every kind of processor."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def assert_close(actual: ArrayLike, expected: ArrayLike, rtol: float = 1e-7) -> None:
    """Assert that two arrays agree, relative to each entry or to the largest entry.

    A sum is rounded relative to its largest terms, so an entry in which terms cancel is as
    inexact as its neighbors are, however small it is itself; and kernels for other processors add
    in another order. A relative tolerance alone would ask for more than arithmetic gives.
    """
    largest = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * float(largest))
