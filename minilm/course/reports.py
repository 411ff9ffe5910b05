"""What a check found: as data, and as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Failure:
    """The first thing that is wrong.

    Attributes
    ----------
    stage : str
        Of the check: "import", "structure", "finite", "values" or "gradients", "properties",
        "model", "inputs", "dtype", "refusals", "time"; of an experiment that must run (again)
        "run"; of its page of evidence "evidence".
    text : str
        What was compared and how it came out.
    target, output : str, optional
        The short name of the function, and the name of what it returned.
    case : str
        Which inputs.
    step : str, optional
        The first intermediate that is wrong.
    mistake : str, optional
        The name of the wrong answer that gives the same.
    looks_like : str, optional
        Its explanation, or what a generic suspicion says.
    line : int, optional
        In the learner's file.
    certainty : {"Looks like", "Probably"}
        Whether the wrong answer gives the same in every case, or in the first that fails.
    also : str, optional
        The name of a second wrong answer that is in it.
    file : str, optional
        The name of the file, where it is not the one with the functions.
    """

    stage: str
    text: str
    target: str | None = None
    output: str | None = None
    case: str = ""
    step: str | None = None
    mistake: str | None = None
    looks_like: str | None = None
    line: int | None = None
    certainty: str = "Looks like"
    also: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class Report:
    """The result of a check.

    Attributes
    ----------
    number : str
        The kata's.
    passed : bool
    ok : tuple of str
        What was right, in the order in which it was looked at.
    failure : Failure, optional
        What was not.
    notes : tuple of str
        What else the learner reads.
    printed : str
        What the learner's file printed.
    seconds : float
    """

    number: str
    passed: bool
    ok: tuple[str, ...] = ()
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    printed: str = ""
    seconds: float = 0.0

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Report:
        """Return the report that `dataclasses.asdict` made a dict of, perhaps by way of JSON."""
        failure = values["failure"] and Failure(**values["failure"])
        lists = {key: tuple(values[key]) for key in ("ok", "notes")}
        return replace(Report(**{**values, **lists}), failure=failure)


@dataclass(frozen=True)
class Style:
    """How text is set off on a terminal; without color nothing is.

    Attributes
    ----------
    color : bool
    width : int
        Columns.
    """

    color: bool = False
    width: int = 80

    def paint(self, text: str, code: str) -> str:
        """Return text in an ANSI style, such as "1" for bold or "31" for red."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text


@dataclass(frozen=True)
class Heading:
    """The heading of a report.

    Attributes
    ----------
    number, title : str
    difficulty, minutes : int
    file : str
        The learner's file, as it is shown.
    following : str
        What to do after a failure; by default a command is named.
    """

    number: str
    title: str
    difficulty: int
    minutes: int
    file: str
    following: str = ""


def render(report: Report, heading: Heading, style: Style) -> str:
    """Return a report as text that fits a terminal.

    Examples
    --------
    >>> heading = Heading("4.6", "Layer norm, backward", 3, 20, "mykatas/04_6.py")
    >>> failure = Failure("gradients", "dx is wrong at 1 of 6 entries", case="one row", line=41)
    >>> print(render(Report("4.6", False, ("shapes",), failure), heading, Style()))
    Kata 4.6  Layer norm, backward                                    3/5   ~20 min
      ok  shapes
      !!  dx is wrong at 1 of 6 entries
          (in the case: one row)
          mykatas/04_6.py:41      next: minilm kata hint 4.6
    """
    lines = [top_line(heading, style)]
    lines += _ok_lines(report.ok, style)
    if report.failure:
        lines += _failure_lines(report.failure, heading, style)
    else:
        lines.append(style.paint("  passed", "1;32") + f" in {report.seconds:.1f} s")
    for note in report.notes:
        lines += _wrapped(note, style.width, "      ", "      ")
    lines += _printed_lines(report.printed, style)
    return "\n".join(lines)


def top_line(heading: Heading, style: Style) -> str:
    """Return the kata's number and title, and at the right its difficulty and time."""
    title = f"Kata {heading.number}  {heading.title}"
    right = f"{heading.difficulty}/5   ~{heading.minutes} min"
    room = style.width - 1 - len(right)
    if len(title) > room - 2:
        title = title[: room - 3] + "…"
    return style.paint(title, "1") + " " * (room - len(title)) + right


def _ok_lines(ok: Sequence[str], style: Style) -> list[str]:
    """Return the right things side by side, in as many lines as they need."""
    lines: list[str] = []
    width = 0
    for name in ok:
        size = 7 + len(name)
        entry = f"  {style.paint('ok', '32')}  {name} "
        if lines and width + size < style.width:
            lines[-1] += entry
            width += size
        else:
            lines.append(entry)
            width = size
    return [line.rstrip() for line in lines]


def _failure_lines(failure: Failure, heading: Heading, style: Style) -> list[str]:
    inner = " " * 6
    where = f"{failure.target}: " if failure.target else ""
    first, *rest = _wrapped(where + failure.text, style.width, inner, inner)
    lines = [f"  {style.paint('!!', '1;31')}  {first.strip()}", *rest]
    if failure.case:
        lines += _wrapped(f"(in the case: {failure.case})", style.width, inner, inner)
    if failure.step:
        lines += _wrapped(f"On the way: {failure.step}", style.width, inner, inner)
    if failure.looks_like:
        first_paragraph, _, more = failure.looks_like.partition("\n\n")
        lines += _wrapped(f"{failure.certainty}: {first_paragraph}", style.width, inner, inner)
        for paragraph in more.split("\n\n") if more else []:
            lines += _wrapped(paragraph, style.width, inner, inner)
    file = heading.file
    if failure.file:
        folder, slash, _ = file.rpartition("/")
        file = f"{folder}{slash}{failure.file}"
    place = file + (f":{failure.line}" if failure.line else "")
    action = {"run": "demo", "evidence": "check"}.get(failure.stage, "hint")
    following = heading.following or f"next: minilm kata {action} {heading.number}"
    if len(inner + place + following) + 6 < style.width:
        return [*lines, f"{inner}{style.paint(place, '36')}      {following}"]
    return [*lines, inner + style.paint(place, "36"), inner + following]


def _printed_lines(printed: str, style: Style, most: int = 5) -> list[str]:
    if not printed.strip():
        return []
    shown = printed.rstrip().splitlines()
    lines = [f"      your file printed{' (the end of it)' if len(shown) > most else ''}:"]
    return [*lines, *(f"      | {line}"[: style.width - 1] for line in shown[-most:])]


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        width - 1,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )
