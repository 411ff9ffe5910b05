"""A line an epoch: the loss, what it means, and what helps when it goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from minilm.training.log import Row

# Shares of the loss of the epoch before. A fall of a twentieth is one that a reader of samples
# would notice; below a hundredth, batches differ by more than epochs do.
_LEARNING, _SETTLED = 0.05, 0.01


def meaning(losses: Sequence[float]) -> str:
    """Say what the mean losses of epochs mean, the last of them above all.

    "learning" is a fall by a twentieth or more, "refining" a smaller one, "converging" a change by
    less than a hundredth either way, "rising" what it says.

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
    """Follows the rows of a run and says a line at the end of each epoch.

    Parameters
    ----------
    epoch : int
        Steps of an epoch.
    steps : int
        Of the whole run.
    learning_rate : float
        The highest, for the advice.
    rows : sequence of Row
        What was logged before the run was interrupted.

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
        """Return the line of an epoch after its last step, None after any other."""
        self._add(row)
        total = max(1, round(self.steps / self.epoch))  # what is left over joins the last one
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
        if len(means) == 1 and half:  # nothing to compare it with but itself
            halves = fmean(self._losses[:half]), fmean(self._losses[half:])
            found = "rising" if meaning(halves) == "rising" else "learning"
        else:
            found = meaning(means)
        if found == "rising":
            return f"rising: rate too high, try --learning-rate {self.learning_rate / 2:.2g}"
        if self._held_out and self._held_out[-1] > min(self._held_out) * (1 + _SETTLED):
            return "by heart: held-out text worsens, try fewer --epochs"
        return found
