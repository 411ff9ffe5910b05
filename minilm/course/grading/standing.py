"""Where a class is in the course: from the states that learners' folders keep.

For each learner it shows the kata that was checked last and has not passed, how long it has been
failing, after how many checks, and on which mistake. A learner whose last check passed is at the
next kata.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from minilm import progress
from minilm.compare.report.results import printable
from minilm.course import catalog
from minilm.course.grading import running, sources, submissions
from minilm.errors import InputError

PASSED = "passed"


@dataclass(frozen=True)
class Standing:
    """Where one learner is.

    Attributes
    ----------
    student : str
    passed : int
        How many katas have passed at some time.
    kata : str
        The one that is worked on, or that comes next; empty after the last.
    state : {"stuck", "started", "next", "done", "unknown"}
        "stuck": it failed its last check; "started": it was not checked yet; "next": the learner is
        between two katas; "done": no kata is left; "unknown": no state that can be read.
    checks : int
        Of this kata.
    failing : float or None
        Seconds from the first check that failed to the last.
    last : str
        When something was checked last, in UTC; empty where nothing was.
    mistake : str
        The name of the last mistake.
    solutions : int
        How many were taken before passing.
    problem : str
    """

    student: str
    passed: int = 0
    kata: str = ""
    state: str = "unknown"
    checks: int = 0
    failing: float | None = None
    last: str = ""
    mistake: str = ""
    solutions: int = 0
    problem: str = ""


def of_class(place: Path) -> list[Standing]:
    """Return where the learners are whose folders are in a folder or zip, by student.

    Raises
    ------
    InputError
        When there is no state of a learner.
    """
    handed_in = submissions.find(place, needs_kata=False)
    damaged = any(sources.is_state(one.file) for one in handed_in.submissions)
    if not damaged and not any(handed_in.states.values()):
        raise InputError(
            "holds no .state.json of a learner; collect the folders mykatas, each in a folder with "
            "its student's name",
            place,
        )
    problems = {one.student: one.problem for one in handed_in.submissions if one.problem}
    found = []
    for student in handed_in.students:
        records = handed_in.states[student]
        if records:
            found.append(_standing(student, records))
        else:
            text = problems.get(student, "no .state.json was handed in")
            found.append(Standing(student, problem=text))
    return found


def _standing(student: str, records: Mapping[str, Any]) -> Standing:
    katas = [kata for kata in catalog.all_katas() if kata.number in records]
    passed = [kata for kata in katas if _has_passed(records[kata.number])]
    taken = sum(record.get("solution") == "given up" for record in records.values())
    dates = [text for record in records.values() if (text := _date_text(record.get("checked")))]
    common = {"passed": len(passed), "solutions": taken, "last": max(dates, default="")}
    # The one touched last is the one being worked on.
    current = max(katas, key=lambda k: _touched(records[k.number]), default=None)
    if current is None or _has_passed(records[current.number]):
        after = current.order if current else ()
        following = [k for k in catalog.all_katas() if k.order > after and k not in passed]
        following = following or [k for k in catalog.all_katas() if k not in passed]
        if not following:
            return Standing(student, state="done", **common)
        return Standing(student, kata=following[0].number, state="next", **common)
    record = records[current.number]
    first, last = _date(record.get("failing")), _date(record.get("checked"))
    seconds = (last - first).total_seconds() if first and last else None
    mistake = record.get("mistake")
    return Standing(
        student,
        kata=current.number,
        state="stuck" if record.get("result") == "failed" else "started",
        checks=record.get("checks", 0),
        failing=seconds,
        mistake=mistake if isinstance(mistake, str) else "",
        **common,
    )


def _has_passed(record: Mapping[str, Any]) -> bool:
    return record.get("result") == PASSED or "passed" in record


def _touched(record: Mapping[str, Any]) -> str:
    return max(_date_text(record.get("checked")), _date_text(record.get("started")))


def _date(text: Any) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _date_text(text: Any) -> str:
    found = _date(text)
    return "" if found is None else found.isoformat(timespec="seconds")


def as_json(found: Sequence[Standing]) -> dict[str, Any]:
    """Return where learners are as JSON can have it."""
    return {
        "students": [asdict(one) for one in found],
        "katas": [{"kata": kata, "students": count} for kata, count in _at(found)],
    }


def _at(found: Sequence[Standing]) -> list[tuple[str, int]]:
    """Return how many learners are at which kata, in the order of the course."""
    counts = Counter(one.kata for one in found if one.kata)
    return [(k.number, counts[k.number]) for k in catalog.all_katas() if counts[k.number]]


def render(found: Sequence[Standing]) -> str:
    """Return where learners are, as text of 79 columns: those who have been stuck longest first."""
    lines = [f"{'student':<22}{'passed':>6}  {'at':>5}  {'stuck for':<13}{'checks':>6}  on"]
    ordered = sorted(found, key=lambda one: (one.failing is None, -(one.failing or 0), one.student))
    for one in ordered:
        name = _cut(printable(one.student), 21)
        stuck = progress.duration(one.failing) if one.failing is not None else ""
        on = {"next": "the next one", "done": "all done", "started": "not checked yet"}.get(
            one.state, ""
        )
        if one.mistake:
            on = running.mistake_in_words(one.kata, one.mistake)[0]
        if one.problem:
            on = one.problem
        checks = str(one.checks) if one.checks else ""
        row = f"{name:<22}{one.passed:>6}  {one.kata:>5}  {stuck:<13}{checks:>6}  {_cut(on, 21)}"
        lines.append(row.rstrip())
    lines += ["", "How many are at each kata:"]
    for number, count in _at(found):
        lines.append(f"  {count:>3}  {number:>5}  {_cut(catalog.find(number).title, 60)}")
    stuck_on = Counter((one.kata, one.mistake) for one in found if one.mistake)
    if stuck_on:
        lines += ["", "What they are stuck on:"]
    for (number, mistake), count in stuck_on.most_common(8):
        words, explanation = running.mistake_in_words(number, mistake)
        lines.append(f"  {count:>3}  {number:>5}  {_cut(f'{words}: {explanation}', 63)}")
    return "\n".join(lines)


def _cut(text: str, width: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."
