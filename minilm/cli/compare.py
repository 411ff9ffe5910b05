"""`minilm compare`: random against pretrained word vectors on a labelled task."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
import time
from pathlib import Path

from minilm import resources, threads
from minilm.cli.options import dimensions
from minilm.errors import OptionError

# What a preset asks for, unless an option says otherwise: the budgets and the number of seeds.
PRESETS = {
    "kata": ((16, 64), 5),
    "class": ((16, 64, 256), 10),
    "study": ((16, 32, 64, 128, 256), 30),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    data = parser.add_argument_group("data (unless said, the corpora that ship with minilm)")
    data.add_argument("--task", type=Path, metavar="FILE", help="labelled .csv .tsv .json .jsonl")
    data.add_argument(
        "--corpus", type=Path, nargs="+", metavar="PATH", help="unlabelled files or folders"
    )
    data.add_argument(
        "--transfer", type=Path, metavar="FILE", help="second labelled file, evaluated only"
    )
    data.add_argument("--text-column", metavar="NAME", help="column of the text (else guessed)")
    data.add_argument("--label-column", metavar="NAME", help="column of the label (else guessed)")
    data.add_argument("--encoding", default="utf-8", help="of all the files (default: utf-8)")
    data.add_argument(
        "--documents",
        choices=("lines", "paragraphs"),
        default="lines",
        help="what a document is in .txt and .md (default: lines)",
    )
    grid = parser.add_argument_group("runs")
    grid.add_argument(
        "--preset", choices=PRESETS, default="class", help="budgets and seeds (default: class)"
    )
    grid.add_argument("--conditions", metavar="A,B,...", help="which (default: all)")
    grid.add_argument("--budgets", metavar="N,N,...", help="numbers of labelled examples")
    grid.add_argument("--seeds", type=int, metavar="N", help="draws of the labelled examples")
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
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, metavar="DIR", help="(default: runs/TASK-TIME)")
    output.add_argument("--resume", action="store_true", help="go on with what --out holds")
    output.add_argument("--overwrite", action="store_true", help="replace what --out holds")
    output.add_argument("--workers", type=int, metavar="N", help="processes (default: all cores)")
    output.add_argument("--json", action="store_true", help="print summary.json, nothing else")


def run(options: argparse.Namespace) -> int:
    """Run the comparison and print its tables."""
    threads.set_blas_threads(1)  # processes share the cores; and sums do not depend on their number
    from minilm.compare import comparison, report
    from minilm.compare.conditions import CONDITIONS
    from minilm.compare.experiment import Grid
    from minilm.compare.material import Settings

    if options.resume and options.out is None:
        raise OptionError("--resume needs --out, the folder to go on with")
    if options.resume and options.overwrite:
        raise OptionError("--resume keeps what --overwrite removes; use one of them")
    task = resources.find_corpus(options.task or Path("movie_reviews.csv"))
    corpus, transfer = _companions(task)
    if options.corpus:
        corpus = [resources.find_corpus(path) for path in options.corpus]
    if options.transfer:
        transfer = resources.find_corpus(options.transfer)
    budgets, seeds = PRESETS[options.preset]
    settings = Settings(
        task=task,
        corpus=tuple(corpus),
        transfer=transfer,
        window=options.window,
        weighting=options.weighting,
        dimensions=options.dimensions,
        min_count=options.min_count,
        stop_words=options.stop_words,
        unit=options.documents,
        encoding=options.encoding,
        text_column=options.text_column,
        label_column=options.label_column,
    )
    grid = Grid(
        conditions=_names(options.conditions) or tuple(CONDITIONS),
        budgets=budgets if options.budgets is None else _budgets(options.budgets),
        seeds=seeds if options.seeds is None else options.seeds,
    )
    folder = options.out or Path("runs") / f"{task.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        result = comparison.compare(
            settings,
            grid,
            folder,
            workers=options.workers if options.workers is not None else os.cpu_count() or 1,
            resume=options.resume,
            overwrite=options.overwrite,
            say=lambda text: print(f"minilm compare: {text}", file=sys.stderr, flush=True),
        )
    except KeyboardInterrupt:
        advice = "nothing was written"
        if folder.exists():
            advice = f"go on with the same command and --out {folder} --resume"
        print(f"minilm compare: stopped by Ctrl-C; {advice}", file=sys.stderr)
        return 130
    if options.json:
        json.dump(result.summary, sys.stdout, indent=2)
        print()
        return 0
    print(report.render(result.summary))
    print("\nThe table (results.csv), summary.json, every prediction and the pictures")
    print(textwrap.fill(f"{', '.join(result.pictures)} (and .svg) are in", 79))
    print(result.folder)
    return 0


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
