"""Two dimensions to look at vectors in: principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Axes:
    """The first principal components of some rows: where they are centered, and two directions.

    Examples
    --------
    >>> axes = Axes.of(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [2.0, 1.0]]))
    >>> axes.place(np.array([[4.0, 0.25]])).round(3)
    array([[-2.,  0.]])
    """

    center: np.ndarray
    directions: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, count: int = 2) -> Axes:
        """Find them: (N, D) -> center (D,), directions (count, D).

        The sign of each is fixed: the row that lies furthest out along it is on the positive side.
        """
        center = rows.mean(axis=0)
        _, _, directions = np.linalg.svd(rows - center, full_matrices=False)
        directions = directions[:count]
        points = (rows - center) @ directions.T
        furthest = points[np.abs(points).argmax(axis=0), np.arange(len(directions))]
        return cls(center, directions * np.where(furthest < 0, -1, 1)[:, np.newaxis])

    def place(self, rows: np.ndarray) -> np.ndarray:
        """Return the coordinates of rows: (N, D) -> (N, 2)."""
        return (rows - self.center) @ self.directions.T
