"""Where jobs run: in this process, in processes of its own, or on somebody else's executor.

Every place has one method, `map(function, shared, groups)`, which yields each job with the result
of `function(shared, job)`, in any order. A job is a pure function of the two, so the results are
the same wherever it runs, and it can run again: a process that dies costs the time of the job that
it was doing. Jobs of one group go to one process, one after the other, where possible, because they
share work that a process remembers.

Worker processes import the library afresh: a function that was replaced in this process is not
replaced there, so experiments with replaced functions need `Here`.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, as_completed
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from minilm import threads
from minilm.errors import MinilmError, MissingExtraError, OptionError

Function = Callable[[Any, Any], Any]
Groups = Sequence[Sequence[Any]]

# Windows can wait for this many processes at most.
_MOST_PROCESSES = 61
# A job at which this many processes have died is given up.
_ATTEMPTS = 3
_LOST = f"the worker process died {_ATTEMPTS} times on this run, possibly out of memory"


@dataclass(frozen=True)
class Lost:
    """The result of a job at which worker processes died again and again."""

    reason: str = _LOST


class Place(Protocol):
    """Where jobs are done."""

    @property
    def width(self) -> int:
        """How many jobs are done at a time, as far as that is known."""
        ...

    def map(self, function: Function, shared: Any, groups: Groups) -> Iterator[tuple[Any, Any]]:
        """Yield each job with its result, or `Lost`, as they are found."""
        ...

    def close(self) -> None:
        """Close processes and connections."""
        ...


class Here:
    """This process, one job after the other."""

    width = 1

    def map(self, function: Function, shared: Any, groups: Groups) -> Iterator[tuple[Any, Any]]:
        """Yield each job with its result."""
        for group in groups:
            for job in group:
                yield job, function(shared, job)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


@dataclass(frozen=True, eq=False)
class _Errand:
    """What a worker gets once, before the jobs."""

    function: Function
    shared: Any


@dataclass(eq=False)
class _Worker:
    """A process, the pipe to it, and its jobs: the first of them is being done."""

    process: Any
    pipe: Connection
    jobs: deque[Any] = field(default_factory=deque)
    errand: _Errand | None = None


class ProcessRunner:
    """Worker processes; one that dies is replaced, and its job done again.

    Parameters
    ----------
    workers : int
        How many.
    """

    def __init__(self, workers: int) -> None:
        # Spawned, as on Windows and macOS: forking a process that has threads is not safe.
        self._context = multiprocessing.get_context("spawn")
        self.width = min(workers, _MOST_PROCESSES)
        self._workers: list[_Worker] = []

    def map(self, function: Function, shared: Any, groups: Groups) -> Iterator[tuple[Any, Any]]:
        """Yield each job with its result, or `Lost`, as they are found.

        Raises
        ------
        MinilmError
            When a job failed with an error.
        """
        errand = _Errand(function, shared)
        left = deque(deque(group) for group in groups if group)
        deaths: Counter[Any] = Counter()
        while len(self._workers) < min(self.width, len(left)):
            self._workers.append(self._start())
        for worker in list(self._workers):
            self._next(worker, errand, left)
        while busy := [worker for worker in self._workers if worker.jobs]:
            for pipe in wait([worker.pipe for worker in busy]):
                worker = next(worker for worker in busy if worker.pipe is pipe)
                job = worker.jobs[0]
                try:
                    result = worker.pipe.recv()
                except (EOFError, OSError):
                    deaths[job] += 1
                    worker = self._replace(worker)
                    if deaths[job] < _ATTEMPTS:
                        self._next(worker, errand, left)
                        continue
                    result = Lost()
                if isinstance(result, _Failure):
                    raise MinilmError(result.reason)
                worker.jobs.popleft()
                self._next(worker, errand, left)
                yield job, result

    def _next(self, worker: _Worker, errand: _Errand, left: deque[deque[Any]]) -> None:
        """Send a worker its next job, of its own group or else a new one; nothing, if none is."""
        if not worker.jobs and left:
            worker.jobs = left.popleft()
        if not worker.jobs:
            return
        # A worker that is dead already is found out when its answer is waited for.
        with contextlib.suppress(OSError):
            if worker.errand is not errand:
                worker.pipe.send(errand)
                worker.errand = errand
            worker.pipe.send(worker.jobs[0])

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        with _interrupts_ignored():
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def _replace(self, worker: _Worker) -> _Worker:
        """Put a new process in the place of a dead one; it has the same jobs before it."""
        _end(worker)
        new = self._start()
        new.jobs = worker.jobs
        self._workers[self._workers.index(worker)] = new
        return new

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        for worker in self._workers:
            _end(worker)
        self._workers = []


def _end(worker: _Worker) -> None:
    worker.process.terminate()
    worker.process.join()
    worker.process.close()
    worker.pipe.close()


@dataclass(frozen=True)
class _Failure:
    """A job that ended with an error; the error itself may not survive the way between processes.

    It is for errors that end everything. A run that goes wrong has an outcome that says so.
    """

    reason: str


def _serve(pipe: Connection) -> None:
    """Do what comes through the pipe, until it is closed: errands, and jobs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows does not inherit what the parent set
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        errand: _Errand = pipe.recv()
        while True:
            message = pipe.recv()
            if isinstance(message, _Errand):
                errand = message
                continue
            try:
                result = _single_threaded(errand.function, errand.shared, message)
            except MinilmError as error:
                result = _Failure(str(error))
            except Exception as error:
                result = _Failure(f"{type(error).__name__}: {error}")
            pipe.send(result)


def _end_with_parent() -> None:
    """End this process when the parent is killed: nobody waits for a job of minutes any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


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


@functools.cache
def _set_threads() -> None:
    threads.set_blas_threads(1)


def _single_threaded(function: Function, shared: Any, job: Any) -> Any:
    """Do a job with one BLAS thread, whatever the process that it is done in was started with."""
    _set_threads()
    return function(shared, job)


class Borrowed:
    """Any `concurrent.futures.Executor`; it is not shut down here.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    """

    width = 1

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def map(self, function: Function, shared: Any, groups: Groups) -> Iterator[tuple[Any, Any]]:
        """Yield each job with its result as they are found.

        Raises
        ------
        MinilmError
            When the executor is broken; what was found before has been yielded.
        """
        futures = {}
        try:
            for job in _flat(groups):
                future = self._executor.submit(_single_threaded, function, shared, job)
                futures[future] = job
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenExecutor as error:
            raise MinilmError(
                f"the executor broke ({error}); use another one and --resume"
            ) from None
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Do nothing: the executor belongs to its owner."""


class Cluster:
    """The workers of a Dask cluster, on any number of machines.

    Parameters
    ----------
    address : str
        Of the scheduler, such as "tcp://host:8786".
    timeout : str
        How long to wait for it.

    Raises
    ------
    MissingExtraError
        When the package `distributed` is not installed.
    OptionError
        When nobody answers at the address.
    """

    def __init__(self, address: str, timeout: str = "10s") -> None:
        try:
            import distributed
        except ImportError:
            raise MissingExtraError("distributed", "cluster", "--dask") from None
        self._distributed = distributed
        try:
            # First, since a client that could not be made writes a traceback when it is deleted.
            distributed.comm.get_address_host_port(address)
            self._client = distributed.Client(address, timeout=timeout, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise OptionError(
                f"--dask: no scheduler at {address} ({error}); start one with: dask scheduler"
            ) from None

    @property
    def width(self) -> int:
        """How many threads the workers have together."""
        return max(1, sum(self._client.nthreads().values()))

    def map(self, function: Function, shared: Any, groups: Groups) -> Iterator[tuple[Any, Any]]:
        """Yield each job with its result, or `Lost`, as they are found.

        The scheduler gives the job of a worker that is gone to another one.
        """
        sent = self._client.scatter(shared, broadcast=True, hash=False)
        futures = {
            self._client.submit(_single_threaded, function, sent, job, pure=False): job
            for job in _flat(groups)
        }
        with self._client.as_current():
            completed = self._distributed.as_completed(futures)
        try:
            for future in completed:
                try:
                    result = future.result()
                except self._distributed.KilledWorker:
                    result = Lost()
                yield futures[future], result
        finally:
            self._client.cancel(list(futures))

    def close(self) -> None:
        """Leave the cluster."""
        self._client.close()


def _flat(groups: Groups) -> Iterator[Any]:
    return (job for group in groups for job in group)


def place(workers: int, dask: str | None = None) -> Place:
    """Return where jobs are done: on a Dask cluster, by processes, or here where one is asked for.

    Raises
    ------
    OptionError, MissingExtraError
        When that cannot be.
    """
    if workers < 1:
        raise OptionError(f"--workers: {workers}; use 1 or more")
    if dask is not None:
        return Cluster(dask)
    return Here() if workers == 1 else ProcessRunner(workers)
