"""The teaching notes of a kata: what students get wrong, minutes, questions to discuss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from minilm.compare.report.page.markup import escape, paragraph
from minilm.course import phases, stubs
from minilm.course.book import kata_page, markdown
from minilm.course.book.layout import Page, Part, facts, link
from minilm.course.book.listing import listing
from minilm.course.book.markdown import Place, fold, inline
from minilm.course.book.shelf import Shelf
from minilm.course.catalog import Kata
from minilm.course.mistakes import Mistake

NOTES = "teaching.md"
_ROOT = "../"
# Words that an explanation may begin with, and that are in capitals at the start of a sentence.
_BEGINNINGS = frozenset(
    "a all an and at both by each every half here in it its no not of on one only some that the "
    "there they this two when where with without".split()
)


@dataclass(frozen=True)
class Question:
    """A question to discuss.

    Attributes
    ----------
    text : str
    answer : str
        A sample answer, in Markdown.
    """

    text: str
    answer: str


def questions(kata: Kata) -> list[Question]:
    """Return the questions to discuss; none where nobody has written them.

    Each is a heading of the second level, with its number, and the answer is what follows.
    """
    path = kata.folder / NOTES
    if not path.exists():
        return []
    parts = markdown.sections(path.read_text(encoding="utf-8"))
    return [
        Question(part.title.partition(" ")[2] if part.title[0].isdigit() else part.title, part.text)
        for part in parts
        if part.title
    ]


def write(shelf: Shelf, kata: Kata) -> Page:
    """Return the page of a kata's teaching notes."""
    place = shelf.place(kata.title, _ROOT)
    about = facts(
        {
            "The kata": shelf.link(kata, _ROOT),
            "Time": f"about {kata.minutes} minutes",
            "Difficulty": f"{kata.difficulty} of 5",
            "After": shelf.links(kata.prerequisites, _ROOT),
            "In": escape(phases.title(kata.phase, kata.phase_name)),
        }
    )
    return Page(
        path=shelf.teaching(kata),
        title=f"Teaching {kata.number}: {kata.title}",
        kicker=link(f"{_ROOT}teachers.html", "Teaching notes"),
        lead=about,
        parts=list(_parts(shelf, kata, place)),
    )


def _parts(shelf: Shelf, kata: Kata, place: Place) -> Iterator[Part]:
    if asked := questions(kata):
        yield Part("discuss", "Questions to discuss", "\n".join(_discuss(asked, place)))
    if wrong := kata.mistakes():
        yield Part("wrong", "What students get wrong", "\n".join(_wrong(wrong, place)))
    predicted = "".join(f"<li>{inline(text, place)}</li>" for text in kata_page.questions(kata))
    if predicted:
        note = paragraph(
            "Have students write their answers down before anything runs: a result can only "
            "surprise someone who expected something else."
        )
        path = _ROOT + shelf.page(kata)
        answers = f"<p>{link(f'{path}#answers', 'The answers are on the page of the kata')}</p>"
        yield Part("predict", "What they predict", f"{note}\n<ol>{predicted}</ol>\n{answers}")
    if not kata.is_experiment:
        shown = listing(stubs.solution(kata), f"A solution of kata {kata.number}", copy=True)
        yield Part("solution", "A solution", fold("A solution", shown))


def _discuss(asked: list[Question], place: Place) -> Iterator[str]:
    yield paragraph("Ask, wait, let them argue. The answers are samples, not the only right ones.")
    for number, question in enumerate(asked, 1):
        yield f"<h3>{number}. {inline(question.text, place)}</h3>"
        yield fold("A sample answer", markdown.html(question.answer, place, question.text))


def _wrong(wrong: tuple[Mistake, ...], place: Place) -> Iterator[str]:
    yield paragraph(
        "The check knows these mistakes by name, and explains them to the student in these words. "
        "They are grouped by function."
    )
    for target in dict.fromkeys(name for one in wrong for name in one.functions):
        own = [one for one in wrong if next(iter(one.functions)) == target]
        if own:
            rows = "\n".join(_mistake(one, place) for one in own)
            yield f"<h3><code>{escape(target)}</code></h3>\n<ul>\n{rows}\n</ul>"


def _mistake(one: Mistake, place: Place) -> str:
    first, _, rest = one.explanation.partition("\n\n")
    head = inline(" ".join(first.split()), place)
    if first.split()[0] in _BEGINNINGS:  # and not the name of a variable
        head = head[0].upper() + head[1:]
    return f"<li><strong>{head}</strong> {markdown.html(rest, place)}</li>"
