"""`log.csv`: a row for each step of training, a line for each epoch, and a picture of both."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import fmean
from typing import IO, Any, Protocol

from minilm import files
from minilm.errors import OutputError

NAME = "log.csv"
PICTURE = "loss.png"


class HeldOut(Protocol):
    """A score on a held-out part; its `str` is the line for a person."""

    @property
    def loss(self) -> float:
        """The figure that early stopping compares."""
        ...

    @property
    def figures(self) -> Mapping[str, float | None]:
        """The figures to log, by column name without `held_out_`."""
        ...


@dataclass(frozen=True)
class Row:
    """One step; None is an empty cell."""

    step: int
    learning_rate: float
    loss: float
    gradient_norm: float
    tokens_per_second: float
    held_out_loss: float | None = None
    held_out_perplexity: float | None = None
    held_out_bits_per_byte: float | None = None
    held_out_accuracy: float | None = None

    @classmethod
    def of(
        cls, step: int, rate: float, loss: float, norm: float, speed: float, score: HeldOut | None
    ) -> Row:
        """Return the row of a step, rounded for reading."""
        figures = score.figures if score else {}
        shown = {name: round(f, 5) for name, f in figures.items() if f is not None}
        return cls(
            step,
            float(f"{rate:.4g}"),
            round(loss, 5),
            round(norm, 5),
            round(speed),
            shown.get("loss"),
            shown.get("perplexity"),
            shown.get("bits_per_byte"),
            shown.get("accuracy"),
        )


COLUMNS = tuple(field.name for field in fields(Row))


class Log:
    """The log of a run, open for more rows.

    Parameters
    ----------
    folder : Path
    after : int
        The step after which training continues. Later rows, which a killed process left, are
        removed and written again.

    Raises
    ------
    OutputError
        When it cannot be written.
    """

    def __init__(self, folder: Path, after: int) -> None:
        self.path = folder / NAME
        kept = [row for row in read(self.path) if row.step <= after] if after else []
        try:
            for name in (NAME, PICTURE):
                for unfinished in folder.glob(f".{name}.*.tmp"):  # left by a killed process
                    unfinished.unlink()
            write(folder, kept)
            self._file: IO[str] = open(self.path, "a", encoding="utf-8", newline="")  # noqa: SIM115  (closed by `close`)
        except OSError as error:
            raise self._failure(error) from None
        self._writer = csv.writer(self._file, lineterminator="\n")

    def add(self, row: Row) -> None:
        """Add a row; it may stay in memory until `flush`."""
        self._guarded(lambda: self._writer.writerow(astuple(row)))

    def flush(self) -> None:
        """Hand all rows to the operating system."""
        self._guarded(self._file.flush)

    def close(self) -> None:
        """Write what is left and close the file."""
        self._guarded(self._file.close)

    def __enter__(self) -> Log:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the file."""
        self.close()

    def _guarded(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: cannot be written ({error.strerror or error}); the last good model is "
            "intact; free some space and continue with --resume"
        )


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Write the log of a finished run; the folder must exist."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([COLUMNS, *map(astuple, rows)])
    with files.atomic_write(folder / NAME) as file:
        file.write(buffer.getvalue())


def read(path: Path) -> list[Row]:
    """Return the complete rows of a log; none if there is no log."""
    rows = []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            # Older logs have fewer columns, and the last row may be incomplete.
            header, *lines = csv.reader(file)
            for cells in lines:
                numbers = [float(cell) if cell else None for cell in cells]
                if len(numbers) == len(header) and numbers[0] is not None:
                    rows.append(Row(int(numbers[0]), *numbers[1:]))  # type: ignore[arg-type]
    except (OSError, ValueError, csv.Error):  # a damaged log does no harm: nothing depends on it
        return rows
    return rows


def draw(
    folder: Path,
    *,
    title: str = "How well the next token is predicted",
    unit: str = "nats a token",
    held_out_name: str = "held-out text",
) -> Path:
    """Draw each step's loss, smoothed, and the held-out loss; return the picture's path."""
    from minilm import drawing

    rows = read(folder / NAME)
    steps = [row.step for row in rows]
    held_out = [(row.step, row.held_out_loss) for row in rows if row.held_out_loss is not None]
    blue, vermillion, light_blue = (drawing.COLORS[i] for i in (0, 1, 5))

    def fill(figure: Any) -> None:
        axes = figure.add_subplot()
        losses = [row.loss for row in rows]
        axes.plot(steps, losses, color=light_blue, alpha=0.35, linewidth=0.8)
        window = max(1, len(rows) // 50, min(10, len(rows) // 5))
        smooth = smoothed(losses, window)
        axes.plot(steps, smooth, color=blue, linewidth=2, label="training, smoothed")
        if held_out:
            axes.plot(
                *zip(*held_out, strict=True),
                color=vermillion,
                marker="o",
                linewidth=2,
                label=held_out_name,
            )
        axes.set_xlabel("step")
        axes.locator_params(axis="x", integer=True)
        axes.set_ylabel(f"loss ({unit})")
        axes.set_title(title)
        axes.legend()

    drawing.write(folder / PICTURE, fill)
    return folder / PICTURE


def smoothed(values: Sequence[float], window: int) -> list[float]:
    """Return the mean of each value and up to `window - 1` before it.

    >>> smoothed([1.0, 3.0, 5.0], 2)
    [1.0, 2.0, 4.0]
    """
    means, total = [], 0.0
    for i, value in enumerate(values):
        total += value - (values[i - window] if i >= window else 0.0)
        means.append(total / min(i + 1, window))
    return means


# Shares of the previous epoch's loss. A fall of a twentieth is visible in samples of text; below a
# hundredth, batches differ more than epochs.
_LEARNING, _SETTLED = 0.05, 0.01


def meaning(losses: Sequence[float]) -> str:
    """Return a word for how the mean loss changed in the last epoch.

    It fell by a twentieth or more ("learning"), by less ("refining"), changed by less than a
    hundredth ("converging"), or rose ("rising").

    Examples
    --------
    >>> [meaning(losses) for losses in ([2.1], [2.1, 1.9], [2.1, 1.9, 1.85], [1.85, 1.84])]
    ['learning', 'learning', 'refining', 'converging']
    >>> meaning([1.8, 2.4])
    'rising'
    """
    if len(losses) < 2:
        return "learning"
    change = losses[-1] / losses[-2] - 1 if losses[-2] else 0.0
    if change >= _SETTLED:
        return "rising"
    if change > -_SETTLED:
        return "converging"
    return "refining" if change > -_LEARNING else "learning"


class Monitor:
    """Follows the rows of a run, and reports on each epoch in a line.

    Parameters
    ----------
    epoch : int
        Steps of an epoch.
    steps : int
        Of the whole run.
    learning_rate : float
        The highest, for the advice.
    rows : sequence of Row
        Rows from before the run was interrupted.

    Examples
    --------
    >>> monitor = Monitor(epoch=1, steps=2, learning_rate=0.002)
    >>> monitor.after(Row(1, 0.002, 2.0, 1.0, 100.0))
    'epoch 1 of 2: loss 2.000 (learning)'
    >>> monitor.after(Row(2, 0.002, 3.0, 1.0, 100.0))
    'epoch 2 of 2: loss 3.000 (rising: rate too high, try --learning-rate 0.001)'
    """

    def __init__(
        self, epoch: int, steps: int, learning_rate: float, rows: Sequence[Row] = ()
    ) -> None:
        self.epoch, self.steps = epoch, steps
        self.learning_rate = learning_rate
        self._losses: list[float] = []
        self._held_out: list[float] = []
        for row in rows:
            self._add(row)

    def after(self, row: Row) -> str | None:
        """Return the line about an epoch after its last step; None after other steps."""
        self._add(row)
        total = max(1, round(self.steps / self.epoch))  # a remainder joins the last epoch
        number, rest = divmod(row.step, self.epoch)
        if row.step == self.steps:
            number = total
        elif rest or number >= total:
            return None
        starts = [k * self.epoch for k in range(number)]
        ends = [*starts[1:], len(self._losses)]
        means = [fmean(self._losses[i:k]) for i, k in zip(starts, ends, strict=True)]
        epoch = f"epoch {number} of {total}" if self.steps >= self.epoch else "part of epoch 1"
        return f"{epoch}: loss {means[-1]:.3f} ({self._verdict(means)})"

    def _add(self, row: Row) -> None:
        self._losses.append(row.loss)
        if row.held_out_loss is not None:
            self._held_out.append(row.held_out_loss)

    def _verdict(self, means: Sequence[float]) -> str:
        half = len(self._losses) // 2
        if len(means) == 1 and half:  # compare its halves
            halves = fmean(self._losses[:half]), fmean(self._losses[half:])
            found = "rising" if meaning(halves) == "rising" else "learning"
        else:
            found = meaning(means)
        if found == "rising":
            return f"rising: rate too high, try --learning-rate {self.learning_rate / 2:.2g}"
        if self._held_out and self._held_out[-1] > min(self._held_out) * (1 + _SETTLED):
            return "overfitting: held-out loss rises, try fewer --epochs"
        return found
