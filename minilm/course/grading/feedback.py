"""A text for each student: what passed, what did not, what the mistake is, and what to do next."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from minilm.compare.report.results import printable
from minilm.course import catalog
from minilm.course.grading import running
from minilm.course.grading.gradebook import Gradebook
from minilm.course.grading.running import Result

HEAD = "Feedback for "  # how each text begins
_WIDTH = 79
# Names that Windows keeps for devices.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def text(book: Gradebook, student: str) -> str:
    """Return the feedback for a student."""
    mine = book.of_student(student)
    counting = book.counting()
    passed = sum(
        counting[student, k.number].passed for k in book.katas if (student, k.number) in counting
    )
    lines = [
        f"{HEAD}{printable(student)}",
        "",
        f"{passed} of {len(book.katas)} katas passed, {book.total(student):g} of "
        f"{len(book.katas)} points.",
    ]
    for kata in book.katas:
        lines += ["", f"Kata {kata.number}  {kata.title}"]
        tries = [result for result in mine if result.kata == kata.number]
        chosen = counting.get((student, kata.number))
        if chosen is None:
            lines.append("  not handed in: 0 points")
            continue
        lines += about(chosen)
        if len(tries) > 1:
            lines.append(f"  You handed in {len(tries)} tries; the {book.tries} one counts.")
    other = [result for result in mine if not result.kata or result not in counting.values()]
    other = [result for result in other if result.stage == running.REFUSED]
    if other:
        lines += ["", "Not graded:"]
        lines += _wrapped([f"{result.file}: {result.message}" for result in other])
    return "\n".join(lines) + "\n"


def about(result: Result) -> list[str]:
    """Return what there is to say about a result, in lines."""
    name = result.file.rpartition("/")[2]
    place = f"{name}{f', line {result.line}' if result.line else ''}"
    if result.passed:
        note = [result.note] if result.note else []
        return [f"  passed: {_points(result.points)}", *_wrapped([place, *note])]
    said = f"{result.target}: {result.message}" if result.target else result.message
    paragraphs = [place, f"What is wrong: {said}."]
    if result.case:
        paragraphs.append(f"In the case: {result.case}.")
    if result.step:
        paragraphs.append(f"On the way: {result.step}.")
    paragraphs += explained(result)
    if result.note:
        paragraphs.append(result.note)
    if result.stage == "run":
        paragraphs.append(f"Next: minilm kata demo {result.kata}")
    elif result.stage != running.REFUSED:
        paragraphs.append(f"Next: minilm kata hint {result.kata}")
    part = "partly right" if result.points else "not passed"
    return [f"  {part}: {_points(result.points)}", *_wrapped(paragraphs)]


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def explained(result: Result) -> list[str]:
    """Return the mistake in words: its name where it has one, and what it is."""
    if not result.explanation:
        return []
    named = ""
    if result.mistake:
        named = f"The mistake: {running.mistake_in_words(result.kata, result.mistake)[0]}. "
    first, *rest = result.explanation.split("\n\n")
    return [named + first, *rest]


def _wrapped(paragraphs: Sequence[str]) -> list[str]:
    return [
        line
        for paragraph in paragraphs
        for line in textwrap.wrap(
            printable(" ".join(paragraph.replace("..", ".").split())),
            _WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
    ]


def file_names(students: Sequence[str]) -> dict[str, str]:
    """Return a name of a file for each student: safe on every system, and each once.

    >>> list(file_names(["Ada Lovelace", "ada/lovelace", "..", "CON"]).values())
    ['Ada_Lovelace.txt', 'ada_lovelace-2.txt', 'student.txt', 'CON_.txt']
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for student in students:
        name = re.sub(r"[^\w.-]+", "_", student).strip("._-")[:60] or "student"
        name = f"{name}_" if _DEVICES.fullmatch(name) else name
        free, number = name, 1
        while free.casefold() in taken:
            number += 1
            free = f"{name}-{number}"
        taken.add(free.casefold())
        found[student] = f"{free}.txt"
    return found


def title(number: str) -> str:
    """Return a kata's number and title."""
    return f"{number} {catalog.find(number).title}"
