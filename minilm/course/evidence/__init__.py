"""A page of evidence: each of its claims is compared with a verdict in a comparison's summary.

`claims.py` reads the page, and `support.py` holds it against the run. A claim agrees when the run
has compared its two conditions at its number of labels with the verdict that it states, and when
the difference and the interval are the run's, where it has them.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm import files
from minilm.course.catalog import Kata
from minilm.course.evidence import claims, support
from minilm.course.reports import Failure, Report
from minilm.errors import InputError

TEMPLATE = "report.md"
SECTION = "section_empty"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Problem:
    """Something on a page that the run does not support.

    Attributes
    ----------
    kind : str
        In one word, for a gradebook: "claims_too_much", "swapped", "budget_not_run", ...
    text : str
        What the summary says, and what to do.
    line : int
        Of the page.
    """

    kind: str
    text: str
    line: int


# ---------------------------------------------------------------------- the page of a kata


def template(kata: Kata) -> str | None:
    """Return the page that a learner starts from, or None where a kata asks for none."""
    path = kata.folder / TEMPLATE
    return path.read_text(encoding="utf-8") if path.exists() else None


def file_name(kata: Kata) -> str:
    """Return the name of the learner's page, such as "10_4_report.md"."""
    return "_".join([*kata.number.split("."), TEMPLATE])


def run_name(kata: Kata) -> str:
    """Return the folder of the run that the kata's demo makes, inside the learner's folder."""
    return "_".join([*kata.number.split("."), "comparison"])


def check(kata: Kata, page: Path, folder: Path, *, elsewhere: bool = True) -> Report:
    """Check a page of evidence against the run that it is about.

    Parameters
    ----------
    kata : Kata
        One with a template.
    page : Path
        The learner's page, whatever its name.
    folder : Path
        Where the runs are: that of the kata's demo, or the one that the page names after "RUN:".
    elsewhere : bool
        Whether the page may name a run outside the folder; not for somebody else's page.

    Returns
    -------
    Report
        Where it fails, the first problem is the failure, and its `mistake` the problem's kind; the
        others are among the notes. Where it passes, the notes put each claim beside the numbers.
    """
    name = page.name
    try:
        text = page.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        said = f"there is no page {name}; minilm kata start {kata.number} writes one to fill in"
        return _failed(kata, name, [Problem("no_page", said, 0)])
    except (OSError, UnicodeDecodeError):
        return _failed(
            kata, name, [Problem("no_page", f"{name} is not UTF-8 text; save it as UTF-8", 0)]
        )
    lines = claims.lines_of(text)
    if problem := _untouched(text, lines, template(kata) or ""):
        return _failed(kata, name, [problem])
    try:
        summary = _summary(_run(kata, lines, folder, elsewhere))
    except InputError as error:
        line = next((n for n, label, _ in claims.labelled(lines) if label == "RUN"), 0)
        return _failed(kata, name, [Problem("no_run", str(error), line)])
    good, problems = read(lines, summary)
    if problems:
        return _failed(kata, name, problems, len(good))
    stated = len(support.main_rows(summary))
    notes = (
        *good,
        f"The run has {stated} comparisons, and the page states {len(good)}. If you chose them "
        "after you saw the results, say so on the page.",
    )
    return Report(kata.number, True, (_agreeing(len(good)),), notes=notes)


def read(lines: Sequence[str], summary: Mapping[str, Any]) -> tuple[list[str], list[Problem]]:
    """Compare a page with a summary.

    Parameters
    ----------
    lines : sequence of str
        Of the page, without comments.
    summary : mapping
        The content of summary.json.

    Returns
    -------
    list of str
        A line about each claim that agrees.
    list of Problem
        In the order of the page; what is not written yet comes last.
    """
    good: list[str] = []
    problems = list(_empty_sections(lines))
    count = 0
    for number, label, rest in claims.labelled(lines):
        if label == "CLAIM":
            count += 1
            try:
                good.append(f"line {number}: {support.compared(claims.parse(rest), summary)}")
            except claims.ClaimError as error:
                problems.append(Problem(error.kind, str(error), number))
    problems += [
        Problem("unread_claim", f"this claim cannot be read; write it as {claims.FORM}", number)
        for number in claims.unread(lines)
    ]
    problems += [Problem(*found) for found in support.settings(lines, summary)]
    if not count:
        said = f"the page makes no claim; write each on a line of its own, such as {claims.FORM}"
        problems.append(Problem("no_claim", said, 0))
    return good, sorted(problems, key=lambda one: (one.kind == SECTION, one.line))


def _agreeing(count: int) -> str:
    return f"{count} claim{'s' * (count != 1)} agree{'s' * (count == 1)} with the run"


def _failed(kata: Kata, name: str, problems: Sequence[Problem], good: int = 0) -> Report:
    first, *others = problems
    where = f"line {first.line}: " if first.line else ""
    failure = Failure(
        "evidence",
        where + first.text,
        mistake=first.kind,
        line=first.line or None,
        file=name,
    )
    notes = tuple(f"line {other.line}: {other.text}" for other in others)
    ok = (_agreeing(good),) if good else ()
    return Report(kata.number, False, ok, failure, notes)


def _untouched(text: str, lines: Sequence[str], first: str) -> Problem | None:
    if not "".join(lines).strip():
        return Problem("empty_page", "the page is empty; write your claims on it", 0)
    if text.split() == first.split():
        return Problem("empty_page", "the page is still the template; write your claims on it", 0)
    return None


def _empty_sections(lines: Sequence[str]) -> Iterator[Problem]:
    """Yield the headings under which nothing is written."""
    places = [i for i, line in enumerate(lines) if claims.HEADING.match(line)]
    for place, end in itertools.pairwise([*places, len(lines)]):
        level = len(lines[place]) - len(lines[place].lstrip("#"))
        if level > 1 and not "".join(lines[place + 1 : end]).strip():
            title = lines[place].strip("# ")
            said = f'nothing is written under "{title}"; write it, or take the heading out'
            yield Problem(SECTION, said, place + 1)


def _run(kata: Kata, lines: Sequence[str], folder: Path, elsewhere: bool) -> Path:
    """Return the summary's file of the run that a page is about."""
    named = next((rest for _, label, rest in claims.labelled(lines) if label == "RUN" and rest), "")
    named = named.strip("`\"' ").removesuffix(SUMMARY).rstrip("/\\") or run_name(kata)
    places = [folder / named, Path(named)] if elsewhere else [folder / named]
    for place in places:
        # A name may be anything that somebody typed.
        with contextlib.suppress(OSError, ValueError):
            path = (place / SUMMARY).resolve()
            if path.is_file() and (elsewhere or path.is_relative_to(folder.resolve())):
                return path
    raise InputError(
        f"the run {named} has no {SUMMARY}; run the demo first, or write the folder of your "
        "comparison after RUN:"
    )


def _summary(path: Path) -> dict[str, Any]:
    """Return the summary of a comparison, with what is read of it here in place."""
    found = files.read_json(path)
    try:
        for row in found["differences"]:
            names = [row[key] for key in ("task", "domain", "condition", "baseline")]
            numbers = [row[key] for key in ("budget", "difference", "low", "high")]
            good = (
                all(isinstance(name, str) for name in names) and row["verdict"] in claims.OPPOSITE
            )
            if not good or not all(isinstance(number, int | float) for number in numbers):
                raise TypeError
        conditions = [row["condition"] for row in found["conditions"]]
        sizes = [n for items in found["test_items"].values() for n in items.values()]
        counts = [*found["budgets"], *sizes, found["seeds"], found["pretrainings"]]
        if not all(isinstance(n, str) for n in conditions) or not all(
            isinstance(n, int) for n in counts
        ):
            raise TypeError
    except (KeyError, TypeError, AttributeError):
        raise InputError("is not the summary of a comparison; run it again", path) from None
    return dict(found)
