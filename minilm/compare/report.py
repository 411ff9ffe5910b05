"""The result in words: tables of 80 columns and two sentences that follow from the intervals."""

from __future__ import annotations

import textwrap
from typing import Any

from minilm.compare.conditions import CONDITIONS

# Columns of the table that fit beside the names in 80 characters.
_COLUMNS = 3
# Below this, a bootstrap over the seeds sees too little of their spread: in simulations of
# `statistics`, 4 % false claims with three seeds, 18 % with one, where 5 % are meant.
_FEW_SEEDS = 4


def render(summary: dict[str, Any]) -> str:
    """Return the tables of every domain, the reading of each, and the notes on the data."""
    parts = []
    for domain in summary["domains"]:
        parts.append(_heading(summary, domain))
        for first in range(0, len(summary["budgets"]), _COLUMNS):
            parts.append(_accuracies(summary, domain, summary["budgets"][first : first + _COLUMNS]))
        if rows := _of_domain(summary["differences"], domain):
            parts.append(_differences(rows))
            parts.append(_wrap(" ".join(reading(rows))))
    parts += [_wrap(f"Note: {note}.") for note in summary["notes"]]
    return "\n\n".join(parts)


def _of_domain(rows: list[dict[str, Any]], domain: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["domain"] == domain]


def _heading(summary: dict[str, Any], domain: str) -> str:
    items, seeds = summary["test_items"][domain], summary["seeds"]
    chance, resolvable = summary["chance"][domain], summary["resolvable"][domain]
    title = textwrap.shorten(domain, 30) if " " in domain else domain[:30]
    if domain != summary["domains"][0]:
        title += f", a new domain: trained on {summary['task'][:20]}, not trained again"
    return "\n".join(
        [
            title,
            "=" * len(title),
            f"{items} test items, {seeds} draw{'s' * (seeds > 1)} of the labelled examples.",
            f"Always the commonest class: {chance:.3f}. Two unrelated classifiers",
            f"must differ by about {resolvable:.3f} for so many items to show it.",
        ]
        + ["With so few draws, how much the draw matters is hardly in the intervals."]
        * (seeds < _FEW_SEEDS)
    )


def _accuracies(summary: dict[str, Any], domain: str, budgets: list[int]) -> str:
    cells = {(c["condition"], c["budget"]): c for c in _of_domain(summary["conditions"], domain)}
    lines = [f"{'accuracy [95 %] with':<25}" + "".join(f"{f'{b} labels':<18}" for b in budgets)]
    for name in summary["names"]:
        shown = [cells[name, budget] for budget in budgets]
        lines.append(
            f"{name:<25}"
            + "".join(f"{c['mean']:.3f} [{c['low']:.2f},{c['high']:.2f}] " for c in shown)
        )
    return "\n".join(line.rstrip() for line in lines)


def _differences(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'difference of':<25}{'from':<13}{'labels':>6}  {'mean [95 %]':<23}verdict"]
    before = None
    for row in rows:
        pair = (row["condition"], row["baseline"])
        names = f"{pair[0]:<25}{pair[1]:<13}" if pair != before else " " * 38
        interval = f"{row['difference']:+.3f} [{row['low']:+.3f},{row['high']:+.3f}]"
        lines.append(f"{names}{row['budget']:>6}  {interval:<23}{row['verdict']}")
        before = pair
    if any(row["verdict"] == "cannot tell" and row["low"] * row["high"] > 0 for row in rows):
        lines.append(
            '(An interval may leave out zero where the verdict is "cannot tell": verdicts are\n'
            "corrected for how many comparisons are made, after Holm.)"
        )
    return "\n".join(lines)


def reading(rows: list[dict[str, Any]]) -> list[str]:
    """Return at most two sentences: what pretraining did; what fine-tuning and the controls did.

    They are put together from the verdicts; a result that contradicts the lesson is said as it is.

    Parameters
    ----------
    rows : list of dict
        The differences of one domain, as in summary.json.
    """
    sentences = []
    if pretrained := [row for row in rows if row["condition"] == "cooccurrence"]:
        sentences.append(
            "Word vectors learned from unlabelled text, against random ones: "
            f"{_verdicts(pretrained)}."
        )
    clauses = []
    if tuned := [row for row in rows if row["condition"] == "cooccurrence-finetuned"]:
        clause = f"training them further with the labels: {_verdicts(tuned)}"
        if not any(row["verdict"] == "better" for row in tuned):
            clause += " (words that the labels never show receive no gradient)"
        clauses.append(clause)
    if controls := [row for row in rows if CONDITIONS[row["condition"]].control]:
        clauses.append(_controls(controls))
    if clauses:
        sentence = "; ".join(clauses) + "."
        sentences.append(sentence[0].upper() + sentence[1:])
    return sentences


def _verdicts(rows: list[dict[str, Any]]) -> str:
    """Return, for instance, "better at 64 labels (by 0.070), cannot tell at 16 labels"."""
    clauses = []
    for verdict in ("better", "worse", "cannot tell"):
        mine = [row for row in rows if row["verdict"] == verdict]
        if not mine:
            continue
        clause = f"{verdict} at {_budgets(mine, rows)}"
        if verdict != "cannot tell":
            sizes = sorted(f"{abs(row['difference']):.3f}" for row in mine)
            clause += f" (by {' to '.join(dict.fromkeys((sizes[0], sizes[-1])))})"
        clauses.append(clause)
    return ", ".join(clauses)


def _budgets(mine: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    if len(mine) == len(rows) > 1:
        return "every budget"
    *most, last = (str(row["budget"]) for row in mine)
    return f"{', '.join(most)} and {last} labels" if most else f"{last} labels"


def _controls(rows: list[dict[str, Any]]) -> str:
    gaining = [row for row in rows if row["verdict"] == "better"]
    if not gaining:
        return "no control is better than its baseline, as it should be"
    found = ", ".join(
        f"{row['condition']} is better than {row['baseline']} at {row['budget']} labels "
        f"(by {row['difference']:.3f})"
        for row in gaining
    )
    return (
        f"but a control that should gain nothing does: {found}, so the gain above is not all due "
        "to the company that words keep"
    )


def _wrap(text: str) -> str:
    return textwrap.fill(text, 79, break_long_words=False, break_on_hyphens=False)
