"""What would change the conclusion: how small a difference can be seen, and what is fragile.

Each sentence follows from figures of the summary. Together they tell a reader where to doubt, and
what to do about it: more pretrainings, more test items, more draws, another text.
"""

from __future__ import annotations

import itertools

import numpy as np

from minilm.compare.report import reading
from minilm.compare.report.results import Record, Results

# Below this, a bootstrap over the draws sees too little of their spread: in the simulations of
# `bootstrap`, 4 % false claims with three draws, 18 % with one, where 5 % are meant.
FEW_SEEDS = 4
# A claim whose corrected p lies between these could well fall with another draw.
_THIN = (0.01, 0.05)
# How many rows a sentence names, and beyond how many items nobody would test.
_MOST = 4
# From this many pretrainings on, the factor for few ones is small.
_FEW_PRETRAININGS = 9
_TOO_MANY = 100_000


def sentences(results: Results) -> list[str]:
    """Return what would change the conclusion about a task, the simplest first."""
    return [
        *_resolution(results),
        *_pretrainings(results),
        *too_few_items(results),
        *_thin(results),
        *_controls(results),
        *_elsewhere(results),
        *_other_texts(results),
        *missing(results),
    ]


def _resolution(results: Results) -> list[str]:
    items = results.summary["test_items"][results.task][results.home]
    seeds = results.summary["seeds"]
    smallest = results.summary["resolvable"][results.task][results.home]
    found = [
        f"{items:,} test items and {seeds} {'draws' if seeds > 1 else 'draw'} can show a "
        f"difference of about {100 * smallest:.1f} points between two unrelated classifiers, not "
        f"less. Halving that takes about four times as many test items."
    ]
    if seeds < FEW_SEEDS:
        found.append(
            f"With {seeds} {'draws' if seeds > 1 else 'draw'} of the labelled examples, how much "
            f"the draw matters is hardly in the intervals: at least {FEW_SEEDS} are needed, 10 are "
            "better (--seeds)."
        )
    return found


def _pretrainings(results: Results) -> list[str]:
    """Say how much pretraining itself varies, as far as it was tried."""
    drawn = [name for name in results.names if results.about(name)["drawn"]]
    if not drawn:
        return []
    many = results.summary["pretrainings"]
    if many == 1:
        return [
            "There was one pretraining. Another order of the same documents and other initial "
            "parameters give another transformer, and how much that matters is not in the "
            "intervals (--pretrainings 3 or more)."
        ]
    found = (
        f"Pretraining is a source of variation too: there were {many}, with other orders of the "
        "documents and other initial parameters."
    )
    if spread := _spread(results, drawn):
        found += f" {spread}"
    return [
        f"{found} {many} are few, and the intervals are wider for it; more of them "
        "(--pretrainings) narrow them."
        if many < _FEW_PRETRAININGS
        else found
    ]


def _spread(results: Results, drawn: list[str]) -> str:
    """Return by how much the mean accuracies of the pretrainings differ, where that is known."""
    budget = results.budgets[-1]
    ranges = {}
    for name, runs in results.main_runs(budget).items():
        numbers = sorted({p for _, p in runs.keys})
        if name in drawn and results.about(name)["uses_text"] and len(numbers) > 1:
            own = np.array([p for _, p in runs.keys])
            means = [float(runs.right[own == number].mean()) for number in numbers]
            ranges[name] = min(means), max(means)
    if not ranges:
        return ""
    name = max(ranges, key=lambda name: ranges[name][1] - ranges[name][0])
    low, high = ranges[name]
    return (
        f"They mattered most to {name}: with {budget} labels its means were {low:.3f} to "
        f"{high:.3f}, depending on the pretraining."
    )


def _own(results: Results) -> list[Record]:
    """Return the main differences at home of conditions that are no controls."""
    rows = results.rows("differences")
    return [row for row in rows if not results.about(row["condition"])["control"]]


def too_few_items(results: Results) -> list[str]:
    """Return how many test items, or whether more draws, the undecided differences would need."""
    rows = [r for r in _own(results) if r["verdict"] == "cannot tell" and r["items_needed"]]
    rows.sort(key=lambda row: row["items_needed"])
    items = results.summary["test_items"][results.task][results.home]
    few_draws = [row for row in rows if row["items_needed"] <= items]
    rows = [row for row in rows if row["items_needed"] > items]
    found = []
    if few_draws:
        parts = "; ".join(_named(row) for row in few_draws[:_MOST])
        found.append(
            f"{items:,} test items are enough to tell these apart, but results vary too much "
            f"between draws or pretrainings (more of them: --seeds, --pretrainings): {parts}"
            f"{' and others' * (len(few_draws) > _MOST)}."
        )
    named = [row for row in rows[:_MOST] if row["items_needed"] <= _TOO_MANY]
    if named:
        parts = "; ".join(f"{_named(row)}: about {row['items_needed']:,}" for row in named)
        found.append(
            '"Cannot tell" is not "no difference". If the differences found are the true ones, '
            f"this many test items would show them: {parts}"
            f"{'; others need more' * (len(rows) > len(named))}."
        )
    elif rows:
        found.append(
            f"To tell any of the others apart would take more than {_TOO_MANY:,} test items."
        )
    return found


def _named(row: Record) -> str:
    return (
        f"{row['condition']} against {row['baseline']} at {row['budget']} labels "
        f"({100 * row['difference']:+.1f} points)"
    )


def _thin(results: Results) -> list[str]:
    rows = [
        row
        for row in _own(results)
        if row["verdict"] != "cannot tell" and _THIN[0] < row["p_adjusted"] <= _THIN[1]
    ]
    if not rows:
        return []
    parts = "; ".join(
        f"{row['condition']} against {row['baseline']} at {row['budget']} labels "
        f"(corrected p {row['p_adjusted']:.3f})"
        for row in rows[:_MOST]
    )
    return [
        "These verdicts are fragile, and other pretrainings, draws or test items might reverse "
        "them: "
        f"{parts}{' and others' * (len(rows) > _MOST)}."
    ]


def _controls(results: Results) -> list[str]:
    rows = [
        row for row in results.rows("differences") if results.about(row["condition"])["control"]
    ]
    if not rows:
        return [
            "No control was run. A gain that text with shuffled words gives as well would not be "
            "due to which words occur together."
        ]
    most = max(rows, key=lambda row: row["difference"])
    where = (
        f"{most['condition']} at {most['budget']} labels, {100 * most['difference']:+.1f} points "
        f"[{100 * most['low']:+.1f}, {100 * most['high']:+.1f}] from {most['baseline']}"
    )
    if reading.gaining_controls(results):
        return [
            f"A control gains ({where}): as long as it does, a gain of pretraining says little "
            "about what the text teaches."
        ]
    return [
        f"The controls stayed null. The one that came nearest to gaining was {where}; if it were "
        "better than its baseline, the gains above would have another cause than the text."
    ]


def _elsewhere(results: Results) -> list[str]:
    """Say in which other domains a claim has another verdict."""
    home = {_key(row): row["verdict"] for row in reading.claims(results)}
    found = []
    for domain in results.domains[1:]:
        rows = reading.claims(results, domain)
        other = [row for row in rows if home.get(_key(row)) not in (None, row["verdict"])]
        if other:
            parts = "; ".join(
                f"{row['condition']} at {row['budget']} labels is {_quoted(row['verdict'])} there, "
                f"{_quoted(home[_key(row)])} at home"
                for row in other[:_MOST]
            )
            found.append(f"In another domain the result differs. Tested on {domain}: {parts}.")
        elif rows:
            found.append(f"Tested on {domain}, every verdict about pretraining is the same.")
    if len(results.domains) == 1:
        found.append("It was tested on one kind of text only; a second domain is --transfer FILE.")
    return found


def _key(row: Record) -> tuple[str, str, int]:
    return row["condition"], row["baseline"], row["budget"]


def _quoted(verdict: str) -> str:
    return f'"{verdict}"'


def _other_texts(results: Results) -> list[str]:
    """Say how many claims get another verdict with less text, or other text."""
    main = {_key(row): row["verdict"] for row in reading.claims(results)}
    others = [
        row
        for row in results.summary["differences"]
        if (row["task"], row["domain"]) == (results.task, results.home)
        and not row["main"]
        and _key(row) in main
    ]
    if not others:
        return []
    changed = [row for row in others if row["verdict"] != main[_key(row)]]
    if not changed:
        return ["With less text, or other text, every verdict about pretraining is the same."]
    parts = "; ".join(
        f"{row['condition']} at {row['budget']} labels with {row['words']:,} words of "
        f"{row['corpus']}: {_quoted(row['verdict'])}"
        for row in changed[:_MOST]
    )
    return [f"With less text, or other text, the result differs: {parts}."]


def missing(results: Results) -> list[str]:
    """Return how many runs failed, and how many have not been done yet."""
    found = []
    failed = [row for row in results.summary["failed"] if row["task"] == results.task]
    if failed:
        names = ", ".join(dict.fromkeys(row["condition"] for row in failed))
        found.append(
            f"{len(failed)} {'runs' if len(failed) > 1 else 'run'} failed ({names}) and what they "
            "would have found is missing; results.csv has the errors."
        )
    done = {
        (cell["condition"], cell["budget"]): cell["runs"] + cell["failed"]
        for cell in results.summary["conditions"]
        if cell["main"] and (cell["task"], cell["domain"]) == (results.task, results.home)
    }
    wanted = itertools.product(results.summary["names"], results.budgets)
    left = sum(_wanted(results, name) - done.get((name, budget), 0) for name, budget in wanted)
    if left:
        found.append(
            f"The comparison is not finished, {left} {'runs are' if left > 1 else 'run is'} "
            "missing; the same command with --resume does the rest."
        )
    return found


def _wanted(results: Results, name: str) -> int:
    """Return how many runs of a condition there should be at a budget."""
    crossed = results.summary["crossed"] and results.about(name)["drawn"]
    return int(results.summary["seeds"]) * (int(results.summary["pretrainings"]) if crossed else 1)
