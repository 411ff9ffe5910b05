"""Live code of kata 4.5: one row by hand, what the row forgets, and twenty-four layers."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.nn import functional as F

ROW = np.array([1.0, 3.0, 5.0, 7.0])
WIDTH, LAYERS = 64, 24


def run(course: Course) -> None:
    """Print the page's example, four versions of its row, and the sizes in a deep stack."""
    by_hand()
    versions()
    course.picture(draw(stack()), "layers")


def by_hand() -> None:
    """The row of the page."""
    gain, bias = np.array([1.0, 1.0, 1.0, 2.0]), np.array([0.0, 0.0, 0.0, 1.0])
    y, (normalized, rstd, _) = F.layer_norm(ROW, gain, bias)
    print(f"x          {row(ROW)}")
    print(f"rstd       {float(rstd[0]):7.3f}")
    print(f"normalized {row(normalized)}")
    print(f"y          {row(y)}")


def versions() -> None:
    """The same row lifted, stretched and shrunk, and a row of equal numbers."""
    print("gain 1 and bias 0, epsilon 0.00001")
    rows = {
        "the row": ROW,
        "times 10, plus 100": 10 * ROW + 100,
        "a hundredth": ROW / 100,
        "a thousandth": ROW / 1000,
        "5, 5, 5, 5": np.full(4, 5.0),
    }
    for name, x in rows.items():
        y, _ = F.layer_norm(x, np.ones(4), np.zeros(4))
        print(f"  {name:18} {row(y)}")


def row(x: np.ndarray) -> str:
    """Return numbers side by side; what is only rounding is shown as zero."""
    return " ".join(f"{value:7.3f}" for value in np.where(np.abs(x) < 5e-4, 0.0, x))


def stack() -> dict[str, list[float]]:
    """Send rows through random matrices, with and without layer norm before each."""
    print(f"the typical size of an entry, after layers of {WIDTH} x {WIDTH}")
    sizes: dict[str, list[float]] = {}
    for growth in (1.5, 0.6):
        for normed in (False, True):
            rng = np.random.default_rng(0)
            x = rng.standard_normal((32, WIDTH))
            way = [size(x)]
            for _ in range(LAYERS):
                matrix = growth / np.sqrt(WIDTH) * rng.standard_normal((WIDTH, WIDTH))
                if normed:
                    x, _ = F.layer_norm(x, np.ones(WIDTH), np.zeros(WIDTH))
                x = x @ matrix
                way.append(size(x))
            name = f"{growth} a layer, {'layer norm' if normed else 'plain'}"
            sizes[name] = way
            few = " ".join(f"{way[i]:7.1e}" for i in (0, 8, 16, 24))
            print(f"  {name:23} {few}")
    return sizes


def size(x: np.ndarray) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt((x * x).mean()))


def draw(sizes: dict[str, list[float]]) -> Figure:
    """Draw what one row becomes, and the sizes layer by layer."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    rng = np.random.default_rng(1)
    spreads = ((4.0, 1.0), (-3.0, 2.0), (0.0, 0.3))
    rows = np.stack([level + spread * rng.standard_normal(200) for level, spread in spreads])
    after, _ = F.layer_norm(rows, np.ones(200), np.zeros(200))
    for i, color in zip(range(3), drawing.COLORS, strict=False):
        left.plot(rows[i], np.full(200, i + 0.15), ".", color=color, alpha=0.3)
        left.plot(after[i], np.full(200, i - 0.15), "|", color=color, alpha=0.6)
    left.set(title="three rows: x (dots) and normalized (bars)", yticks=range(3), ylabel="row")
    styles = ("--", "-")
    for i, (name, way) in enumerate(sizes.items()):
        right.plot(way, styles[i % 2], color=drawing.COLORS[i // 2], linewidth=3, label=name)
    right.set(title="size of an entry", xlabel="layer", yscale="log")
    right.legend()
    return figure
