"""Where runs are done: in this process, or spread over a pool of processes, with equal numbers."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import groupby

from minilm import threads
from minilm.compare.experiment import Key, Outcome, run
from minilm.compare.material import Material

# The material of a worker process, set once when the process starts.
_material: Material | None = None


def run_all(material: Material, keys: Iterable[Key], workers: int) -> Iterator[Outcome]:
    """Yield the outcome of each key as it is found, in any order.

    Runs of one condition and seed stay together, so that what their budgets share is made once.

    Parameters
    ----------
    material : Material
        Handed to each process once.
    keys : iterable of Key
        What to run.
    workers : int
        Processes; 1 works in this one.
    """
    by_share = sorted(keys, key=lambda key: (key.condition, key.seed, key.budget))
    groups = [list(g) for _, g in groupby(by_share, key=lambda key: (key.condition, key.seed))]
    if workers == 1 or len(groups) < 2:
        for group in groups:
            for key in group:
                yield run(material, key)
        return
    pool = ProcessPoolExecutor(
        min(workers, len(groups)),
        # Spawned, as on Windows and macOS: forking a process that has threads is not safe.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(material,),
    )
    try:
        for future in as_completed([pool.submit(_run_group, group) for group in groups]):
            yield from future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(material: Material) -> None:
    global _material
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threads.set_blas_threads(1)
    _material = material


def _run_group(keys: Sequence[Key]) -> list[Outcome]:
    assert _material is not None  # noqa: S101  (set when the process started)
    return [run(_material, key) for key in keys]
