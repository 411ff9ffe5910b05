"""`minilm kata`: the course. Read, write a function, check it, see it in the real model."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from minilm import threads
from minilm.cli import console
from minilm.cli import kata_files as files
from minilm.cli import kata_grading as grading
from minilm.cli import kata_notebook as notebook
from minilm.cli import kata_output as output
from minilm.cli import kata_running as running

if TYPE_CHECKING:
    from minilm.course.catalog import Kata
    from minilm.course.learner import Learner

_SUMMARIES = {
    "list": "list every kata: number, title, minutes, state",
    "start": "write the file to start from into ./mykatas/, and show the page",
    "read": "show the page; its answers come once your predictions are written",
    "check": "check your file: the first failure, located and explained",
    "watch": "check on every save; keys: h hint, d demo, n next, q quit",
    "hint": "show a hint, one more each time",
    "demo": "run the live code, with your function",
    "plug": "train the real model with your functions in place",
    "solution": "show how a solution differs from your file",
    "reset": "start with a fresh file again; the old one goes to a backup",
    "undo": "bring the last backup back",
    "new": "write the folder of a kata of your own, to fill in",
    "notebook": "write a kata as a Jupyter notebook, or all of them",
    "grade": "grade a class's submissions: points, feedback, the most common mistakes",
    "progress": "show where a class is in the course, from the folders of its learners",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared = parser.add_argument(
        "--katas",
        type=Path,
        metavar="DIR",
        help="a folder of your own katas, to use with the others",
    )
    actions = parser.add_subparsers(dest="action", metavar="action", parser_class=type(parser))
    made = {}
    for name, summary in _SUMMARIES.items():
        made[name] = actions.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        made[name].add_argument(
            "--katas", type=Path, metavar="DIR", help=shared.help, default=argparse.SUPPRESS
        )
    for name in ("read", "demo"):
        made[name].add_argument(
            "--anyway", action="store_true", help="do so even if your predictions are not written"
        )
    for name in ("start", "read", "hint", "demo", "solution", "reset", "undo"):
        made[name].add_argument("number", help='which kata, such as "4.6"')
    for name in ("check", "watch", "plug"):
        made[name].add_argument("number", nargs="?", help="which kata (default: the last saved)")
    for name in ("list", "check", "grade", "progress"):
        made[name].add_argument("--json", action="store_true", help="print JSON, nothing else")
    made["check"].add_argument(
        "--all", action="store_true", help="check every kata that you have started"
    )
    made["plug"].add_argument("--all", action="store_true", help="plug in all of your functions")
    made["plug"].add_argument(
        "--real",
        action="store_true",
        help="run them in SmolLM2, which others trained; it answers a prompt",
    )
    made["plug"].add_argument("--prompt", metavar="TEXT", help="what --real asks the model")
    made["solution"].add_argument(
        "--give-up", action="store_true", help="show it before yours has passed"
    )
    made["solution"].add_argument(
        "--write", action="store_true", help="replace your file with it; yours goes to a backup"
    )
    notebook.add_arguments(made["notebook"])
    grading.add_arguments(made["grade"], made["progress"])
    made["new"].add_argument("folder", type=Path, metavar="DIR", help="the folder of your katas")
    made["new"].add_argument("new_number", metavar="number", help='such as "12.1"')
    made["new"].add_argument("title")


def run(options: argparse.Namespace) -> int:
    """Run the chosen action; `minilm kata` alone says where you are."""
    threads.set_blas_threads(1)
    from minilm.course import catalog, learner, sessions

    if options.katas is not None and options.action != "new":
        catalog.use_folder(options.katas)
    who = learner.Learner(learner.find_folder())
    number = getattr(options, "number", None)
    kata = catalog.find(number) if number else None
    if kata is None and options.action in ("check", "plug") and not options.all:
        kata = sessions.latest(who)
    return _ACTIONS[options.action](who, kata, options)


# ---------------------------------------------------------------------- where you are


def _where(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import catalog, learner, phases, reports, sessions

    states = who.states()
    done = sum(state == learner.PASSED for state in states.values())
    yours = len(sessions.parts(sessions.passed(who)))
    taken = sum(who.gave_up(k) and states[k.number] == learner.PASSED for k in catalog.all_katas())
    with_solution = f" ({taken} with the solution)" if taken else ""
    print(f"{done} of {len(states)} katas passed{with_solution}; {output.parts(yours)}")
    output.milestones(sessions.completed_phases(who))
    following = learner.next_kata(states)
    if following is None:
        print("All done. See your functions at work: minilm kata plug --all")
        return 0
    begun = states[following.number] != learner.NEW
    named = phases.title(following.phase, following.phase_name)
    print(f"{'Continue' if begun else 'Next'}, in {named}:")
    print(reports.top_line(sessions.heading(who, following), output.style()))
    if not begun:
        print(f"  minilm kata start {following.number}")
        return 0
    if states[following.number] == learner.STALE:
        print("  it passed before the check changed; check it again")
    if states[following.number] == learner.UNREADABLE:
        print("  this file cannot be read")
    print(f"  {who.file(following).as_posix()}")
    print(f"  minilm kata check {following.number}\n  on every save: minilm kata watch")
    return 0


def _list(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import catalog, phases, sessions

    states = who.states()
    if options.json:
        rows = [sessions.described(k, states[k.number]) for k in catalog.all_katas()]
        console.print_json(rows)
        return 0
    style = output.style()
    colors = {"passed": "32", "stale": "33", "started": "36", "unreadable": "31"}
    room = min(60, style.width - 36)  # for the title
    phase, marked = None, False
    for k in catalog.all_katas():
        if k.phase != phase:
            phase = k.phase
            print(style.paint(phases.title(phase, k.phase_name), "1"))
        state = states[k.number]
        mark = "*" if state == "passed" and who.gave_up(k) else ""
        title = k.title if len(k.title) <= room else f"{k.title[: room - 1]}…"
        painted = style.paint(state, colors.get(state, "2")) + mark
        print(f"  {k.number:>4}  {title:<{room}}  {k.difficulty}/5  {k.minutes:>3} min  {painted}")
        marked = marked or bool(mark)
    if marked:
        print("* the solution was shown before it passed")
    return 0


def _start(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    from minilm.course import predictions, sessions

    new = who.start(kata)
    predictions.start(who, kata)
    output.page(who, kata)
    print()
    path = who.file(kata).as_posix()
    what = "write your predictions in it" if kata.is_experiment else "write it"
    print(f"{path} {f'is ready: {what}' if new else 'was there already; it is unchanged'}.")
    if page := who.page(kata):
        print(f"{page.as_posix()} is for your page of evidence, once the experiment has run.")
    if kata.is_experiment:
        print(f"  then run the experiment: minilm kata demo {kata.number}")
        print(f"  and compare: minilm kata check {kata.number}")
    else:
        print(f"  check it: minilm kata check {kata.number}\n  on every save: minilm kata watch")
    if note := sessions.stand_ins(who, kata):
        print(f"  {note}")
    return 0


def _read(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    from minilm.course import predictions

    predictions.start(who, kata)
    output.page(who, kata, anyway=options.anyway)
    return 0


# ---------------------------------------------------------------------- checking


def _check(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import sessions

    if options.all:
        return _check_all(who, options)
    assert kata is not None  # noqa: S101  (`run` found one)
    report = sessions.check(who, kata)
    if options.json:
        console.print_json(dataclasses.asdict(report))
    else:
        output.report(who, kata, report)
    return 0 if report.passed else 1


def _check_all(who: Learner, options: argparse.Namespace) -> int:
    from minilm.course import sessions

    started = who.started()
    if not started:
        sessions.latest(who)  # says what to do
    reports = []
    style = output.style()
    for kata in started:
        report = sessions.check(who, kata)
        reports.append(report)
        if options.json:
            continue
        mark = style.paint("ok", "32") if report.passed else style.paint("!!", "1;31")
        said = f": {report.failure.text}" if report.failure else ""
        print(f"  {mark}  {kata.number:>4}  {console.cut(kata.title + said, style.width - 13)}")
    passed = sum(report.passed for report in reports)
    if options.json:
        console.print_json([dataclasses.asdict(report) for report in reports])
    else:
        print(f"{passed} of {len(reports)} started katas pass")
    return 0 if passed == len(reports) else 1


def _watch(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import sessions, watching
    from minilm.course.keys import Keys

    current = kata if kata is not None else sessions.latest(who)

    def watched() -> dict[Path, Kata]:
        katas = who.started() if kata is None else [current]
        return {path: k for k in katas for path in who.files(k)}

    try:
        with Keys() as keys:
            _show_checked(who, current, keys.are_read)
            for event in watching.changes(lambda: list(watched()), key=keys.pressed):
                if event == "q":
                    break
                if isinstance(event, str):
                    current = _on_key(event, who, current, keys.are_read)
                    continue
                for path in event:
                    print(f"{path.as_posix()} was saved ...", flush=True)
                    current = watched()[path]
                    _show_checked(who, current, keys.are_read)
    except KeyboardInterrupt:
        print()
    return 0


def _on_key(key: str, who: Learner, kata: Kata, keys_are_read: bool) -> Kata:
    """Do what a key asks for while a file is watched; return the kata that is then current."""
    from minilm.course import catalog, predictions

    nothing = argparse.Namespace(anyway=False)
    if key == "h":
        _hint(who, kata, nothing)
    elif key == "d":
        running.demo(who, kata, nothing)
    elif key == "n":
        later = [k for k in catalog.all_katas() if k.order > kata.order]
        if not later:
            print("  this is the last kata")
            return kata
        kata = later[0]
        who.start(kata)
        predictions.start(who, kata)
        _show_checked(who, kata, keys_are_read)
        print(f"      the page: minilm kata read {kata.number}", flush=True)
    return kata


def _show_checked(who: Learner, kata: Kata, keys_are_read: bool) -> None:
    from minilm.course import sessions

    report = sessions.check(who, kata)
    if sys.stdout.isatty():
        print("\x1b[2J\x1b[H", end="")
    output.report(who, kata, report)
    keys = "keys: h hint, d demo, n next, q quit" if keys_are_read else "Ctrl-C to quit"
    print(f"      {time.strftime('%H:%M:%S')}, watching; {keys}", flush=True)


def _hint(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    from minilm.course import pages

    level = min(who.record(kata).get("hints", 0) + 1, len(kata.hints))
    who.update(kata, hints=level)
    for number, hint in enumerate(kata.hints[:level], 1):
        print("\n".join(pages.fill(hint, output.style(), f"  {number}. ", "     ")))
    if level < len(kata.hints):
        print(f"  the next hint: minilm kata hint {kata.number}")
    elif kata.is_experiment:
        print("  that was the last one")
    else:
        print(f"  that was the last one; a solution: minilm kata solution {kata.number} --give-up")
    return 0


_ACTIONS: dict[str | None, Callable[..., int]] = {
    None: _where,
    "list": _list,
    "start": _start,
    "read": _read,
    "check": _check,
    "watch": _watch,
    "hint": _hint,
    "demo": running.demo,
    "plug": running.plug,
    "solution": files.solution,
    "reset": files.reset,
    "undo": files.undo,
    "notebook": notebook.run,
    "grade": grading.grade,
    "progress": grading.progress,
    "new": files.new,
}
