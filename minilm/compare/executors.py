"""Where runs are done: in this process, or spread over a pool of processes, with equal numbers."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import groupby

from minilm import threads
from minilm.compare import experiment
from minilm.compare.experiment import Key, Outcome
from minilm.compare.material import Material
from minilm.errors import MinilmError

# Windows waits on so many processes at most.
_MOST_PROCESSES = 61
# The material of a worker process, set once when the process starts.
_material: Material | None = None


def run_all(material: Material, keys: Iterable[Key], workers: int) -> Iterator[Outcome]:
    """Yield the outcome of each key as it is found, in any order.

    Worker processes import the library afresh: a function that was replaced in this process is not
    replaced there, so experiments with replaced functions need `workers=1`.

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
                yield experiment.run(material, key)
        return
    pool = ProcessPoolExecutor(
        min(workers, len(groups), _MOST_PROCESSES),
        # Spawned, as on Windows and macOS: forking a process that has threads is not safe.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(material,),
    )
    try:
        with _interrupts_ignored():
            futures = [pool.submit(_run_group, group) for group in groups]
        for future in as_completed(futures):
            yield from future.result()
    except BrokenProcessPool:
        raise MinilmError(
            "a worker process was killed, perhaps for want of memory; use fewer --workers, and go "
            "on with --resume"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Start processes that ignore Ctrl-C from their first moment: it is the parent's to handle."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it is interrupted
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _start_worker(material: Material) -> None:
    global _material
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows does not inherit what the parent set
    threads.set_blas_threads(1)
    _material = material


def _run_group(keys: Sequence[Key]) -> list[Outcome]:
    assert _material is not None  # noqa: S101  (set when the process started)
    return [experiment.run(_material, key) for key in keys]
