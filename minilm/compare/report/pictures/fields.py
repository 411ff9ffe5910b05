"""What transfers: which text helps in which field."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.figure import Figure

from minilm.compare.report import transfers
from minilm.compare.report.pictures import style
from minilm.compare.report.results import Results

# Points that the darkest color means at least.
_LEAST_SCALE = 5.0


def draw_fields(figure: Figure, results: Results) -> None:
    """Points gained by each text in each field, a panel for each family; verdicts in words."""
    found = transfers.rows(results)
    pairs = [pair for pair in transfers.PAIRS if any(transfers.pair(row) == pair for row in found)]
    tasks, texts = (list(dict.fromkeys(row[name] for row in found)) for name in ("task", "corpus"))
    most = max(_LEAST_SCALE, *(100 * abs(row["difference"]) for row in found))
    panels = figure.subplots(1, len(pairs), squeeze=False)[0]
    for axes, pair in zip(panels, pairs, strict=True):
        points = np.full((len(tasks), len(texts)), np.nan)
        words: dict[tuple[int, int], str] = {}
        for row in found:
            if transfers.pair(row) == pair:
                cell = tasks.index(row["task"]), texts.index(row["corpus"])
                points[cell] = 100 * row["difference"]
                words[cell] = row["verdict"]
        style.matrix(axes, points, "", colors=style.DIVERGING, low=-most, high=most)
        for (task, text), verdict in words.items():
            shade = (points[task, text] + most) / (2 * most)
            axes.text(
                text,
                task,
                f"{points[task, text]:+.1f}\n{verdict}",
                ha="center",
                va="center",
                fontsize=22 if len(tasks) < 4 and len(texts) < 4 else 15,
                fontweight="normal" if verdict == "cannot tell" else "bold",
                color="white" if abs(shade - 0.5) > 0.38 else "black",
            )
        axes.set_xticks(range(len(texts)), [_wrapped(text) for text in texts], fontsize=16)
        names = [_wrapped(task) for task in tasks] if axes is panels[0] else [""] * len(tasks)
        axes.set_yticks(range(len(tasks)), names, fontsize=16)
        axes.set_title(f"{pair[0]}\nover {pair[1]}", fontsize=17)
        axes.set_xlabel("pretrained on")
    panels[0].set_ylabel("task")
    figure.suptitle(f"What transfers: {transfers.title(found)}", fontweight="bold")


def _wrapped(name: str) -> str:
    return "\n".join(textwrap.wrap(style.short(name).replace("_", " "), 12))


def describe_fields(results: Results) -> str:
    """Return the gain of each text in each field, with its verdict."""
    parts = [
        f"{row['condition']} on {row['task']} after {row['words']:,} words of {row['corpus']}: "
        f"{100 * row['difference']:+.1f} over {row['baseline']} with {row['budget']} labels, "
        f"{row['verdict']}"
        for row in transfers.rows(results)
    ]
    return (
        "Tables of colored cells, a row for each task and a column for each text. "
        f"{'; '.join(parts)}."
    )
