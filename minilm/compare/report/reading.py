"""The result in plain words: sentences that follow from the verdicts and say no more than they do.

A result that contradicts the lesson is reported as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minilm.compare.report.results import Record, Results

# What a difference is about, for conditions that come with minilm; others are named.
_ABOUT = {
    ("cooccurrence", "random"): "word vectors learned from unlabelled text, against random ones",
    (
        "cooccurrence-finetuned",
        "cooccurrence",
    ): "training pretrained word vectors further with the labels",
    (
        "transformer-probe",
        "transformer-random-frozen",
    ): "the states of a pretrained transformer, against those of a random one",
    (
        "transformer-finetuned",
        "transformer-scratch",
    ): "a pretrained transformer trained further, against one trained from scratch",
    (
        "transformer-lora",
        "transformer-scratch",
    ): "a pretrained transformer with LoRA, against one trained from scratch",
    ("tfidf", "random"): "counting words (TF-IDF), against random vectors",
}
_NO_GRADIENT = " (words that the labels never show receive no gradient)"
VERDICTS = ("better", "worse", "cannot tell")


def claims(results: Results, domain: str | None = None) -> list[Record]:
    """Return the main differences that say whether pretraining helps.

    They compare a condition that uses text, and is no control, with its own baseline without text.
    """
    about = results.summary["about"]
    return [
        row
        for row in results.rows("differences", domain)
        if row["baseline"] == about[row["condition"]]["baseline"]
        and about[row["condition"]]["uses_text"]
        and not about[row["condition"]]["control"]
        and not about[row["baseline"]]["uses_text"]
    ]


def gaining_controls(results: Results, domain: str | None = None) -> list[Record]:
    """Return the differences of controls that are better than their baselines."""
    return [
        row
        for row in results.rows("differences", domain)
        if results.about(row["condition"])["control"] and row["verdict"] == "better"
    ]


def answer(results: Results) -> str:
    """Return the answer to "does pretraining help here?" in one sentence."""
    rows = claims(results)
    better = [row for row in rows if row["verdict"] == "better"]
    if not rows:
        return "No condition with pretraining was compared with its baseline."
    if better and gaining_controls(results):
        return (
            "Something helps, but not only what the text teaches: "
            "a control that should gain nothing gains too."
        )
    worse = [row for row in rows if row["verdict"] == "worse"]
    if better:
        whole = "Yes" if len(better) == len(rows) else "Yes, in part"
        found = f"{whole}. Points of accuracy gained by pretraining: {_points(rows, 'better')}."
        return f"{found} Lost: {_points(rows, 'worse')}." if worse else found
    if worse:
        return "No: where there is a clear difference, pretraining made it worse."
    return "This comparison cannot tell: every difference is within what chance can do."


def _points(rows: list[Record], verdict: str) -> str:
    """Return, for instance, "cooccurrence 7.0 to 8.5 at 16 and 64 labels, ..."."""
    said = []
    for name in dict.fromkeys(row["condition"] for row in rows if row["verdict"] == verdict):
        own = [row for row in rows if row["condition"] == name]
        those = [row for row in own if row["verdict"] == verdict]
        sizes = sorted(abs(100 * row["difference"]) for row in those)
        span = " to ".join(dict.fromkeys(f"{size:.1f}" for size in (sizes[0], sizes[-1])))
        said.append(f"{name} {span} at {_budgets(those, own)}")
    return ", ".join(said)


def sentences(results: Results, domain: str | None = None) -> list[str]:
    """Return what each condition did against its baseline, and whether the controls stayed null.

    Parameters
    ----------
    results : Results
        Of the task.
    domain : str, optional
        Where it was tested; by default at home.
    """
    decided: list[str] = []
    undecided: dict[str, list[str]] = {}
    rows = results.rows("differences", domain)
    pairs = dict.fromkeys((row["condition"], row["baseline"]) for row in rows)
    for condition, baseline in pairs:
        if results.about(condition)["control"]:
            continue
        mine = [row for row in rows if (row["condition"], row["baseline"]) == (condition, baseline)]
        tuned = condition == "cooccurrence-finetuned"
        why = _NO_GRADIENT * (tuned and not _any(mine, "better"))
        if all(row["verdict"] == "cannot tell" for row in mine):
            undecided.setdefault(baseline, []).append(condition + why)
            continue
        subject = _subject(condition, baseline) + why
        if not subject.startswith(condition):  # names of conditions stay as they are
            subject = subject[0].upper() + subject[1:]
        decided.append(f"{subject}: {_verdicts(mine)}.")
    if undecided:
        parts = "; ".join(f"{_listing(names)} from {name}" for name, names in undecided.items())
        budgets = {row["budget"] for row in rows}
        where = "any budget" if len(budgets) > 1 else f"{min(budgets)} labels"
        decided.append(f"Cannot tell at {where}: {parts}.")
    if any(results.about(row["condition"])["control"] for row in rows):
        decided.append(_controls(gaining_controls(results, domain)))
    return decided


def _any(rows: list[Record], verdict: str) -> bool:
    return any(row["verdict"] == verdict for row in rows)


def most_accurate(results: Results) -> str:
    """Return which condition came out highest at the largest budget, and what it cost."""
    best = results.best()
    text = results.about(best["condition"])["uses_text"]
    return (
        f"Most accurate: {best['condition']} with {best['budget']} labels, {best['mean']:.3f} "
        f"({best['low']:.3f} to {best['high']:.3f}), where always giving the most common class has "
        f"{results.chance():.3f}. A run of it took {best['seconds']:.3g} seconds and trained "
        f"{best['trainable_parameters']:,.0f} numbers"
        + (f"; one pretraining took {best['pretrain_seconds']:.3g} seconds." if text else ".")
    )


def _subject(condition: str, baseline: str) -> str:
    return _ABOUT.get((condition, baseline), f"{condition}, against {baseline}")


def _verdicts(rows: list[Record]) -> str:
    """Return, for instance, "better at 64 labels (by 0.070), cannot tell at 16 labels"."""
    clauses = []
    for verdict in VERDICTS:
        mine = [row for row in rows if row["verdict"] == verdict]
        if not mine:
            continue
        clause = f"{verdict} at {_budgets(mine, rows)}"
        if verdict != "cannot tell":
            sizes = sorted(f"{abs(row['difference']):.3f}" for row in mine)
            clause += f" (by {' to '.join(dict.fromkeys((sizes[0], sizes[-1])))})"
        clauses.append(clause)
    return ", ".join(clauses)


def _budgets(mine: list[Record], rows: list[Record]) -> str:
    if len(mine) == len(rows) > 1:
        return "every budget"
    return f"{_listing(row['budget'] for row in mine)} labels"


def _controls(gaining: list[Record]) -> str:
    if not gaining:
        return "No control is better than its baseline, as it should be."
    found = ", ".join(
        f"{row['condition']} is better than {row['baseline']} at {row['budget']} labels "
        f"(by {row['difference']:.3f})"
        for row in gaining
    )
    return (
        f"But a control that should gain nothing does: {found}; so the gain above is not all due "
        "to which words occur together."
    )


def _listing(parts: Iterable[Any]) -> str:
    """Return parts as people list them.

    >>> _listing([16]), _listing([16, 64]), _listing([16, 64, 256])
    ('16', '16 and 64', '16, 64 and 256')
    """
    *most, last = map(str, parts)
    return f"{', '.join(most)} and {last}" if most else last
