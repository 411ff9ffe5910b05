"""Live code of kata 10.4: a comparison with all of the learner's parts, for a page of evidence."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from minilm import drawing, progress
from minilm.compare import summary
from minilm.compare.transformer import TransformerSettings
from minilm.course import catalog, comparing, evidence
from minilm.course.comparing import Design
from minilm.course.demos import Course

DESIGN = Design(
    conditions=(
        "random",
        "tfidf",
        "cooccurrence",
        "transformer-scratch",
        "transformer-probe",
        "transformer-lora",
        "transformer-finetuned",
    ),
    budgets=(40, 160),
    draws=3,
    pretrainings=3,
    task="support_tickets.csv",
    corpus="support_conversations.txt",
    transformer=TransformerSettings(n_embd=32, vocabulary=2_000, steps=400),
)
STATISTICS = ("10.2", "10.3")


def run(course: Course) -> dict[str, float | list[float]]:
    """Compare, print every verdict, draw, and return what the questions ask for."""
    whose(course)
    print("three GPTs are pretrained, then 90 classifiers trained:")
    print("about a minute and a half with the library's functions,")
    print("two or three with plain ones", flush=True)
    folder = course.folder / evidence.run_name(course.kata)
    start = time.perf_counter()
    found = comparing.compare(course.parts, folder, DESIGN)
    print(f"it took {progress.duration(time.perf_counter() - start)}\n")
    settings(found)
    verdicts(found)
    with course.library():
        again(found, folder)
    course.picture(picture(found), "differences")
    print(f"summary: {(folder / evidence.SUMMARY).as_posix()}")
    print(f"now write {(course.folder / evidence.file_name(course.kata)).as_posix()}")
    cells = {(row["condition"], row["budget"]): row for row in found["conditions"]}
    return {
        "vectors": interval(cells["cooccurrence", 160]),
        "lora": interval(cells["transformer-lora", 160]),
        "decided": float(sum(row["verdict"] != "cannot tell" for row in found["differences"])),
    }


def whose(course: Course) -> None:
    """Print how many functions are the learner's, and whose the statistics are."""
    yours = {path for number in course.parts for path in catalog.find(number).paths}
    everything = {path for kata in catalog.all_katas() for path in kata.paths}
    print(f"functions that are yours: {len(yours)} of {len(everything)}")
    print("the statistics")
    for number in STATISTICS:
        for path in catalog.find(number).paths:
            owner = "yours" if path in yours else "the library's"
            print(f"  {path.rpartition('.')[2]:22} kata {number}   {owner}")


def settings(found: Mapping[str, Any]) -> None:
    """Print what was run."""
    [items] = found["test_items"]["support_tickets"].values()
    labels = " and ".join(map(str, found["budgets"]))
    print(f"support_tickets: {labels} labels, {items} test items")
    print(f"{found['seeds']} draws of the labels, each with {found['pretrainings']} pretrainings")
    resolvable = found["resolvable"]["support_tickets"]["support_tickets"]
    print(f"the test items alone can tell differences of {resolvable:.3f}")


def verdicts(found: Mapping[str, Any]) -> None:
    """Print every comparison with its interval and its verdict."""
    pair = None
    for row in found["differences"]:
        if (row["condition"], row["baseline"]) != pair:
            pair = row["condition"], row["baseline"]
            print(f"{pair[0]} against {pair[1]}")
        ends = f"[{row['low']:+.3f}, {row['high']:+.3f}]"
        print(f"  {row['budget']:>3} labels  {row['difference']:+.3f} {ends}  {row['verdict']}")


def again(found: Mapping[str, Any], folder: Path) -> None:
    """Draw the conclusions of the same runs again, with the library's statistics."""
    other = summary.summarize(folder)["differences"]
    same = sum(
        mine["verdict"] == theirs["verdict"]
        for mine, theirs in zip(found["differences"], other, strict=True)
    )
    print(f"the library's statistics agree in {same} of {len(other)} verdicts")


def interval(row: Mapping[str, Any]) -> list[float]:
    """Return a mean with the ends of its interval."""
    return [row["mean"], row["low"], row["high"]]


def picture(found: Mapping[str, Any]) -> Figure:
    """Draw every difference with its interval; in color where there is a verdict."""
    colors = {"better": drawing.COLORS[0], "worse": drawing.COLORS[1], "cannot tell": "gray"}
    budgets = found["budgets"]
    figure = Figure(figsize=(12, 5), layout="constrained")
    panels = figure.subplots(1, len(budgets), sharex=True, sharey=True)
    for axes, budget in zip(panels, budgets, strict=True):
        rows = [row for row in found["differences"] if row["budget"] == budget][::-1]
        for place, row in enumerate(rows):
            color = colors[row["verdict"]]
            axes.plot([row["low"], row["high"]], [place, place], color=color, linewidth=5)
            axes.plot(row["difference"], place, "o", color=color, markersize=11)
        axes.axvline(0, color="black", linewidth=1)
        names = [f"{row['condition']}\nagainst {row['baseline']}" for row in rows]
        axes.set_yticks(range(len(rows)), names)
        axes.set(title=f"{budget} labels", xlabel="difference in accuracy")
    return figure
