"""`minilm kata grade` and `minilm kata progress`: a class's work, and where the class is."""

from __future__ import annotations

import argparse
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

from minilm.cli import console
from minilm.cli.options import add_workers
from minilm.errors import OptionError

if TYPE_CHECKING:
    from minilm.course.catalog import Kata
    from minilm.course.grading.gradebook import Gradebook
    from minilm.course.grading.running import Graded
    from minilm.course.grading.submissions import HandedIn
    from minilm.course.learner import Learner

_SHOWN = 8  # of mistakes, marks and refusals; the files have all


def add_arguments(grade: argparse.ArgumentParser, progress: argparse.ArgumentParser) -> None:
    """Declare the options of both commands."""
    grade.add_argument("folder", type=Path, nargs="?", metavar="DIR|ZIP", help="the submissions")
    grade.add_argument(
        "--out", type=Path, default=Path("grades"), metavar="DIR", help="(default: grades)"
    )
    grade.add_argument(
        "--assigned",
        metavar="N,N,...",
        help="the katas that count (default: all that were handed in)",
    )
    grade.add_argument(
        "--tries",
        choices=("best", "last"),
        default="best",
        help="which of several tries at a kata counts (default: best)",
    )
    grade.add_argument("--student", metavar="NAME", help="everything was handed in by this student")
    grade.add_argument(
        "--gradescope",
        action="store_true",
        help="write results.json for Gradescope instead, about one student",
    )
    add_workers(grade)
    grade.add_argument("--dask", metavar="ADDRESS", help="a Dask cluster, such as tcp://host:8786")
    grade.add_argument(
        "--workflow",
        nargs="?",
        const="",
        metavar="FILE",
        help="print a GitHub Actions workflow for a classroom repository, or write it to FILE",
    )
    progress.add_argument(
        "folder", type=Path, metavar="DIR|ZIP", help="holds the folder of each learner"
    )


def grade(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    """Grade what a class handed in."""
    if options.workflow is not None:
        if options.folder is not None:
            raise OptionError(f"--workflow grades nothing; leave out {options.folder}")
        return _workflow(options.workflow)
    if options.folder is None:
        raise OptionError("name the folder or zip of submissions: minilm kata grade DIR")
    from minilm.course import catalog
    from minilm.course.grading import gradebook, outputs, submissions

    student = options.student or ("this submission" if options.gradescope else "")
    if options.student is not None and not options.student.strip():
        raise OptionError("--student: the name is empty; write it, or leave the option out")
    assigned = [catalog.find(n.strip()) for n in (options.assigned or "").split(",") if n.strip()]
    if options.assigned is not None and not assigned:
        raise OptionError("--assigned: names no kata; write them as in --assigned 4.3,4.6")
    outputs.check(options.out)
    start = time.perf_counter()
    handed_in = submissions.find(options.folder, student=student, without=options.out)
    graded = _graded(handed_in, options)
    best = options.tries == "best"
    book = gradebook.make(handed_in, graded, assigned=assigned, best=best)
    seconds = time.perf_counter() - start
    if options.gradescope:
        from minilm import files

        options.out.mkdir(parents=True, exist_ok=True)
        found = outputs.gradescope(book, seconds)
        files.write_json(options.out / outputs.GRADESCOPE, found)
    else:
        outputs.write(book, options.out)
    if options.json:
        console.print_json(outputs.as_json(book))
    elif options.gradescope:
        print(f"{(options.out / outputs.GRADESCOPE).as_posix()} is written.")
    else:
        _show(book, options.out, seconds)
    return 0


def _graded(handed_in: HandedIn, options: argparse.Namespace) -> list[Graded]:
    """Grade every submission, with a line of progress."""
    from minilm.compare import executors
    from minilm.course import sessions
    from minilm.course.grading import running
    from minilm.progress import Progress

    many = len(handed_in.submissions)
    place = executors.place(min(options.workers, max(many, 1)), options.dask)
    graded = []
    try:
        with Progress("grading", many) as progress:
            for one in running.grade(handed_in.submissions, place, sessions.CHECK_SECONDS):
                graded.append(one)
                progress.advance(note=one.result.student)
    finally:
        place.close()
    return graded


def _show(book: Gradebook, folder: Path, seconds: float) -> None:
    """Print what a teacher wants to know first."""
    from minilm.compare.report.results import printable
    from minilm.course.grading import outputs, running

    graded = len(book.results) - len(book.refused())
    print(
        f"{_many(len(book.students), 'student')}, {_many(len(book.katas), 'kata')}: "
        f"{book.passed()} of {len(book.students) * len(book.katas)} passed; "
        f"{_many(graded, 'file')} graded in {seconds:.0f} s"
    )
    if common := book.common_mistakes():
        print("The most common mistakes (students, kata):")
    for number, mistake, count in common[:_SHOWN]:
        words, explanation = running.mistake_in_words(number, mistake)
        print(f"  {count:>3}  {number:>4}  {words}")
        print(textwrap.fill(explanation, 79, initial_indent=" " * 13, subsequent_indent=" " * 13))
    parts = [
        (
            "Worth a look (remarks, not verdicts)",
            [f"{m.student}, {m.kata}: {m.text}" for m in book.marks],
        ),
        ("Not graded", [f"{r.file or r.student}: {r.message}" for r in book.refused()]),
        ("No kata is in these names", book.unrecognized),
    ]
    for title, lines in parts:
        if lines:
            print(f"{title}:")
        for line in lines[:_SHOWN]:
            print(f"  {console.cut(printable(line), 77)}")
        if len(lines) > _SHOWN:
            print(f"  and {len(lines) - _SHOWN} more")
    print(
        f"To read: {(folder / outputs.PAGE).as_posix()}. Tables: {outputs.GRADES}, "
        f"{outputs.RESULTS},\n{outputs.MARKS}; a text for each student: {outputs.FEEDBACK}/."
    )
    print("Each submission ran in its own process. Python kept it from the network, from")
    print("other programs and from writing outside a scratch folder. It could read files,")
    print("and native code is not held back: run strangers' code in a container.")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _workflow(path: str) -> int:
    """Print the workflow, or write it to a file that is not there yet."""
    from minilm.course.grading import workflow

    if path:
        workflow.write(Path(path))
        print(f"{path} is written. Commit it to the repository that students start from.")
    else:
        print(workflow.TEXT, end="")
    return 0


def progress(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    """Show where each learner of a class is."""
    from minilm.course.grading import standing

    found = standing.of_class(options.folder)
    if options.json:
        console.print_json(standing.as_json(found))
        return 0
    print(standing.render(found))
    return 0
