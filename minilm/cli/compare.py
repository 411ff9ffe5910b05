"""`minilm compare`: random, pretrained and fine-tuned models on a labelled task."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.cli import report
from minilm.cli.options import add_table, dimensions, table_options
from minilm.errors import OptionError


@dataclass(frozen=True)
class Preset:
    """What a preset asks for, unless an option says otherwise.

    Parameters
    ----------
    time : str
        What it takes on two cores, with the shipped corpora.
    budgets : tuple of int
    seeds : int
    words : tuple of (int or None)
        Amounts of the pretraining text; None is all of it.
    steps : int
        Of pretraining the transformer.
    """

    time: str
    budgets: tuple[int, ...]
    seeds: int
    words: tuple[int | None, ...]
    steps: int


PRESETS = {
    "kata": Preset("20 s", (16, 64), 3, (50_000,), 100),
    "class": Preset("3 min", (16, 64, 256), 5, (None,), 800),
    "study": Preset("30 min", (16, 32, 64, 128, 256), 20, (10_000, 100_000, None), 2_000),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "Another comparison: minilm compare forgetting --help."
    data = parser.add_argument_group("data (unless said, the corpora that ship with minilm)")
    data.add_argument(
        "--task",
        type=Path,
        action="append",
        metavar="FILE",
        help="labelled .csv .tsv .json .jsonl; may be repeated",
    )
    data.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        action="append",
        metavar="PATH",
        help="unlabelled files or folders; repeated: another text to compare with",
    )
    data.add_argument(
        "--transfer",
        type=Path,
        action="append",
        metavar="FILE",
        help="another labelled file, evaluated only; may be repeated",
    )
    add_table(data, labels=True)
    data.add_argument(
        "--documents",
        choices=("lines", "paragraphs"),
        default="lines",
        help="what a document is in .txt and .md (default: lines)",
    )
    grid = parser.add_argument_group("runs")
    grid.add_argument(
        "--preset",
        choices=PRESETS,
        default="class",
        help="budgets, seeds, amounts of text and length of pretraining, for "
        + ", ".join(f"{preset.time} ({name})" for name, preset in PRESETS.items())
        + " on two cores (default: class)",
    )
    grid.add_argument(
        "--conditions", metavar="A,B,...", help="which (default: all); or a model's folder"
    )
    grid.add_argument("--budgets", metavar="N,N,...", help="numbers of labelled examples")
    grid.add_argument("--seeds", type=int, metavar="N", help="draws of the labelled examples")
    grid.add_argument(
        "--pretrain-words", metavar="N,...,all", help="how much of each unlabelled text is used"
    )
    vectors = parser.add_argument_group("word vectors")
    vectors.add_argument("--window", type=int, default=15, help="words to each side (default: 15)")
    vectors.add_argument(
        "--weighting", choices=("ppmi", "count"), default="ppmi", help="(default: ppmi)"
    )
    vectors.add_argument(
        "--dimensions",
        type=dimensions,
        default=100,
        metavar="N|all",
        help="columns kept (default: 100)",
    )
    vectors.add_argument(
        "--min-count", type=int, default=1, metavar="N", help="rarer words are left out"
    )
    vectors.add_argument("--stop-words", action="store_true", help="leave out function words")
    places = parser.add_argument_group("where it is done")
    places.add_argument("--workers", type=int, metavar="N", help="processes (default: all cores)")
    places.add_argument("--dask", metavar="ADDRESS", help="a Dask cluster, such as tcp://host:8786")
    places.add_argument(
        "--price-per-hour", type=float, metavar="X", help="of the machine: what the runs cost"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, metavar="DIR", help="(default: runs/TASK-TIME)")
    output.add_argument("--resume", action="store_true", help="go on with what --out holds")
    output.add_argument("--overwrite", action="store_true", help="replace what --out holds")
    output.add_argument(
        "--predict",
        nargs="?",
        const="",
        metavar="ORDER",
        help='bet on the order first, such as "a > b > c" (else it is asked for)',
    )
    output.add_argument("--open", action="store_true", help="show the report in the browser")
    output.add_argument("--json", action="store_true", help="print summary.json, nothing else")


def run(options: argparse.Namespace) -> int:
    """Run the comparison and print its tables."""
    threads.set_blas_threads(1)  # processes share the cores; and sums do not depend on their number
    from minilm.compare import comparison, executors
    from minilm.compare.conditions import CONDITIONS
    from minilm.compare.experiment import Grid

    if options.resume and options.out is None:
        raise OptionError("--resume needs --out, the folder to go on with")
    if options.resume and options.overwrite:
        raise OptionError("--resume keeps what --overwrite removes; use one of them")
    if options.price_per_hour is not None and not 0 <= options.price_per_hour < float("inf"):
        raise OptionError(f"--price-per-hour: {options.price_per_hour}; use a price of 0 or more")
    tasks = _tasks(options)
    preset = PRESETS[options.preset]
    grid = Grid(
        conditions=_names(options.conditions) or tuple(CONDITIONS),
        budgets=preset.budgets if options.budgets is None else _budgets(options.budgets),
        seeds=preset.seeds if options.seeds is None else options.seeds,
    )
    name = tasks[0].task.stem
    folder = options.out or Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    bet = _bet(options.predict, grid.conditions, folder, options.overwrite)
    workers = options.workers if options.workers is not None else os.cpu_count() or 1
    try:
        result = comparison.compare(
            tasks,
            grid,
            folder,
            place=executors.place(workers, options.dask),
            resume=options.resume,
            overwrite=options.overwrite,
            price_per_hour=options.price_per_hour,
            preset=options.preset,
            bet=bet,
            say=_say,
        )
    except KeyboardInterrupt:
        advice = "nothing was written"
        if folder.exists():
            advice = f"go on with the same command and --out {folder} --resume"
        print(f"minilm compare: stopped by Ctrl-C; {advice}", file=sys.stderr)
        return 130
    report.show(result, as_json=options.json, in_browser=options.open)
    return 0


def _bet(predict: str | None, names: tuple[str, ...], folder: Path, overwrite: bool) -> list[str]:
    """Return the order that was bet on, if any."""
    if predict is None:
        return []
    from minilm.compare import bets

    if not overwrite:
        bets.check(folder)
    return bets.parse(predict, names) if predict else bets.ask(names)


def _say(text: str) -> None:
    lines = textwrap.wrap(text, 63) or [""]
    for number, line in enumerate(lines):
        prefix = "minilm compare: " if number == 0 else " " * 16
        print(prefix + line, file=sys.stderr, flush=True)


def _tasks(options: argparse.Namespace) -> list[Any]:
    """Return the settings of each task."""
    from minilm.compare.data import CompareSettings
    from minilm.compare.transformer import TransformerSettings

    preset = PRESETS[options.preset]
    files = [resources.find_corpus(path) for path in options.task or [Path("movie_reviews.csv")]]
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


def _companions(task: Path) -> tuple[list[Path], Path | None]:
    """Return the unlabelled text and the second domain that go with a task unless others are named.

    General text goes with a file of the user's own.
    """
    shipped = resources.corpora_dir()
    if task.resolve() == shipped / "support_tickets.csv":
        return [shipped / "support_conversations.txt"], None
    films = task.resolve() == shipped / "movie_reviews.csv"
    return [shipped / "general.txt"], shipped / "product_reviews.csv" if films else None


def _names(text: str | None) -> tuple[str, ...]:
    """Return the names in a list with commas, each once."""
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))


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
