"""Live code of kata 9.3: three domains after general text, in eight ways; what each loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.compare import bootstrap
from minilm.compare.forgetting import runs
from minilm.compare.forgetting.ways import (
    NAIVE,
    REFERENCE,
    WAYS,
    ForgettingData,
    ForgettingSettings,
    prepare,
)
from minilm.course.demos import Course

DOMAINS = ("programming_basics", "web_development", "databases")
BASE_STEPS, EPOCHS = 200, 6
SEEDS = 2
RESAMPLES = 2000
SHORT = {"everything": "everything again", "lower, fewer": "lower, fewer steps"}

Change = dict[str, np.ndarray]  # for each way: (seeds, documents), in nats a token


def run(course: Course) -> dict[str, tuple[float, float, float]]:
    """Run every way at each seed; print, draw, and return what the questions ask for."""
    folder = resources.corpora_dir()
    settings = ForgettingSettings(
        domains=tuple(folder / "continual" / f"{name}.jsonl" for name in DOMAINS),
        base=(folder / "general.txt",),
        base_steps=BASE_STEPS,
        epochs=EPOCHS,
    )
    data = prepare(settings)
    describe(data)
    outcomes = [runs.run(data, seed) for seed in range(SEEDS)]
    general = changes(data, outcomes, 0)
    first = changes(data, outcomes, 1)
    last = levels(data, outcomes, 3)
    before, after = np.mean([of_domain(data, o[NAIVE], 0)[:2] for o in outcomes], axis=(0, 2))
    print(f"general text: {before:.2f} before the first domain, {after:.2f} after it")
    table(general, first, last, outcomes)
    course.picture(picture(data, outcomes, general, last), "ways")
    behind = {name: last[name] - last[NAIVE] for name in WAYS}
    return {
        "general_naive": estimate(general[NAIVE]),
        "first_naive": estimate(first[NAIVE]),
        "general_replay": estimate(general["replay"]),
        "new_lower": estimate(behind["lower rate"]),
    }


def describe(data: ForgettingData) -> None:
    """Print what is learned, in order, and by whom."""
    print("texts, in the order in which they are learned")
    for domain in data.measured:
        print(f"  {domain.name:20} {len(domain.train):>7,} tokens {len(domain.test):>4} test texts")
    print(f"{len(WAYS)} ways to go on after the first domain, {SEEDS} seeds")


def of_domain(data: ForgettingData, outcome: runs.Outcome, place: int) -> np.ndarray:
    """Return the loss of each test text of a domain after each stage: (stages + 1, texts)."""
    sizes = [len(domain.test) for domain in data.measured]
    start = sum(sizes[:place])
    tokens = np.array([len(text) - 1 for text in data.measured[place].test])
    return np.asarray(outcome.losses[:, start : start + sizes[place]] / tokens)


def changes(
    data: ForgettingData, outcomes: Sequence[Mapping[str, runs.Outcome]], place: int
) -> Change:
    """Return how the loss changed since the first domain was learned, where all ways begin."""
    return {
        name: np.stack([np.subtract(*of_domain(data, o[name], place)[[-1, 1]]) for o in outcomes])
        for name in WAYS
    }


def levels(
    data: ForgettingData, outcomes: Sequence[Mapping[str, runs.Outcome]], place: int
) -> Change:
    """Return the loss at the end."""
    return {
        name: np.stack([of_domain(data, o[name], place)[-1] for o in outcomes]) for name in WAYS
    }


def estimate(found: np.ndarray) -> tuple[float, float, float]:
    """Return a mean with its interval, over seeds and texts."""
    means = bootstrap.bootstrap_means(found, rng=np.random.default_rng(0), resamples=RESAMPLES)
    return float(found.mean()), *bootstrap.percentile_interval(means)


def table(
    general: Change,
    first: Change,
    last: Change,
    outcomes: Sequence[Mapping[str, runs.Outcome]],
) -> None:
    """Print what each way keeps, learns and costs."""
    seconds = {name: np.mean([o[name].seconds for o in outcomes]) for name in WAYS}
    print("change of the loss since all ways parted, and the loss")
    print("on the newest domain, in nats a token; time / naive")
    print("                     general   first   newest   time")
    for name in WAYS:
        row = f"{general[name].mean():+9.2f}{first[name].mean():+8.2f}{last[name].mean():9.2f}"
        print(f"  {SHORT.get(name, name):18} {row}{seconds[name] / seconds[NAIVE]:7.1f}")
    print("general text, against naive, with its interval")
    for name in WAYS:
        if name != NAIVE:
            mean, low, high = estimate(general[name] - general[NAIVE])
            print(f"  {SHORT.get(name, name):18} {mean:+.2f} [{low:+.2f}, {high:+.2f}]")


def picture(
    data: ForgettingData,
    outcomes: Sequence[Mapping[str, runs.Outcome]],
    general: Change,
    last: Change,
) -> Figure:
    """Draw the general text's loss by stage, and what is kept against what is learned."""
    with matplotlib.rc_context(drawing.STYLE):
        figure = Figure(figsize=(12, 4.8), layout="constrained")
        left, right = figure.subplots(1, 2)
        for i, name in enumerate(WAYS):
            color = drawing.COLORS[i % len(drawing.COLORS)]
            stages = np.mean([of_domain(data, o[name], 0).mean(axis=1) for o in outcomes], axis=0)
            line = "--s" if name == REFERENCE else "-o"
            left.plot(range(len(stages)), stages, line, color=color, label=name)
            at = (float(general[name].mean()), float(last[name].mean()))
            right.plot(*at, line[-1], color=color, markersize=10)
            below = (8, -18) if name == "EWC" else (6, 6)
            right.annotate(name, at, below, textcoords="offset points")
        names = ["before", *(domain.name.replace("_", "\n") for domain in data.domains)]
        left.set_xticks(range(len(names)), names)
        left.set(title="loss on general text, after each stage")
        left.legend(fontsize="small")
        right.set(
            title="down is learned, left is kept",
            xlabel="change on general text",
            ylabel="loss on the newest domain",
        )
        right.margins(0.2)
        right.locator_params(axis="x", nbins=5)
    return figure
