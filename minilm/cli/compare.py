"""`minilm compare`: random, pretrained and fine-tuned models on a labelled task."""

from __future__ import annotations

import argparse
import csv
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm import resources, threads
from minilm.cli import console, report
from minilm.cli.options import Options, add_table, add_vectors, add_workers, table_options
from minilm.errors import OptionError

if TYPE_CHECKING:
    from minilm.compare.report.scoreboard import ClassBets


@dataclass(frozen=True)
class Preset:
    """What a preset asks for by default.

    Parameters
    ----------
    time : str
        What it takes on two cores, with the shipped corpora.
    budgets : tuple of int
    seeds, pretrainings : int
    words : tuple of (int or None)
        Amounts of the pretraining text; None is all of it.
    steps : int
        Of pretraining the transformer.
    conditions : tuple of str
        By default those of `conditions.DEFAULT`.
    task : str
    crossed : bool
        Whether each draw meets every pretraining.
    """

    time: str
    budgets: tuple[int, ...]
    seeds: int
    pretrainings: int
    words: tuple[int | None, ...]
    steps: int
    conditions: tuple[str, ...] = ()
    task: str = "movie_reviews.csv"
    crossed: bool = False


_LESSON = (
    "tfidf",
    "random",
    "cooccurrence",
    "transformer-scratch",
    "transformer-finetuned",
)
_METHODS = (
    "transformer-scratch",
    "transformer-probe",
    "transformer-last-n",
    "transformer-gradual",
    "transformer-lora",
    "transformer-lora-8",
    "transformer-finetuned",
)
PRESETS = {
    "kata": Preset("20 s", (16, 64), 3, 1, (50_000,), 100),
    # 400 steps read these 62,000 words three times. On a development part (40 and 120 labels, six
    # draws, three pretrainings) fine-tuning came to 0.391 and 0.523 at 400 steps, 0.409 and 0.491
    # at 220, 0.378 and 0.494 at 800; from scratch 0.315 and 0.432.
    "lesson": Preset("1 min", (40, 160), 9, 9, (None,), 400, _LESSON, "support_tickets.csv"),
    # Nine pretrainings of 400 steps take as long as four of 800, cost a point of accuracy at most,
    # and make intervals half as wide (`bootstrap`), a draw for each.
    "class": Preset("3 min", (16, 64, 256), 9, 9, (None,), 400),
    "methods": Preset("3 min", (64, 256), 9, 9, (None,), 400, _METHODS),
    "study": Preset(
        "1 h", (16, 32, 64, 128, 256), 10, 3, (10_000, 100_000, None), 2_000, crossed=True
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "Another comparison: minilm compare forgetting --help."
    _add_data(parser.add_argument_group("data (by default the corpora that ship with minilm)"))
    _add_runs(parser.add_argument_group("runs"))
    add_vectors(parser.add_argument_group("word vectors"), window=15)
    places = parser.add_argument_group("where it runs")
    add_workers(places)
    places.add_argument("--dask", metavar="ADDRESS", help="a Dask cluster, such as tcp://host:8786")
    places.add_argument(
        "--price-per-hour",
        type=float,
        metavar="X",
        help="price of the machine: adds what runs cost",
    )
    _add_output(parser.add_argument_group("output"))


def _add_data(data: Options) -> None:
    data.add_argument(
        "--task",
        type=Path,
        action="append",
        metavar="FILE",
        help="labelled .csv .tsv .json .jsonl; repeated: more fields to compare",
    )
    data.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        action="append",
        metavar="PATH",
        help="unlabelled files or folders; repeated: more texts to compare",
    )
    data.add_argument(
        "--transfer",
        type=Path,
        action="append",
        metavar="FILE",
        help="another labelled file, only to test on; may be repeated",
    )
    add_table(data, labels=True)
    data.add_argument(
        "--documents",
        choices=("lines", "paragraphs"),
        default="lines",
        help="what a document is in .txt and .md (default: lines)",
    )


def _add_runs(grid: Options) -> None:
    grid.add_argument(
        "--preset",
        choices=PRESETS,
        default="class",
        help="conditions, budgets, draws, pretrainings, amounts of text and length of pretraining; "
        + ", ".join(f"{name}: {preset.time}" for name, preset in PRESETS.items())
        + " on two cores (default: class)",
    )
    grid.add_argument(
        "--conditions",
        metavar="A,B,...",
        help="names (default: by preset); also models in folders, or smollm2: "
        "probe:DIR, lora:DIR, finetuned:DIR (one with a comma goes in double quotes)",
    )
    grid.add_argument("--budgets", metavar="N,N,...", help="numbers of labelled examples")
    grid.add_argument("--seeds", type=int, metavar="N", help="draws of the labelled examples")
    grid.add_argument(
        "--pretrainings",
        type=int,
        metavar="N",
        help="how often to pretrain, each time with another order of the text and other initial "
        "parameters; the draws take turns",
    )
    grid.add_argument(
        "--pretrain-words",
        metavar="N,...,all",
        help="how much of each unlabelled text is used (default: all; of several, equally much)",
    )


def _add_output(output: Options) -> None:
    output.add_argument("--out", type=Path, metavar="DIR", help="(default: runs/TASK-TIME)")
    output.add_argument("--resume", action="store_true", help="continue what is in --out")
    output.add_argument("--overwrite", action="store_true", help="replace what is in --out")
    output.add_argument(
        "--predict",
        nargs="?",
        const="",
        metavar="ORDER",
        help='bet on the order first, such as "a > b > c", or with a table of the bets of a class '
        "(columns student and order) in a file .csv (without ORDER: you are asked)",
    )
    output.add_argument(
        "--slides", action="store_true", help="also write slides.html, to page through"
    )
    output.add_argument("--open", action="store_true", help="open the report in the browser")
    output.add_argument("--json", action="store_true", help="print summary.json, nothing else")


def run(options: argparse.Namespace) -> int:
    """Run the comparison and print its tables."""
    threads.set_blas_threads(1)  # processes share the cores; and sums do not depend on their number
    from minilm.compare import comparison, executors
    from minilm.compare.conditions import DEFAULT
    from minilm.compare.run import Grid

    if options.resume and options.out is None:
        raise OptionError("--resume needs --out, the folder to continue")
    if options.resume and options.overwrite:
        raise OptionError("--resume keeps what --overwrite removes; use one of them")
    if options.price_per_hour is not None and not 0 <= options.price_per_hour < float("inf"):
        raise OptionError(f"--price-per-hour: {options.price_per_hour}; use a price of 0 or more")
    tasks = _tasks(options)
    preset = PRESETS[options.preset]
    seeds = preset.seeds if options.seeds is None else options.seeds
    pretrainings = options.pretrainings
    if pretrainings is None:
        pretrainings = preset.pretrainings if preset.crossed else min(preset.pretrainings, seeds)
    grid = Grid(
        conditions=preset.conditions or DEFAULT
        if options.conditions is None
        else _names(options.conditions),
        budgets=preset.budgets if options.budgets is None else _budgets(options.budgets),
        seeds=seeds,
        pretrainings=pretrainings,
        crossed=preset.crossed,
    )
    name = tasks[0].task.stem
    folder = options.out or Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    bet, class_bets = _bets(options.predict, grid.conditions, folder, options.overwrite)
    try:
        result = comparison.compare(
            tasks,
            grid,
            folder,
            place=executors.place(options.workers, options.dask),
            resume=options.resume,
            overwrite=options.overwrite,
            price_per_hour=options.price_per_hour,
            preset=options.preset,
            bet=bet,
            class_bets=class_bets,
            slides=options.slides,
            say=_say,
        )
    except KeyboardInterrupt:
        advice = "nothing was written"
        if folder.exists():
            advice = f"continue with the same command and --out {folder} --resume"
        console.note("compare", f"stopped by Ctrl-C; {advice}")
        return 130
    report.show(result, options)
    return 0


def _bets(
    predict: str | None, names: tuple[str, ...], folder: Path, overwrite: bool
) -> tuple[list[str], ClassBets | None]:
    """Return the order that was bet on, and the bets of a class, if any."""
    if predict is None:
        return [], None
    from minilm.compare.report import bets, scoreboard

    if not overwrite:
        bets.check(folder)
    if scoreboard.is_table(predict):
        found = scoreboard.from_table(Path(predict), names)
        for text in found.unreadable:
            _say(f"not a bet: {predict}, {text}")
        return [], found
    return bets.parse(predict, names) if predict else bets.ask(names), None


def _say(text: str) -> None:
    lines = textwrap.wrap(text, 63) or [""]
    for number, line in enumerate(lines):
        prefix = "minilm compare: " if number == 0 else " " * 16
        console.aside(prefix + line)


def _tasks(options: argparse.Namespace) -> list[Any]:
    """Return the settings of each task."""
    from minilm.compare.data import CompareSettings
    from minilm.compare.transformer import TransformerSettings

    preset = PRESETS[options.preset]
    files = [resources.find_corpus(path) for path in options.task or [Path(preset.task)]]
    transfers = [resources.find_corpus(path) for path in options.transfer or []]
    corpora = [tuple(map(resources.find_corpus, paths)) for paths in options.corpus or []]
    words = preset.words if options.pretrain_words is None else _words(options.pretrain_words)
    settings = []
    for task in files:
        corpus, companion = _companions(task)
        away = transfers or ([] if companion is None else [companion])
        # With several tasks each is tested on the others, and on whatever has the same labels.
        others = [path for path in (*files, *away) if path != task] if len(files) > 1 else []
        settings.append(
            CompareSettings(
                task=task,
                corpora=tuple(corpora) or (tuple(corpus),),
                transfers=() if others else tuple(away),
                others=tuple(dict.fromkeys(others)),
                pretrain_words=words,
                equal_words=len(corpora) > 1 and options.pretrain_words is None,
                window=options.window,
                weighting=options.weighting,
                dimensions=options.dimensions,
                min_count=options.min_count,
                stop_words=options.stop_words,
                transformer=TransformerSettings(steps=preset.steps),
                unit=options.documents,
                **table_options(options, labels=True),
            )
        )
    return settings


# The unlabelled text of the same field, and a second domain, for the shipped tasks.
_COMPANIONS: dict[str, tuple[str, str | None]] = {
    "movie_reviews.csv": ("reviews_unlabelled.txt", "product_reviews.csv"),
    "product_reviews.csv": ("reviews_unlabelled.txt", None),
    "support_tickets.csv": ("support_conversations.txt", None),
    "topics.csv": ("general.txt", None),
}


def _companions(task: Path) -> tuple[list[Path], Path | None]:
    """Return the unlabelled text and the second domain that go with a task by default.

    General text goes with a file of the user's own.
    """
    shipped = resources.corpora_dir()
    text, second = "general.txt", None
    if task.resolve().parent == shipped.resolve():
        text, second = _COMPANIONS.get(task.name, (text, second))
    return [shipped / text], None if second is None else shipped / second


def _names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas, each once.

    >>> _names('random, "probe:models/a,b"')
    ('random', 'probe:models/a,b')
    """
    parts = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _budgets(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise OptionError(f"--budgets: {text!r} is not a list like 16,64,256") from None


def _words(text: str) -> tuple[int | None, ...]:
    try:
        amounts = [None if part.strip() == "all" else int(part) for part in text.split(",")]
    except ValueError:
        amounts = [0]
    if any(amount is not None and amount < 1 for amount in amounts):
        raise OptionError(f"--pretrain-words: {text!r} is not a list like 10000,100000,all")
    return tuple(dict.fromkeys(amounts))
