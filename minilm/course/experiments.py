"""Katas without a function to write: the learner predicts, runs the experiment, and compares.

The learner's file has a question in each comment and `name = None` under it. A prediction that was
made after the run teaches nothing, so what was written when the experiment ran is kept.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minilm.course import evidence, loading
from minilm.course.catalog import Kata, attribute
from minilm.course.loading import NotLoadedError
from minilm.course.reports import Failure, Report
from minilm.course.stubs import NOT_WRITTEN
from minilm.errors import InputError

_WORDS = 3


@dataclass(frozen=True)
class Question:
    """Something to predict, or to explain.

    Attributes
    ----------
    name : str
        The variable in the learner's file; of a number also the key of what the demo measures.
    text : str
        The question.
    low, high : float
        The range of a number.
    words : bool
        Whether the answer is in words.
    answer : str
        Shown beside the learner's words.
    """

    name: str
    text: str
    low: float = 0.0
    high: float = 1.0
    words: bool = False
    answer: str = ""


def questions(kata: Kata) -> Sequence[Question]:
    """Return the questions of an experiment."""
    found: Sequence[Question] = attribute(kata.module("checks"), "QUESTIONS", ())
    if not found:
        raise InputError("an experiment needs QUESTIONS", kata.folder / "checks.py")
    return found


def form(kata: Kata) -> str:
    """Return the file that a learner starts an experiment with."""
    parts = [
        f'"""Kata {kata.number}  {kata.title}\n\n'
        "Write down what you expect. The experiment runs only after that. Then:\n\n"
        f"    minilm kata demo {kata.number}     run the experiment\n"
        f"    minilm kata check {kata.number}    your predictions beside the results\n"
        f"    minilm kata read {kata.number}     the page\n"
        '"""\n'
    ]
    for i, question in enumerate(questions(kata), 1):
        kind = "in words" if question.words else f"a number, {question.low:g} to {question.high:g}"
        text = f"{i}. {question.text} ({kind})"
        comment = textwrap.wrap(text, 88, initial_indent="# ", subsequent_indent="# ")
        parts.append("\n".join([*comment, f"{question.name} = None"]) + "\n")
    return "\n".join(parts)


def read(kata: Kata, source: str, path: Path) -> dict[str, Any]:
    """Return the learner's predictions by name; NotLoadedError says what is missing or wrong."""
    return validated(kata, vars(loading.execute(source, path)), source)


def validated(kata: Kata, values: Mapping[str, Any], source: str = "") -> dict[str, Any]:
    """Return the predictions among some values; NotLoadedError says what is missing or wrong.

    Parameters
    ----------
    kata : Kata
    values : mapping
        By the names of the questions; others are ignored.
    source : str
        Of the learner's file, to say on which line a prediction is.
    """
    lines = source.splitlines()
    found = {}
    for question in questions(kata):
        value = values.get(question.name)
        problem = _problem(question, value)
        if problem:
            line = next(
                (i for i, text in enumerate(lines, 1) if text.startswith(question.name)), None
            )
            raise NotLoadedError(Failure("structure", f"{question.name} {problem}", line=line))
        found[question.name] = value
    return found


def _problem(question: Question, value: Any) -> str | None:
    if value is None:
        return f"is {NOT_WRITTEN}: {question.text}"
    if question.words:
        if not isinstance(value, str) or len(value.split()) < _WORDS:
            return f"is {value!r}; write a sentence in quotation marks"
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"is {value!r}; write a number from {question.low:g} to {question.high:g}"
    if not question.low <= value <= question.high:
        return f"is {value:g}; it must be from {question.low:g} to {question.high:g}"
    return None


def check(
    kata: Kata,
    source: str,
    path: Path,
    run: Mapping[str, Any] | None,
    *,
    elsewhere: bool = True,
) -> Report:
    """Compare predictions with what the experiment measured.

    Parameters
    ----------
    kata : Kata
    source, path
        The learner's file.
    run : mapping, optional
        "predictions" and "measured" of the last run of the experiment.
    elsewhere : bool
        Whether a page of evidence may name a run outside its folder.
    """
    try:
        predictions = read(kata, source, path)
    except NotLoadedError as error:
        return Report(kata.number, False, failure=error.failure)
    return compared(kata, predictions, run, path.parent, elsewhere=elsewhere)


def compared(
    kata: Kata,
    predictions: Mapping[str, Any],
    run: Mapping[str, Any] | None,
    folder: Path,
    *,
    elsewhere: bool = True,
) -> Report:
    """Return the report that puts valid predictions beside what the experiment measured.

    Where a kata asks for a page of evidence, the folder has the page and the run that it is about;
    `elsewhere` lets the page name a run outside of it.
    """
    begun = ("predictions written",)
    if run is None or run["predictions"] is None:
        what = "has not run yet" if run is None else "ran without your predictions; run it again"
        failure = Failure("run", f"the experiment {what}")
        return Report(kata.number, False, begun, failure)
    done = (*begun, "experiment run")
    notes = tuple(
        _compared(question, predictions[question.name], run) for question in questions(kata)
    )
    if evidence.template(kata) is None:
        return Report(kata.number, True, done, notes=notes)
    page = evidence.check(kata, folder / evidence.file_name(kata), folder, elsewhere=elsewhere)
    notes = page.notes if page.failure else (*notes, *page.notes)
    return replace(page, ok=(*done, *page.ok), notes=notes)


def _compared(question: Question, now: Any, run: Mapping[str, Any]) -> str:
    """Return the line that puts a prediction beside the measurement."""
    before = run["predictions"][question.name]
    changed = "" if before == now else f" (changed after the run; it was {before!r})"
    if question.words:
        return f"{question.name}{changed}; compare yours with: {question.answer}"
    said = f"{question.name}: you {now:g}{changed}, measured "
    measured = run["measured"][question.name]
    if not isinstance(measured, list | tuple):
        return f"{said}{measured:.3g}"
    value, low, high = measured
    inside = "inside" if low <= now <= high else "outside"
    return f"{said}{value:.3g} [{low:.3g}, {high:.3g}], yours is {inside}"


def measured(kata: Kata, returned: Any) -> dict[str, Any]:
    """Return what a demo measured, as JSON can keep it.

    Raises
    ------
    InputError
        When the demo does not measure what a question asks for.
    """
    found = dict(returned) if isinstance(returned, Mapping) else {}
    for question in questions(kata):
        if not question.words and question.name not in found:
            raise InputError(
                f"run(course) returns no {question.name}, which a question asks for",
                kata.folder / "demo.py",
            )
    return {
        name: [float(v) for v in value] if isinstance(value, list | tuple) else float(value)
        for name, value in found.items()
    }
