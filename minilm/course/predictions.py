"""What a learner expects before anything runs: the questions of the page, and the answers.

The page stops at its marker until the answers are written, and they come back beside the results:
an expectation that was written down is what a result can surprise. For an experiment the answers
are in the learner's Python file (`experiments.py`); for other katas in a text file.
"""

from __future__ import annotations

import re
import textwrap

from minilm.course import experiments, pages
from minilm.course.catalog import Kata
from minilm.course.learner import Learner
from minilm.course.loading import NotLoadedError

_ANSWER = re.compile(r"^>(.*?)(?=^\d+\. |\Z)", re.M | re.S)


def questions(kata: Kata) -> list[str]:
    """Return the questions under "Hands-on exploration"."""
    _, _, rest = kata.lesson().partition("\n## Hands-on exploration\n")
    section = pages.before_answers(re.split(r"\n## ", rest)[0])
    items = [block for block in pages.blocks(section) if block.kind == "item"]
    return [" ".join(block.lines) for block in items if block.mark[0].isdigit()]


def form(kata: Kata) -> str:
    """Return the text file that the answers are written into."""
    parts = [
        f"Kata {kata.number}  {kata.title}: what do you expect?\n"
        f"Write each answer on a line that begins with >. Then: minilm kata read {kata.number}\n"
    ]
    for i, question in enumerate(questions(kata), 1):
        lines = textwrap.wrap(f"{i}. {question}", 78, subsequent_indent="   ")
        parts.append("\n".join([*lines, "> "]) + "\n")
    return "\n".join(parts)


def start(who: Learner, kata: Kata) -> None:
    """Write the file for a kata's answers, unless it is there or the kata has no questions."""
    path = who.predictions_file(kata)
    if not kata.is_experiment and not path.exists() and questions(kata):
        who.write(path, form(kata))


def problem(who: Learner, kata: Kata) -> str | None:
    """Return what is missing of a learner's answers, with the file; None if nothing is."""
    path = who.predictions_file(kata)
    if kata.is_experiment:
        if not path.exists():
            return f"not started: minilm kata start {kata.number}"
        try:
            experiments.read(kata, who.source(kata), path.resolve())
        except NotLoadedError as error:
            line = f":{error.failure.line}" if error.failure.line else ""
            return f"{path.as_posix()}{line}: {error.failure.text}"
        return None
    wanted = len(questions(kata))
    given = answers(who, kata)
    missing = [i for i in range(wanted) if i >= len(given) or not given[i]]
    if not missing:
        return None
    return f"{path.as_posix()}: no answer to question {missing[0] + 1}"


def answers(who: Learner, kata: Kata) -> list[str]:
    """Return the learner's answers in order; empty for one that is not written."""
    path = who.predictions_file(kata)
    if kata.is_experiment or not path.exists():
        return []
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return [" ".join(answer.split()) for answer in _ANSWER.findall(text)]
