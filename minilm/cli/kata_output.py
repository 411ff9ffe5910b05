"""What `minilm kata` shows: pages, reports, and the tables of a training, to fit the terminal."""

from __future__ import annotations

import os
import pydoc
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from minilm.cli import console

if TYPE_CHECKING:
    from minilm.course.catalog import Kata
    from minilm.course.learner import Learner
    from minilm.course.reports import Report, Style


_INDENTED: Mapping[str, Any] = {
    "initial_indent": "  ",
    "subsequent_indent": "  ",
    "break_on_hyphens": False,
}


def style() -> Style:
    """Return the style that suits the terminal: color or none, and the width."""
    from minilm.course import pages
    from minilm.course.reports import Style

    columns = shutil.get_terminal_size((80, 24)).columns
    color = console.has_color(sys.stdout) and _understands_color()
    return Style(color, max(pages.NARROWEST, min(columns, pages.WIDEST)))


def _understands_color() -> bool:
    if os.name == "nt":
        os.system("")  # turns on the console's escape sequences
        return True
    return os.environ.get("TERM", "dumb") != "dumb"


def page(who: Learner, kata: Kata, *, anyway: bool = False) -> None:
    """Show a kata's page; on a terminal, one screen at a time.

    The answers are shown once the learner's predictions are written, or with `anyway`.
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
            f"first ({missing}), then run `minilm kata read {kata.number}`. "
            f"To read on without them: `minilm kata read {kata.number} --anyway`\n"
        )
    paged = sys.stdout.isatty()
    shown = style()
    if paged and os.name == "nt":  # whose `more` shows colors as codes
        shown = Style(False, shown.width)
    text = pages.render(lesson, shown)
    if paged:
        # Colors; no pager for a page that fits; a prompt that says how to continue, unlike ":".
        os.environ.setdefault("LESS", "FRXPs?eq to leave:space for more, q to leave.$")
        pydoc.pager(text)
    else:
        print(text)


def parts(count: int) -> str:
    """Return how many of all parts are the learner's, as text."""
    from minilm.course import sessions

    return f"{count} of {sessions.all_parts()} parts {'is' if count == 1 else 'are'} yours"


def by_kata(katas: Sequence[Kata]) -> str:
    """Return the functions of each kata, in lines that fit the terminal."""
    from minilm.course import sessions

    found = (f"{kata.number} {', '.join(sessions.parts([kata]))};" for kata in katas)
    # Break lines between katas if the functions of one fit on a line.
    listed = " ".join(one.replace(" ", "\u00a0") if len(one) < 60 else one for one in found)
    lines = textwrap.wrap(listed.rstrip(";"), style().width - 1, **_INDENTED)
    return "\n".join(lines).replace("\u00a0", " ")


def given(who: Learner, kata: Kata) -> list[str]:
    """Return the learner's predictions, if all are written."""
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
    from minilm.course import pages, phases

    if phase in phases.PHASES:
        known = phases.PHASES[phase]
        said = f"{phases.title(phase)} is complete: {known.milestone}."
        print("\n".join(pages.fill(said, style(), "  ", "    ")))
        print(f"    see it: {known.command}")


def milestones(done: Sequence[int]) -> None:
    """Print what a learner can do, one line per phase, and how to see the last one."""
    from minilm.course import pages, phases

    known = [(phase, phases.PHASES[phase]) for phase in done if phase in phases.PHASES]
    for phase, one in known:
        said = f"{one.name}: {one.milestone}"
        print("\n".join(pages.fill(said, style(), f"  ok  {phase:>2} ", " " * 9)))
    if known:
        print(f"         see it: {known[-1][1].command}")


def report(who: Learner, kata: Kata, found: Report) -> None:
    """Print the report of a check, and what to do next."""
    from minilm.course import pages, reports, sessions

    print(reports.render(found, sessions.heading(who, kata), style()))
    if not found.passed:
        return
    if not kata.is_experiment:
        print(f"      next: minilm kata plug {kata.number}    see it in the real model")
    if kata.phase in sessions.completed_phases(who):
        milestone(kata.phase)
    if note := sessions.stand_ins(who, kata):
        print("\n".join(pages.fill(note, style(), "      ", "      ")))


def training_table(result: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the results of two trainings side by side, and what the learner's model writes.

    Parameters
    ----------
    result : mapping
        From `plugging.train`.
    names : sequence of str
        The learner's functions.
    """
    runs = result["yours"], result["library"]
    count = len(runs[0]["losses"])
    steps = sorted({1, count // 10, count // 4, count // 2, count} - {0})
    rows = [(f"loss of step {n}", *(f"{run['losses'][n - 1]:.3f}" for run in runs)) for n in steps]
    rows += _measured_rows(runs)
    lines = [
        f"a {runs[0]['model']} of {runs[0]['parameters']:,} parameters on corpora/general.txt, "
        f"{count} steps",
        f"{'':26}{'yours':>13}{'the library':>15}",
        *(f"  {name:<24}{mine:>13}{other:>15}" for name, mine, other in rows),
        "  (reviews of two kinds, equally many: 0.5 is chance, and a model this small is",
        "  near it; step by step, rounding lets the last digits drift apart)",
        f'nearest to "{result["probe"]}" in your model: {", ".join(runs[0]["neighbors"])}',
    ]
    if pairs := result["byte_pairs"]:
        merged = " ".join(repr(token) for token in pairs["tokens"])
        lines += [
            *written("", f"byte pairs, the first merges: {merged}"),
            f"  a GPT on them: loss of step 1 {pairs['losses'][0]:.3f}, of step "
            f"{len(pairs['losses'])} {pairs['losses'][-1]:.3f}",
            f"  it needs {pairs['bits_per_byte']:.2f} bits per byte of text that it has not seen",
            *written(pairs["text"], "on byte pairs, it writes:"),
        ]
    if llama := result["llama"]:
        lines += _llama_lines(llama["yours"], llama["library"])
    return "\n".join([*lines, *_ending(result, names)])


def _measured_rows(runs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return what was measured after training: a name, and a value for each run."""
    reviewed = [run["reviewed"] for run in runs]

    def row(name: str, form: str, values: Sequence[Any]) -> tuple[str, str, str]:
        mine, other = (form.format(value) for value in values)
        return name, mine, other

    def share(name: str, key: str) -> tuple[str, str, str]:
        return row(name, "{:.3f}", [one[key] for one in reviewed])

    return [
        row("loss, held out", "{:.3f}", [run["held_out"] for run in runs]),
        row("  as perplexity", "{:.1f}", [run["perplexity"] for run in runs]),
        row("  after an update", "{:.3f}", [run["updated"] for run in runs]),
        row("error of the gradient", "{:.0e}", [run["gradient_error"] for run in runs]),
        row("one batch, SGD: loss", "{0[0]:.2f} to {0[1]:.2f}", [run["one_batch"] for run in runs]),
        row(
            "milliseconds a step",
            "{:.1f}",
            [1000 * run["seconds"] / len(run["losses"]) for run in runs],
        ),
        share("reviews, TF-IDF (F1)", "tfidf"),
        share("reviews, centroids", "centroid"),
        share("reviews, tuned vectors", "tuned"),
        share("reviews, last layer", "last"),
        share("reviews, LoRA", "lora"),
        row(
            "  its 95 % interval", "{0[0]:.2f} to {0[1]:.2f}", [one["interval"] for one in reviewed]
        ),
        row("centroids vs. TF-IDF", "{}", [one["verdict"] for one in reviewed]),
        share("  smallest detectable", "resolvable"),
    ]


def _ending(result: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return how much of the model is the learner's, and what it writes."""
    calls = result["calls"]
    times = f"called {sum(calls.values()):,} times"
    if len(names) == 1:
        said = f"this model ran on your {names[0]}, {times} ({parts(1)}), and writes:"
    else:
        said = f"this model ran on your functions, {times} ({parts(len(names))}), and writes:"
    idle = [path.rpartition(".")[2] for path, count in calls.items() if not count]
    lines = written("", f"never called in this training: {', '.join(idle)}") if idle else []
    return [*lines, *written("", said), *written(result["yours"]["text"])]


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
        lines[-1:] = ["it calls none of these functions; it does call those of katas 11.1 to 11.3"]
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
    """Return the results of a Llama that was trained beside the GPT."""
    rows = (
        ("loss, held out", yours["held_out"], library["held_out"]),
        ("reviews, LoRA", yours["reviewed"]["lora"], library["reviewed"]["lora"]),
    )
    return [
        f"a Llama of {yours['parameters']:,} parameters on your functions, "
        f"{len(yours['losses'])} steps",
        *(f"  {name:<24}{mine:>13.3f}{other:>15.3f}" for name, mine, other in rows),
        *written(yours["text"], "it writes:"),
    ]


def written(text: str, before: str = "") -> list[str]:
    """Return a text that a model has written, in lines that fit the terminal."""
    from minilm.course import pages

    lines = pages.fill(before, style(), "", "  ") if before else []
    return [*lines, *pages.fill(text, style(), "    ", "    ")] if text else lines


def comparison_table(found: Mapping[str, Any]) -> str:
    """Return the accuracies of the small comparison, and its verdicts."""
    rows = [row for row in found["conditions"] if row["domain"] == row["task"]]
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
    decided = [row for row in found["differences"] if row["verdict"] != "cannot tell"]
    for row in decided:
        lines.append(
            f"  {row['condition']} is {row['verdict']} than {row['baseline']} "
            f"at {row['budget']} labels"
        )
    untold = len(found["differences"]) - len(decided)
    lines.append(f"  in {untold} of {len(found['differences'])} comparisons it cannot tell")
    return "\n".join(lines)
