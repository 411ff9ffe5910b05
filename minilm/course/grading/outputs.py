"""The gradebook as files: tables, one page, a text for each student; as JSON; for Gradescope.

    grades.csv      a row for each student, a column for each kata, and the points together
    results.csv     a row for each file that was handed in
    marks.csv       what a teacher should look at
    grades.html     all of it to read
    feedback/       a text for each student; those of an earlier grading are removed

Everything is written whole or not at all, and nothing outside the folder.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import minilm
from minilm import files
from minilm.course.grading import feedback, page, running
from minilm.course.grading.gradebook import Gradebook
from minilm.course.grading.running import Result
from minilm.errors import OutputError

GRADES, RESULTS, MARKS, PAGE = "grades.csv", "results.csv", "marks.csv", "grades.html"
FEEDBACK, GRADESCOPE = "feedback", "results.json"
# How the tables begin: a teacher's own of these names are not replaced.
_HEADS = {
    GRADES: "student,points,of,passed",
    RESULTS: "student,kata,file,passed",
    MARKS: "student,kata,kind,text",
}
# What spreadsheets take for a formula when a cell begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def check(folder: Path) -> None:
    """Raise OutputError when a folder for grades cannot be made at a place."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: a file; --out is the folder of the grades")
    if folder.suffix == ".csv" and not folder.exists():
        raise OutputError(f"{folder}: --out is the folder of the grades; leave out .csv")
    for name, heads in _HEADS.items():
        path = folder / name
        if path.exists() and not _begins(path, heads):
            raise OutputError(
                f"{path}: is there already, not from minilm kata grade, and is kept; choose "
                "another folder with --out"
            )


def _begins(path: Path, heads: str) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(heads)) == heads.encode()


def write(book: Gradebook, folder: Path) -> None:
    """Write all files of a gradebook.

    Raises
    ------
    OSError
        When that is not possible.
    """
    texts = folder / FEEDBACK
    texts.mkdir(parents=True, exist_ok=True)
    _table(folder / GRADES, *_grades(book))
    heads = [field.name for field in fields(Result)]
    _table(folder / RESULTS, heads, [list(asdict(result).values()) for result in book.results])
    rows = [[mark.student, mark.kata, mark.kind, mark.text] for mark in book.marks]
    _table(folder / MARKS, ["student", "kata", "kind", "text"], rows)
    names = feedback.file_names(book.students)
    for student, name in names.items():
        _text(texts / name, feedback.text(book, student))
    for path in texts.glob("*.txt"):  # of a student who was graded here before, and is not now
        if path.name not in names.values() and _begins(path, feedback.HEAD):
            path.unlink()
    _text(folder / PAGE, page.render(book))


def _text(path: Path, text: str) -> None:
    with files.atomic_write(path) as file:
        file.write(text)


def _table(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with files.atomic_write(path) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(heads)
        table.writerows([cell(value) for value in row] for row in rows)


def cell(value: Any) -> Any:
    """Return a value for a table; text that a spreadsheet would compute gets a quote before it.

    >>> cell("=cmd|' /C calc'!A0"), cell("Ada"), cell(-0.5)
    ("'=cmd|' /C calc'!A0", 'Ada', -0.5)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _grades(book: Gradebook) -> tuple[list[str], list[list[Any]]]:
    counting = book.counting()
    heads = ["student", "points", "of", "passed", *(kata.number for kata in book.katas)]
    rows = []
    for student in book.students:
        found = [counting.get((student, kata.number)) for kata in book.katas]
        passed = sum(result is not None and result.passed for result in found)
        points = ["" if result is None else result.points for result in found]
        rows.append([student, book.total(student), len(book.katas), passed, *points])
    return heads, rows


def as_json(book: Gradebook) -> dict[str, Any]:
    """Return everything as JSON can have it."""
    return {
        "results": [asdict(result) for result in book.results],
        "common_mistakes": [
            {
                "kata": kata,
                "mistake": mistake,
                "count": count,
                "explanation": running.mistake_in_words(kata, mistake)[1],
            }
            for kata, mistake, count in book.common_mistakes()
        ],
        "students": [
            {"student": student, "points": book.total(student), "of": len(book.katas)}
            for student in book.students
        ],
        "katas": [kata.number for kata in book.katas],
        "marks": [asdict(mark) for mark in book.marks],
        "unrecognized": book.unrecognized,
        "tries": book.tries,
    }


def gradescope(book: Gradebook, seconds: float) -> dict[str, Any]:
    """Return what an autograder of Gradescope writes to `results.json` about one student [1]_.

    Parameters
    ----------
    book : Gradebook
        Of one student.
    seconds : float
        What grading took.

    References
    ----------
    .. [1] https://gradescope-autograders.readthedocs.io/en/latest/specs/
    """
    (student,) = book.students
    counting = book.counting()
    tests: list[dict[str, Any]] = []
    for kata in book.katas:
        result = counting.get((student, kata.number))
        lines = ["  not handed in"] if result is None else feedback.about(result)
        tests.append(
            {
                "name": f"Kata {kata.number}: {kata.title}",
                "number": kata.number,
                "score": 0.0 if result is None else result.points,
                "max_score": 1.0,
                "status": "passed" if result is not None and result.passed else "failed",
                "output": "\n".join(line.removeprefix("  ") for line in lines),
                "output_format": "text",
                "visibility": "visible",
            }
        )
    found: dict[str, Any] = {
        "execution_time": round(seconds),
        "output": feedback.text(book, student),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"minilm": minilm.__version__, "marks": [asdict(m) for m in book.marks]},
    }
    if not tests:
        found["score"] = 0.0  # without tests a score must be there
    if book.marks:
        said = "\n".join(f"{mark.kata}: {mark.text}" for mark in book.marks)
        tests.append({"name": "For the teacher", "output": said, "visibility": "hidden"})
        tests[-1] |= {"score": 0.0, "max_score": 0.0, "output_format": "text"}
    return found
