"""The one training loop: pretraining, updates, fine-tuning, comparisons and katas all use it.

    for each step: take a batch, compute its gradient on all threads, update the parameters

Read it from the inside out. `train_step` takes one step. `steps` takes all steps of a plan and
evaluates the held-out part at intervals. `fit` runs them in memory. `train` adds what a run of
hours needs: a log, saves, Ctrl-C, and an error before numbers that are not finite are saved. The
`Task` or `Job` decides what is trained, on which data, and which files make up the model.

A run is a pure function of its settings, even if it is stopped and resumed: batches and dropout
come from generators seeded with the seed and the step number, and `State` holds the rest.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm.errors import TrainingError
from minilm.nn import optim
from minilm.nn.optim import Optimizer
from minilm.nn.parallel import Model, Shards
from minilm.progress import Progress
from minilm.random import generator
from minilm.training import guards
from minilm.training import log as log_file
from minilm.training.log import HeldOut, Log, Monitor, Row

# AdamW's betas for language models. The second is below the usual 0.999, because an average over
# about 100 steps suits runs of a few thousand steps; one over 1,000 steps does not.
BETAS = (0.9, 0.99)


@dataclass(frozen=True)
class Plan:
    """How long to train, and how.

    Attributes
    ----------
    steps : int
    learning_rate : float
        The highest rate. By default it then falls to a tenth along half a cosine.
    warmup : int
        Steps until the highest rate is reached.
    seed : int
        For dropout.
    threads : int
    evaluate_every : int
        Steps between two evaluations of the held-out part. The last step is evaluated too.
    patience : int, optional
        Stop after this many evaluations without a better loss, and keep the best model.
    save_seconds : float
        Time between two saves.
    epoch : int, optional
        Steps in an epoch. After each epoch a line says what the loss means.
    shape : {"cosine", "linear", "constant"}
        How the learning rate falls; see `optim.warmup_decay`.
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
    shape: str = "cosine"

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        peak = self.learning_rate
        return optim.warmup_decay(
            step,
            peak=peak,
            warmup=self.warmup,
            total=self.steps,
            shape=self.shape,
            floor=peak / 10,
        )


@dataclass
class State:
    """How far a run is. Resuming needs this, the parameters and the optimizer's state.

    Attributes
    ----------
    step : int
        Steps so far.
    tokens : int
        Targets so far.
    best_loss, best_step
        The best held-out loss and its step.
    waited : int
        Evaluations since then.
    best_parameters : ndarray, optional
        The flat parameters at `best_step`, if the best model is to be kept.
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
        """The model."""
        ...

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer over its parameters."""
        ...

    def batch(self, step: int) -> Sequence[NDArray[Any]]:
        """Return the arrays that the model's `gradients` takes, targets last."""
        ...

    def evaluate(self, shards: Shards) -> HeldOut | None:
        """Return the score on the held-out part; None if there is none."""
        ...


class Job(Task, Protocol):
    """A task that is saved while it runs."""

    def save(self, state: State) -> None:
        """Save the model, the optimizer and the state in one transaction."""
        ...

    def show(self, step: int) -> str | None:
        """Return a line about the model at this step, such as a sample of text, or None."""
        ...


def train_step(
    model: Model,
    batch: Sequence[ArrayLike],
    optimizer: Optimizer,
    *,
    learning_rate: float,
    shards: Shards,
    clip: float | None = 1.0,
    rng: np.random.Generator | None = None,
) -> tuple[float, float]:
    """Take one training step; return the loss before it and the norm of the gradient.

    Parameters
    ----------
    model : GPT, SequenceClassifier or similar
    batch : sequence of arrays
        What the model's `gradients` takes, targets last. Targets of -100 do not count.
    optimizer : Optimizer
        Over the model's parameters.
    learning_rate : float
    shards : Shards
        The threads that compute the gradient.
    clip : float, optional
        The largest norm the gradient may have; None for no limit.
    rng : numpy.random.Generator, optional
        Draws the dropout; without it there is none.

    Raises
    ------
    TrainingError
        When the loss or the gradient is not finite. The parameters are then unchanged.
    """
    loss, gradient = shards.loss_and_grad(model, *batch, rng=rng)
    norm = optim.global_norm(gradient)
    if not math.isfinite(norm):
        raise TrainingError(
            f"the gradient's norm is {norm} at a loss of {loss:.4g}; lower the learning rate"
        )
    scale = 1.0 if clip is None else optim.clip_factor(norm, clip)
    optimizer.update(gradient, learning_rate=learning_rate, scale=scale, each=shards.each)
    return loss, norm


def steps(
    task: Task, plan: Plan, state: State, shards: Shards
) -> Iterator[tuple[Row, HeldOut | None]]:
    """Take the remaining steps, one whenever the caller asks for the next.

    The caller may stop after any step: `state` says how far the run is.

    Yields
    ------
    row : Row
        The step's line in the log.
    score : HeldOut or None
        What `task.evaluate` returned, if the step was evaluated.
    """
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
    """Take the next step; return its loss, the gradient's norm and the learning rate."""
    batch = task.batch(state.step)
    rate = plan.rate(state.step)
    rng = generator(plan.seed, "dropout", state.step)
    loss, norm = train_step(
        task.model, batch, task.optimizer, learning_rate=rate, shards=shards, rng=rng
    )
    state.step += 1
    state.tokens += int(np.count_nonzero(batch[-1] != -100))
    return loss, norm, rate


def fit(
    task: Task,
    plan: Plan,
    say: Callable[[str], None] | None = None,
    *,
    state: State | None = None,
) -> list[Row]:
    """Train from start to end in memory, for a short run; return the rows of the log.

    Parameters
    ----------
    task : Task
    plan : Plan
    say : callable, optional
        Takes a line for the person who waits, and turns on the progress line. The run is silent by
        default.
    state : State, optional
        Updated as training goes on; a fresh one by default.

    Raises
    ------
    TrainingError
        When the loss or the gradient is not finite.
    """
    state = state or State()
    rows = []
    with contextlib.ExitStack() as stack:
        shards = stack.enter_context(Shards(plan.threads))
        progress = stack.enter_context(Progress("training", plan.steps)) if say else None
        stack.enter_context(guards.overflow_unannounced())
        try:
            for row, score in steps(task, plan, state, shards):
                rows.append(row)
                if progress and say:
                    progress.advance(note=f"loss {row.loss:.3f}")
                    if score:
                        _say(say, progress, f"step {row.step:,}  held out: {score}")
        except TrainingError as error:
            raise TrainingError(
                f"after step {state.step:,}: {error}. Nothing is saved; start again with "
                f"--learning-rate {plan.learning_rate / 3:.2g}"
            ) from None
    _restore_best(task, state)
    return rows


def train(
    job: Job,
    plan: Plan,
    state: State,
    folder: Path,
    say: Callable[[str], None],
    *,
    restart: str = "in another folder with",
) -> None:
    """Train from where `state` is to the end of the plan; save at intervals and at the end.

    Parameters
    ----------
    job : Job
    plan : Plan
    state : State
        Updated as training goes on.
    folder : Path
        The folder of `log.csv`.
    say : callable
        Takes a line for the person who waits.
    restart : str
        How to start again after a failure; the message adds a lower learning rate.

    Raises
    ------
    TrainingError
        When the loss or the gradient is not finite. The last save is untouched.
    OutputError
        When something cannot be written. The last save is untouched.
    KeyboardInterrupt
        After Ctrl-C, once the state is saved. A second Ctrl-C does not wait for the save.
    """
    saver = _Saver(job, plan, state)
    try:
        _run(job, plan, state, folder, saver, say)
        _restore_best(job, state)
        state.finished = True
        saver.save()
    except TrainingError as error:
        raise TrainingError(
            f"after step {state.step:,}: {error}. The last good model, from step {saver.step:,}, "
            f"is kept; start again {restart} --learning-rate {plan.learning_rate / 3:.2g}"
        ) from None


class _Saver:
    """Saves a job, and remembers when."""

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
    """Take the remaining steps."""
    first = state.step
    with (
        Log(folder, state.step) as log,
        Shards(plan.threads) as shards,
        Progress(f"from step {first:,}", plan.steps - first) as progress,
        guards.interrupt_later() as interrupted,
        guards.overflow_unannounced(),
    ):
        logged = log_file.read(folder / log_file.NAME)  # before an interruption
        monitor = plan.epoch and Monitor(plan.epoch, plan.steps, plan.learning_rate, logged)
        for row, score in steps(job, plan, state, shards):
            log.add(row)
            speed = f"{row.tokens_per_second:,.0f} tokens/s"
            progress.advance(note=f"loss {row.loss:.2f}  {speed}")
            for line in (f"held out: {score}" if score else None, job.show(state.step)):
                if line:
                    _say(say, progress, f"step {state.step:,}  {line}")
            if monitor and (line := monitor.after(row)):
                _say(say, progress, line)
            stop = interrupted()  # asked once: Ctrl-C may come between two calls
            if stop or saver.is_due():
                log.flush()
                saver.save()
            if stop:
                _say(say, progress, f"stopped and saved at step {state.step:,} of {plan.steps:,}")
                raise KeyboardInterrupt


def _note_best(task: Task, plan: Plan, state: State, score: HeldOut) -> None:
    state.waited += 1
    if score.loss < state.best_loss:
        state.best_loss, state.best_step, state.waited = score.loss, state.step, 0
        if plan.patience is not None:
            state.best_parameters = task.model.parameters.flat.copy()


def _restore_best(task: Task, state: State) -> None:
    if state.best_parameters is not None:
        task.model.parameters.flat[...] = state.best_parameters
        state.best_parameters = None


def _out_of_patience(plan: Plan, state: State) -> bool:
    return plan.patience is not None and state.waited >= plan.patience


def _say(say: Callable[[str], None], progress: Progress, line: str) -> None:
    """Print a line in place of the progress line, which the next step writes again."""
    progress.__exit__(None, None, None)
    say(line)
