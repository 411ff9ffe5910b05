"""The result on a terminal: tables of 80 columns and sentences that follow from the intervals."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from minilm.compare.report import (
    bets,
    reading,
    results,
    scoreboard,
    sensitivity,
    transfers,
    worth,
)
from minilm.compare.report.results import Record, Results

# Budgets that fit beside the names in 80 characters.
_COLUMNS = 3
_NAME = 26
_PAIR = 35


def render(summary: dict[str, Any]) -> str:
    """Return the tables of every task and domain, the reading of each, and notes on the data."""
    parts = []
    for task in summary["tasks"]:
        view = Results(Path(), summary, task=task)
        if not view.cells():
            continue
        for domain in view.domains:
            parts += _domain(view, domain)
        if values := worth.sentences(view):
            parts.append(_wrap(f"How much text is worth how many labels: {' '.join(values)}"))
        parts += [_costs(view), *_doubts(view)]
    first = Results(Path(), summary, task=summary["tasks"][0])
    if transfers.has_fields(first):
        parts.append(_transfers(first))
    parts += [_wrap(f"Note: {note}.") for note in summary["notes"]]
    return "\n\n".join(parts)


def bet(folder: Path, order: list[str]) -> str:
    """Return how the bet of a folder fared."""
    score = bets.score(results.read(folder)[0], order)
    return _wrap("The bet could not be scored." if score is None else bets.sentence(score))


def class_bets(folder: Path, found: scoreboard.ClassBets) -> str:
    """Return the scoreboard of the bets of a class, and the rows that were no bets."""
    board = scoreboard.score(results.read(folder)[0], found)
    said = " ".join(scoreboard.sentences(found, board))
    parts = [_wrap(results.printable(said))]
    if board is not None and board.decided:
        lines = [f"{'rank':>4}  {'student':<20}{'right':>9}{'wrong':>7}  order"]
        for row in board.rows:
            right = f"{row.right} of {len(board.decided)}"
            name = _short(results.printable(row.student), 19)
            line = f"{row.rank:>4}  {name:<20}{right:>9}{row.wrong:>7}  "
            lines.append(line + _short(" > ".join(row.order), 79 - len(line)))
        parts.append("\n".join(lines))
    if found.unreadable:
        parts.append("Not counted:")
        parts += [f"  {_short(results.printable(text), 77)}" for text in found.unreadable]
    return "The bets of the class\n" + "\n".join(parts)


def _domain(view: Results, domain: str) -> list[str]:
    parts = [_heading(view, domain)]
    for first in range(0, len(view.budgets), _COLUMNS):
        parts.append(_accuracies(view, domain, view.budgets[first : first + _COLUMNS]))
    if rows := view.rows("differences", domain):
        parts += [_differences(rows), _wrap(" ".join(reading.sentences(view, domain)))]
    return parts


def _heading(view: Results, domain: str) -> str:
    items, seeds = view.summary["test_items"][view.task][domain], view.summary["seeds"]
    many = view.summary["pretrainings"]
    resolvable = view.summary["resolvable"][view.task][domain]
    title = _short(domain, 24)
    if domain != view.home:
        title += f", a new domain: trained on {_short(view.task, 16)}, not again"
    text = [_short(f"After {view.main_text}; the report has the others.", 79)]
    return "\n".join(
        [
            title,
            "=" * len(title),
            *text * bool(view.main_text),
            f"{items:,} test items, {seeds} draw{'s' * (seeds > 1)} of the labelled examples, "
            f"{many} pretraining{'s' * (many > 1)}.",
            f"Always the most common class: {view.chance(domain):.3f}. With this many test",
            f"items, differences below about {resolvable:.3f} cannot be detected.",
        ]
        + ["With so few draws, the intervals hardly show how much the draw matters."]
        * (seeds < sensitivity.FEW_SEEDS)
    )


def _short(text: str, width: int) -> str:
    """Return a name on one line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."


def _named(name: str, width: int, rest: str) -> list[str]:
    """Return a line of a table; a name that is too long has a line of its own.

    >>> _named("short", 8, "0.5"), _named("much longer", 8, "0.5")
    (['short   0.5'], ['much longer', '        0.5'])
    """
    if len(name) < width:
        return [f"{name:<{width}}{rest}"]
    return [_short(name, 79), " " * width + rest]


def _accuracies(view: Results, domain: str, budgets: list[int]) -> str:
    """Return the table of accuracies, a line a condition and a column a budget."""
    cells = {(c["condition"], c["budget"]): c for c in view.cells(domain=domain)}
    head = f"{'accuracy [95 %] with':<{_NAME}}" + "".join(f"{f'{b} labels':<18}" for b in budgets)
    lines = [head]
    for name in view.names:
        shown = "".join(_accuracy(cells.get((name, budget))) for budget in budgets)
        lines += _named(name, _NAME, shown)
    return "\n".join(line.rstrip() for line in lines)


def _accuracy(cell: Record | None) -> str:
    if cell is None:
        return f"{'failed':<18}"
    return f"{cell['mean']:.3f} [{cell['low']:.2f},{cell['high']:.2f}] "


def _differences(rows: list[Record]) -> str:
    """Return the table of differences, a condition and its baseline a block."""
    lines = [f"{'difference':<{_PAIR}}{'labels':>6}  {'mean [95 %]':<23}verdict"]
    for pair in dict.fromkeys((row["condition"], row["baseline"]) for row in rows):
        mine = [row for row in rows if (row["condition"], row["baseline"]) == pair]
        names = [_short(pair[0], _PAIR - 1), f"  from {_short(pair[1], _PAIR - 8)}"]
        for line in range(max(2, len(mine))):
            name = names[line] if line < 2 else ""
            rest = _difference(mine[line]) if line < len(mine) else ""
            lines.append(f"{name:<{_PAIR}}{rest}".rstrip())
    if any(row["verdict"] == "cannot tell" and row["low"] * row["high"] > 0 for row in rows):
        lines.append(
            '(An interval may leave out zero where the verdict is "cannot tell": verdicts are\n'
            "corrected for how many comparisons are made, after Holm.)"
        )
    return "\n".join(lines)


def _difference(row: Record) -> str:
    interval = f"{row['difference']:+.3f} [{row['low']:+.3f},{row['high']:+.3f}]"
    return f"{row['budget']:>6}  {interval:<23}{row['verdict']}"


def _transfers(view: Results) -> str:
    """Return the gains of each task after each text, a block for each pair of conditions."""
    found = transfers.rows(view)
    tasks, texts = (list(dict.fromkeys(row[name] for row in found)) for name in ("task", "corpus"))
    lines = [f"What transfers: {transfers.title(found)}"]
    width = 54 // min(_COLUMNS, len(texts))
    for pair in dict.fromkeys(map(transfers.pair, found)):
        shown = {
            (row["task"], row["corpus"]): f"{100 * row['difference']:+.1f} {row['verdict']}"
            for row in found
            if transfers.pair(row) == pair
        }
        for first in range(0, len(texts), _COLUMNS):
            columns = texts[first : first + _COLUMNS]
            heads = "".join(f"{_short(text, width - 1):<{width}}" for text in columns)
            lines += _named(f"{pair[0]} over {pair[1]}", _NAME, heads)
            for task in tasks:
                cells = "".join(f"{shown.get((task, text), ''):<{width}}" for text in columns)
                lines += _named(f"  {task}", _NAME, cells)
    return "\n".join(line.rstrip() for line in lines)


def _costs(view: Results) -> str:
    """Return what a run costs at the largest budget, and the pretraining that all share."""
    price = view.summary["price_per_hour"]
    budget = view.budgets[-1]
    head = f"{f'a run, {budget} labels':<{_NAME}}"
    head += f"{'seconds':>9}{'GFLOP':>9}{'trained':>11}{'pretraining s':>15}"
    lines = [head + ("" if price is None else f"{'money':>10}")]
    for cell in view.cells():
        if cell["budget"] == budget:
            rest = f"{cell['seconds']:>9.3f}{cell['flops'] / 1e9:>9.3f}"
            rest += f"{cell['trainable_parameters']:>11,.0f}{cell['pretrain_seconds']:>15.1f}"
            rest += "" if price is None else f"{cell['money']:>10.6f}"
            lines += _named(cell["condition"], _NAME, rest)
    return "\n".join(lines)


def _doubts(view: Results) -> list[str]:
    """Return how much more data the undecided differences would need, and what is missing."""
    return [_wrap(text) for text in (*sensitivity.too_few_items(view), *sensitivity.missing(view))]


def _wrap(text: str) -> str:
    return textwrap.fill(text, 79, break_on_hyphens=False)
