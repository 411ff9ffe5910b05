"""`grades.html`: the gradebook as one page, in the style of the report.

What a class may see on a projector is first, and has no names: how many passed, and the most common
mistakes. Names and points follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import minilm
from minilm.compare.report.page import Section, document, shell
from minilm.compare.report.page.markup import Cell, escape, items, number, paragraph, table
from minilm.course.grading import feedback, running
from minilm.course.grading.gradebook import Gradebook
from minilm.course.grading.running import Result

_MOST_MISTAKES = 12  # on the page; the tables have all


def render(book: Gradebook) -> str:
    """Return the page."""
    wanted = len(book.students) * len(book.katas)
    handed_in = len(book.counting())
    answers = paragraph(
        f"{_many(len(book.students), 'student')}, {_many(len(book.katas), 'kata')}: "
        f"{book.passed()} of {wanted} passed, {handed_in} handed in.",
        "answer",
    )
    style = shell.part("gradebook.css", __package__)
    return document(
        "The gradebook",
        _sections(book),
        kicker=f"A class, graded with minilm {minilm.__version__}",
        answers=answers,
        lead="",
        footer=f"Made by minilm {escape(minilm.__version__)} with "
        "<code>minilm kata grade</code>. The tables are beside it as CSV.",
        style=style,
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _sections(book: Gradebook) -> Iterator[Section]:
    if book.common_mistakes():
        yield Section("mistakes", "The most common mistakes", _mistakes(book))
    yield Section("katas", "By kata", [_katas(book)])
    yield Section("grades", "Points", _grades(book), "wide")
    if book.marks:
        yield Section("marks", "Worth a look", _marks(book))
    if refused := book.refused():
        rows: list[list[Cell | str]] = [[r.student, r.file, r.message] for r in refused]
        found = table("refused-table", "Each with its reason", ["student", "file", "why"], rows)
        yield Section("refused", "What could not be graded", [found])
    if book.unrecognized:
        text = (
            "The names of these files contain no kata, and they do not define a kata's functions:"
        )
        yield Section("unknown", "Not recognized", [paragraph(text), items(book.unrecognized)])
    yield Section("students", "Student by student", [_student(book, s) for s in book.students])
    yield Section("points", "How points are counted", _points(book))


def _mistakes(book: Gradebook) -> list[str]:
    found = []
    for kata, mistake, count in book.common_mistakes()[:_MOST_MISTAKES]:
        words, explanation = running.mistake_in_words(kata, mistake)
        head = f"{_many(count, 'student')}, kata {feedback.title(kata)}: {words}."
        said = explanation[:1].upper() + explanation[1:]
        found.append(f"<li><strong>{escape(head)}</strong> {_inline(said)}</li>")
    text = "Over all tries, the most common first."
    return [paragraph(text), f'<ul class="mistakes">{"".join(found)}</ul>']


def _inline(text: str) -> str:
    """Return a sentence with the marks of a docstring, code and emphasis, as HTML."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?!\w)", r"<em>\1</em>", marked)


def _katas(book: Gradebook) -> str:
    counting = book.counting()
    rows: list[list[Cell | str]] = []
    for kata in book.katas:
        found = [counting[s, kata.number] for s in book.students if (s, kata.number) in counting]
        passed = sum(result.passed for result in found)
        partly = sum(not result.passed and result.points > 0 for result in found)
        counts = [passed, partly, len(found) - passed - partly, len(book.students) - len(found)]
        rows.append([feedback.title(kata.number), *(number(count, "d") for count in counts)])
    heads = ["kata", "passed", "partly right", "not passed", "not handed in"]
    return table("katas-table", "How many students", heads, rows)


def _grades(book: Gradebook) -> list[str]:
    counting = book.counting()
    rows: list[list[Cell | str]] = []
    for student in book.students:
        cells = [_grade(counting.get((student, kata.number))) for kata in book.katas]
        rows.append([student, number(book.total(student), ".2f"), *cells])
    heads = ["student", "points", *(kata.number for kata in book.katas)]
    caption = f"Points by student and kata, of {len(book.katas)} together; empty: not handed in"
    return [f'<div class="grades">{table("grades-table", caption, heads, rows)}</div>']


def _grade(result: Result | None) -> Cell:
    """Return a cell of the gradebook; what it means is in its text, not in its color alone."""
    if result is None:
        return Cell("")
    if result.passed:
        return Cell("1 ✓", 1.0, "full")
    return Cell(f"{result.points:.2f}", result.points, "part" if result.points else "none")


def _marks(book: Gradebook) -> list[str]:
    rows: list[list[Cell | str]] = [[m.student, m.kata, m.kind, m.text] for m in book.marks]
    text = (
        "These are remarks, not verdicts: ask before you conclude. Code is compared as syntax "
        "trees, so renaming variables and adding comments hides nothing. Short functions, which "
        "many people write the same way, are left out."
    )
    heads = ["student", "kata", "kind", "what was seen"]
    return [paragraph(text), table("marks-table", "What was seen", heads, rows)]


def _student(book: Gradebook, student: str) -> str:
    whole = feedback.text(book, student).partition("\n\n")[2]
    summary, _, rest = whole.partition("\n")
    return (
        f"<details><summary>{escape(student)}: {escape(summary)}</summary>\n"
        f'<pre tabindex="0">{escape(rest.strip(chr(10)))}</pre></details>'
    )


def _points(book: Gradebook) -> list[str]:
    stages = ", ".join(" or ".join(names) for names in running.STAGES)
    tries = {
        "best": "Of several tries at a kata the best counts.",
        "last": "Of several tries at a kata the last counts: by the platform's own order, then by "
        "the number in the file's name, then by when the file was written.",
    }
    found = [
        "A kata that passes is worth 1 point.",
        f"One that does not pass is worth a share of it: how many of the {len(running.STAGES)} "
        f"stages of a check it passed before the first that failed. The stages: {stages}.",
        "An unchanged stub is worth nothing, and neither is code that does not finish in time.",
        tries[book.tries],
    ]
    if any(kata.is_experiment for kata in book.katas):
        found.append(
            "An experiment has two stages, predictions and run; the capstone has a third, its page "
            "of evidence. Where the student's .state.json was not handed in, whether an "
            "experiment ran is not known: then the predictions are worth the whole point, but not "
            "in the capstone, whose page is about the run."
        )
    return [items(found)]
