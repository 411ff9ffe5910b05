"""A gradient computed on several threads: each takes a shard, and the sum has a fixed order.

NumPy releases the interpreter lock inside its large operations, so threads run at the same time.
That is faster than letting BLAS split each matrix product, because everything between the products
is split too; BLAS itself is therefore set to one thread here. For a given number of shards every
run gives the same bits: what a thread computes depends on its shard alone, and the gradients are
summed in the order of the shards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from minilm.errors import OptionError
from minilm.nn.parameters import FlatStore, Gradients, Parameters
from minilm.threads import keep_freed_memory, set_blas_threads


class Model(Protocol):
    """What can be trained here, such as `GPT` and `SequenceClassifier`."""

    parameters: Parameters

    @property
    def gradients(self) -> Callable[..., tuple[float, Gradients]]:
        """Called with a shard's arrays and, by keyword, `share` and `rng`; see `GPT.gradients`."""
        ...


class Shards:
    """A fixed number of threads that compute a model's gradient together.

    Parameters
    ----------
    count : int
        The number of shards and threads. A batch with fewer sequences has one shard for each.

    Examples
    --------
    >>> from minilm.nn.gpt import GPT, GPTConfig
    >>> model = GPT(GPTConfig(50, 8, 12, 2, 3), rng=np.random.default_rng(0))
    >>> ids, targets = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[2, 3, 4], [5, 6, 7]])
    >>> with Shards(2) as shards:
    ...     loss, gradient = shards.loss_and_grad(model, ids, targets)
    >>> bool(np.isclose(loss, model.loss(ids, targets)))
    True
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise OptionError(f"the number of threads is {count}; use 1 or more")
        self.count = count
        set_blas_threads(1)
        keep_freed_memory()
        self._pool = ThreadPoolExecutor(count - 1) if count > 1 else None

    def __repr__(self) -> str:
        """Return the class with its size."""
        return f"Shards({self.count})"

    def each(self, function: Callable[[Any], Any], items: Sequence[Any]) -> None:
        """Apply a function to every item; each thread takes the next item that is left.

        Which thread gets which item is not determined, so the function must do the same on every
        thread, and no two items may write to the same place.
        """
        left = deque(items)

        def work(_: int) -> None:
            while left:
                try:
                    item = left.popleft()
                except IndexError:  # another thread took the last one
                    return
                function(item)

        self._on_threads(work, range(self.count))

    def _on_threads(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Return the results for at most `count` items, in their order; the first is done here."""
        if self._pool is None or len(items) == 1:
            return [function(item) for item in items]
        others = [self._pool.submit(function, item) for item in items[1:]]
        try:
            first = function(items[0])
        finally:
            wait(others)
        return [first, *(other.result() for other in others)]

    def loss_and_grad(
        self, model: Model, *batch: ArrayLike, rng: np.random.Generator | None = None
    ) -> tuple[float, FlatStore]:
        """Return the loss of a batch and its gradient, as the model's own `loss_and_grad`.

        Parameters
        ----------
        model : GPT, SequenceClassifier or alike
        *batch : arrays with the batch as their first axis
            What the model's `gradients` takes; the targets are the last, and -100 is not counted.
        rng : numpy.random.Generator, optional
            Draws the dropout, a generator for each shard; without it there is none.

        Raises
        ------
        OptionError
            When the arrays are not of one length, or all targets are ignored.
        """
        arrays = [np.asarray(array) for array in batch]
        if len({array.shape[:1] for array in arrays}) != 1:
            raise OptionError(
                f"a batch's arrays have shapes {', '.join(str(a.shape) for a in arrays)}; "
                "the first axis must be the same"
            )
        parts = list(zip(*(np.array_split(array, self.count) for array in arrays), strict=True))
        counts = [int(np.count_nonzero(part[-1] != -100)) for part in parts]
        if sum(counts) == 0:
            raise OptionError(
                "all targets of the batch are ignored (-100); at least one must count"
            )
        generators: Sequence[np.random.Generator | None] = [None] * len(parts)
        if rng is not None:
            seeds = rng.integers(1 << 63, size=len(parts))
            generators = [np.random.default_rng(seed) for seed in seeds]
        jobs = [
            (part, count / sum(counts), generator)
            for part, count, generator in zip(parts, counts, generators, strict=True)
            if count
        ]

        def shard(job: tuple[Any, float, np.random.Generator | None]) -> tuple[float, Gradients]:
            part, share, generator = job
            loss, gradients = model.gradients(*part, share=share, rng=generator)
            return share * loss, gradients

        results = self._on_threads(shard, jobs)
        gradients = [found for _, found in results]
        total = model.parameters.new_gradient()
        self.each(lambda name: total.add_up(name, gradients), list(total))
        return sum(loss for loss, _ in results), total

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def __enter__(self) -> Shards:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the threads."""
        self.close()
