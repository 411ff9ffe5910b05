"""How accurate each condition is: by condition, along the budgets, and against random."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minilm.compare.report.pictures import style
from minilm.compare.report.results import Results

# Points that the darkest color means at least, so that noise is not drawn as if it mattered.
_LEAST_SCALE = 5.0


def draw_accuracy(figure: Figure, results: Results) -> None:
    """Accuracy by condition at each budget, as dots with intervals, a row a condition."""
    axes = figure.add_subplot()
    names, budgets = results.names, results.budgets
    for k, budget in enumerate(budgets):
        cells = [cell for cell in results.cells() if cell["budget"] == budget]
        offset = ((k + 0.5) / len(budgets) - 0.5) * 0.75
        axes.errorbar(
            [cell["mean"] for cell in cells],
            [names.index(cell["condition"]) + offset for cell in cells],
            xerr=style.ends(cells, "mean"),
            linestyle="none",
            color=style.COLORS[k % len(style.COLORS)],
            marker=style.MARKERS[k % len(style.MARKERS)],
            markersize=8,
            linewidth=2,
            label=f"{budget} labels",
        )
    axes.axvline(results.chance(), **_CHANCE)
    _name_rows(axes, results)
    axes.set_xlabel("accuracy on the test part, with 95 % intervals")
    axes.set_title(f"Accuracy by condition: {style.short(results.home)}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)


_CHANCE: dict[str, Any] = {
    "color": style.GRAY,
    "linestyle": ":",
    "linewidth": 2.5,
    "label": "always the most common class",
}


def _name_rows(axes: Axes, results: Results) -> None:
    """Write the conditions along the y axis, the first on top, bands between them."""
    names = results.names
    size = 14 if len(names) <= 8 else 11.5
    axes.set_yticks(range(len(names)), [style.two_lines(n) for n in names], fontsize=size)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    for row in range(0, len(names), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#f3f3f3", zorder=0)


def describe_accuracy(results: Results) -> str:
    """Return which conditions came out highest and lowest at each budget."""
    sentences = [f"Dots with intervals, a row for each of {len(results.names)} conditions."]
    for budget in results.budgets:
        cells = [cell for cell in results.cells() if cell["budget"] == budget]
        high = max(cells, key=lambda cell: cell["mean"])
        low = min(cells, key=lambda cell: cell["mean"])
        sentences.append(f"With {budget} labels from {_value(low)} to {_value(high)}.")
    sentences.append(f"Always the most common class gives {results.chance():.3f}.")
    return " ".join(sentences)


def _value(cell: dict[str, Any]) -> str:
    return (
        f"{cell['condition']} {cell['mean']:.3f} (95 % interval {cell['low']:.3f} to "
        f"{cell['high']:.3f})"
    )


def draw_learning_curves(figure: Figure, results: Results) -> None:
    """Accuracy against the number of labelled examples with intervals, a panel a family."""
    families = results.families()
    looks = style.looks(results.summary["about"])
    panels = figure.subplots(1, len(families), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (family, names) in zip(panels, families.items(), strict=True):
        looked = [looks[name].line() | {"label": style.short(name, 36)} for name in names]
        style.curves(axes, list(zip(map(results.cells, names), looked, strict=True)))
        axes.axhline(results.chance(), **_CHANCE)
        style.log_ticks(axes, results.budgets)
        axes.set_xlabel("labelled examples")
        axes.set_title(family)
        if len(families) > 1:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=12.5)
        else:
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=14)
    panels[0].set_ylabel("accuracy (95 % intervals)")
    figure.suptitle(f"What labels buy: {style.short(results.home)}", fontweight="bold")


def describe_learning_curves(results: Results) -> str:
    """Return where each curve begins and ends."""
    first, last = results.budgets[0], results.budgets[-1]
    ways = []
    for name in results.names:
        cells = results.cells(name)
        ways.append(f"{name} {cells[0]['mean']:.3f} to {cells[-1]['mean']:.3f}")
    return (
        f"Lines with intervals, accuracy against labelled examples, from {first} to {last} labels: "
        f"{'; '.join(ways)}."
    )


def draw_gains(figure: Figure, results: Results) -> None:
    """Points gained over random, a row a condition and a column a budget, numbers in the cells."""
    axes = figure.add_subplot()
    gains = results.rows("gains")
    names = [name for name in results.names if any(name == gain["condition"] for gain in gains)]
    points = np.full((len(names), len(results.budgets)), np.nan)
    clear = np.zeros(points.shape, bool)
    for gain in gains:
        cell = names.index(gain["condition"]), results.budgets.index(gain["budget"])
        points[cell] = 100 * gain["gain"]
        clear[cell] = gain["low"] > 0 or gain["high"] < 0
    most = max(_LEAST_SCALE, float(np.nanmax(np.abs(points))))
    style.matrix(
        axes,
        points,
        "+.1f",
        colors=style.DIVERGING,
        low=-most,
        high=most,
        bold=clear,
        fontsize=17,
    )
    axes.set_yticks(range(len(names)), [style.two_lines(n) for n in names], fontsize=12.5)
    axes.set_xticks(range(len(results.budgets)), [f"{b} labels" for b in results.budgets])
    axes.set_title("(bold: the 95 % interval leaves out zero)", fontsize=13, fontweight="normal")
    figure.suptitle(
        f"Points of accuracy gained over random: {style.short(results.home)}", fontweight="bold"
    )


def describe_gains(results: Results) -> str:
    """Return the gain of each condition at the largest budget."""
    budget = results.budgets[-1]
    gains = [gain for gain in results.rows("gains") if gain["budget"] == budget]
    found = "; ".join(f"{g['condition']} {100 * g['gain']:+.1f}" for g in gains)
    return (
        "A table of colored cells, a row a condition and a column a budget: points of accuracy "
        f"more than random. With {budget} labels: {found}."
    )
