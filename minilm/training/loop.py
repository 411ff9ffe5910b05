"""The training loop that pretraining, fine-tuning and continual training share.

    for each step: a batch, its gradient on all threads, one update of the parameters

and around it what makes a run of hours bearable: the learning rate rises and falls, a held-out part
is looked at now and then, every step is logged, the state is saved every so often and on Ctrl-C,
and numbers that are no longer finite stop it before they are saved. What is trained, on what, and
which files make up the model is the `Job`'s affair.

A run is a pure function of its settings, whenever it was stopped and resumed: batches and dropout
come from generators made of the seed and the step's number, and all else is in `State`.
"""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from minilm.errors import TrainingError
from minilm.nn import optim
from minilm.nn.optim import Optimizer
from minilm.nn.parallel import Model, Shards
from minilm.progress import Progress
from minilm.random import generator
from minilm.training import log as log_file
from minilm.training.log import HeldOut, Log, Row
from minilm.training.monitor import Monitor


@dataclass(frozen=True)
class Plan:
    """How long to train, and how.

    Attributes
    ----------
    steps : int
    learning_rate : float
        The highest; it falls to a tenth of it along half a cosine.
    warmup : int
        Steps until it is reached.
    seed : int
        For dropout.
    threads : int
    evaluate_every : int
        Steps between two looks at the held-out part; the last step has one too.
    patience : int, optional
        Stop after so many looks without a better loss, and keep the best model.
    save_seconds : float
        Time between two saves.
    epoch : int, optional
        Steps of an epoch, after which a line says what the loss means.
    """

    steps: int
    learning_rate: float
    warmup: int
    seed: int
    threads: int
    evaluate_every: int
    patience: int | None = None
    save_seconds: float = 60.0
    epoch: int | None = None

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, from 0."""
        peak = self.learning_rate
        return optim.warmup_decay(
            step, peak=peak, warmup=self.warmup, total=self.steps, floor=peak / 10
        )


@dataclass
class State:
    """How far a run is; with the parameters and the optimizer's state, all that resuming needs.

    Attributes
    ----------
    step : int
        Updates so far.
    tokens : int
        Targets so far.
    best_loss, best_step
        The best held-out loss and when it was.
    waited : int
        Looks at the held-out part since then.
    best_parameters : ndarray, optional
        The flat parameters of then, where the best model is to be kept.
    finished : bool
    """

    step: int = 0
    tokens: int = 0
    best_loss: float = math.inf
    best_step: int = 0
    waited: int = 0
    best_parameters: NDArray[np.floating[Any]] | None = None
    finished: bool = False


class Task(Protocol):
    """What the loop trains."""

    @property
    def model(self) -> Model:
        """What is trained."""
        ...

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer over its parameters."""
        ...

    def batch(self, step: int) -> Sequence[NDArray[Any]]:
        """Return the arrays that the model's `gradients` takes; the last are the targets."""
        ...

    def evaluate(self, shards: Shards) -> HeldOut | None:
        """Return the score on the held-out part; None if there is none."""
        ...


class Job(Task, Protocol):
    """What the loop trains and saves on the way."""

    def save(self, state: State) -> None:
        """Save the model, the optimizer and the state in one transaction."""
        ...

    def show(self, step: int) -> str | None:
        """Return what there is to see of the model at this step, if anything."""
        ...


def train(
    job: Job,
    plan: Plan,
    state: State,
    folder: Path,
    say: Callable[[str], None],
    *,
    anew: str = "in another folder with",
) -> None:
    """Train from where `state` is to the end of the plan, and save the result.

    Parameters
    ----------
    job : Job
    plan : Plan
    state : State
        Brought up to date as training goes on.
    folder : Path
        Where `log.csv` is kept.
    say : callable
        Takes a line for the person who waits.
    anew : str
        How a run that has gone wrong is begun again, before the option of the learning rate.

    Raises
    ------
    TrainingError
        When the loss or the gradient is not finite. What was saved last is untouched.
    OutputError
        When something cannot be written; likewise.
    KeyboardInterrupt
        After Ctrl-C, once the state is saved. A second Ctrl-C does not wait for that.
    """
    saver = _Saver(job, plan, state)
    try:
        _run(job, plan, state, folder, saver, say)
        if state.best_parameters is not None:
            job.model.parameters.flat[...] = state.best_parameters
            state.best_parameters = None
        state.finished = True
        saver.save()
    except TrainingError as error:
        raise TrainingError(
            f"after step {state.step:,}: {error}. The last good model, of step {saver.step:,}, is "
            f"kept; begin again {anew} --learning-rate {plan.learning_rate / 3:.2g}"
        ) from None


def fit(task: Task, plan: Plan, say: Callable[[str], None] | None = None) -> list[Row]:
    """Train from the start to the end of the plan, without a file; return the log's rows.

    For runs of minutes, which a comparison makes by the thousand.

    Parameters
    ----------
    task : Task
    plan : Plan
    say : callable, optional
        Takes a line for the person who waits; progress is shown too. Without it nothing is.

    Raises
    ------
    TrainingError
        When the loss or the gradient is not finite.
    """
    state = State()
    rows = []
    with contextlib.ExitStack() as stack:
        shards = stack.enter_context(Shards(plan.threads))
        progress = stack.enter_context(Progress("training", plan.steps)) if say else None
        stack.enter_context(_overflow_unannounced())
        try:
            for row, score in _steps(task, plan, state, shards):
                rows.append(row)
                if progress and say:
                    progress.advance(note=f"loss {row.loss:.3f}")
                    if score:
                        _say(say, progress, f"step {row.step:,}  held out: {score}")
        except TrainingError as error:
            raise TrainingError(
                f"after step {state.step:,}: {error}. Nothing is saved; begin again with "
                f"--learning-rate {plan.learning_rate / 3:.2g}"
            ) from None
    return rows


class _Saver:
    """Saves a job, and knows when it did."""

    def __init__(self, job: Job, plan: Plan, state: State) -> None:
        self.job, self.plan, self.state = job, plan, state
        self.step = state.step  # which is saved already
        self.time = time.monotonic()

    def is_due(self) -> bool:
        return time.monotonic() - self.time >= self.plan.save_seconds

    def save(self) -> None:
        self.job.save(self.state)
        self.step, self.time = self.state.step, time.monotonic()


def _run(
    job: Job, plan: Plan, state: State, folder: Path, saver: _Saver, say: Callable[[str], None]
) -> None:
    """Take the steps that are left."""
    first = state.step
    with (
        Log(folder, state.step) as log,
        Shards(plan.threads) as shards,
        Progress(f"from step {first:,}", plan.steps - first) as progress,
        _interrupt_later() as interrupted,
        _overflow_unannounced(),
    ):
        monitor = _monitor(plan, folder)
        for row, score in _steps(job, plan, state, shards):
            log.add(row)
            speed = f"{row.tokens_per_second:,.0f} tokens/s"
            progress.advance(note=f"loss {row.loss:.2f}  {speed}")
            for line in (f"held out: {score}" if score else None, job.show(state.step)):
                if line:
                    _say(say, progress, f"step {state.step:,}  {line}")
            if monitor and (line := monitor.after(row)):
                _say(say, progress, line)
            stop = interrupted()  # asked once: it may come between two questions
            if stop or saver.is_due():
                log.flush()
                saver.save()
            if stop:
                _say(say, progress, f"stopped and saved at step {state.step:,} of {plan.steps:,}")
                raise KeyboardInterrupt


def _monitor(plan: Plan, folder: Path) -> Monitor | None:
    """Return what follows the epochs, with the rows that were logged before an interruption."""
    if plan.epoch is None:
        return None
    logged = log_file.read(folder / log_file.NAME)
    return Monitor(plan.epoch, plan.steps, plan.learning_rate, logged)


def _steps(
    task: Task, plan: Plan, state: State, shards: Shards
) -> Iterator[tuple[Row, HeldOut | None]]:
    """Take the steps that are left; yield each one's row, and the score if there was a look."""
    tokens_before, start = state.tokens, time.perf_counter()
    while state.step < plan.steps and not _out_of_patience(plan, state):
        loss, norm, rate = _step(task, plan, state, shards)
        due = state.step % plan.evaluate_every == 0 or state.step == plan.steps
        score = task.evaluate(shards) if due else None
        if score is not None:
            _note_best(task, plan, state, score)
        speed = (state.tokens - tokens_before) / (time.perf_counter() - start)
        yield Row.of(state.step, rate, loss, norm, speed, score), score


def _step(task: Task, plan: Plan, state: State, shards: Shards) -> tuple[float, float, float]:
    """Take one step; return its loss, the gradient's norm and the learning rate."""
    batch = task.batch(state.step)
    rate = plan.rate(state.step)
    loss, norm = shards.step(
        task.model,
        *batch,
        optimizer=task.optimizer,
        learning_rate=rate,
        rng=generator(plan.seed, "dropout", state.step),
    )
    state.step += 1
    state.tokens += int(np.count_nonzero(batch[-1] != -100))
    return loss, norm, rate


def _note_best(task: Task, plan: Plan, state: State, score: HeldOut) -> None:
    state.waited += 1
    if score.loss < state.best_loss:
        state.best_loss, state.best_step, state.waited = score.loss, state.step, 0
        if plan.patience is not None:
            state.best_parameters = task.model.parameters.flat.copy()


def _out_of_patience(plan: Plan, state: State) -> bool:
    return plan.patience is not None and state.waited >= plan.patience


def _say(say: Callable[[str], None], progress: Progress, line: str) -> None:
    """Say a line where the progress line was; the next step writes that one again."""
    progress.__exit__(None, None, None)
    say(line)


@contextlib.contextmanager
def _interrupt_later() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C wait until it is asked for; the second one does not wait.

    In the middle of an update a part of the parameters is new and a part is old: there is nothing
    to be saved then.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False  # an interrupt is somebody else's to handle, or is ignored
        return
    asked = False

    def handle(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _overflow_unannounced() -> Iterator[None]:
    """Keep NumPy's warnings of overflow off the screen: every loss is checked, and reported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
