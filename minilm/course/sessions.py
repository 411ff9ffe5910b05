"""What the commands do: a learner's file to a process of its own, and the result to the state."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from minilm.course import catalog, learner, phases, process, stubs
from minilm.course.catalog import Kata
from minilm.course.learner import Learner
from minilm.course.process import Ending
from minilm.course.reports import Failure, Heading, Report
from minilm.errors import InputError, OptionError

# Time limits for the learner's code. The library needs milliseconds for a check.
CHECK_SECONDS = 5.0
_DEMO_SECONDS = 240.0  # kata 6.5 trains for a minute, with functions that may be slow
_EXPERIMENT_SECONDS = 600.0
# What a real training may take: of text, of steps, and of time for those with the learner's part.
PLUG_ONE = {"words": 150_000, "vocabulary": 1000, "steps": 400, "seconds": 3.0}
PLUG_ALL = {"words": 400_000, "vocabulary": 2000, "steps": 2000, "seconds": 25.0}
_PLUG_LIMIT_ONE, _PLUG_LIMIT_ALL = 120.0, 900.0
REAL_TOKENS = 60  # of a reply of the model that others trained
_REAL_LIMIT = 600.0
COMPARISON = "comparison"

Echo = Callable[[str], None]


def heading(who: Learner, kata: Kata) -> Heading:
    """Return the heading of a kata's report."""
    file = who.file(kata).as_posix()
    return Heading(kata.number, kata.title, kata.difficulty, kata.minutes, file)


def check(who: Learner, kata: Kata) -> Report:
    """Check the learner's file in a process, and keep the result."""
    start = time.perf_counter()
    path = who.file(kata).resolve()
    try:
        source = who.source(kata)
    except InputError as error:
        if not path.exists():
            raise
        return Report(kata.number, False, failure=Failure("import", str(error)))
    ending = process.run(
        {
            "action": "check",
            "number": kata.number,
            "file": str(path),
            "run": who.record(kata).get("run"),
        },
        seconds=CHECK_SECONDS,
        file=path,
    )
    report = process.report(ending, kata.number)
    who.note_result(kata, source, report.passed, report.failure)
    return replace(report, seconds=round(time.perf_counter() - start, 2))


def demo(who: Learner, kata: Kata, echo: Echo, *, anyway: bool = False) -> Ending:
    """Run the live code with what the learner has written.

    Parameters
    ----------
    who : Learner
    kata : Kata
        An experiment is refused until its predictions are written.
    echo : callable
        Takes the output as it comes.
    anyway : bool
        Whether to run an experiment without predictions.
    """
    path = who.file(kata)
    ending = process.run(
        {
            "action": "demo",
            "number": kata.number,
            "parts": _files(who, parts_of_demo(who, kata)),
            "folder": who.folder.as_posix(),
            "file": str(path.resolve()) if kata.is_experiment and not anyway else None,
        },
        seconds=_EXPERIMENT_SECONDS if kata.is_experiment else _DEMO_SECONDS,
        file=path,
        echo=echo,
    )
    if kata.is_experiment and ending.result and "measured" in ending.result:
        who.update(kata, run=ending.result)
    return ending


def parts_of_demo(who: Learner, kata: Kata) -> list[Kata]:
    """Return the katas whose functions a demo runs with: those that passed, and its own."""
    parts = passed(who)
    is_read = who.state(kata) not in (learner.NEW, learner.UNREADABLE)
    is_written = is_read and who.source(kata) != learner.first_file(kata)
    if is_written and kata not in parts and not kata.is_experiment:
        parts.append(kata)
    return parts


def plug(who: Learner, katas: Sequence[Kata], *, everything: bool, echo: Echo) -> Ending:
    """Train the real model with the learner's functions; with everything, compare with them too."""
    return process.run(
        {
            "action": "plug",
            "parts": _files(who, katas),
            "budget": PLUG_ALL if everything else PLUG_ONE,
            "compare": (who.folder / COMPARISON).as_posix() if everything else None,
            "prompt": None,
        },
        seconds=_PLUG_LIMIT_ALL if everything else _PLUG_LIMIT_ONE,
        echo=echo,
    )


def plug_real(who: Learner, katas: Sequence[Kata], prompt: str, echo: Echo) -> Ending:
    """Let the model that others trained answer with the learner's functions in it."""
    request = {"action": "plug", "parts": _files(who, katas), "prompt": prompt}
    return process.run({**request, "budget": REAL_TOKENS}, seconds=_REAL_LIMIT, echo=echo)


def passed(who: Learner) -> list[Kata]:
    """Return the katas with functions that have passed as they are now."""
    return [
        kata
        for kata in who.started()
        if not kata.is_experiment and who.state(kata) == learner.PASSED
    ]


def missing(who: Learner) -> list[Kata]:
    """Return the katas with functions that have not passed as they are now."""
    ready = passed(who)
    return [kata for kata in catalog.all_katas() if kata.paths and kata not in ready]


def parts(katas: Sequence[Kata]) -> list[str]:
    """Return the short names of the functions of katas."""
    return [path.rpartition(".")[2] for kata in katas for path in kata.paths]


def all_parts() -> int:
    """Return how many functions all katas have."""
    return len({path for kata in catalog.all_katas() for path in kata.paths})


def stand_ins(who: Learner, kata: Kata) -> str | None:
    """Return the sentence that says which prerequisites are the library's, if any."""
    known = {k.number: k for k in catalog.all_katas()}
    missing = [
        n
        for n in kata.prerequisites
        if n in known and known[n].paths and who.state(known[n]) != learner.PASSED
    ]
    if not missing:
        return None
    is_used = "version is used" if len(missing) == 1 else "versions are used"
    return f"You haven't passed {' and '.join(missing)} yet, so the library's {is_used}."


def latest(who: Learner) -> Kata:
    """Return the kata whose file was saved last.

    Raises
    ------
    OptionError
        When none is started.
    """
    started = who.started()
    if not started:
        following = learner.next_kata(who.states())
        number = following.number if following else "4.6"
        raise OptionError(f"no kata is started; begin with: minilm kata start {number}")

    def saved(kata: Kata) -> int:
        return max(path.stat().st_mtime_ns for path in who.files(kata))

    return max(started, key=saved)


def solution_diff(who: Learner, kata: Kata) -> str:
    """Return the difference in code between the learner's file and the solution."""
    path = who.file(kata)
    mine = who.source(kata) if path.exists() else stubs.stub(kata)
    yours, solved = (
        stubs.without_docstrings(code).splitlines(keepends=True)
        for code in (mine, stubs.solution(kata))
    )
    return "".join(difflib.unified_diff(yours, solved, path.as_posix(), "solution"))


def _files(who: Learner, katas: Sequence[Kata]) -> dict[str, str]:
    return {kata.number: str(who.file(kata).resolve()) for kata in katas}


def completed_phases(who: Learner) -> list[int]:
    """Return the phases of which every kata has passed as it is now, in order."""
    states = who.states()
    katas = catalog.all_katas()
    return [
        phase
        for phase in sorted({kata.phase for kata in katas})
        if all(states[k.number] == learner.PASSED for k in katas if k.phase == phase)
    ]


def described(kata: Kata, state: str) -> dict[str, Any]:
    """Return a kata as `minilm kata list --json` gives it."""
    return {
        "number": kata.number,
        "title": kata.title,
        "phase": kata.phase,
        "phase_name": phases.name(kata.phase, kata.phase_name),
        "minutes": kata.minutes,
        "difficulty": kata.difficulty,
        "prerequisites": list(kata.prerequisites),
        "targets": list(kata.paths),
        "state": state,
    }
