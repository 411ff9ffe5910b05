"""Where classifiers go wrong: away from home, between classes, and on the same texts."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm.classify import metrics
from minilm.compare.report.pictures import style
from minilm.compare.report.results import Results

# Beyond these a matrix is a color field: numbers and names would be too small to read.
_NAMED_CLASSES = 24
_NUMBERED_CLASSES = 12


def draw_transfer(figure: Figure, results: Results) -> None:
    """Accuracy of each condition (trained on the task) wherever it was tested."""
    axes = figure.add_subplot()
    names, domains, budget = results.names, results.domains, results.budgets[-1]
    table = np.full((len(names), len(domains)), np.nan)
    for column, domain in enumerate(domains):
        for cell in results.cells(domain=domain):
            if cell["budget"] == budget:
                table[names.index(cell["condition"]), column] = cell["mean"]
    low = min(results.chance(domain) for domain in domains) - 0.05
    style.matrix(axes, table, ".3f", colors=style.SHADES, low=low, high=1.0)
    axes.set_yticks(range(len(names)), [style.two_lines(n) for n in names], fontsize=12.5)
    axes.set_xticks(
        range(len(domains)),
        [f"{style.short(d, 22)}\n(most common class: {results.chance(d):.2f})" for d in domains],
    )
    axes.set_ylabel(f"trained on {style.short(results.task, 22)},\n{budget} labels")
    axes.set_xlabel("tested on")
    axes.set_title("At home and in a new domain: accuracy")


def describe_transfer(results: Results) -> str:
    """Return the best condition in each domain."""
    budget, sentences = results.budgets[-1], []
    for domain in results.domains:
        cells = [cell for cell in results.cells(domain=domain) if cell["budget"] == budget]
        top = max(cells, key=lambda cell: cell["mean"])
        sentences.append(
            f"Tested on {domain}, {top['condition']} is highest with {top['mean']:.3f}."
        )
    return (
        f"A table of accuracies after training on {results.task} with {budget} labels, a row a "
        f"condition, a column a test domain. {' '.join(sentences)}"
    )


def confusion(results: Results) -> np.ndarray:
    """Return how often the best condition took each class for each, over all its draws.

    Returns
    -------
    ndarray of shape (K, K), int
        Row: the right class; column: the class given.
    """
    best = results.best()
    predicted, _ = results.main_predictions(best["budget"])[best["condition"]]
    truth = np.broadcast_to(results.predictions.truth, predicted.shape)
    classes = len(results.predictions.classes)
    return metrics.confusion_matrix(
        truth.ravel().astype(np.int64), predicted.ravel().astype(np.int64), classes
    )


def has_runs(results: Results) -> bool:
    """Return whether the folder holds the predictions of the best condition."""
    best = results.best()
    return best["condition"] in results.main_runs(best["budget"])


def draw_confusion(figure: Figure, results: Results) -> None:
    """The best condition's confusion matrix, in shares of each right class."""
    axes = figure.add_subplot()
    best, classes = results.best(), results.predictions.classes
    counts = confusion(results)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    form = ".0%" if len(classes) <= _NUMBERED_CLASSES else ""
    style.matrix(axes, shares, form, colors=style.SHADES, low=0, high=1, square=True)
    if len(classes) <= _NAMED_CLASSES:
        names = [style.short(name, 20) for name in classes]
        axes.set_xticks(range(len(classes)), names, rotation=30 if len(classes) > 3 else 0)
        axes.set_yticks(range(len(classes)), names)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    axes.set_title(
        f"Where {style.short(best['condition'], 36)} goes wrong:\n"
        f"{style.short(results.home)}, {best['budget']} labels"
    )


def describe_confusion(results: Results) -> str:
    """Return how often each class is right and which mix-up is the most frequent."""
    best, classes = results.best(), results.predictions.classes
    counts = confusion(results)
    totals = np.maximum(counts.sum(axis=1), 1)
    rights = ", ".join(
        f"{name} {right / total:.0%}"
        for name, right, total in zip(classes, counts.diagonal(), totals, strict=True)
    )
    wrong = counts - np.diag(counts.diagonal())
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    mixed = (
        f" The most frequent mistake: {classes[row]} taken for {classes[column]}, "
        f"{wrong[row, column] / totals[row]:.0%} of the former."
    )
    return (
        f"A confusion matrix of {best['condition']} with {best['budget']} labels. "
        f"Classified rightly: {rights}.{mixed if wrong.any() else ''}"
    )


def misses(results: Results) -> tuple[list[str], np.ndarray]:
    """Return which conditions miss which test items at the largest budget.

    Returns
    -------
    names : list of str
        The conditions that are no controls.
    missed : ndarray of shape (C, N), bool
        Whether a condition is wrong about an item in more than half of its draws.
    """
    runs = results.main_runs(results.budgets[-1])
    names = [name for name in runs if not results.about(name)["control"]]
    truth = results.predictions.truth
    missed = [np.mean(~runs[name].right, axis=0) > 0.5 for name in names]
    return names, np.array(missed).reshape(len(names), len(truth))


def has_misses(results: Results) -> bool:
    """Return whether there are two conditions or more to compare on the same items."""
    return has_runs(results) and len(misses(results)[0]) > 1


def if_unrelated(rates: np.ndarray) -> np.ndarray:
    """Return the distribution of how many of C unrelated conditions miss an item.

    Parameters
    ----------
    rates : ndarray of shape (C,)
        How often each misses one.

    Returns
    -------
    ndarray of shape (C + 1,)
        The Poisson binomial probabilities of 0 ... C misses, by convolution.

    Examples
    --------
    >>> if_unrelated(np.array([0.5, 0.5]))
    array([0.25, 0.5 , 0.25])
    """
    found = np.ones(1)
    for rate in rates:
        found = np.convolve(found, [1 - rate, rate])
    return found


def draw_shared_errors(figure: Figure, results: Results) -> None:
    """How many test items are missed by 0, 1, ... all of the conditions."""
    axes = figure.add_subplot()
    names, missed = misses(results)
    counts = np.bincount(missed.sum(axis=0), minlength=len(names) + 1)
    colors = [style.SKY] * len(names) + [style.VERMILLION]
    bars = axes.bar(range(len(counts)), counts, color=colors, edgecolor="black")
    bars[-1].set_hatch("//")
    axes.bar_label(bars, fontsize=15)
    axes.plot(
        range(len(counts)),
        missed.shape[1] * if_unrelated(missed.mean(axis=1)),
        "kD--",
        markerfacecolor="white",
        label="if their mistakes were unrelated",
    )
    axes.set_xticks(range(len(counts)), ["none", *map(str, range(1, len(names))), "all"])
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(f"how many of the {len(names)} conditions miss it")
    axes.set_ylabel("test items")
    axes.set_title(
        f"The mistakes that all share: {style.short(results.home)}, {results.budgets[-1]} labels"
    )
    style.legend_below(figure, axes)


def describe_shared_errors(results: Results) -> str:
    """Return how many items all conditions miss, and how many they would by accident."""
    names, missed = misses(results)
    items = missed.shape[1]
    everyone = int(missed.all(axis=0).sum())
    nobody = int((~missed).all(axis=0).sum())
    chance = items * if_unrelated(missed.mean(axis=1))[-1]
    return (
        f"A bar chart of how many of {len(names)} conditions miss a test item with "
        f"{results.budgets[-1]} labels. All miss {everyone} of {items} items, where about "
        f"{chance:.0f} would be if their mistakes were unrelated; none misses {nobody}."
    )


def hardest(results: Results, most: int = 12) -> list[dict[str, str]]:
    """Return the items that the largest share of all draws misses, among those that all miss.

    Parameters
    ----------
    results : Results
        With predictions.
    most : int
        How many to return at most.

    Returns
    -------
    list of dict
        `line`, `text`, `is`, `taken for` and `missed`, the share of draws of all conditions.
    """
    found = results.predictions
    names, missed = misses(results)
    runs = results.main_predictions(results.budgets[-1])
    given = np.concatenate([runs[name][0] for name in names])
    share = np.mean(given != found.truth, axis=0)
    order = [n for n in np.argsort(-share, kind="stable") if missed[:, n].all()]
    rows = []
    for n in order[:most]:
        wrong = given[:, n][given[:, n] != found.truth[n]]
        rows.append(
            {
                "line": str(int(found.lines[n])),
                "text": results.texts.get(int(found.lines[n]), ""),
                "is": found.classes[found.truth[n]],
                "taken for": found.classes[np.bincount(wrong).argmax()],
                "missed": f"{share[n]:.0%}",
            }
        )
    return rows
