"""The tables of the report, each with what its figures cost."""

from __future__ import annotations

from minilm.compare.report import bets, scoreboard, transfers
from minilm.compare.report.page.markup import Cell, number, table
from minilm.compare.report.pictures import mistakes
from minilm.compare.report.results import Record, Results


def flops(value: float | None) -> Cell:
    """Return a cell with a number of floating-point operations.

    >>> flops(2.5e9).text, flops(0).text
    ('2.5 G', '0')
    """
    if value is None:
        return Cell("")
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return Cell(f"{value / size:.1f} {letter}", float(value))
    return Cell(f"{value:.0f}", float(value))


def seconds(value: float | None) -> Cell:
    """Return a cell with a time, to three digits or so."""
    return number(value, ".3f" if value is not None and value < 10 else ",.0f")


def _interval(row: Record, form: str, scale: float = 1.0) -> Cell:
    low, high = scale * row["low"], scale * row["high"]
    return Cell(f"{low:{form}} to {high:{form}}", low)


def _verdict(word: str) -> Cell:
    return Cell(word, kind="verdict" if word == "cannot tell" else "verdict told")


_COST = ("seconds a run", "operations a run", "trained parameters", "pretraining seconds")


def _cost(results: Results, cell: Record) -> list[Cell]:
    """Return what a cell's runs cost, as heads `_cost_heads` has it."""
    found = [
        seconds(cell["seconds"]),
        flops(cell["flops"]),
        number(cell["trainable_parameters"], ",.0f"),
        seconds(cell["pretrain_seconds"]),
    ]
    if results.summary["price_per_hour"] is not None:
        found.append(number(cell["money"], ".6f"))
    return found


def _cost_heads(results: Results) -> list[str]:
    priced = results.summary["price_per_hour"] is not None
    return [*_COST, *(["money a run"] if priced else [])]


def _records(results: Results, part: str, domain: str) -> list[Record]:
    """Return all rows of a part of the summary for a domain, with every amount of text."""
    rows = results.summary[part]
    return [row for row in rows if (row["task"], row["domain"]) == (results.task, domain)]


def _several_texts(records: list[Record]) -> bool:
    return len({(row["corpus"], row["words"]) for row in records if row["words"]}) > 1


def _text(row: Record) -> list[Cell | str]:
    return [row["corpus"], number(row["words"] or None, ",d")]


def accuracies(results: Results, domain: str, identifier: str) -> str:
    """Return the table of all cells of a domain: accuracy, macro-F1 and cost."""
    cells = _records(results, "conditions", domain)
    several = _several_texts(cells)
    rows = [
        [
            cell["condition"],
            number(cell["budget"], "d"),
            *(_text(cell) if several else []),
            number(cell["mean"], ".3f"),
            _interval(cell, ".3f") if cell["mean"] is not None else Cell("every run failed"),
            number(cell["macro_f1"], ".3f"),
            *_cost(results, cell),
        ]
        for cell in cells
    ]
    heads = ["condition", "labels", *(["text", "words"] if several else [])]
    heads += ["accuracy", "95 % interval", "macro-F1", *_cost_heads(results)]
    return table(identifier, f"Accuracy and cost of each condition on {domain}", heads, rows)


def differences(results: Results, domain: str, identifier: str) -> str:
    """Return the table of differences from the baselines, with verdicts, and what they cost."""
    cells = {
        (c["condition"], c["corpus"], c["words"], c["budget"]): c
        for c in _records(results, "conditions", domain)
    }
    records = _records(results, "differences", domain)
    several = _several_texts(records)
    rows = [
        [
            row["condition"],
            row["baseline"],
            number(row["budget"], "d"),
            *(_text(row) if several else []),
            number(100 * row["difference"], "+.1f"),
            _interval(row, "+.1f", 100),
            number(row["p_adjusted"], ".4f"),
            _verdict(row["verdict"]),
            number(row["items_needed"], ",d"),
            *_cost(results, cells[row["condition"], row["corpus"], row["words"], row["budget"]]),
        ]
        for row in records
    ]
    heads = ["condition", "against", "labels", *(["text", "words"] if several else []), "points"]
    heads += ["95 % interval", "p after Holm", "verdict", "test items to tell"]
    heads += _cost_heads(results)
    return table(identifier, f"Differences from the baselines on {domain}, in points", heads, rows)


def fields(results: Results) -> str:
    """Return the table of what each text gains in each field, with verdicts."""
    rows = [
        [
            row["task"],
            row["corpus"],
            number(row["words"], ",d"),
            row["condition"],
            row["baseline"],
            number(row["budget"], "d"),
            number(100 * row["difference"], "+.1f"),
            _interval(row, "+.1f", 100),
            _verdict(row["verdict"]),
        ]
        for row in transfers.rows(results)
    ]
    heads = ["task", "pretrained on", "words", "condition", "against", "labels", "points"]
    heads += ["95 % interval", "verdict"]
    return table("fields-table", "What transfers: gains by field and text, in points", heads, rows)


def pretraining(results: Results) -> str:
    """Return the table of what was pretrained, and shared by all runs with its number."""
    price = results.summary["price_per_hour"]
    rows = [
        [
            record["name"],
            number(record["pretraining"], "d"),
            record["corpus"],
            number(record["words"], ",d"),
            seconds(record["seconds"]),
            "made earlier" if record["from_cache"] else "made now",
            flops(record["flops"]),
            number(record["parameters"], ",d"),
            *([number(record["seconds"] / 3600 * price, ".6f")] if price is not None else []),
            number(record["loss"][-1][2] if record["loss"] else None, ".3f"),
        ]
        for record in results.summary["pretraining"]
    ]
    heads = ["what", "number", "text", "words", "seconds", "when", "operations", "parameters"]
    heads += [*(["money"] if price is not None else []), "last loss"]
    return table(
        "pretraining-table", "Pretraining, shared by all runs with its number", heads, rows
    )


def senses(results: Results) -> str:
    """Return the table of the words with two senses; empty where none were measured."""
    rows: list[list[Cell | str]] = [
        [
            record["word"],
            *(", ".join(cues) for cues in record["senses"]),
            number(len(record["points"]), "d"),
            number(record["contextual"]["within"], "+.2f"),
            number(record["contextual"]["between"], "+.2f"),
            number(record["contextual"]["accuracy"], ".0%"),
            number(record["static"]["accuracy"], ".0%"),
        ]
        for record in results.probes.get("two_senses") or []
    ]
    heads = ["word", "one sense, near", "another, near", "occurrences", "cosine in the same sense"]
    heads += ["in different ones", "nearest is of the same sense", "commoner sense"]
    return table("senses-table", "Words with two senses", heads, rows) if rows else ""


def conditions(results: Results) -> str:
    """Return the table of what the conditions are."""
    rows = []
    for name in results.summary["names"]:
        about = results.about(name)
        run = [baseline for baseline in about["baselines"] if baseline in results.summary["names"]]
        baselines = ", ".join(run) or "none: it is a baseline"
        rows.append([name, about["summary"], baselines, about["family"]])
    heads = ["condition", "what it is", "compared with", "family"]
    return table("conditions-table", "The conditions", heads, rows, sortable=False)


def shared_errors(results: Results, identifier: str) -> str:
    """Return the table of the texts that all conditions miss; empty where there are none."""
    rows: list[list[Cell | str]] = [
        [number(int(row["line"]), "d"), row["text"], row["is"], row["taken for"], row["missed"]]
        for row in mistakes.hardest(results)
    ]
    if not rows:
        return ""
    caption = f"The hardest of the texts that all conditions miss, {results.budgets[-1]} labels"
    return table(identifier, caption, ["line", "text", "is", "taken for", "missed in"], rows)


def bet_pairs(score: bets.Score) -> str:
    """Return the table of the pairs of a bet."""
    rows: list[list[Cell | str]] = [
        [
            f"{pair.better} above {pair.worse}",
            number(100 * pair.difference, "+.1f"),
            _interval({"low": pair.low, "high": pair.high}, "+.1f", 100),
            _verdict(pair.outcome),
        ]
        for pair in score.pairs
    ]
    heads = ["the bet", "points", "95 % interval", "outcome"]
    return table("bet-table", f"The pairs of the bet, with {score.budget} labels", heads, rows)


def scores(board: scoreboard.Scoreboard) -> str:
    """Return the scoreboard of a class."""
    rows: list[list[Cell | str]] = [
        [
            row.student,
            number(row.rank, "d"),
            Cell(f"{row.right} of {len(board.decided)}", row.right),
            number(row.wrong, "d"),
            number(row.left_out, "d"),
            " > ".join(row.order),
        ]
        for row in board.rows
    ]
    heads = ["student", "rank", "right pairs", "wrong", "left out", "the bet"]
    caption = f"The scoreboard, with {board.budget} labels; equal bets share a rank"
    return table("scores-table", caption, heads, rows)


def decided_pairs(board: scoreboard.Scoreboard) -> str:
    """Return the table of the pairs that count."""
    rows: list[list[Cell | str]] = [
        [
            f"{pair.better} above {pair.worse}",
            number(100 * pair.difference, "+.1f"),
            _interval({"low": pair.low, "high": pair.high}, "+.1f", 100),
        ]
        for pair in board.decided
    ]
    return table(
        "decided-table", "The pairs that count", ["right is", "points", "95 % interval"], rows
    )


def failures(results: Results) -> str:
    """Return the table of the runs that failed."""
    rows: list[list[Cell | str]] = [
        [
            row["condition"],
            row["task"],
            number(row["budget"], "d"),
            number(row["seed"], "d"),
            row["error"],
        ]
        for row in results.summary["failed"]
    ]
    heads = ["condition", "task", "labels", "seed", "error"]
    return table("failures-table", "Runs that failed", heads, rows)
