"""Who handed in what: the students of a class, their tries at each kata, and what is refused.

A student is a folder or a zip, or is named in the names of single files. The same kata handed in
several times is several tries, sorted by what the platform says, by the number in the name, and by
when the file was written: the last one is the last of these.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from minilm.course import catalog
from minilm.course.catalog import Kata
from minilm.course.grading import names, notebooks, sources
from minilm.course.grading.sources import Entry
from minilm.course.learner import records_of
from minilm.errors import InputError

GRADED = (".py", ".ipynb")


@dataclass(frozen=True)
class Submission:
    """A file to be graded, or one that cannot be.

    Attributes
    ----------
    student : str
    kata : str
        The number; empty where the file belongs to no kata.
    file : str
        Its path, as it was handed in.
    data : bytes
    order : tuple
        By which the tries of one student at one kata are sorted.
    beside : tuple of (str, bytes)
        The modules in the same folder that it imports; of an experiment the learner's page of
        evidence and the summary of the run that it is about.
    run : str
        Of an experiment: what the learner's state keeps of its run, as JSON. "null" where the
        state has none, empty where there is no state.
    problem : str
        Why it is not graded.
    """

    student: str
    kata: str
    file: str
    data: bytes = b""
    order: tuple[Any, ...] = ()
    beside: tuple[tuple[str, bytes], ...] = ()
    run: str = ""
    problem: str = ""

    @property
    def is_notebook(self) -> bool:
        """Whether it is a notebook."""
        return sources.ending(self.file) == ".ipynb"


@dataclass(frozen=True)
class HandedIn:
    """Everything that a class handed in.

    Attributes
    ----------
    students : list of str
        Also those of whom nothing can be graded.
    submissions : list of Submission
        By student, kata and try; those with a problem too.
    states : dict
        By student, what the state of the learner's folder keeps of each kata.
    unrecognized : list of str
        Python files and notebooks that belong to no kata.
    """

    students: list[str]
    submissions: list[Submission]
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    unrecognized: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Owned:
    """An entry with its owner, and the name that the owner gave it."""

    entry: Entry
    student: str
    number: str
    stem: str
    attempt: str
    kata: Kata | None

    @property
    def shown(self) -> str:
        return "/".join(self.entry.parts)


def find(
    place: Path, *, student: str = "", without: Path | None = None, needs_kata: bool = True
) -> HandedIn:
    """Return what a class handed in.

    Parameters
    ----------
    place : Path
        A folder or a zip.
    student : str
        The student who owns everything in it; by default the names say who owns what.
    without : Path, optional
        A folder that is left out.
    needs_kata : bool
        Whether there must be a file of a kata where no student is named.

    Raises
    ------
    InputError
        When there is no file of a kata, and there must be one.
    """
    entries = sources.read(place, without=without)
    owned = _told_apart([_owned(e, student) for e in (entries if student else _unwrapped(entries))])
    by_student: dict[str, list[_Owned]] = defaultdict(list)
    for one in owned:
        by_student[one.student].append(one)
    if student:
        by_student.setdefault(student, [])
    unnamed = by_student.pop("", [])  # single files that name neither a student nor a kata
    unrecognized = [one.shown for one in unnamed if _is_code(one)]
    submissions, states = [], {}
    for name, mine in sorted(by_student.items()):
        states[name], damaged = _state(name, mine)
        found, other = _of_student(name, mine, states[name])
        submissions += [*found, *damaged]
        unrecognized += other
    submissions += [_refused("", one) for one in unnamed if one.entry.problem]
    refused = any(e.problem and e.problem not in sources.EMPTY for e in entries)
    if needs_kata and not (
        student or refused or any(one.kata for one in submissions) or any(states.values())
    ):
        example = catalog.all_katas()[0].name
        raise InputError(
            f"holds no file of a kata, such as {example}.py; name the folder of submissions", place
        )
    return HandedIn(sorted(by_student), submissions, states, unrecognized)


def _unwrapped(entries: list[Entry]) -> list[Entry]:
    """Return entries without a folder around all students, as zips of a class have it."""
    tops = {entry.parts[0] for entry in entries if len(entry.parts) > 1}
    is_around = len(tops) == 1 and all(len(entry.parts) > 1 for entry in entries)
    if not is_around or names.owner(next(iter(tops))).student or tops <= set(names.OWN_FOLDERS):
        return entries
    inner = [replace(entry, parts=entry.parts[1:]) for entry in entries]
    folders = {e.parts[0] for e in inner if e.parts and (len(e.parts) > 1 or e.is_folder)}
    singles = [_owned(e, "") for e in inner if len(e.parts) == 1 and not e.problem]
    students = {one.student for one in singles if one.kata and one.student != one.stem}
    return inner if len((folders | students) - set(names.OWN_FOLDERS)) > 1 else entries


def _owned(entry: Entry, student: str) -> _Owned:
    """Return whose an entry is."""
    stem = sources.stem(entry.parts[-1]) if not entry.is_folder else ""
    top = (
        entry.parts[0] if len(entry.parts) > 1 or entry.is_folder else sources.stem(entry.parts[0])
    )
    told = names.owner(top)
    if len(entry.parts) == 1 and told.student:
        stem = told.rest
    elif not entry.is_folder and len(entry.parts) > 1:
        own = names.owner(
            stem
        )  # a platform's name inside a folder: of no interest but for its rest
        stem = own.rest if own.student else stem
    kata, named = names.kata(stem)
    who = student or told.student
    if not who and (len(entry.parts) > 1 or entry.is_folder) and top not in names.OWN_FOLDERS:
        who = names.plain(top)
    if not who:
        # A single file of a kata that names nobody is still graded, under its own name.
        who = named or (names.plain(stem) if kata else "")
    return _Owned(entry, who, told.number, stem, told.attempt, kata)


def _told_apart(owned: list[_Owned]) -> list[_Owned]:
    """Return them with the platform's number beside a name that several students have."""
    numbers: dict[str, set[str]] = defaultdict(set)
    for one in owned:
        if one.number:
            numbers[one.student].add(one.number)
    return [
        replace(one, student=f"{one.student} ({one.number})")
        if one.number and len(numbers[one.student]) > 1
        else one
        for one in owned
    ]


def _is_code(one: _Owned) -> bool:
    return sources.ending(one.entry.parts[-1]) in GRADED


def _is_state(one: _Owned) -> bool:
    return sources.is_state(one.entry.parts[-1])


def _state(student: str, mine: Sequence[_Owned]) -> tuple[dict[str, Any], list[Submission]]:
    """Return what a student's states keep of each kata, and the states that cannot be read."""
    found: dict[str, Any] = {}
    damaged = []
    for one in mine:
        if _is_state(one) and not one.entry.problem:
            try:
                found |= records_of(one.entry.data, one.shown)
            except InputError:
                text = "not the state of a course; it was left out"
                damaged.append(Submission(student, "", one.shown, problem=text))
    return found, damaged


def _of_student(
    student: str, mine: Sequence[_Owned], state: Mapping[str, Any]
) -> tuple[list[Submission], list[str]]:
    """Return a student's submissions, and the names of the files of code that are no kata's."""
    found, other = [], []
    imported: set[str] = set()
    # First those with a kata's name: what they import is a part of them.
    for one in sorted(mine, key=lambda one: one.kata is None):
        if one.entry.problem or not _is_code(one) or one.entry.parts[-1] in imported:
            continue
        katas = _katas(one)
        found += [_submission(student, kata, one, mine, state) for kata in katas]
        imported |= {name for made in found[-len(katas) :] for name, _ in made.beside}
        if not katas:
            other.append(one)
    handed_in = {one.kata for one in found}
    for one in mine:
        if one.entry.problem and not (one.entry.problem in sources.EMPTY and found):
            found.append(_refused(student, one))
        elif _could_be_meant(one) and one.kata and one.kata.number not in handed_in:
            kind = sources.ending(one.entry.parts[-1]) or "file without an ending"
            text = f"a {kind}, not Python; hand in {one.kata.name}.py"
            found.append(Submission(student, one.kata.number, one.shown, problem=text))
    if not found and not state:
        shown = [one.entry.parts[-1] for one in mine]
        listed = f": {', '.join(shown[:5])}{', ...' if len(shown) > 5 else ''}" if shown else ""
        text = f"no file of a kata{listed}"
        found.append(Submission(student, "", mine[0].shown if mine else "", problem=text))
    found.sort(key=lambda s: (catalog.find(s.kata).order if s.kata else (), s.order, s.file))
    return found, [one.shown for one in other]


def _could_be_meant(one: _Owned) -> bool:
    """Return whether something other than code was handed in as a kata, not beside one."""
    beside = set(one.entry.parts[:-1]) & set(names.OWN_FOLDERS[1:])
    return not (beside or one.entry.is_folder or _is_code(one) or _is_state(one))


def _refused(student: str, one: _Owned) -> Submission:
    kata = one.kata.number if one.kata and (_is_code(one) or not one.entry.is_folder) else ""
    return Submission(student, kata, one.shown, problem=one.entry.problem)


def _katas(one: _Owned) -> list[Kata]:
    """Return the katas of a file: what its name says, else those whose functions are all in it."""
    if one.kata is not None:
        return [one.kata]
    text = one.entry.data.decode("utf-8", "replace")
    if sources.ending(one.entry.parts[-1]) == ".ipynb":
        text = "\n".join(notebooks.cells(text))
    defined = set(re.findall(r"^(?:def|class)\s+(\w+)", text, re.M))
    return [
        kata
        for kata in catalog.all_katas()
        if kata.paths and defined.issuperset(path.rpartition(".")[2] for path in kata.paths)
    ]


def _submission(
    student: str, kata: Kata, one: _Owned, mine: Iterable[_Owned], state: Mapping[str, Any]
) -> Submission:
    entry = one.entry
    run = ""
    if kata.is_experiment and state:
        run = json.dumps(state.get(kata.number, {}).get("run"))
    imported = set(re.findall(rb"^\s*(?:from|import)\s+(\w+)", entry.data, re.M))
    beside = tuple(
        (other.entry.parts[-1], other.entry.data)
        for other in mine
        if other.entry.parts[:-1] == entry.parts[:-1]
        and other.entry is not entry
        and re.fullmatch(r"\w+\.py", other.entry.parts[-1])
        and other.entry.parts[-1][:-3].encode() in imported
    )
    if kata.is_experiment:
        beside += _evidence(kata, mine)
    order = (one.attempt, names.attempt(one.stem), entry.modified, one.shown)
    return Submission(student, kata.number, one.shown, entry.data, order, beside, run)


def _evidence(kata: Kata, mine: Iterable[_Owned]) -> tuple[tuple[str, bytes], ...]:
    """Return a learner's page of evidence and the summary of the kata's run, where they are."""
    number = "_".join(kata.number.split("."))
    found = {}
    for one in mine:
        folder, name = ("", *one.entry.parts)[-2:]
        if one.stem == f"{number}_report" and name.endswith(".md"):
            found[f"{number}_report.md"] = one.entry.data
        elif (folder, name) == (f"{number}_comparison", "summary.json"):
            found[f"{number}_comparison/summary.json"] = one.entry.data
    return tuple(found.items())
