"""Pictures of a comparison, drawn from what is in its tables; nothing is computed here.

Each is written as PNG (for a slide) and SVG (to print). Colors are those of Okabe and Ito (2008),
which people with any kind of color vision can tell apart; markers differ too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minilm import files

# Okabe, M. and Ito, K., "Color Universal Design", 2008.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vPX*<>hdp8"
# A condition has one look in all the pictures.
_LOOK = {
    "tfidf": ("#000000", "s"),
    "random": ("#D55E00", "v"),
    "cooccurrence": ("#0072B2", "o"),
    "cooccurrence-finetuned": ("#009E73", "D"),
    "cooccurrence-labels-only": ("#E69F00", "^"),
    "cooccurrence-shuffled": ("#CC79A7", "X"),
}

# The names of all the pictures there can be; which ones there are depends on the tables.
PICTURES = ("accuracy", "learning_curves", "transfer", "similarity", "word_map")

_STYLE: dict[Any, Any] = {
    "font.size": 15,
    "axes.titlesize": 17,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "svg.hashsalt": "minilm",  # ids inside the SVG are the same each time
}


def draw_all(folder: Path, summary: dict[str, Any], probes: dict[str, Any]) -> list[str]:
    """Draw every picture that the tables allow, and return the names of the PNG files.

    Parameters
    ----------
    folder : Path
        Where to write.
    summary : dict
        As in summary.json.
    probes : dict
        As in probes.json.
    """
    pictures: dict[str, Callable[[Figure], None]] = {
        "accuracy": lambda figure: _accuracy(figure, summary),
        "learning_curves": lambda figure: _learning_curves(figure, summary),
    }
    if len(summary["domains"]) > 1:
        pictures["transfer"] = lambda figure: _transfer(figure, summary)
    if probes["similarity"]:
        pictures["similarity"] = lambda figure: _similarity(figure, probes)
        pictures["word_map"] = lambda figure: _word_map(figure, probes)
    with mpl.rc_context(_STYLE):
        for name, draw in pictures.items():
            figure = Figure(figsize=(11, 6.2), layout="constrained")
            draw(figure)
            for suffix, options in ((".png", {"dpi": 110}), (".svg", {"metadata": {"Date": None}})):
                buffer = io.BytesIO()
                figure.savefig(buffer, format=suffix[1:], **options)
                with files.atomic_write(folder / (name + suffix), "wb") as file:
                    file.write(buffer.getvalue())
    return [f"{name}.png" for name in pictures]


def _cells(summary: dict[str, Any], domain: str, condition: str) -> list[dict[str, Any]]:
    return [
        cell
        for cell in summary["conditions"]
        if cell["domain"] == domain and cell["condition"] == condition
    ]


def _interval(axes: Axes, x: Sequence[float], cells: list[dict[str, Any]], **look: Any) -> None:
    """Draw means with their intervals."""
    means = [cell["mean"] for cell in cells]
    below = [cell["mean"] - cell["low"] for cell in cells]
    above = [cell["high"] - cell["mean"] for cell in cells]
    axes.errorbar(x, means, yerr=[below, above], capsize=5, markersize=9, linewidth=2.2, **look)


def _short(name: str) -> str:
    return name if len(name) <= 30 else name[:29] + "…"


def _chance(axes: Axes, summary: dict[str, Any], domain: str) -> None:
    axes.axhline(
        summary["chance"][domain],
        color="#555555",
        linestyle=":",
        linewidth=2.5,
        label="always the commonest class",
    )


def _accuracy(figure: Figure, summary: dict[str, Any]) -> None:
    """Accuracy by condition at each budget, as dots with intervals."""
    domain = summary["domains"][0]
    axes = figure.add_subplot()
    names, budgets = summary["names"], summary["budgets"]
    for k, budget in enumerate(budgets):
        offset = (k - (len(budgets) - 1) / 2) * 0.7 / len(budgets)
        cells = [c for n in names for c in _cells(summary, domain, n) if c["budget"] == budget]
        _interval(
            axes,
            [names.index(cell["condition"]) + offset for cell in cells],
            cells,
            linestyle="none",
            color=_COLORS[k % len(_COLORS)],
            marker=_MARKERS[k % len(_MARKERS)],
            label=f"{budget} labels",
        )
    _chance(axes, summary, domain)
    axes.set_xticks(
        range(len(names)), [name.replace("cooccurrence-", "cooccurrence\n") for name in names]
    )
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("condition")
    axes.set_ylabel("accuracy on the test part")
    axes.set_title(f"Accuracy on {_short(domain)} (95 % intervals)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)


def _learning_curves(figure: Figure, summary: dict[str, Any]) -> None:
    """Accuracy against the number of labelled examples, a line a condition."""
    domain = summary["domains"][0]
    axes = figure.add_subplot()
    _curves(axes, summary, domain)
    axes.set_title(f"What labels buy, with and without pretraining: {_short(domain)}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)


def _transfer(figure: Figure, summary: dict[str, Any]) -> None:
    """The same classifiers at home and on the second domain, side by side."""
    left, right = figure.subplots(1, 2, sharey=True)
    home, away = summary["domains"][:2]
    _curves(left, summary, home)
    _curves(right, summary, away)
    left.set_title(f"At home: {_short(home)}")
    right.set_title(f"New domain, no new training:\n{_short(away)}")
    right.set_ylabel("")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)


def _curves(axes: Axes, summary: dict[str, Any], domain: str) -> None:
    names = summary["names"]
    for k, name in enumerate(names):
        cells = _cells(summary, domain, name)
        # Side by side on the logarithmic axis, so that intervals do not hide each other.
        nudge = 1.06 ** (k - (len(names) - 1) / 2)
        color, marker = _LOOK[name]
        x = [cell["budget"] * nudge for cell in cells]
        _interval(axes, x, cells, color=color, marker=marker, label=name)
    _chance(axes, summary, domain)
    axes.set_xscale("log", base=2)
    axes.set_xticks(summary["budgets"], [str(budget) for budget in summary["budgets"]])
    axes.minorticks_off()
    axes.set_xlabel("labelled examples")
    axes.set_ylabel("accuracy (95 % intervals)")


def _similarity(figure: Figure, probes: dict[str, Any]) -> None:
    """Mean cosine within a group of probe words and between it and the others, by vectors."""
    rows = probes["similarity"]
    kinds = list(dict.fromkeys(row["vectors"] for row in rows))
    groups = list(dict.fromkeys(row["group"] for row in rows))
    # One scale for all, so that the lengths of bars can be compared between the kinds.
    subplots = figure.subplots(1, len(kinds), sharex=True, sharey=True, squeeze=False)[0]
    for axes, kind in zip(subplots, kinds, strict=True):
        mine = {row["group"]: row for row in rows if row["vectors"] == kind}
        y = range(len(groups))
        for k, key in enumerate(("within", "between")):
            values = [mine[group][key] for group in groups]
            height = [place - 0.2 + 0.4 * k for place in y]
            label = f"{key} the group" if key == "within" else "between it and the others"
            axes.barh(height, values, 0.38, color=_COLORS[k], label=label, hatch="/" if k else "")
        axes.axvline(0, color="black", linewidth=1)
        axes.set_yticks(y, groups)
        axes.tick_params(axis="y", labelsize=12)
        axes.grid(axis="y", visible=False)
        axes.set_title(kind)
        axes.set_xlabel("mean cosine")
    figure.axes[0].set_ylabel("group of probe words")
    figure.axes[0].invert_yaxis()
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)


def _word_map(figure: Figure, probes: dict[str, Any]) -> None:
    """The probe words on the first two principal components of the pretrained vectors."""
    axes = figure.add_subplot()
    groups = list(dict.fromkeys(point["group"] for point in probes["map"]))
    looks = dict(zip(groups, zip(cycle(_COLORS), cycle(_MARKERS), strict=False), strict=False))
    for group, (color, marker) in looks.items():
        points = [point for point in probes["map"] if point["group"] == group]
        x, y = [point["x"] for point in points], [point["y"] for point in points]
        axes.scatter(x, y, s=80, color=color, marker=marker, label=group)
    # A name that would lie on another is left out: every point shows, and no name is unreadable.
    width, height = (high - low for low, high in (axes.get_xlim(), axes.get_ylim()))
    named: list[tuple[float, float]] = []
    for point in probes["map"]:
        x, y = point["x"] / width, point["y"] / height
        if all(abs(x - a) > 0.13 or abs(y - b) > 0.045 for a, b in named):
            named.append((x, y))
            axes.annotate(
                point["word"],
                (point["x"], point["y"]),
                xytext=(7, 4),
                textcoords="offset points",
                fontsize=14,
                color=looks[point["group"]][0],
            )
    axes.set_xlabel("first principal component")
    axes.set_ylabel("second principal component")
    axes.set_title("Probe words by the company they keep (pretrained vectors)")
    figure.legend(loc="outside right center")
