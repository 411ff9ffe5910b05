"""The pages that are texts: the index, the teacher's plans, the data card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from minilm import resources
from minilm.compare.report.page import shell
from minilm.compare.report.page.markup import escape
from minilm.course import phases
from minilm.course.book import markdown
from minilm.course.book.layout import INDEX, TEACHERS, TEXTS, Page, Part, link
from minilm.course.book.markdown import Place
from minilm.course.book.shelf import Shelf
from minilm.course.catalog import Kata

_TEXTS = "texts"
# The texts beside this module: their pages, and the pages that are linked above them.
GUIDES = {
    TEACHERS: "teachers.md",
    "lesson-plan.html": "lesson_plan.md",
    "handout.html": "handout.md",
    "term-plan.html": "term_plan.md",
    "offline.html": "offline.md",
}
# A line of a plan that lists katas: they are shown with their titles and minutes.
_KATAS = re.compile(r"^Katas: (.*)$", re.M)


def text(name: str) -> str:
    """Return one of the texts of the book, Markdown."""
    return shell.part(f"{_TEXTS}/{name}", __package__)


def index(shelf: Shelf) -> Page:
    """Return the first page: the katas by phases, with their minutes and prerequisites."""
    place = shelf.place("the course", "")
    welcome = text("welcome.md")
    parts = [
        Part(f"phase-{phase}", phases.title(phase, katas[0].phase_name), _phase(shelf, katas))
        for phase, katas in _by_phase(shelf)
    ]
    hours = round(sum(kata.minutes for kata in shelf.katas) / 60)
    lead = markdown.html(_without_title(welcome), place)
    count = f"<p>{len(shelf.katas)} katas in {len(parts)} phases, about {hours} hours.</p>"
    return Page(path=INDEX, title=_title(welcome), lead=f"{lead}\n{count}", parts=parts)


def _by_phase(shelf: Shelf) -> Iterator[tuple[int, list[Kata]]]:
    for phase, katas in groupby(shelf.katas, key=lambda kata: kata.phase):
        yield phase, list(katas)


def _phase(shelf: Shelf, katas: list[Kata]) -> str:
    phase = phases.PHASES.get(katas[0].phase)
    minutes = sum(kata.minutes for kata in katas)
    said = f"About {minutes} minutes."
    if phase:
        said += f" At the end, {phase.milestone}."
    rows = "\n".join(
        f"<li><span>{kata.number}</span> <span>{link(shelf.page(kata), kata.title)}</span> "
        f'<span class="about">{shelf.about(kata, "")}</span></li>'
        for kata in katas
    )
    return f'<p>{escape(said)}</p>\n<ul class="katas">\n{rows}\n</ul>'


def guide(shelf: Shelf, path: str) -> Page:
    """Return the page of one of the texts."""
    page = _page(shelf, path, text(GUIDES[path]))
    if path != TEACHERS:
        return page
    notes = Part("notes", "Teaching notes of each kata", "\n".join(_notes(shelf)))
    return replace(page, parts=[*page.parts, notes])


def texts(shelf: Shelf) -> Page:
    """Return the page of the corpora's data card."""
    card = resources.corpora_dir() / "README.md"
    return _page(shelf, TEXTS, card.read_text(encoding="utf-8"))


def _page(shelf: Shelf, path: str, written: str) -> Page:
    """Return a text, whose first line is its title, as a page."""
    title = _title(written)
    place = shelf.place(title, "")
    lead, parts = "", []
    for part in markdown.sections(written):
        content = _with_katas(shelf, part.text, place, part.title)
        if part.title:
            name = markdown.plain(part.title)
            parts.append(Part(markdown.identifier(name), name, content))
        else:
            lead = content
    return Page(path=path, title=title, lead=lead, parts=parts)


def _with_katas(shelf: Shelf, written: str, place: Place, heading: str) -> str:
    """Return a section as HTML, where a line that lists katas becomes a list of them."""
    before, *rest = _KATAS.split(written)
    shown = [markdown.folded(before, place, heading)] if before.strip() else []
    for numbers, after in zip(rest[::2], rest[1::2], strict=True):
        shown.append(_listed(shelf, re.findall(r"\d+\.\d+", numbers)))
        if after.strip():
            shown.append(markdown.folded(after, place, heading))
    return "\n".join(shown)


def _listed(shelf: Shelf, numbers: list[str]) -> str:
    """Return katas with their minutes, and the sum; one that this book does not have says so."""
    known = {kata.number: kata for kata in shelf.katas}
    rows = []
    for number in numbers:
        kata = known.get(number)
        if kata is None:
            rows.append(f"<li>{number}, which this copy of the course does not have</li>")
        else:
            rows.append(f"<li>{shelf.link(kata, '')}, {kata.minutes} minutes</li>")
    total = sum(known[number].minutes for number in numbers if number in known)
    return "<ul>\n" + "\n".join(rows) + f"\n</ul>\n<p>Together about {total} minutes.</p>"


def _notes(shelf: Shelf) -> Iterator[str]:
    yield (
        "<p>For each kata: questions to discuss with sample answers, what students get wrong, what "
        "they predict, and a solution.</p>"
    )
    for phase, katas in _by_phase(shelf):
        rows = "\n".join(
            f"<li>{link(shelf.teaching(kata), f'{kata.number} {kata.title}')}, "
            f"{kata.minutes} minutes</li>"
            for kata in katas
        )
        title = escape(phases.title(phase, katas[0].phase_name))
        yield f"<h3>{title}</h3>\n<ul>\n{rows}\n</ul>"


def _title(written: str) -> str:
    return written.partition("\n")[0].removeprefix("# ").strip()


def _without_title(written: str) -> str:
    return written.partition("\n")[2]
