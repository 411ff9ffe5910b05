"""`minilm kata`: its actions that run code: demos, and the real model with your functions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from minilm.cli import kata_output as output
from minilm.errors import OptionError
from minilm.progress import announce

if TYPE_CHECKING:
    from minilm.course.catalog import Kata
    from minilm.course.learner import Learner
    from minilm.course.process import Ending


def demo(who: Learner, kata: Kata, options: argparse.Namespace) -> int:
    """Run the demo, with the learner's function once it has passed."""
    from minilm.course import pages, predictions, sessions

    anyway = options.anyway or not kata.is_experiment
    if not anyway and (said := predictions.problem(who, kata)):
        lines = pages.fill(
            f"write your predictions first. {said}", output.style(), "  !!  ", "      "
        )
        print("\n".join(lines))
        print(f"      without them: minilm kata demo {kata.number} --anyway")
        return 1
    if not kata.is_experiment:
        whose = "your" if kata in sessions.parts_of_demo(who, kata) else "the library's"
        print(f"with {whose} {', '.join(sessions.parts([kata]))}:\n", flush=True)
    if kata.needs:
        from minilm.store import packaged

        packaged.find(kata.needs)  # says how to get it
    ending = sessions.demo(who, kata, _echo, anyway=options.anyway)
    if problem := _problem(ending):
        print(f"  !!  the demo did not finish: it {problem}")
        return 1
    output.expected(who, kata)
    if kata.is_experiment:
        print(f"\nnext: minilm kata check {kata.number}")
    return 0


def plug(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    """Train the real model with the learner's functions, or ask SmolLM2 something with them."""
    from minilm.course import learner, sessions

    if options.prompt is not None and not options.real:
        raise OptionError("--prompt is for the model that others trained; add --real")
    if options.real:
        from minilm.store import packaged

        packaged.find("smollm2")  # says how to get it, before anything is checked
    katas = sessions.passed(who)
    if not options.all:
        assert kata is not None  # noqa: S101  (`run` found one)
        if kata.is_experiment:
            raise OptionError(
                f"kata {kata.number} is an experiment; it has nothing to plug in. All of your "
                f"functions: minilm kata plug --all{' --real' * options.real}"
            )
        if who.state(kata) != learner.PASSED:
            report = sessions.check(who, kata)
            if not report.passed:
                output.report(who, kata, report)
                return 1
        katas = [kata]
    names = sessions.parts(katas)
    print(output.parts(len(names)) + (":" if names else ""))
    if names:
        print(output.by_kata(katas))
    if options.all and (others := sessions.missing(who)):
        print("not yours yet, so the library's are used:")
        print(output.by_kata(others))
    if options.real:
        return _plug_real(who, katas, options.prompt)
    what = "training with yours, then with the library's"
    announce(f"{what}, then comparing; one to three minutes" if options.all else f"{what}; 10 s")
    ending = sessions.plug(who, katas, everything=options.all, echo=_aside)
    if problem := _problem(ending):
        print(f"  !!  the training did not finish: it {problem}")
        return 1
    if options.all:
        print(output.comparison_table(ending.result["comparison"]))
        print(f"the report: {(who.folder / sessions.COMPARISON / 'report.html').as_posix()}")
    print(output.training_table(ending.result, names))
    return 0


def _plug_real(who: Learner, katas: Sequence[Kata], prompt: str | None) -> int:
    from minilm.course import pretrained, sessions

    prompt = pretrained.PROMPT if prompt is None else prompt
    announce("reading SmolLM2, with the library's functions; then it answers with yours")
    print(f"> {prompt}", flush=True)
    ending = sessions.plug_real(who, katas, prompt, _echo)
    if problem := _problem(ending):
        print(f"  !!  the reply did not finish: it {problem}")
        return 1
    print(output.answer_table(ending.result))
    return 0


def _echo(text: str) -> None:
    print(text, end="", flush=True)


def _aside(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _problem(ending: Ending) -> str | None:
    if ending.result is None:
        return ending.problem
    raised: str | None = ending.result.get("raised")
    return None if raised is None else f"raises {raised}"
