"""What vectors of words have learned: groups, maps, and words with two senses."""

from __future__ import annotations

import math
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minilm.compare.report.pictures import style
from minilm.compare.report.results import Record, Results

# The word whose states are mapped, where it is among the measured ones.
_EXAMPLE = "bank"


def _probe(results: Results, name: str) -> list[Record]:
    return list(results.probes.get(name) or [])


def has_similarity(results: Results) -> bool:
    """Return whether probe words were compared."""
    return bool(_probe(results, "similarity"))


def draw_similarity(figure: Figure, results: Results) -> None:
    """Mean cosine within a group of probe words and between it and the others, by vectors."""
    rows = _probe(results, "similarity")
    kinds = list(dict.fromkeys(row["vectors"] for row in rows))
    groups = list(dict.fromkeys(row["group"] for row in rows))
    # One scale for all, so that the lengths of bars can be compared between the kinds.
    panels = figure.subplots(1, len(kinds), sharex=True, sharey=True, squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        mine = {row["group"]: row for row in rows if row["vectors"] == kind}
        for k, key in enumerate(("within", "between")):
            axes.barh(
                [place - 0.2 + 0.4 * k for place in range(len(groups))],
                [mine[group][key] for group in groups],
                0.38,
                color=style.COLORS[k],
                label="between it and the others" if k else "within the group",
                hatch="/" if k else "",
            )
        axes.axvline(0, color="black", linewidth=1)
        axes.set_yticks(range(len(groups)), groups)
        axes.tick_params(axis="y", labelsize=12)
        axes.grid(axis="y", visible=False)
        axes.set_title(kind)
        axes.set_xlabel("mean cosine")
    panels[0].set_ylabel("group of probe words")
    panels[0].invert_yaxis()
    style.legend_below(figure, panels[0])


def describe_similarity(results: Results) -> str:
    """Return the mean over the groups for each kind of vectors."""
    rows = _probe(results, "similarity")
    parts = []
    for kind in dict.fromkeys(row["vectors"] for row in rows):
        mine = [row for row in rows if row["vectors"] == kind]
        within, between = (sum(r[k] for r in mine) / len(mine) for k in ("within", "between"))
        parts.append(f"{kind} {within:.2f} within and {between:.2f} between groups")
    return (
        "Bars of the mean cosine of word vectors within and between groups of probe words, by "
        f"kind of vectors; on average {'; '.join(parts)}."
    )


def has_maps(results: Results) -> bool:
    """Return whether there is a map of probe words."""
    return bool(_probe(results, "map"))


def draw_maps(figure: Figure, results: Results) -> None:
    """Probe words on two principal components, before fine-tuning and, where known, after."""
    before, after = _probe(results, "map"), _probe(results, "map_finetuned")
    maps = {"pretrained": before}
    if after:
        maps[f"fine-tuned: moved by {_mean(_moves(before, after)):.1%}"] = after
    panels = figure.subplots(1, len(maps), sharex=True, sharey=True, squeeze=False)[0]
    groups = list(dict.fromkeys(point["group"] for point in before))
    pairs = zip(cycle(style.COLORS), cycle(style.MARKERS), strict=False)
    marks = dict(zip(groups, pairs, strict=False))
    spans = _spans([*before, *after])
    for axes, (title, points) in zip(panels, maps.items(), strict=True):
        for group, (color, marker) in marks.items():
            mine = [point for point in points if point["group"] == group]
            x, y = [point["x"] for point in mine], [point["y"] for point in mine]
            axes.scatter(x, y, s=70, color=color, marker=marker, label=group)
        if points is after:
            _trails(axes, before, after)
        colors = {group: color for group, (color, _) in marks.items()}
        _names(axes, points, colors, spans, crowding=len(maps))
        axes.set_title(title)
        axes.set_xlabel("first principal component")
    panels[0].set_ylabel("second principal component")
    figure.suptitle("Probe words by what they occur with", fontweight="bold")
    style.legend_below(figure, panels[0], columns=4)


def _trails(axes: Axes, before: list[Record], after: list[Record]) -> None:
    """Draw a thin line from where each word was to where it is."""
    old = {point["word"]: point for point in before}
    for point in after:
        start = old[point["word"]]
        x, y = [start["x"], point["x"]], [start["y"], point["y"]]
        axes.plot(x, y, color=style.GRAY, linewidth=1, zorder=0)


def _spans(points: list[Record]) -> tuple[float, float]:
    """Return how far points reach in both directions, never 0."""
    x, y = [point["x"] for point in points], [point["y"] for point in points]
    return (max(x) - min(x)) or 1.0, (max(y) - min(y)) or 1.0


def _names(
    axes: Axes,
    points: list[Record],
    colors: dict[str, str],
    spans: tuple[float, float],
    crowding: int,
) -> None:
    """Write the words at their points; one that would lie on another is left out.

    So every point shows, and no name is unreadable.
    """
    named: list[tuple[float, float]] = []
    for point in points:
        x, y = point["x"] / spans[0], point["y"] / spans[1]
        if all(abs(x - a) > 0.15 * crowding or abs(y - b) > 0.06 for a, b in named):
            named.append((x, y))
            axes.annotate(
                point["word"],
                (point["x"], point["y"]),
                xytext=(7, 4),
                textcoords="offset points",
                fontsize=14,
                color=colors[point["group"]],
            )


def describe_maps(results: Results) -> str:
    """Return what the map shows, and which word fine-tuning moved furthest."""
    before, after = _probe(results, "map"), _probe(results, "map_finetuned")
    groups = ", ".join(dict.fromkeys(point["group"] for point in before))
    text = f"{len(before)} probe words of the groups {groups} on two principal components."
    if not after:
        return text
    moved = _moves(before, after)
    far = max(moved, key=lambda word: moved[word])
    return (
        f"Two maps, before and after fine-tuning: {text} Fine-tuning moved them by "
        f"{_mean(moved):.2%} of the map's width on average, furthest {far!r} ({moved[far]:.2%})."
    )


def _moves(before: list[Record], after: list[Record]) -> dict[str, float]:
    """Return how far each word went, in widths of the map."""
    old = {point["word"]: point for point in before}
    width = _spans(before)[0]
    return {
        p["word"]: math.hypot(p["x"] - old[p["word"]]["x"], p["y"] - old[p["word"]]["y"]) / width
        for p in after
    }


def _mean(moves: dict[str, float]) -> float:
    return sum(moves.values()) / len(moves)


def has_senses(results: Results) -> bool:
    """Return whether words with two senses were measured."""
    return bool(_probe(results, "two_senses"))


def draw_senses(figure: Figure, results: Results) -> None:
    """Words with two senses: cosines within and between the senses, and a map of one word."""
    words = _probe(results, "two_senses")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    for row, record in enumerate(words):
        within, between = (record["contextual"][k] for k in ("within", "between"))
        first = row == 0
        left.plot([between, within], [row, row], color=style.BLUE, linewidth=3)
        marks: list[tuple[float, dict[str, Any]]] = [
            (within, {"marker": "o", "color": style.BLUE, "label": "in the same sense"}),
            (
                between,
                {
                    "marker": "o",
                    "color": style.BLUE,
                    "markerfacecolor": "white",
                    "label": "in different senses",
                },
            ),
            (
                record["static"]["between"],
                {"marker": "X", "color": style.VERMILLION, "label": "a fixed vector"},
            ),
        ]
        for x, mark in marks:
            label = mark.pop("label")
            left.plot(
                x, row, markersize=12, linestyle="none", label=label if first else None, **mark
            )
    left.set_yticks(range(len(words)), [record["word"] for record in words])
    left.set_ylim(len(words) - 0.5, -0.5)
    left.set_xlabel("mean cosine of two occurrences")
    left.set_title("Does context separate the senses?")
    style.legend_below(figure, left, columns=3)
    example = _example(words)
    for sense, cues in enumerate(example["senses"]):
        points = [point for point in example["points"] if point["sense"] == sense]
        right.scatter(
            [point["x"] for point in points],
            [point["y"] for point in points],
            s=90,
            color=(style.GREEN, style.PURPLE)[sense % 2],
            marker=style.MARKERS[sense % len(style.MARKERS)],
            label=", ".join(cues[:3]),
        )
    right.set_title(f"The states of “{example['word']}”")
    right.set_xlabel("first principal component")
    right.set_ylabel("second")
    right.legend(title="near", frameon=True, fontsize=13)


def _example(words: list[Record]) -> Record:
    return next((record for record in words if record["word"] == _EXAMPLE), words[0])


def describe_senses(results: Results) -> str:
    """Return the cosines of each word, and how often the nearest state is of the same sense."""
    parts = [
        f"{r['word']} {r['contextual']['within']:.2f} and {r['contextual']['between']:.2f}, the "
        f"nearest is of the same sense in {r['contextual']['accuracy']:.0%} "
        f"(the more common sense: {r['static']['accuracy']:.0%})"
        for r in _probe(results, "two_senses")
    ]
    return (
        "Words with two senses. Mean cosine of the transformer's states in the same sense and in "
        f"different ones: {'; '.join(parts)}. A fixed vector is the same in both."
    )
