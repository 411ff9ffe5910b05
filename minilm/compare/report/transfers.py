"""What transfers: which text helps in which field."""

from __future__ import annotations

from minilm.compare.report.results import Record, Results

#: What is gained by pretraining, in each family.
PAIRS = (("cooccurrence", "random"), ("transformer-finetuned", "transformer-scratch"))


def rows(results: Results) -> list[Record]:
    """Return the gains of all tasks and texts, at home, with most labels and most words."""
    summary = results.summary
    most = {corpus: max(amounts) for corpus, amounts in summary["words"].items()}
    found = [
        row
        for row in summary["differences"]
        if pair(row) in PAIRS
        and row["domain"] == summary["domains"][row["task"]][0]
        and row["words"] == most.get(row["corpus"])
    ]
    budgets: dict[str, int] = {}
    for row in found:
        budgets[row["task"]] = max(row["budget"], budgets.get(row["task"], 0))
    return [row for row in found if row["budget"] == budgets[row["task"]]]


def has_fields(results: Results) -> bool:
    """Return whether there are several tasks or several texts."""
    return len({(row["task"], row["corpus"]) for row in rows(results)}) > 1


def pair(row: Record) -> tuple[str, str]:
    """Return the condition and its baseline."""
    return row["condition"], row["baseline"]


def title(found: list[Record]) -> str:
    """Return what the gains are, with how many labels and words where these are the same for all.

    Texts are cut at whole documents, so that "equal" is equal within a hundredth.

    >>> rows = [{"budget": 64, "words": 20_013}, {"budget": 64, "words": 19_998}]
    >>> title(rows)
    'points gained, 64 labels, 20,000 words of each text'
    >>> title([*rows, {"budget": 16, "words": 5_000}])
    'points gained'
    """
    budgets, words = ({row[name] for row in found} for name in ("budget", "words"))
    parts = ["points gained"]
    if len(budgets) == 1:
        parts.append(f"{budgets.pop()} labels")
    if max(words) <= 1.01 * min(words):
        parts.append(f"{float(f'{max(words):.2g}'):,.0f} words of each text")
    return ", ".join(parts)
