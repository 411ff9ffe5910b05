"""`log.csv`: a row for each step of training, and the picture that is drawn from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import IO, Any, Protocol

from minilm import files
from minilm.errors import OutputError

NAME = "log.csv"
PICTURE = "loss.png"


class HeldOut(Protocol):
    """What was measured on a held-out part; its `str` is the line for a person."""

    @property
    def loss(self) -> float:
        """What early stopping goes by."""
        ...

    @property
    def figures(self) -> Mapping[str, float | None]:
        """What is logged, by the names that the columns have after `held_out_`."""
        ...


@dataclass(frozen=True)
class Row:
    """One step; what is None is an empty cell."""

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
        """Return the row of a step, rounded to what is worth reading."""
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
        The step that training begins after: rows of later steps, which a killed process has left,
        are removed, and done again.

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
                for unfinished in folder.glob(f".{name}.*.tmp"):  # of a process that was killed
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
            "whole; make room and go on with --resume"
        )


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Write the log of a run that is over; the folder must exist."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([COLUMNS, *map(astuple, rows)])
    with files.atomic_write(folder / NAME) as file:
        file.write(buffer.getvalue())


def read(path: Path) -> list[Row]:
    """Return the rows of a log that are whole; none if there is no log."""
    rows = []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            # Logs of earlier versions have fewer columns, and the last row may be cut short.
            header, *lines = csv.reader(file)
            for cells in lines:
                numbers = [float(cell) if cell else None for cell in cells]
                if len(numbers) == len(header) and numbers[0] is not None:
                    rows.append(Row(int(numbers[0]), *numbers[1:]))  # type: ignore[arg-type]
    except (OSError, ValueError, csv.Error):  # a log may be cut short; it decides nothing
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
