"""A kata's page: the lesson, what its demo prints and draws, the stub, hints, the library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from minilm.compare.report.page.markup import escape, image, paragraph
from minilm.course import experiments, pages, phases, predictions, stubs
from minilm.course.book import markdown
from minilm.course.book.demo_output import Output, Picture
from minilm.course.book.layout import Page, Part, facts, link
from minilm.course.book.listing import listing
from minilm.course.book.markdown import Place, Section, fold, inline, pre
from minilm.course.book.shelf import Shelf, source_of
from minilm.course.catalog import Kata

_EXPLORE, _LIVE, _EXERCISES = "Hands-on exploration", "Live code", "Exercises"
_ROOT = "../"
# Where a sentence ends, and not after an initial, as in "G. Zipf".
_SENTENCE = re.compile(r"(?<=[.?!)])(?<! [A-Z]\.)(?<!\([A-Z]\.)\s+(?=[A-Z`*(])")


def write(shelf: Shelf, kata: Kata, output: Output) -> Page:
    """Return the page of a kata, with what its demo prints and draws."""
    place = shelf.place(kata.title, _ROOT, kata.number)
    return Page(
        path=shelf.page(kata),
        title=kata.title,
        kicker=escape(f"Kata {kata.number}, in {phases.title(kata.phase, kata.phase_name)}"),
        lead=_facts(shelf, kata),
        parts=list(_parts(shelf, kata, output, place)),
        after=_steps(shelf, kata),
    )


def start(kata: Kata) -> str:
    """Return the file that a learner starts a kata with."""
    return experiments.form(kata) if kata.is_experiment else stubs.stub(kata)


def _facts(shelf: Shelf, kata: Kata) -> str:
    write = ", ".join(f"<code>{escape(path.rpartition('.')[2])}</code>" for path in kata.paths)
    return facts(
        {
            "Time": f"about {kata.minutes} minutes",
            "Difficulty": f"{kata.difficulty} of 5",
            "After": shelf.links(kata.prerequisites, _ROOT),
            "Needs": f"<code>{escape(kata.needs)}</code>" if kata.needs else "",
            "You write": write or "nothing: you predict, run and explain",
        }
    )


def _parts(shelf: Shelf, kata: Kata, output: Output, place: Place) -> Iterator[Part]:
    """Yield the sections: the lesson's own, in its order, and what the book adds.

    What follows the marker gives the answers away, so it is folded; the exercises come last.
    """
    begun = pages.before_answers(kata.lesson())
    answers = markdown.sections(kata.lesson()[len(begun) :])
    for part in markdown.sections(begun):
        content = markdown.html(part.text, place, part.title)
        if part.title == _EXPLORE and kata.is_experiment:
            content += "\n" + _questions(kata, output)
        yield _part(part.title, content)
    shown = [part for part in answers if part.title != _EXERCISES]
    if shown:
        title = ", ".join(part.title for part in shown)
        content = "\n".join(_answer(kata, part, output, place) for part in shown)
        lead = paragraph(
            "Write down what you expect before you open this: it gives the answers away."
        )
        yield Part("answers", "The answers", f"{lead}\n{fold(title, content, 'answers')}")
    yield Part("write-it", *_writing(shelf, kata))
    yield Part("hints", "Hints", "\n".join(_hints(kata, place)))
    if kata.paths:
        yield Part("library", "In the library", "\n".join(_library(kata, place)))
    for part in answers:
        if part.title == _EXERCISES:
            yield _part(part.title, markdown.html(part.text, place, part.title))


def _part(title: str, content: str) -> Part:
    return Part(markdown.identifier(title), title, content)


# ---------------------------------------------------------------------- predictions and answers


def _questions(kata: Kata, output: Output) -> str:
    """Return what an experiment asks for, each with what came out of it, folded."""
    rows = []
    for question in experiments.questions(kata):
        kind = "in words" if question.words else f"a number, {question.low:g} to {question.high:g}"
        answer = question.answer if question.words else _measured(output.measured[question.name])
        rows.append(
            f"<li>{escape(question.text)} ({kind})\n{fold('The answer', paragraph(answer))}</li>"
        )
    lead = "<h3>What the file asks you for</h3>"
    return f"{lead}\n<ol>\n" + "\n".join(rows) + "\n</ol>"


def _measured(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return f"One run measured {value:.3g}."
    mean, low, high = value
    return f"One run measured {mean:.3g}, with an interval from {low:.3g} to {high:.3g}."


def _answer(kata: Kata, part: Section, output: Output, place: Place) -> str:
    """Return a section that gives answers; live code has the pictures, the output and the code."""
    head = f"<h3>{escape(part.title)}</h3>"
    text = re.sub(r"^### ", "#### ", part.text, flags=re.M)
    if part.title != _LIVE:
        return f"{head}\n{markdown.html(text, place, part.title)}"
    figures = [_figure(kata, picture) for picture in output.pictures]
    note = paragraph(markdown.EXAMPLE, "note") if "```example" in kata.lesson() else ""
    said = f"Everything that the demo of kata {kata.number} prints"
    demo = (kata.folder / "demo.py").read_text(encoding="utf-8")
    return "\n".join(
        [
            head,
            markdown.html(text, place, part.title, figures),
            fold("Everything that the demo prints", note + pre(output.text, said, "demo")),
            fold("The demo's code", listing(demo, f"The demo of kata {kata.number}", copy=True)),
        ]
    )


def _figure(kata: Kata, picture: Picture) -> str:
    alt = " ".join([*said_of_picture(kata), picture.description])
    number = "_".join(kata.name.split("_")[:2])
    shown = image(picture.svg, alt, picture.width, picture.height)
    return (
        f'<figure tabindex="0">{shown}\n'
        f"<figcaption>From the demo: <code>{number}_{escape(picture.name)}.png</code>"
        "</figcaption></figure>"
    )


def said_of_picture(kata: Kata) -> list[str]:
    """Return the sentences with which a lesson speaks of its demo's picture."""
    _, _, rest = kata.lesson().partition(f"\n## {_LIVE}\n")
    texts = [
        " ".join(block.lines)
        for block in pages.blocks(re.split(r"\n## ", rest)[0])
        if block.kind in ("text", "item")
    ]
    return [
        markdown.plain(sentence)
        for text in texts
        for sentence in _SENTENCE.split(text)
        if re.search(r"\bpictures?\b", sentence)
    ]


# ---------------------------------------------------------------------- writing it


def _writing(shelf: Shelf, kata: Kata) -> tuple[str, str]:
    """Return the title and the content of the section with the file to start from."""
    number = kata.number
    if kata.is_experiment:
        title, what = "Predict and run", "The file for your predictions"
        steps = [
            f"<code>minilm kata start {number}</code> puts this file into <code>mykatas/</code>. "
            "Write down what you expect.",
            f"<code>minilm kata demo {number}</code> runs the experiment.",
            f"<code>minilm kata check {number}</code> puts your predictions beside the results.",
        ]
    else:
        title, what = "Write it", "The stub"
        steps = [
            f"<code>minilm kata start {number}</code> puts this file into <code>mykatas/</code>.",
            f"<code>minilm kata check {number}</code> checks it; "
            "<code>minilm kata watch</code> does so whenever you save.",
            f"<code>minilm kata plug {number}</code> trains a real model with what you wrote.",
        ]
    items = "".join(f"<li>{step}</li>" for step in steps)
    file = shelf.start(kata).removeprefix("katas/")
    name = file.rpartition("/")[2]
    return title, "\n".join(
        [
            f"<ol>{items}</ol>",
            listing(start(kata), f"{what} of kata {number}", copy=True),
            f"<p>The same as a file to save: {link(file, name, ' download')}</p>",
        ]
    )


def _hints(kata: Kata, place: Place) -> Iterator[str]:
    yield paragraph("From a nudge to nearly there. Try again after each.")
    for number, hint in enumerate(kata.hints, 1):
        yield fold(f"Hint {number}", f"<p>{inline(hint, place)}</p>")


def _library(kata: Kata, place: Place) -> Iterator[str]:
    yield paragraph("Read it once yours has passed: this is the function that yours replaces.")
    if kata.library:
        yield f"<p>{inline(kata.library, place)}</p>"
    for target in kata.targets:
        source = source_of(target.reference)
        if source is None:
            continue
        where = f"<p>{link(_ROOT + source.page, source.name)}</p>"
        shown = listing(source.text, f"{target.name} in the library")
        yield fold(f"{target.name} in the library", f"{where}\n{shown}")


def _steps(shelf: Shelf, kata: Kata) -> str:
    """Return links to the katas before and after."""
    at = [one.number for one in shelf.katas].index(kata.number)
    found = []
    if at > 0:
        before = shelf.katas[at - 1]
        text = f"Previous: {before.number} {before.title}"
        found.append(link(_ROOT + shelf.page(before), text, ' rel="prev"'))
    if at + 1 < len(shelf.katas):
        after = shelf.katas[at + 1]
        text = f"Next: {after.number} {after.title}"
        found.append(link(_ROOT + shelf.page(after), text, ' rel="next"'))
    links = "\n".join(found)
    return f'<nav class="steps" aria-label="Previous and next kata">\n{links}\n</nav>'


def questions(kata: Kata) -> list[str]:
    """Return what a learner predicts."""
    if kata.is_experiment:
        return [question.text for question in experiments.questions(kata)]
    return predictions.questions(kata)
