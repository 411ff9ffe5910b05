"""What `minilm kata` shows: pages, reports, and the tables of a training, as the terminal is."""

from __future__ import annotations

import os
import pydoc
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from minilm.cli import console

if TYPE_CHECKING:
    from minilm.course.catalog import Kata
    from minilm.course.learner import Learner
    from minilm.course.reports import Report, Style


def style() -> Style:
    """Return how the terminal wants its text."""
    from minilm.course import pages
    from minilm.course.reports import Style

    columns = shutil.get_terminal_size((80, 24)).columns
    color = console.has_color(sys.stdout) and _understands_color()
    return Style(color, max(pages.NARROWEST, min(columns, pages.WIDEST)))


def _understands_color() -> bool:
    if os.name == "nt":
        os.system("")  # switches the console's escape sequences on
        return True
    return os.environ.get("TERM", "dumb") != "dumb"


def page(who: Learner, kata: Kata, *, anyway: bool = False) -> None:
    """Show a kata's page, on a terminal a screen at a time.

    It ends at its marker until the learner's predictions are written, or with `anyway`.
    """
    from minilm.course import pages, predictions
    from minilm.course.reports import Style

    lesson = kata.lesson()
    missing = None if anyway else predictions.problem(who, kata)
    begun = pages.before_answers(lesson)
    if missing is None or begun == lesson:
        said = "".join(f"{i}. {answer}\n" for i, answer in enumerate(given(who, kata), 1))
        lesson = (
            f"{begun}\n\nYou expected:\n\n{said}" * bool(said) + lesson[len(begun) * bool(said) :]
        )
    else:
        lesson = (
            f"{begun}\n\nThe answers are in the rest of the page. Write your predictions "
            f"first ({missing}), then: `minilm kata read {kata.number}`. "
            f"Without them: `minilm kata read {kata.number} --anyway`\n"
        )
    paged = sys.stdout.isatty()
    shown = style()
    if paged and os.name == "nt":  # whose `more` shows colors as codes
        shown = Style(False, shown.width)
    text = pages.render(lesson, shown)
    if paged:
        # Colors; no pager for what fits; and how to go on, which its own prompt ":" does not say.
        os.environ.setdefault("LESS", "FRXPs?eq to leave:space for more, q to leave.$")
        pydoc.pager(text)
    else:
        print(text)


def parts(count: int) -> str:
    """Return how many of all functions are the learner's."""
    from minilm.course import sessions

    return f"{count} of {sessions.all_parts()} parts {'is' if count == 1 else 'are'} yours"


def given(who: Learner, kata: Kata) -> list[str]:
    """Return the learner's predictions, where every one is written."""
    from minilm.course import predictions

    if kata.is_experiment or predictions.problem(who, kata) is not None:
        return []
    return predictions.answers(who, kata)


def expected(who: Learner, kata: Kata) -> None:
    """Print the learner's predictions beside the results of a demo, if they are written."""
    from minilm.course import pages

    answers = given(who, kata)
    if answers:
        print("\nyou expected:")
    for i, answer in enumerate(answers, 1):
        print("\n".join(pages.fill(answer, style(), f"  {i}. ", "     ")))


def milestone(phase: int) -> None:
    """Print what a learner can do at the end of a phase."""
    from minilm.course import phases

    if phase in phases.PHASES:
        known = phases.PHASES[phase]
        print(f"  {phases.title(phase)} is complete: {known.milestone}.")
        print(f"    see it: {known.command}")


def report(who: Learner, kata: Kata, found: Report) -> None:
    """Print the report of a check, and what comes next."""
    from minilm.course import reports, sessions

    print(reports.render(found, sessions.heading(who, kata), style()))
    if found.passed and not kata.is_experiment:
        print(f"      next: minilm kata plug {kata.number}    see it in the real model")
        if kata.phase in sessions.completed_phases(who):
            milestone(kata.phase)
        if note := sessions.stand_ins(who, kata):
            print(f"      {note}")


def training_table(result: Mapping[str, Any], count_of_parts: int) -> str:
    """Return what came of two trainings, side by side, and what the learner's model writes."""
    runs = result["yours"], result["library"]
    count = len(runs[0]["losses"])
    steps = sorted({1, count // 10, count // 4, count // 2, count} - {0})
    rows = [(f"loss of step {n}", *(f"{run['losses'][n - 1]:.5f}" for run in runs)) for n in steps]
    rows += [
        ("loss, held out", *(f"{run['held_out']:.5f}" for run in runs)),
        ("the same, after update", *(f"{run['updated']:.5f}" for run in runs)),
        ("error of the gradient", *(f"{run['gradient_error']:.0e}" for run in runs)),
        ("milliseconds a step", *(f"{1000 * run['seconds'] / count:.1f}" for run in runs)),
        ("reviews, by TF-IDF, F1", *(f"{run['tfidf']:.3f}" for run in runs)),
        ("reviews, by centroids", *(f"{run['centroid']:.3f}" for run in runs)),
        ("reviews, by LoRA", *(f"{run['lora']:.3f}" for run in runs)),
        ("  its 95 % interval", *("{:.2f} to {:.2f}".format(*run["interval"]) for run in runs)),
        ("LoRA vs. centroids", *(run["verdict"] for run in runs)),
        ("  can tell from 0", *(f"{run['resolvable']:.3f}" for run in runs)),
    ]
    lines = [
        f"a {runs[0]['model']} of {runs[0]['parameters']:,} parameters on corpora/general.txt, "
        f"{count} steps",
        f"{'':24}{'yours':>12}{'the library':>14}",
        *(f"  {name:<22}{mine:>12}{other:>14}" for name, mine, other in rows),
        "  (two kinds of reviews, equally many: 0.5 is chance, and a model this small is near it)",
        f'nearest to "{result["probe"]}" in your model: {", ".join(runs[0]["neighbors"])}',
    ]
    if pairs := result["byte_pairs"]:
        merged = " ".join(repr(token) for token in pairs["tokens"])
        lines += [
            f"byte pairs, the first merges: {merged}",
            f"  a GPT on them: loss of step 1 {pairs['losses'][0]:.3f}, of step "
            f"{len(pairs['losses'])} {pairs['losses'][-1]:.3f}",
            *written(pairs["text"], "on byte pairs, it writes: "),
        ]
    if llama := result["llama"]:
        lines += _llama_lines(llama["yours"], llama["library"])
    lines += [
        f"this model ran on your functions ({parts(count_of_parts)}), and writes:",
        *written(runs[0]["text"]),
    ]
    return "\n".join(lines)


def answer_table(result: Mapping[str, Any]) -> str:
    """Return how often the learner's functions were called in the model that others trained."""
    names = {path: path.rpartition(".")[2] for path in result["calls"]}
    called = {path: n for path, n in result["calls"].items() if n}
    idle = [names[path] for path in result["calls"] if path not in called]
    lines = [
        f"SmolLM2 has {result['parameters']:,} parameters in {result['layers']} layers; others "
        f"trained them. {result['tokens']} tokens in {result['seconds']:.1f} s",
        "calls of your functions while it answered:",
        *(f"  {names[path]:<36}{n:>9,}" for path, n in called.items()),
    ]
    if not called:
        lines[-1:] = ["it calls none of these functions; those of katas 11.1 to 11.3 it does"]
    elif idle:
        shown = ", ".join(idle[:8]) + f" and {len(idle) - 8} more" * (len(idle) > 8)
        lines.append(f"not called (not in a Llama, or only in training): {shown}")
    same, places = result["same"], result["places"]
    lines.append(
        f"the likeliest next token at each of {places} places: the library's at {same}"
        + ("" if same == places else "; look at what differs: minilm kata check --all")
    )
    return "\n".join(lines)


def _llama_lines(yours: Mapping[str, Any], library: Mapping[str, Any]) -> list[str]:
    """Return what came of a Llama that was trained beside the GPT."""
    count = len(yours["losses"])
    return [
        f"a Llama of {yours['parameters']:,} parameters on your functions, {count} steps",
        *(
            f"  {name:<22}{yours[key]:>12.5f}{library[key]:>14.5f}"
            for name, key in (("loss, held out", "held_out"), ("reviews, by LoRA", "lora"))
        ),
        *written(yours["text"], "it writes: "),
    ]


def written(text: str, before: str = "") -> list[str]:
    """Return text that a model has written as lines that fit the terminal."""
    from minilm.course import pages

    lines = [] if not before else [f"  {before}"]
    return [*lines, *pages.fill(text, style(), "    ", "    ")]


def comparison_table(rows: Sequence[Mapping[str, Any]]) -> str:
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
