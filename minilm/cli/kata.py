"""`minilm kata`: the course. Read, write a function, have it checked, see it in the real model."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pydoc
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm import threads
from minilm.errors import OptionError
from minilm.progress import announce

if TYPE_CHECKING:
    from minilm.course.catalog import Kata
    from minilm.course.learner import Learner
    from minilm.course.process import Ending
    from minilm.course.reports import Report, Style

_SUMMARIES = {
    "list": "numbers, titles, minutes, state",
    "start": "write the file to begin with into ./mykatas/, and show the page",
    "read": "the page",
    "check": "check your file: the first failure, located and explained",
    "watch": "check on every save",
    "hint": "one hint more each time",
    "demo": "the live code, with your function",
    "plug": "train the real model with your functions in place",
    "solution": "the library's own, beside yours",
    "reset": "a fresh file; the old one goes to a backup",
    "undo": "bring the last backup back",
    "grade": "check a folder of submissions: a CSV, and the most common mistakes",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="action", parser_class=type(parser))
    made = {}
    for name, summary in _SUMMARIES.items():
        made[name] = actions.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
    for name in ("start", "read", "hint", "demo", "solution", "reset", "undo"):
        made[name].add_argument("number", help='which kata, such as "4.6"')
    for name in ("check", "watch", "plug"):
        made[name].add_argument("number", nargs="?", help="which kata (default: the last saved)")
    for name in ("list", "check", "grade"):
        made[name].add_argument("--json", action="store_true", help="print JSON, nothing else")
    made["check"].add_argument("--all", action="store_true", help="every kata that is begun")
    made["plug"].add_argument("--all", action="store_true", help="every function of yours")
    made["solution"].add_argument("--give-up", action="store_true", help="before it has passed")
    made["solution"].add_argument(
        "--write", action="store_true", help="put it into your file; yours goes to a backup"
    )
    made["grade"].add_argument("folder", type=Path, help="of submissions")
    made["grade"].add_argument(
        "--out", type=Path, default=Path("grades.csv"), help="(default: grades.csv)"
    )


def run(options: argparse.Namespace) -> int:
    """Do what was asked for; `minilm kata` alone says where one is."""
    threads.set_blas_threads(1)
    from minilm.course import catalog, sessions
    from minilm.course.learner import Learner

    who = Learner()
    action = options.action or "where"
    number = getattr(options, "number", None)
    kata = catalog.find(number) if number else None
    if kata is None and action in ("check", "watch") and not getattr(options, "all", False):
        kata = sessions.latest(who) if action == "check" else None
    return _ACTIONS[action](who, kata, options)


# ---------------------------------------------------------------------- where one is


def _where(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import learner, reports, sessions

    states = who.states()
    done = sum(state == learner.PASSED for state in states.values())
    yours = len(sessions.parts(sessions.passed(who)))
    print(f"{done} of {len(states)} katas passed; {_parts(yours)}")
    following = learner.next_kata(states)
    if following is None:
        print("All done. See your functions at work: minilm kata plug --all")
        return 0
    style = _style()
    begun = states[following.number] != learner.NEW
    print(f"{'Go on with' if begun else 'Next'}:")
    print(reports.top_line(sessions.heading(who, following), style))
    if not begun:
        print(f"  minilm kata start {following.number}")
        return 0
    if states[following.number] == learner.STALE:
        print("  it passed before the library's own changed; check it again")
    print(f"  {who.file(following).as_posix()}")
    print(f"  minilm kata check {following.number}   (or on every save: minilm kata watch)")
    return 0


def _parts(count: int) -> str:
    from minilm.course import sessions

    return f"{count} of {sessions.all_parts()} parts {'is' if count == 1 else 'are'} yours"


def _list(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import catalog, sessions

    states = who.states()
    if options.json:
        rows = [sessions.described(k, states[k.number]) for k in catalog.all_katas()]
        print(json.dumps(rows, indent=2))
        return 0
    style = _style()
    colors = {"passed": "32", "stale": "33", "started": "36"}
    room = min(60, style.width - 33)  # for the title
    for k in catalog.all_katas():
        state = states[k.number]
        title = k.title if len(k.title) <= room else f"{k.title[: room - 1]}…"
        painted = style.paint(state, colors.get(state, "2"))
        print(f"  {k.number:>4}  {title:<{room}}  {k.difficulty}/5  {k.minutes:>3} min  {painted}")
    return 0


def _start(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    from minilm.course import sessions

    new = who.start(kata)
    _page(kata)
    print()
    path = who.file(kata).as_posix()
    print(f"{path} {'is yours to write' if new else 'is there already; it was left as it is'}.")
    print(f"  check it: minilm kata check {kata.number}    on every save: minilm kata watch")
    if note := sessions.stand_ins(who, kata):
        print(f"  {note}")
    return 0


def _read(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    _page(kata)
    return 0


# ---------------------------------------------------------------------- checking


def _check(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import sessions

    if options.all:
        return _check_all(who, options)
    assert kata is not None  # noqa: S101  (`run` found one)
    report = sessions.check(who, kata)
    if options.json:
        print(json.dumps(_described(report), indent=2))
    else:
        _show_report(who, kata, report)
    return 0 if report.passed else 1


def _check_all(who: Learner, options: argparse.Namespace) -> int:
    from minilm.course import sessions

    started = who.started()
    if not started:
        sessions.latest(who)  # says what to do
    reports = []
    style = _style()
    for kata in started:
        report = sessions.check(who, kata)
        reports.append(report)
        if options.json:
            continue
        mark = style.paint("ok", "32") if report.passed else style.paint("!!", "1;31")
        said = f": {report.failure.text}" if report.failure else ""
        line = f"  {mark}  {kata.number:>4}  {kata.title}{said}"
        print(line if len(line) < style.width + 9 * style.color else line[: style.width - 2] + "…")
    passed = sum(report.passed for report in reports)
    if options.json:
        print(json.dumps([_described(report) for report in reports], indent=2))
    else:
        print(f"{passed} of {len(reports)} begun katas pass")
    return 0 if passed == len(reports) else 1


def _watch(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import sessions, watching

    def watched() -> list[Kata]:
        return [kata] if kata is not None else who.started()

    if not any(who.file(k).exists() for k in watched()):
        (who.source(kata) if kata is not None else sessions.latest(who))  # says what to do
    by_path = {}

    def paths() -> Sequence[Path]:
        by_path.update({who.file(k): k for k in watched()})
        return [who.file(k) for k in watched()]

    try:
        _show_checked(who, kata if kata is not None else sessions.latest(who))
        for saved in watching.changes(paths):
            for path in saved:
                print(f"{path.as_posix()} was saved ...", flush=True)
                _show_checked(who, by_path[path])
    except KeyboardInterrupt:
        print()
    return 0


def _show_checked(who: Learner, kata: Kata) -> None:
    from minilm.course import sessions

    report = sessions.check(who, kata)
    if sys.stdout.isatty():
        print("\x1b[2J\x1b[H", end="")
    _show_report(who, kata, report)
    print(f"      {time.strftime('%H:%M:%S')}, watching; Ctrl-C ends", flush=True)


def _show_report(who: Learner, kata: Kata, report: Report) -> None:
    from minilm.course import reports, sessions

    print(reports.render(report, sessions.heading(who, kata), _style()))
    if report.passed and not kata.is_experiment:
        print(f"      next: minilm kata plug {kata.number}    the real model with your function")
        if note := sessions.stand_ins(who, kata):
            print(f"      {note}")


def _described(report: Report) -> dict[str, Any]:
    return dataclasses.asdict(report)


def _hint(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    from minilm.course import pages

    level = min(who.record(kata).get("hints", 0) + 1, len(kata.hints))
    who.update(kata, hints=level)
    for number, hint in enumerate(kata.hints[:level], 1):
        print("\n".join(pages.fill(hint, _style(), f"  {number}. ", "     ")))
    if level < len(kata.hints):
        print(f"  one more: minilm kata hint {kata.number}")
    else:
        print(f"  that was the last; the rest is in: minilm kata solution {kata.number} --give-up")
    return 0


# ---------------------------------------------------------------------- running


def _demo(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    from minilm.course import sessions

    if not kata.is_experiment:
        whose = "your" if kata in sessions.parts_of_demo(who, kata) else "the library's"
        print(f"with {whose} {', '.join(sessions.parts([kata]))}:\n", flush=True)
    ending = sessions.demo(who, kata, _echo)
    if problem := _problem(ending):
        print(f"  !!  the demo did not get to its end: it {problem}")
        return 1
    if kata.is_experiment:
        if ending.result["predictions"] is None:
            print("\nNo predictions were written before this run; write them, and run it again.")
        print(f"\nnext: minilm kata check {kata.number}")
    return 0


def _plug(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import learner, sessions

    katas = sessions.passed(who)
    if not options.all:
        kata = kata or sessions.latest(who)
        if who.state(kata) != learner.PASSED:
            report = sessions.check(who, kata)
            if not report.passed:
                _show_report(who, kata, report)
                return 1
        katas = [kata]
    left_out = [k.number for k in who.started() if k not in katas and not k.is_experiment]
    names = sessions.parts(katas)
    print(_parts(len(names)) + (f": {', '.join(names)}" if names else ""))
    if options.all and left_out:
        print(f"not passed as they are now, so the library's stand in: {', '.join(left_out)}")
    announce(f"training with yours, then with the library's{', then comparing' * options.all}")
    ending = sessions.plug(who, katas, everything=options.all, echo=_aside)
    if problem := _problem(ending):
        print(f"  !!  the training did not get to its end: it {problem}")
        return 1
    print(_training_table(ending.result))
    if options.all:
        print(_comparison_table(ending.result["comparison"]))
        print(f"all of it: {(who.folder / sessions.COMPARISON / 'report.html').as_posix()}")
    return 0


def _training_table(result: dict[str, Any]) -> str:
    """Return the losses of two trainings side by side."""
    yours, library = result["yours"], result["library"]
    count = len(yours["losses"])
    lines = [
        f"a GPT of {result['parameters']:,} parameters on corpora/general.txt, {count} steps",
        "    step   loss, yours   the library's",
    ]
    for step in sorted({1, count // 10, count // 4, count // 2, count} - {0}):
        mine, other = yours["losses"][step - 1], library["losses"][step - 1]
        lines.append(f"  {step:>6}   {mine:>11.5f}   {other:>13.5f}")
    lines.append(f"held out   {yours['held_out']:>11.5f}   {library['held_out']:>13.5f}")
    slower = [1000 * run["seconds"] / count for run in (yours, library)]
    lines.append(f"ms a step  {slower[0]:>11.1f}   {slower[1]:>13.1f}")
    lines.append(
        f"reviews, nearest centroid {yours['centroid']:.3f}   {library['centroid']:>13.3f}"
    )
    lines.append(f"reviews, LoRA {yours['lora']:>22.3f}   {library['lora']:>13.3f}")
    near = ", ".join(yours["neighbors"])
    lines.append(f'nearest to "{result["probe"]}" in your model: {near}')
    return "\n".join(lines)


def _comparison_table(rows: list[dict[str, Any]]) -> str:
    """Return the accuracies of the small comparison."""
    budgets = sorted({row["budget"] for row in rows})
    cells = {(row["condition"], row["budget"]): row for row in rows}
    lines = ["the small comparison with your parts: accuracy, and its 95 % interval"]
    lines.append(" " * 26 + "".join(f"{f'{budget} labels':>24}" for budget in budgets))
    for name in dict.fromkeys(row["condition"] for row in rows):
        line = f"  {name:<24}"
        for budget in budgets:
            row = cells[name, budget]
            shown = "failed"
            if row["mean"] is not None:
                shown = f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
            line += f"{shown:>24}"
        lines.append(line)
    return "\n".join(lines)


def _echo(text: str) -> None:
    print(text, end="", flush=True)


def _aside(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _problem(ending: Ending) -> str | None:
    if ending.result is None:
        return ending.problem
    raised: str | None = ending.result.get("raised")
    return None if raised is None else f"raises {raised}"


# ---------------------------------------------------------------------- files


def _solution(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    from minilm.course import learner, sessions, stubs

    if kata.is_experiment:
        raise OptionError(f"kata {kata.number} is an experiment: its answers come with the check")
    if who.state(kata) not in (learner.PASSED, learner.STALE) and not options.give_up:
        raise OptionError(
            f"kata {kata.number} has not passed as it is; try minilm kata hint {kata.number}, "
            "or say --give-up"
        )
    difference = sessions.solution_diff(who, kata)
    style = _style()
    colors = {"+": "32", "-": "31", "@": "36"}
    for line in difference.splitlines():
        print(style.paint(line, colors.get(line[:1], "")) if line[:1] in colors else line)
    if not difference:
        print("Yours is the library's own, letter for letter.")
    if options.write:
        backup = who.put(kata, stubs.solution(kata))
        print(f"\n{who.file(kata).as_posix()} is the library's now.")
        if backup is not None:
            print(
                f"Yours is in {backup.as_posix()}; minilm kata undo {kata.number} brings it back."
            )
    return 0


def _reset(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    from minilm.course import learner

    backup = who.put(kata, learner.first_file(kata))
    print(f"{who.file(kata).as_posix()} is as it was at the start.")
    if backup is not None:
        print(f"Yours is in {backup.as_posix()}; minilm kata undo {kata.number} brings it back.")
    return 0


def _undo(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    backup = who.undo(kata)
    print(f"{who.file(kata).as_posix()} is what the last backup was.")
    print(f"What it was before is in {backup.as_posix()} now: undo once more to go back.")
    return 0


def _grade(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    from minilm.course import grading, sessions
    from minilm.progress import Progress

    submissions = grading.find(options.folder)
    results = []
    with Progress("grading", len(submissions)) as progress:
        for result in grading.grade(submissions, sessions.CHECK_SECONDS):
            results.append(result)
            progress.advance(note=result.student)
    grading.write(results, options.out)
    common = grading.common_mistakes(results)
    if options.json:
        rows = [dataclasses.asdict(result) for result in results]
        mistakes = [{"kata": k, "mistake": m, "count": n} for k, m, n in common]
        print(json.dumps({"results": rows, "common_mistakes": mistakes}, indent=2))
        return 0
    passed = sum(result.passed for result in results)
    students = len({result.student for result in results})
    print(f"{students} students, {len(results)} files, {passed} passed: {options.out.as_posix()}")
    if common:
        print("The most common mistakes:")
    for number, mistake, count in common[:8]:
        print(f"  {count:>3}  {number:>4}  {mistake}")
    print("Each ran in a process of its own without network, other programs or writing outside a")
    print("scratch folder, as far as Python can. It could read files: do not grade strangers' code")
    print("on a machine with secrets; use a container.")
    return 0


# ---------------------------------------------------------------------- the terminal


def _style() -> Style:
    """Return how the terminal wants its text."""
    from minilm.course.reports import Style

    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and _understands_color()
    return Style(color, max(60, min(shutil.get_terminal_size((80, 24)).columns, 100)))


def _understands_color() -> bool:
    if os.name == "nt":
        os.system("")  # switches the console's escape sequences on
        return True
    return os.environ.get("TERM", "dumb") != "dumb"


def _page(kata: Kata) -> None:
    """Show a kata's page; on a terminal a screen at a time."""
    from minilm.course import pages

    text = pages.render(kata.lesson(), _style())
    if sys.stdout.isatty() and os.name != "nt":  # whose `more` shows colors as codes
        os.environ.setdefault("LESS", "FRX")  # colors; and no pager for what fits
        pydoc.pager(text)
    else:
        print(text)


_ACTIONS: dict[str, Any] = {
    "where": _where,
    "list": _list,
    "start": _start,
    "read": _read,
    "check": _check,
    "watch": _watch,
    "hint": _hint,
    "demo": _demo,
    "plug": _plug,
    "solution": _solution,
    "reset": _reset,
    "undo": _undo,
    "grade": _grade,
}
