"""What accuracy costs: seconds, trained parameters, pretraining, and text in place of labels."""

from __future__ import annotations

from typing import Any

from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minilm.compare.report import worth
from minilm.compare.report.pictures import style
from minilm.compare.report.results import Record, Results

# More panels than these would be too small to read.
_PANELS = 3


def draw_costs(figure: Figure, results: Results) -> None:
    """Accuracy at the largest budget against seconds and against trained parameters."""
    left, right = figure.subplots(1, 2, sharey=True)
    looks = style.looks(results.summary["about"])
    for cell in _largest(results):
        name, look = cell["condition"], looks[cell["condition"]]
        marker = look.line() | {"linestyle": "none", "markersize": 13}
        if cell["pretrain_seconds"]:
            total = cell["seconds"] + cell["pretrain_seconds"]
            left.plot([cell["seconds"], total], [cell["mean"]] * 2, color=look.color, linewidth=1.5)
            left.plot(total, cell["mean"], "|", color=look.color, markersize=16, markeredgewidth=3)
        left.plot(cell["seconds"], cell["mean"], label=style.short(name, 36), **marker)
        right.plot(max(1, cell["trainable_parameters"]), cell["mean"], **marker)
    for axes, formatter in ((left, "{x:g}"), (right, ticker.EngFormatter())):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(formatter)
        axes.margins(x=0.1, y=0.08)
    left.set_xlabel("seconds a run;  bar: with pretraining")
    right.set_xlabel("parameters trained on the labels")
    left.set_ylabel("accuracy")
    left.set_title("against time")
    right.set_title("against trained parameters")
    figure.suptitle(
        f"What accuracy costs: {style.short(results.home)}, {results.budgets[-1]} labels",
        fontweight="bold",
    )
    style.legend_below(figure, left)


def _largest(results: Results) -> list[Record]:
    return [cell for cell in results.cells() if cell["budget"] == results.budgets[-1]]


def describe_costs(results: Results) -> str:
    """Return accuracy, seconds and parameters of each condition."""
    found = "; ".join(
        f"{c['condition']} {c['mean']:.3f}, {c['seconds']:.3g} s a run"
        + (f" and {c['pretrain_seconds']:.3g} s of pretraining" if c["pretrain_seconds"] else "")
        + f", {c['trainable_parameters']:,.0f} parameters"
        for c in _largest(results)
    )
    return (
        f"Two scatter plots of accuracy with {results.budgets[-1]} labels, against seconds and "
        f"against trained parameters. {found}."
    )


def has_loss(results: Results) -> bool:
    """Return whether a model was pretrained whose losses were kept."""
    return any(record["loss"] for record in results.summary["pretraining"])


def draw_loss(figure: Figure, results: Results) -> None:
    """Loss against the tokens that pretraining has seen; held-out text is dashed.

    All pretrainings of one kind have one color; the legend names the first.
    """
    axes = figure.add_subplot()
    records = [record for record in results.summary["pretraining"] if record["loss"]]
    kinds = list(dict.fromkeys(_kind(record) for record in records))
    named = set()
    for record in records:
        k = kinds.index(_kind(record))
        look: dict[str, Any] = {
            "color": style.COLORS[k % len(style.COLORS)],
            "marker": style.MARKERS[k % len(style.MARKERS)],
            "linewidth": 2.2,
            "markersize": 9,
        }
        label = f"{record['name']}, {record['words']:,} words of {style.short(record['corpus'])}"
        first = k not in named
        named.add(k)
        _, tokens, loss = zip(*record["loss"], strict=True)
        every = max(1, len(tokens) // 8)
        axes.plot(tokens, loss, markevery=every, label=label if first else None, **look)
        if record["held_out"]:
            _, tokens, loss = zip(*record["held_out"], strict=True)
            label = "the same, on held-out text"
            look |= {"linestyle": "--", "markerfacecolor": "white"}
            axes.plot(tokens, loss, label=label if first else None, **look)
    axes.set_xlabel("tokens seen in pretraining")
    axes.set_ylabel("loss (nats a token)")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_title("Learning to predict the next word")
    style.legend_below(figure, axes, columns=2)


def _kind(record: Record) -> tuple[str, str, int]:
    return record["name"], record["corpus"], record["words"]


def describe_loss(results: Results) -> str:
    """Return where each loss begins and ends."""
    parts = []
    for record in results.summary["pretraining"]:
        if not record["loss"] or record["pretraining"]:
            continue  # the first of each kind
        first, last = record["loss"][0], record["loss"][-1]
        part = (
            f"{record['name']} on {record['words']:,} words of {record['corpus']}: "
            f"{first[2]:.2f} to {last[2]:.2f} after {last[1]:,} tokens"
        )
        if record["held_out"]:
            part += f", {record['held_out'][-1][2]:.2f} on held-out text"
        parts.append(part)
    return f"Lines that show the loss in nats a token during pretraining. {'; '.join(parts)}."


def has_text_for_labels(results: Results) -> bool:
    """Return whether a condition was tried with several amounts of text, at several budgets."""
    return bool(worth.conditions(results))


def draw_text_for_labels(figure: Figure, results: Results) -> None:
    """Learning curves by amount of text; how far left of its baseline a curve is, it is worth."""
    names = worth.conditions(results)[:_PANELS]
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        _text_panel(axes, results, name)
        style.log_ticks(axes, results.budgets)
        axes.set_xlabel("labelled examples")
        axes.set_title(style.two_lines(name) if len(names) > 2 else style.short(name))
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=12.5)
    panels[0].set_ylabel("accuracy (95 % intervals)")
    figure.suptitle(
        f"How many labels is text worth? {style.short(results.home)}", fontweight="bold"
    )


def _text_panel(axes: Axes, results: Results, name: str) -> None:
    looks = style.looks(results.summary["about"])
    lines: list[tuple[list[Record], dict[str, Any]]] = []
    for baseline in worth.without_text(results, name):
        label = f"no text ({style.short(baseline)})"
        lines.append((results.cells(baseline), looks[baseline].line() | {"label": label}))
    amounts = worth.amounts(results, name)
    shades = style.shades(len(amounts))
    for k, words in enumerate(amounts):
        look = {"color": shades[k], "marker": style.MARKERS[k % len(style.MARKERS)]}
        look |= {"markersize": 9, "linewidth": 1.6 + 0.6 * k, "label": f"{words:,} words"}
        lines.append((worth.curve(results, name, words), look))
    style.curves(axes, lines)


def describe_text_for_labels(results: Results) -> str:
    """Return what each amount of text is worth at the smallest budget."""
    return (
        "Learning curves, one for each amount of pretraining text, beside those of classifiers "
        f"without text. {' '.join(worth.sentences(results))}"
    )
