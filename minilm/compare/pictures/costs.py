"""What accuracy costs: seconds, trained parameters, pretraining, and text in place of labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minilm.compare.pictures import style
from minilm.compare.results import Record, Results

# More panels than these would be too small to read.
_PANELS = 3


def draw_costs(figure: Figure, results: Results) -> None:
    """Accuracy at the largest budget against seconds and against trained parameters."""
    left, right = figure.subplots(1, 2, sharey=True)
    for cell in _largest(results):
        name, look = cell["condition"], style.looks(results.summary["about"])[cell["condition"]]
        marker = look.line() | {"linestyle": "none", "markersize": 13}
        total = cell["seconds"] + cell["pretrain_seconds"]
        left.plot([cell["seconds"], total], [cell["mean"]] * 2, color=look.color, linewidth=1.5)
        left.plot(total, cell["mean"], "|", color=look.color, markersize=16, markeredgewidth=3)
        left.plot(cell["seconds"], cell["mean"], label=style.short(name, 36), **marker)
        right.plot(max(1, cell["trainable_parameters"]), cell["mean"], **marker)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    left.set_xlabel("seconds a run;  bar: with pretraining")
    right.set_xlabel("numbers that the labels set")
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
    """Loss against the tokens that pretraining has seen; held-out text is dashed."""
    axes = figure.add_subplot()
    records = [record for record in results.summary["pretraining"] if record["loss"]]
    for k, record in enumerate(records):
        color = style.COLORS[k % len(style.COLORS)]
        marker = style.MARKERS[k % len(style.MARKERS)]
        label = f"{record['name']}, {record['words']:,} words of {style.short(record['corpus'])}"
        _, tokens, loss = zip(*record["loss"], strict=True)
        every = max(1, len(tokens) // 8)
        axes.plot(
            tokens,
            loss,
            color=color,
            linewidth=2.2,
            marker=marker,
            markevery=every,
            markersize=9,
            label=label,
        )
        if record["held_out"]:
            _, tokens, loss = zip(*record["held_out"], strict=True)
            axes.plot(
                tokens,
                loss,
                "--",
                color=color,
                linewidth=2.2,
                marker=marker,
                markersize=9,
                markerfacecolor="white",
                label="the same, on held-out text",
            )
    axes.set_xlabel("tokens seen in pretraining")
    axes.set_ylabel("loss (nats a token)")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_title("Learning to predict the next word")
    style.legend_below(figure, axes, columns=2)


def describe_loss(results: Results) -> str:
    """Return where each loss begins and ends."""
    parts = []
    for record in results.summary["pretraining"]:
        if not record["loss"]:
            continue
        first, last = record["loss"][0], record["loss"][-1]
        part = (
            f"{record['name']} on {record['words']:,} words of {record['corpus']}: "
            f"{first[2]:.2f} to {last[2]:.2f} after {last[1]:,} tokens"
        )
        if record["held_out"]:
            part += f", {record['held_out'][-1][2]:.2f} on held-out text"
        parts.append(part)
    return f"Lines that show the loss in nats a token during pretraining. {'; '.join(parts)}."


def text_panels(results: Results) -> list[str]:
    """Return the conditions whose accuracy is known for several amounts of text and two budgets."""
    if len(results.budgets) < 2:
        return []
    found = []
    for name in results.names:
        baseline = results.about(name)["baseline"]
        amounts = {words for _, words in _amounts(results, name)}
        without = baseline in results.names and not results.about(baseline)["uses_text"]
        if len(amounts) > 1 and without and not results.about(name)["control"]:
            found.append(name)
    return found[:_PANELS]


def _amounts(results: Results, name: str) -> list[tuple[str, int]]:
    """Return the amounts of the main text that a condition was tried with, ascending."""
    corpus = results.cells(name)[0]["corpus"]
    cells = results.cells(name, main=False)
    return sorted({(c["corpus"], c["words"]) for c in cells if c["corpus"] == corpus})


def draw_text_for_labels(figure: Figure, results: Results) -> None:
    """Learning curves by amount of text; how far left of its baseline a curve is, it is worth."""
    names = text_panels(results)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        _text_panel(axes, results, name)
        style.log_ticks(axes, results.budgets)
        axes.set_xlabel("labelled examples")
        axes.set_title(style.two_lines(name))
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=12.5)
    panels[0].set_ylabel("accuracy (95 % intervals)")
    figure.suptitle(
        f"How many labels is text worth? {style.short(results.home)}", fontweight="bold"
    )


def _text_panel(axes: Axes, results: Results, name: str) -> None:
    baseline = results.about(name)["baseline"]
    curves: list[tuple[list[Record], dict[str, Any]]] = [
        (
            results.cells(baseline),
            style.looks(results.summary["about"])[baseline].line()
            | {"label": f"no text ({style.short(baseline)})"},
        )
    ]
    amounts = _amounts(results, name)
    shades = style.shades(len(amounts))
    for k, (corpus, words) in enumerate(amounts):
        look = {"color": shades[k], "marker": style.MARKERS[k % len(style.MARKERS)]}
        look |= {"markersize": 9, "linewidth": 1.6 + 0.6 * k, "label": f"{words:,} words"}
        curves.append((_curve(results, name, corpus, words), look))
    for k, (cells, look) in enumerate(curves):
        # Side by side on the logarithmic axis, so that intervals do not hide each other.
        nudge = 1.03 ** (k - (len(curves) - 1) / 2)
        x = [cell["budget"] * nudge for cell in cells]
        y = [cell["mean"] for cell in cells]
        axes.errorbar(x, y, yerr=style.ends(cells, "mean"), elinewidth=1.2, capsize=4, **look)


def _curve(results: Results, name: str, corpus: str, words: int) -> list[Record]:
    cells = results.cells(name, main=False)
    return [cell for cell in cells if (cell["corpus"], cell["words"]) == (corpus, words)]


def labels_worth(baseline: Sequence[Record], accuracy: float) -> float | None:
    """Return with how many labels the baseline reaches an accuracy; None where it never does.

    Between two budgets its curve is taken as straight over the logarithm of the labels.

    Parameters
    ----------
    baseline : sequence of dict
        Its cells at ascending budgets.
    accuracy : float
        To be reached.

    Examples
    --------
    >>> curve = [{"budget": 16, "mean": 0.5}, {"budget": 64, "mean": 0.7}]
    >>> round(labels_worth(curve, 0.6), 6), labels_worth(curve, 0.8)
    (32.0, None)
    """
    for before, after in itertools.pairwise(baseline):
        low, high = before["mean"], after["mean"]
        if low <= accuracy <= high:
            share = (accuracy - low) / (high - low) if high > low else 0.0
            steps = np.log([before["budget"], after["budget"]])
            return float(np.exp(steps[0] + share * (steps[1] - steps[0])))
    return None


def describe_text_for_labels(results: Results) -> str:
    """Return what each amount of text is worth at the smallest budget."""
    sentences = []
    for name in text_panels(results):
        baseline = results.about(name)["baseline"]
        curve = results.cells(baseline)
        for corpus, words in _amounts(results, name):
            cell = _curve(results, name, corpus, words)[0]
            sentences.append(
                f"{name} with {cell['budget']} labels and {words:,} words of text: "
                f"{cell['mean']:.3f}, {_worth(curve, cell, baseline)}."
            )
    return (
        "Learning curves, one for each amount of pretraining text, beside that of the same "
        f"classifier without text. {' '.join(sentences)}"
    )


def _worth(curve: list[Record], cell: Record, baseline: str) -> str:
    labels = labels_worth(curve, cell["mean"])
    if labels is not None:
        return f"what {baseline} needs about {labels:.0f} labels for"
    if cell["mean"] < curve[0]["mean"]:
        return f"less than {baseline} with {curve[0]['budget']} labels"
    return f"more than {baseline} reached with any number of labels up to {curve[-1]['budget']}"
