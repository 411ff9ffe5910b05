"""A folder of submissions: a table of results, and what the class got wrong most often.

A submission is a folder with the files of katas anywhere in it, or single files; the kata's name
is in the file's name, whatever browsers and students have put around it:

    submissions/ada/mykatas/04_6_layer_norm_backward.py
    submissions/bob_04_6_layer_norm_backward (1).py
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from minilm import files
from minilm.course import catalog, process
from minilm.course.catalog import Kata
from minilm.course.reports import Report
from minilm.errors import InputError

# What a program needs of the environment; the rest (keys, tokens) is nobody's business.
_VARIABLES = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "MINILM_KATAS")


@dataclass(frozen=True)
class Result:
    """One graded file: a row of the table.

    Attributes
    ----------
    student, kata, file : str
    passed : bool
    stage : str
        What failed; empty if nothing did.
    target, output : str
        The function and the result that is wrong.
    mistake : str
        The name of the wrong answer that gives the same.
    message : str
    line : int or None
    """

    student: str
    kata: str
    file: str
    passed: bool
    stage: str
    target: str
    output: str
    mistake: str
    message: str
    line: int | None


@dataclass(frozen=True)
class Submission:
    """A file to be graded."""

    student: str
    kata: Kata
    path: Path


def find(folder: Path) -> list[Submission]:
    """Return the submissions in a folder, by student and kata.

    Raises
    ------
    InputError
        When there are none.
    """
    katas = [kata for kata in catalog.all_katas() if not kata.is_experiment]
    found = []
    for path in _files(folder):
        parts = path.relative_to(folder).parts
        for kata in katas:
            before, name, _ = path.stem.partition(kata.name)
            if name:
                student = parts[0] if len(parts) > 1 else before.strip("_- ") or path.stem
                found.append(Submission(student, kata, path))
    if not found:
        raise InputError(
            f"holds no file of a kata, such as {katas[0].name}.py; name the folder of submissions",
            folder,
        )
    return sorted(found, key=lambda s: (s.student, s.kata.order, s.path))


def unrecognized(folder: Path) -> list[Path]:
    """Return the Python files in whose names no kata's stands: they are not graded."""
    names = [kata.name for kata in catalog.all_katas()]
    return [path for path in _files(folder) if not any(name in path.stem for name in names)]


def _files(folder: Path) -> list[Path]:
    """Return the Python files in a folder, without backups."""
    if not folder.is_dir():
        raise InputError("no such folder", folder)
    found = sorted(folder.rglob("*.py"))
    return [p for p in found if not any(x.startswith(".") for x in p.relative_to(folder).parts)]


def grade(submissions: Sequence[Submission], seconds: float) -> Iterator[Result]:
    """Check each submission in a fresh process, shut in as `isolation.py` says."""
    for submission in submissions:
        yield _result(submission, _checked(submission, seconds))


def _checked(submission: Submission, seconds: float) -> Report:
    kata, path = submission.kata, submission.path.resolve()
    environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="minilm-grade-") as scratch:
        homes = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), scratch)
        ending = process.run(
            {"action": "grade", "number": kata.number, "file": str(path), "scratch": scratch},
            seconds=seconds,
            file=path,
            cwd=Path(scratch),
            environment={**environment, **homes},
        )
    return process.report(ending, kata.number)


def _result(submission: Submission, report: Report) -> Result:
    failure = report.failure
    return Result(
        submission.student,
        submission.kata.number,
        submission.path.name,
        report.passed,
        failure.stage if failure else "",
        (failure and failure.target) or "",
        (failure and failure.output) or "",
        (failure and failure.mistake) or "",
        failure.text if failure else "",
        failure.line if failure else None,
    )


def write(results: Sequence[Result], path: Path) -> None:
    """Write the table, atomically."""
    with files.atomic_write(path) as file:
        table = csv.DictWriter(file, [f.name for f in fields(Result)], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(result) for result in results)


def common_mistakes(results: Sequence[Result]) -> list[tuple[str, str, int]]:
    """Return (kata, mistake, how many students), the most common first."""
    counts = Counter((r.kata, r.mistake) for r in results if r.mistake)
    return [(kata, mistake, count) for (kata, mistake), count in counts.most_common()]
