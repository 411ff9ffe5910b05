"""The result of a comparison of ways to continue: tables of 80 columns, a reading, a picture."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from minilm.compare.forgetting.ways import NAIVE, REFERENCE
from minilm.compare.report.pictures import style

PICTURE = "forgetting"

_WIDTH = 79
_NAME = 14  # columns of a way's name, and of a stage's


def render(summary: dict[str, Any]) -> str:
    """Return the tables and the reading."""
    return "\n\n".join(
        [
            _heading(summary),
            _matrices(summary),
            _measures(summary),
            _differences(summary),
            textwrap.fill(" ".join(reading(summary)), _WIDTH),
        ]
    )


def _heading(summary: dict[str, Any]) -> str:
    texts = [
        f"{_short(name, 20)} ({train:,} tokens, {documents} test documents)"
        for name, train, documents in zip(
            summary["domains"], summary["train_tokens"], summary["test_documents"], strict=True
        )
    ]
    seeds = summary["seeds"]
    return textwrap.fill(
        f"{' -> '.join(texts)}; {seeds} seed{'s' * (seeds > 1)}; byte-level BPE of "
        f"{summary['vocabulary']} entries, trained on the first text.",
        _WIDTH,
    )


def _short(name: str, width: int = _NAME) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"


def _matrices(summary: dict[str, Any]) -> str:
    """Return the perplexities: what all ways share once, then each way's later stages."""
    domains, stages = summary["domains"], summary["stages"]
    width = min(15, (_WIDTH - 2 * (_NAME + 1)) // len(domains))
    head = "".join(f"{_short(name, width - 1):>{width}}" for name in domains)
    lines = [f"{'perplexity':<{_NAME + 1}}{'after':<{_NAME + 1}}{head}"]
    for way in summary["ways"]:
        shared = way["name"] == summary["ways"][0]["name"]
        for k, row in enumerate(way["perplexity"]):
            if k < 2 and not shared:
                continue
            name = "all ways" if k == 0 else way["name"] if k == 2 else ""
            figures = "".join(f"{value:>{width}.1f}" for value in row)
            lines.append(f"{name:<{_NAME + 1}}{_short(stages[k]):<{_NAME + 1}}{figures}")
    return "\n".join(lines)


def _measures(summary: dict[str, Any]) -> str:
    lines = [
        f"{'nats a token':<{_NAME + 1}}{'forgetting [95 %]':<24}{'from best':>9}"
        f"{'new':>7}{'all, end':>9}{'forward':>8}{'time':>7}"
    ]
    for way in summary["ways"]:
        found = way["forgetting"]
        interval = f"{found['mean']:+.3f} [{found['low']:+.3f},{found['high']:+.3f}]"
        lines.append(
            f"{way['name']:<{_NAME + 1}}{interval:<24}{way['from best']:>+9.3f}"
            f"{way['new domain']['mean']:>7.3f}{way['final']['mean']:>9.3f}"
            f"{way['forward']['mean']:>+8.3f}{way['seconds']:>5.0f} s"
        )
    return "\n".join(lines)


def _differences(summary: dict[str, Any]) -> str:
    lines = [f"{'against naive':<{_NAME + 1}}{'in':<12}{'difference [95 %]':<26}verdict"]
    for row in summary["differences"]:
        interval = f"{row['mean']:+.3f} [{row['low']:+.3f},{row['high']:+.3f}]"
        lines.append(f"{row['way']:<{_NAME + 1}}{row['measure']:<12}{interval:<26}{row['verdict']}")
    return "\n".join(lines)


def reading(summary: dict[str, Any]) -> list[str]:
    """Return the sentences that follow from the intervals, whatever they are."""
    naive = summary["naive_forgets"]
    factor = f"perplexity times {math.exp(naive['mean']):.2f}"
    interval = f"[{naive['low']:+.3f}, {naive['high']:+.3f}] nats"
    if naive["low"] > 0:
        sentences = [f"Naive continuation forgets: {interval}, {factor} on the domains before."]
    elif naive["high"] < 0:
        sentences = [f"Naive continuation forgets nothing; the old domains gain: {interval}."]
    else:
        sentences = [f"This study cannot tell whether naive continuation forgets: {interval}."]
    by = {(row["way"], row["measure"]): row for row in summary["differences"]}
    for way in summary["ways"]:
        name = way["name"]
        if name == NAIVE:
            continue
        old, new = by[name, "forgetting"], by[name, "new domain"]
        what = {"better": "forgets less", "worse": "forgets more"}.get(
            old["verdict"], "shows no difference from it in forgetting"
        )
        cost = {
            "better": "and learns the new text better too",
            "worse": f"at a cost to the new of {new['mean']:.3f} nats",
            "cannot tell": "with no difference that shows in the new text",
        }[new["verdict"]]
        reference = ", the reference," if name == REFERENCE else ""
        label = name[0].upper() + name[1:]
        sentences.append(f"{label}{reference} {what} ({old['mean']:+.3f}), {cost}.")
    return sentences


def draw(folder: Path, summary: dict[str, Any]) -> None:
    """Draw what is kept of the first domain, and what that costs, as PNG and SVG."""
    with style.context():
        figure = style.figure()
        stages, trade = figure.subplots(1, 2)
        for k, way in enumerate(summary["ways"]):
            reference = way["name"] == REFERENCE
            color = style.GRAY if reference else style.COLORS[k % len(style.COLORS)]
            marker = style.MARKERS[k % len(style.MARKERS)]
            _stages(stages, summary, way, color, marker)
            _trade(trade, way, color, marker)
        first = summary["domains"][-len(summary["stages"]) + 1]
        stages.set_title("The first domain, kept or lost")
        stages.set_xlabel("after learning")
        stages.set_ylabel(f"perplexity of {style.short(first, 20)}")
        trade.axhline(0, color=style.GRAY, linewidth=1)
        trade.set_title("Forgetting and its price")
        trade.set_xlabel("loss on the new domain (nats a token)")
        trade.set_ylabel("forgetting (nats a token, 95 %)")
        style.legend_below(figure, trade, 4)
        style.save(
            figure,
            folder,
            PICTURE,
            "What is forgotten, by each way of continuing",
            "Left: perplexity on the first domain after each stage, a line a way. Right: "
            "forgetting against the loss on the newest domain, a point a way, with intervals.",
        )


def _stages(
    axes: Axes, summary: dict[str, Any], way: dict[str, Any], color: str, mark: str
) -> None:
    names = summary["stages"][1:]
    column = len(summary["domains"]) - len(names)
    values = [row[column] for row in way["perplexity"][1:]]
    axes.plot(range(len(names)), values, color=color, marker=mark, markersize=9, linewidth=2)
    axes.set_xticks(range(len(names)), [style.short(n, 18).replace("_", "\n") for n in names])
    axes.margins(x=0.15)


def _trade(axes: Axes, way: dict[str, Any], color: str, mark: str) -> None:
    new, old = way["new domain"], way["forgetting"]
    axes.errorbar(
        [new["mean"]],
        [old["mean"]],
        yerr=[[old["mean"] - old["low"]], [old["high"] - old["mean"]]],
        color=color,
        marker=mark,
        markersize=11,
        capsize=4,
        linestyle="none",
        label=way["name"],
    )
