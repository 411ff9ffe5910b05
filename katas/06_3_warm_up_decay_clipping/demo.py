"""Live code of kata 6.3: a schedule by hand, first steps of Adam, a noisy descent, a bad batch."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.nn import optim

STEPS = 200


def run(course: Course) -> None:
    """Print four small experiments, and draw two of them."""
    by_hand()
    first_steps()
    noisy = descents()
    course.picture(draw(noisy, bad_batch()), "schedules")


def by_hand() -> None:
    """Print the rates of a short run, and two clipped gradients."""
    print("peak 1, warm-up 4, 8 steps, floor 0")
    print("  step     " + "".join(f"{step:5}" for step in range(9)))
    for shape in ("cosine", "linear"):
        rates = [
            optim.warmup_decay(step, peak=1.0, warmup=4, total=8, shape=shape) for step in range(9)
        ]
        print(f"  {shape:9}" + "".join(f"{rate:5.2f}" for rate in rates))
    print("clipped to a norm of 5")
    for g in (np.array([30.0, 40.0]), np.array([0.3, 0.4])):
        clipped = g * optim.clip_factor(float(np.linalg.norm(g)), 5.0)
        print(f"  {g[0]:g}, {g[1]:g}  ->  {clipped[0]:.4g}, {clipped[1]:.4g}")


def first_steps() -> None:
    """Show how far AdamW moves while its gradients are pure noise."""
    rng = np.random.default_rng(0)
    p, mean, square = np.zeros(20_000), np.zeros(20_000), np.zeros(20_000)
    lengths = []
    for step in range(1, 51):
        before, g = p, rng.standard_normal(len(p))
        p, mean, square = optim.adamw(
            p, g, mean, square, step=step, learning_rate=1.0, betas=(0.9, 0.99)
        )
        lengths.append(float(np.abs(p - before).mean()))
    places = (1, 2, 5, 10, 50)
    print("AdamW, rate 1, gradients are noise: mean size of a step")
    print("  step       " + "".join(f"{place:7}" for place in places))
    print("  constant   " + "".join(f"{lengths[place - 1]:7.2f}" for place in places))
    rise = [
        optim.warmup_decay(i, peak=1.0, warmup=10, total=50, shape="constant") for i in range(50)
    ]
    shown = "".join(f"{lengths[place - 1] * rise[place - 1]:7.2f}" for place in places)
    print(f"  warmed up  {shown}")


def descents() -> dict[str, list[float]]:
    """Descend a parabola with gradients that are noisy, at three schedules; return the losses."""
    schedules = {
        "constant 0.5": {"peak": 0.5, "shape": "constant"},
        "constant 0.02": {"peak": 0.02, "shape": "constant"},
        "cosine from 0.5": {"peak": 0.5, "floor": 0.005},
    }
    found = {}
    print("a noisy descent: loss after     10     50    100    200")
    for name, options in schedules.items():
        rng = np.random.default_rng(0)
        p, losses = np.full(4000, 10.0), []
        for step in range(STEPS):
            g = p + rng.standard_normal(len(p))
            p = p - optim.warmup_decay(step, warmup=0, total=STEPS, **options) * g
            losses.append(float(np.mean(p**2) / 2))
        shown = "".join(f"{losses[step - 1]:7.3f}" for step in (10, 50, 100, 200))
        print(f"  {name:23}{shown}")
        found[name] = losses
    return found


def bad_batch() -> dict[str, list[float]]:
    """Let one batch have a huge gradient; return the distances from the minimum."""
    found = {}
    print("one bad batch, at step 51: distance from the minimum")
    print("  step                 50       51       60      100")
    for name, largest in (("as it comes", None), ("clipped to 3", 3.0)):
        p, distances = np.ones(4), []
        for step in range(1, 101):
            g = np.full(4, 1000.0) if step == 51 else p
            if largest is not None:
                g = g * optim.clip_factor(float(np.linalg.norm(g)), largest)
            p = p - 0.1 * g
            distances.append(float(np.linalg.norm(p)))
        shown = "".join(f"{distances[step - 1]:9.3f}" for step in (50, 51, 60, 100))
        print(f"  {name:13} {shown}")
        found[name] = distances
    return found


def draw(noisy: dict[str, list[float]], bad: dict[str, list[float]]) -> Figure:
    """Draw the schedules, the noisy descents and the bad batch."""
    figure = Figure(figsize=(14, 4), layout="constrained")
    rates, losses, distances = figure.subplots(1, 3)
    for shape, color in zip(("cosine", "linear", "constant"), drawing.COLORS, strict=False):
        values = [
            optim.warmup_decay(step, peak=1.0, warmup=20, total=200, shape=shape, floor=0.1)
            for step in range(200)
        ]
        rates.plot(values, color=color, label=shape, linewidth=2)
    rates.set(title="learning rate, warm-up 20, floor 0.1", xlabel="step", ylim=(0, None))
    for axes, curves in ((losses, noisy), (distances, bad)):
        for (name, values), color in zip(curves.items(), drawing.COLORS, strict=False):
            axes.semilogy(np.arange(1, len(values) + 1), values, color=color, label=name)
    losses.set(title="loss of a noisy descent", xlabel="step")
    distances.set(title="distance, one bad batch at step 51", xlabel="step")
    for axes in (rates, losses, distances):
        axes.legend()
    return figure
