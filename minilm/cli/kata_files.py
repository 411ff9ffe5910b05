"""`minilm kata`: its actions on files: solutions, backups, new katas."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from minilm.cli import kata_output as output
from minilm.errors import OptionError

if TYPE_CHECKING:
    from minilm.course.catalog import Kata
    from minilm.course.learner import Learner


def solution(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    """Show a solution beside the learner's file, or put it in its place."""
    from minilm.course import learner, pages, sessions, stubs

    if kata.is_experiment:
        raise OptionError(f"kata {kata.number} is an experiment; its answers come with the check")
    has_passed = who.state(kata) in (learner.PASSED, learner.STALE)
    if not has_passed and not options.give_up:
        raise OptionError(
            f"kata {kata.number} has not passed yet; try minilm kata hint {kata.number}, "
            "or add --give-up"
        )
    difference = sessions.solution_diff(who, kata)
    style = output.style()
    colors = {"+": "32", "-": "31", "@": "36"}
    for line in difference.splitlines():
        print(style.paint(line, colors.get(line[:1], "")) if line[:1] in colors else line)
    if not difference:
        print("Your code is this solution, letter for letter.")
    place = f"In the library: {stubs.library_place(kata)}. {kata.library}"
    print("\n" + "\n".join(pages.fill(place, style, "", "")))
    if not who.gave_up(kata):
        who.update(kata, solution="after passing" if has_passed else "given up")
    if options.write:
        backup = who.put(kata, stubs.solution(kata))
        print(f"\n{who.file(kata).as_posix()} is the solution now.")
        _say_backup(kata, backup)
    return 0


def reset(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    """Restore the file as it was at the start."""
    from minilm.course import learner

    backup = who.put(kata, learner.first_file(kata))
    print(f"{who.file(kata).as_posix()} is a fresh file again.")
    _say_backup(kata, backup)
    return 0


def _say_backup(kata: Kata, backup: Path | None) -> None:
    if backup is not None:
        print(f"Yours is in {backup.as_posix()}.")
        print(f"  to bring it back: minilm kata undo {kata.number}")


def undo(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    """Bring the last backup back."""
    backup = who.undo(kata)
    print(f"{who.file(kata).as_posix()} is back as it was in the last backup.")
    print(f"The file it replaces is now the backup, {backup.as_posix()}.")
    print(f"  to go back: minilm kata undo {kata.number}")
    return 0


def new(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    """Write the folder of a new kata."""
    from minilm.course import authoring

    made = authoring.new(options.folder, options.new_number, options.title)
    print(f"{made.as_posix()} is written, and works as it is. Fill in, in this order:")
    print("  stub.py, solution.py, checks.py, wrong.py, demo.py, lesson.md (which says how)")
    print(f"  try it: minilm kata start {options.new_number} --katas {options.folder.as_posix()}")
    return 0
