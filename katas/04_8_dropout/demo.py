"""Live code of kata 4.8: five numbers by hand, what the average keeps and what it does not."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.nn import functional as F

RATES = (0.1, 0.5, 0.9)
TIMES = 20_000


def run(course: Course) -> None:
    """Print one call, the statistics of many, and what follows for a unit; draw the unit."""
    once()
    many()
    course.picture(draw(unit()), "unit")


def once() -> None:
    """Both halves, on five numbers."""
    x, dy = np.array([2.0, 4.0, 6.0, 8.0, 10.0]), np.ones(5)
    for seed in (0, 1, None):
        rng = None if seed is None else np.random.default_rng(seed)
        y, cache = F.dropout(x, 0.5, rng=rng)
        print("without rng" if seed is None else f"rng with seed {seed}")
        print(f"  y {row(y)}   sum {y.sum():g}   dx {row(F.dropout_backward(dy, cache))}")


def row(values: np.ndarray) -> str:
    """Return small numbers in brackets."""
    return f"[{' '.join(f'{value:g}' for value in values)}]"


def many() -> None:
    """A million ones: share, size, mean, and mean square."""
    print("a million ones")
    print("  rate  dropped  others   mean  mean square")
    for rate in RATES:
        y, _ = F.dropout(np.ones(1_000_000), rate, rng=np.random.default_rng(0))
        print(
            f"  {rate:4}  {np.mean(y == 0):7.2f}  {y.max():6.3f}  {y.mean():5.2f}"
            f"  {np.mean(y * y):11.2f}"
        )


def unit() -> dict[float, np.ndarray]:
    """Return what a unit with sixty inputs gives over many draws; print before and after GELU."""
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal(60), rng.standard_normal(60) / np.sqrt(60)
    weight *= 0.5 / (x @ weight)  # so that the unit gives 0.5
    print(f"a unit with 60 inputs, {TIMES} draws: means")
    print("            unit   GELU(unit)")
    plain = x[None] @ weight
    print(f"  test     {plain[0]:5.2f}   {F.gelu(plain)[0][0]:10.2f}")
    found = {}
    for rate in RATES:
        dropped, _ = F.dropout(np.broadcast_to(x, (TIMES, 60)), rate, rng=np.random.default_rng(2))
        values = dropped @ weight
        print(f"  rate {rate} {values.mean():5.2f}   {F.gelu(values)[0].mean():10.2f}")
        found[rate] = values
    return found


def draw(found: dict[float, np.ndarray]) -> Figure:
    """Draw how the unit's values spread, and the mask of a small array."""
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    y, _ = F.dropout(np.ones((12, 20)), 0.3, rng=np.random.default_rng(3))
    left.imshow(y, cmap="Blues", vmin=0, vmax=2)
    left.set(
        title="ones after dropout 0.3: white is 0",
        xticks=(),
        yticks=(),
        xlabel="channels",
        ylabel="rows",
    )
    for (rate, values), color in zip(found.items(), drawing.COLORS, strict=False):
        right.hist(
            values,
            bins=np.linspace(-5, 6, 67),
            histtype="step",
            density=True,
            color=color,
            linewidth=2,
            label=f"rate {rate}",
        )
    right.axvline(0.5, color="0.5", linestyle=":", label="test time")
    right.set(title="one unit, many draws", xlabel="value", yticks=())
    right.legend()
    return figure
