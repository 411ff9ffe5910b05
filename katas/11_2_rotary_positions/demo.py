"""Live code of kata 11.2: turns by hand, what a score depends on, and how far it reaches."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.arrays import Array
from minilm.course.demos import Course
from minilm.nn import functional as F

SIZE, THETAS = 64, (100.0, 10_000.0, 500_000.0)
SHOWN = (0, 1, 2, 4, 8, 16, 64, 256, 1024)


def run(course: Course) -> None:
    """Print four experiments; draw the angles, and the scores over the distance."""
    by_hand()
    distance()
    length()
    reach()
    course.picture(draw(), "turns")


def frequencies(size: int, theta: float) -> Array:
    """Return by how many radians each pair turns at a position, (D / 2,)."""
    found: Array = theta ** (-np.arange(0, size, 2) / size)
    return found


def turned(x: Array, position: float, theta: float = 10_000.0) -> Array:
    """Return a vector (D,) turned for a position."""
    angles = F.rotary_angles(np.array([float(position)]), frequencies(x.size, theta))
    y: Array = F.rotary(x[None], *angles)[0][0]
    return y


def by_hand() -> None:
    """Print the example of the page: a pair turned by a quarter at each position."""
    positions = np.arange(4.0)
    angles = F.rotary_angles(positions, np.array([np.pi / 2]))
    y, cache = F.rotary(np.tile([3.0, 4.0], (4, 1)), *angles)
    back = F.rotary_backward(y, cache)
    print("the pair 3, 4, a quarter for each position")
    for t in range(4):
        print(f"  position {t}: {row(y[t])}   turned back: {row(back[t])}")


def distance() -> None:
    """Print the score of one query and one key in several places."""
    q, k = np.random.default_rng(7).standard_normal((2, SIZE))
    print("one query, one key: their score")
    for place in ((5, 2), (105, 102), (2005, 2002), (5, 3), (2, 5)):
        score = turned(q, place[0]) @ turned(k, place[1]) / np.sqrt(SIZE)
        print(f"  query at {place[0]:4}, key at {place[1]:4}: {score:6.3f}")


def length() -> None:
    """Print how long a vector is after its turns."""
    x = np.random.default_rng(1).standard_normal(SIZE)
    lengths = [float(np.linalg.norm(turned(x, p))) for p in (0, 1, 1000)]
    print("length at position 0, 1, 1000: " + " ".join(f"{n:.3f}" for n in lengths))
    same = "is" if np.allclose(turned(x, 0), x, rtol=0, atol=1e-12) else "is not"
    print(f"at position 0 the vector {same} what it was")


def scores(theta: float, distances: Array) -> Array:
    """Return the score of a vector of ones with itself, by distance, 1 at distance 0."""
    x = np.ones((distances.size, SIZE))
    y, _ = F.rotary(x, *F.rotary_angles(distances, frequencies(SIZE, theta)))
    found: Array = y @ np.ones(SIZE) / SIZE
    return found


def reach() -> None:
    """Print the score of a vector with itself as the distance grows."""
    found = scores(THETAS[1], np.array(SHOWN, float))
    print("a vector looks for itself: score by distance")
    print("  " + "".join(f"{d:6}" for d in SHOWN))
    print("  " + "".join(f"{score:6.2f}" for score in found))


def row(x: Array) -> str:
    """Return numbers side by side."""
    return " ".join(f"{value + 0.0:5.1f}" for value in x.round(6) + 0.0)


def draw() -> Figure:
    """Draw the cosines of every pair at every position, and scores over the distance."""
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    table, curves = figure.subplots(1, 2)
    cos, _ = F.rotary_angles(np.arange(128.0), frequencies(SIZE, THETAS[1]))
    image = table.imshow(cos.T, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    figure.colorbar(image, ax=table, label="cosine of the angle")
    table.set(title="every pair turns at its own pace", xlabel="position", ylabel="pair")
    distances = np.arange(0.0, 2001.0, 5.0)
    for theta, color in zip(THETAS, drawing.COLORS, strict=False):
        curves.plot(distances, scores(theta, distances), color=color, label=f"theta {theta:,.0f}")
    curves.axhline(0, color="gray", linewidth=0.8)
    curves.set(title="a vector looks for itself", xlabel="distance", ylabel="score", ylim=(-0.5, 1))
    curves.legend(frameon=False)
    return figure
