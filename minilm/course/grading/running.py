"""Each submission in an isolated process, here or on other machines; and its points.

A submission takes 0.2 s of computing, nearly all of it to start Python and load NumPy. On two cores
one worker took 0.34 s for each (175 a minute) with nothing else running, and two workers graded 225
a minute beside other programs. On paper, 100,000 submissions are six hours of one core, or six
minutes on 64 cores of a cluster with --dask; their texts take half a gigabyte of memory where the
command runs.
"""

from __future__ import annotations

import functools
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from minilm.compare.executors import Lost, Place
from minilm.compare.report.results import printable
from minilm.course import catalog, process
from minilm.course.catalog import Kata
from minilm.course.grading.submissions import Submission
from minilm.course.reports import Failure, Report
from minilm.course.stubs import NOT_WRITTEN

# What a program needs of the environment; the rest (keys, tokens) is nobody's business.
_VARIABLES = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "MINILM_KATAS")

# The stages of a check, in their order. What fails at one has passed those before it.
STAGES: tuple[tuple[str, ...], ...] = (
    ("import",),
    ("structure",),
    ("finite",),
    ("values", "gradients"),
    ("properties",),
    ("model",),
    ("inputs",),
    ("dtype",),
    ("refusals",),
)
_EXPERIMENT_STAGES: tuple[tuple[str, ...], ...] = (("import", "structure"), ("run",), ("evidence",))
_MOST_TEXT = 4000  # characters of a message
REFUSED = "file"  # the stage of what was not checked at all


@dataclass(frozen=True)
class Result:
    """One graded file, or one that could not be graded: a row of the table.

    Attributes
    ----------
    student, kata, file : str
    passed : bool
    stage : str
        What failed; empty if nothing did, "file" if the file was not checked.
    target, output : str
        The function and the result that is wrong.
    mistake : str
        The name of the wrong answer that gives the same.
    message : str
    line : int or None
        Of a notebook there is none.
    points : float
        From 0 to 1.
    explanation : str
        What the mistake is, in words.
    case, step : str
        Which inputs, and the first intermediate that is wrong.
    note : str
        What else a reader should know.
    counts : bool
        Whether this is the try that counts.
    """

    student: str
    kata: str
    file: str
    passed: bool
    stage: str = ""
    target: str = ""
    output: str = ""
    mistake: str = ""
    message: str = ""
    line: int | None = None
    points: float = 0.0
    explanation: str = ""
    case: str = ""
    step: str = ""
    note: str = ""
    counts: bool = True


@dataclass(frozen=True)
class Graded:
    """A result, with what was seen in the code (see `marks.seen`)."""

    result: Result
    seen: Mapping[str, Any] = field(default_factory=lambda: {"functions": {}, "library": []})
    order: tuple[Any, ...] = ()


def grade(submissions: Iterable[Submission], place: Place, seconds: float) -> Iterator[Graded]:
    """Grade submissions, in any order; those with a problem get it as their result.

    Parameters
    ----------
    submissions : iterable of Submission
    place : Place
        Where the processes are started.
    seconds : float
        For the code of one submission.
    """
    jobs = []
    for one in submissions:
        if one.problem:
            yield Graded(_refused(one, one.problem), order=one.order)
        else:
            jobs.append(one)
    for job, found in place.map(_graded, seconds, [[job] for job in jobs]):
        if isinstance(found, Lost):
            found = Graded(_refused(job, found.reason), order=job.order)
        yield found


def _refused(one: Submission, reason: str) -> Result:
    return Result(one.student, one.kata, one.file, False, REFUSED, message=reason)


def _graded(seconds: float, one: Submission) -> Graded:
    """Grade a submission; the files of its process are in a scratch folder of its own."""
    kata = catalog.find(one.kata)
    environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="minilm-grade-", ignore_cleanup_errors=True) as scratch:
        place = Path(scratch).resolve()
        for name, data in one.beside:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_bytes(data)
        # Under the kata's own name: what a platform made of it may be no name on this system.
        path = place / f"{kata.name}{'.ipynb' if one.is_notebook else '.py'}"
        path.write_bytes(one.data)
        homes = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(place))
        ending = process.run(
            {
                "action": "grade",
                "number": kata.number,
                "file": str(path),
                "scratch": str(place),
                "run": json.loads(one.run) if one.run else None,
            },
            seconds=seconds,
            file=path,
            cwd=place,
            environment={**environment, **homes},
        )
    seen = ending.result.pop("seen", None) if isinstance(ending.result, dict) else None
    report = process.report(ending, kata.number)
    result = _result(one, report)
    return Graded(result, seen or Graded(result).seen, one.order)


def _told(text: str | None) -> str:
    """Return what a report says, as every file can hold it, and not without end."""
    text = printable(text or "")
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}..."


def _result(one: Submission, report: Report) -> Result:
    failure = report.failure or Failure("", "")
    note = " ".join(report.notes)
    if failure.stage == "run" and not one.run:
        note = "Hand in the whole folder mykatas: .state.json in it says that the experiment ran."
    result = Result(
        one.student,
        one.kata,
        one.file,
        report.passed,
        failure.stage,
        _told(failure.target),
        _told(failure.output),
        _told(failure.mistake),
        _told(failure.text),
        None if one.is_notebook else failure.line,
        points(report),
        _told(f"{failure.certainty}: {failure.looks_like}") if failure.looks_like else "",
        _told(failure.case),
        _told(failure.step),
        _told(note),
    )
    if failure.stage == "run" and not one.run and not _has_page(catalog.find(one.kata)):
        note = (
            "The predictions are written. Whether the experiment ran is recorded in .state.json, "
        )
        note += "which was not handed in."
        return replace(result, passed=True, stage="", message="", points=1.0, note=note)
    return result


def points(report: Report) -> float:
    """Return the points of a check, from 0 to 1: the share of its stages that passed.

    An unchanged stub gets none. Neither does code that did not finish in time: nothing is known of
    it.

    >>> points(Report("4.6", False, failure=Failure("model", "the loss differs")))
    0.56
    """
    if report.failure is None:
        return 1.0 if report.passed else 0.0
    if report.failure.text.startswith(NOT_WRITTEN):
        return 0.0
    kata = catalog.find(report.number)
    stages = STAGES
    if kata.is_experiment:
        stages = _EXPERIMENT_STAGES[: 3 if _has_page(kata) else 2]
    passed = next((i for i, names in enumerate(stages) if report.failure.stage in names), 0)
    return round(passed / len(stages), 2)


def _has_page(kata: Kata) -> bool:
    """Return whether an experiment asks for a page of evidence too."""
    return (kata.folder / "report.md").exists()


def counted(graded: Iterable[Graded], *, best: bool) -> list[Graded]:
    """Return everything graded, by student, kata and try, with the tries that count marked.

    Parameters
    ----------
    graded : iterable of Graded
    best : bool
        Whether a student's best try at a kata counts, of equals the last; otherwise the last does.
    """
    ordered = sorted(graded, key=_by_student)
    chosen: dict[tuple[str, str], int] = {}
    for i, one in enumerate(ordered):
        key = (one.result.student, one.result.kata)
        before = chosen.get(key)
        if before is None or not best or one.result.points >= ordered[before].result.points:
            chosen[key] = i
    kept = set(chosen.values())
    return [
        replace(one, result=replace(one.result, counts=i in kept and bool(one.result.kata)))
        for i, one in enumerate(ordered)
    ]


def _by_student(one: Graded) -> tuple[Any, ...]:
    kata = one.result.kata
    number = catalog.find(kata).order if kata else ()
    # What was refused has no order; it is not the last try.
    return one.result.student, number, bool(one.order), one.order, one.result.file


@functools.cache
def mistake_in_words(kata: str, mistake: str) -> tuple[str, str]:
    """Return the name of a wrong answer as words, and its explanation.

    Examples
    --------
    >>> mistake_in_words("4.6", "statistics_as_constants")[0]
    'statistics as constants'
    >>> mistake_in_words("1.2", "UnknownForgotten")[0]
    'unknown forgotten'
    """
    found = {m.name: m.explanation for m in catalog.find(kata).mistakes()}
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", mistake)
    words = parts.lower() if parts != mistake else mistake
    return words.replace("_", " "), " ".join(found.get(mistake, "").split())
