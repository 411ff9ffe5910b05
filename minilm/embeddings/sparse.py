"""The one sparse matrix of this package: sorted keys and their values.

Co-occurrence counts and their weights have V x V cells, of which few are not zero. The position of
an entry is one integer, `row * size + column`, so that sorting, merging and adding are operations
on plain one-dimensional arrays. There is no arithmetic here: other modules compute with the values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from minilm.errors import OptionError


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A square matrix of which only the stored entries are not zero.

    Parameters
    ----------
    keys : ndarray of shape (n,), int64
        `row * size + column` of each entry, ascending, without duplicates.
    values : ndarray of shape (n,)
        The entry at each key.
    size : int
        The number of rows and of columns, V.

    Examples
    --------
    >>> matrix = SparseMatrix(np.array([1, 3]), np.array([5, 7]), size=2)
    >>> matrix.dense()
    array([[0, 5],
           [0, 7]])
    """

    keys: npt.NDArray[np.int64]
    values: np.ndarray
    size: int

    def __repr__(self) -> str:
        """Return the class with its size."""
        return (
            f"SparseMatrix({self.size:,} x {self.size:,}, {self.keys.size:,} entries, "
            f"{self.values.dtype})"
        )

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """The row of each entry, shape (n,)."""
        return self.keys // self.size

    @property
    def columns(self) -> npt.NDArray[np.int64]:
        """The column of each entry, shape (n,)."""
        return self.keys % self.size

    def row_sums(self) -> npt.NDArray[np.float64]:
        """Return the sum of each row, shape (V,); exact for integers up to 2**53."""
        weights = self.values.astype(np.float64)
        return np.bincount(self.rows, weights, self.size).astype(np.float64, copy=False)

    def transposed(self) -> SparseMatrix:
        """Return the matrix with rows and columns exchanged."""
        rows, columns = np.divmod(self.keys, self.size)
        # Within a column the entries are already in order of row. NumPy sorts 16 bits by radix.
        narrow = np.uint16 if self.size <= 1 << 16 else np.int64
        order = np.argsort(columns.astype(narrow), kind="stable")
        return SparseMatrix((columns * self.size + rows)[order], self.values[order], self.size)

    def dense(self, dtype: npt.DTypeLike | None = None, max_bytes: int = 2 << 30) -> np.ndarray:
        """Return the matrix with its zeros, shape (V, V), in `dtype` (the values' by default).

        Raises
        ------
        OptionError
            When it would take more than `max_bytes`.
        """
        dtype = np.dtype(self.values.dtype if dtype is None else dtype)
        needed = self.size * self.size * dtype.itemsize
        if needed > max_bytes:
            raise OptionError(
                f"a column for each of {self.size} words takes {needed / 1e9:.1f} GB; "
                "use fewer dimensions, or leave out rare words with a minimum count"
            )
        matrix = np.zeros((self.size, self.size), dtype)
        matrix.reshape(-1)[self.keys] = self.values
        return matrix
