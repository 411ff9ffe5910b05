"""Whether a run supports what a page says of it: verdicts, numbers, settings.

What it does not support raises `claims.ClaimError`, with what the summary says and what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from minilm.course.evidence import claims
from minilm.course.evidence.claims import Claim, Written


def main_rows(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the comparisons that a page may claim: those on the first text to pretrain on."""
    return [row for row in summary["differences"] if row.get("main", True)]


def compared(claim: Claim, summary: Mapping[str, Any]) -> str:
    """Return the line about a claim that agrees with its verdict; raise where it does not."""
    a, b = (_condition(name, summary) for name in (claim.a, claim.b))
    if a == b:
        raise claims.ClaimError(
            "same_condition", f"{a} is compared with itself; name the other one"
        )
    if claim.budget not in summary["budgets"]:
        raise claims.ClaimError(
            "budget_not_run",
            f"nothing was run at {claim.budget} labels; the run has {_listed(summary['budgets'])}",
        )
    rows = _rows(claim.file, summary)
    row = _pair(a, b, claim.budget, rows)
    if row is None:
        raise claims.ClaimError("pair_not_compared", _not_compared(a, b, rows))
    _check_verdict(a, b, claim, row, rows)
    _check_numbers(claim, row)
    return _said(a, b, row)


def _condition(name: str, summary: Mapping[str, Any]) -> str:
    """Return the condition of the run that a name means."""
    names = list(dict.fromkeys(row["condition"] for row in summary["conditions"]))
    wanted = re.sub(r"[\s_]+", "-", name.strip("\"'*_,;: ").lower()).removeprefix("the-")
    for one in names:
        if _letters(one) == _letters(wanted):
            return one
    # Here, as it takes a while to load, and every command of the course would have to wait for it.
    from minilm.compare.conditions import CONDITIONS

    if wanted in CONDITIONS:
        raise claims.ClaimError(
            "not_run", f"{wanted} was not run; this run has {_listed(names)}. Take the claim out"
        )
    close = difflib.get_close_matches(wanted, names, 1, 0.6) or [
        one for one in names if wanted in one.split("-")
    ]
    said = f"did you mean {_listed(close[:2], 'or')}?" if close else f"it has {_listed(names)}"
    raise claims.ClaimError("unknown_condition", f'the run has no condition "{name}"; {said}')


def _letters(name: str) -> str:
    """Return a name without what people write in different ways: "TF-IDF" is "tfidf"."""
    return "".join(filter(str.isalnum, name.lower()))


def _rows(file: str, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the comparisons on a file's test items; where none is named, on the task's own."""
    rows = main_rows(summary)
    own = [row for row in rows if row["domain"] == row["task"]]
    places = list(dict.fromkeys(row["domain"] for row in rows))
    if not file:
        tasks = list(dict.fromkeys(row["task"] for row in own))
        if len(tasks) > 1:
            raise claims.ClaimError(
                "no_file", f'the run has {_listed(tasks)}; write which, as in "on {tasks[0]}"'
            )
        return own
    name = Path(file).stem if file.endswith((".csv", ".tsv", ".jsonl")) else file
    if name not in places:
        raise claims.ClaimError(
            "file_not_run", f"nothing was tested on {file}; the run has {_listed(places)}"
        )
    return [row for row in own if row["domain"] == name] or [
        row for row in rows if row["domain"] == name
    ]


def _pair(a: str, b: str, budget: int, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the comparison of a with b, turned around where the run has b against a."""
    for row in rows:
        if row["budget"] != budget or {row["condition"], row["baseline"]} != {a, b}:
            continue
        if row["condition"] == a:
            return dict(row)
        return {
            **row,
            "difference": -row["difference"],
            "low": -row["high"],
            "high": -row["low"],
            "verdict": claims.OPPOSITE[row["verdict"]],
        }
    return None


def _not_compared(a: str, b: str, rows: Sequence[Mapping[str, Any]]) -> str:
    pairs = dict.fromkeys((row["condition"], row["baseline"]) for row in rows)
    near = [f"{x} with {y}" for x, y in pairs if {x, y} & {a, b}]
    return (
        f"the run did not compare {a} with {b}, and a comparison that was not planned has no "
        f"verdict; it compared {_listed(near)}"
    )


def _check_verdict(
    a: str,
    b: str,
    claim: Claim,
    row: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    found = row["verdict"]
    if found == claim.verdict:
        return
    budget = claim.budget
    others = sorted({one["budget"] for one in rows} - {budget})
    elsewhere = [
        one
        for one in others
        if (other := _pair(a, b, one, rows)) and other["verdict"] == claim.verdict
    ]
    said = f"at {budget} labels the summary says {_said(a, b, row)}"
    if elsewhere:
        raise claims.ClaimError(
            "mixed_budgets",
            f'{said}. "{claim.verdict}" is the verdict at {_listed(elsewhere)} labels; '
            "are the budgets mixed up?",
        )
    if found == claims.CANNOT_TELL:
        raise claims.ClaimError(
            "claims_too_much",
            f'{said}. The mean is on one side, but luck could have done that: write "cannot tell '
            f'{a} from {b}"',
        )
    if claim.verdict == claims.CANNOT_TELL:
        raise claims.ClaimError(
            "claims_too_little",
            f"{said}. Your run can tell the two apart, and you may claim it",
        )
    raise claims.ClaimError(
        "swapped",
        f'{said}, the opposite. Swap the two names, or write "{found}"',
    )


def _check_numbers(claim: Claim, row: Mapping[str, Any]) -> None:
    measured = f"{row['difference']:+.3f} {_interval(row)}"
    if claim.interval is not None:
        ends = tuple(zip(claim.interval, (row["low"], row["high"]), strict=True))
        if not all(_agrees(written, true) for written, true in ends):
            raise claims.ClaimError(
                "interval_differs",
                f"the interval is not the one in the summary, {measured}; copy that one",
            )
    if claim.difference is None or _agrees(claim.difference, row["difference"]):
        return
    value = claim.difference[0]
    inside = row["low"] <= value <= row["high"]
    if inside:
        kind, said = "number_differs", "is not the one that was measured"
    else:
        kind, said = "number_outside", "is outside the interval"
    raise claims.ClaimError(
        kind, f"the difference {value:+.3g} {said}; the summary has {measured}, copy it"
    )


def _agrees(written: Written, true: float) -> bool:
    """Return whether a number is the true one, rounded or cut to the digits that are written."""
    value, digit = written
    return abs(value - true) <= digit * (1 + 1e-9)


def _said(a: str, b: str, row: Mapping[str, Any]) -> str:
    """Return a comparison in words, with its numbers."""
    numbers = f"{row['difference']:+.3f} {_interval(row)}"
    if row["verdict"] == claims.CANNOT_TELL:
        return f"cannot tell {a} from {b} ({numbers})"
    return f"{a} is {row['verdict']} than {b} ({numbers})"


def _interval(row: Mapping[str, Any]) -> str:
    return f"[{row['low']:+.3f}, {row['high']:+.3f}]"


def settings(lines: Sequence[str], summary: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield kind, text and line of the settings that a page states and the run did not have.

    They are looked for in the section that has a line SETTINGS, and nowhere else: elsewhere a
    learner may write what another run would need.
    """
    places = [n for n, label, _ in claims.labelled(lines) if label == "SETTINGS"]
    if not places:
        return
    first = max((n for n in range(1, places[0]) if claims.HEADING.match(lines[n - 1])), default=0)
    last = next(
        (n for n in range(places[0] + 1, len(lines) + 1) if claims.HEADING.match(lines[n - 1])),
        len(lines) + 1,
    )
    stated = 0
    for number in range(first + 1, last):
        found = list(_stated(lines[number - 1]))
        stated += len(found)
        for what, value in found:
            if problem := _setting_problem(what, value, summary):
                yield "settings_differ", problem, number
    if not stated:
        said = "no setting can be read here; write for example SETTINGS: 4 draws, 3 pretrainings"
        yield "settings_unreadable", said, places[0]


_SETTINGS = {
    "draws": r"(?:draws?|seeds?)",
    "pretrainings": r"(?:pretrainings?|pretrained\s+models?)",
    "test items": r"(?:test\s+(?:items?|reviews?|texts?)|tests)",
    "labels": r"labels?",
}


def _stated(line: str) -> Iterator[tuple[str, int]]:
    """Yield what a line states, such as ("draws", 4), for "4 draws" and for "draws: 4"."""
    for what, pattern in _SETTINGS.items():
        before = rf"\b{claims.COUNT}(?:\s+and\s+{claims.COUNT})?\s+{pattern}\b"
        after = rf"\b{pattern}\s*[:=]\s*{claims.COUNT}(?:\s*(?:,|and)\s*{claims.COUNT})?\b"
        for form in (before, after):
            for numbers in re.findall(form, line, re.I):
                for number in filter(None, numbers):
                    word = number.lower()
                    yield what, claims.COUNT_WORDS.get(word) or int(word.replace(",", ""))


def _setting_problem(what: str, value: int, summary: Mapping[str, Any]) -> str | None:
    items = {n for sizes in summary["test_items"].values() for n in sizes.values()}
    had = {
        "draws": {summary["seeds"]},
        "pretrainings": {summary["pretrainings"]},
        "test items": items,
        "labels": set(summary["budgets"]),
    }[what]
    if value in had:
        return None
    return f"the page says {value:,} {what}; the run had {_listed(sorted(had))}"


def _listed(values: Sequence[Any], last: str = "and") -> str:
    """Return values as a list in a sentence.

    >>> _listed([1, 2, 3]), _listed(["a"])
    ('1, 2 and 3', 'a')
    """
    texts = [f"{value:,}" if isinstance(value, int) else str(value) for value in values]
    return f" {last} ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
