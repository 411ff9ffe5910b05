"""`minilm compare forgetting`: what a model loses of one text when it learns another."""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

from minilm import resources, threads
from minilm.cli import console
from minilm.cli.options import add_table, add_workers, report_data, table_options

_DOMAINS = ("programming_basics", "web_development", "databases")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "The shipped corpora take about eleven minutes of processor time."
    data = parser.add_argument_group("data (by default the corpora that ship with minilm)")
    data.add_argument(
        "--domains",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="two texts or more, learned in this order",
    )
    data.add_argument(
        "--base",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="text learned before (default: general.txt; with --domains none)",
    )
    data.add_argument(
        "--documents", choices=("lines", "paragraphs"), help="what a document of a .txt is"
    )
    add_table(data)
    runs = parser.add_argument_group("runs")
    runs.add_argument("--size", choices=("kata", "class"), default="kata", help="(default: kata)")
    runs.add_argument("--seeds", type=int, default=10, metavar="N", help="(default: 10)")
    runs.add_argument(
        "--base-steps",
        type=int,
        default=1000,
        metavar="N",
        help="updates on the text that comes first (default: 1,000)",
    )
    runs.add_argument(
        "--epochs", type=float, default=10.0, metavar="N", help="through a domain (default: 10)"
    )
    runs.add_argument(
        "--steps", type=int, default=600, metavar="N", help="in a domain at most (default: 600)"
    )
    runs.add_argument(
        "--sample",
        type=float,
        default=0.1,
        metavar="X",
        help="share of an old text kept for replay and EWC (default: 0.1)",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, metavar="DIR", help="(default: runs/forgetting-TIME)")
    output.add_argument("--overwrite", action="store_true", help="replace what --out holds")
    add_workers(output)
    output.add_argument("--json", action="store_true", help="print summary.json, nothing else")


def run(options: argparse.Namespace) -> int:
    """Run the comparison and print its tables."""
    threads.set_blas_threads(1)
    from minilm.compare.forgetting import report, study
    from minilm.compare.forgetting.ways import ForgettingSettings

    shipped = resources.corpora_dir()
    domains = [shipped / "continual" / f"{name}.jsonl" for name in _DOMAINS]
    base = [shipped / "general.txt"]
    if options.domains:
        domains, base = [resources.find_corpus(path) for path in options.domains], []
    if options.base:
        base = [resources.find_corpus(path) for path in options.base]
    settings = ForgettingSettings(
        domains=tuple(domains),
        base=tuple(base),
        size=options.size,
        base_steps=options.base_steps,
        epochs=options.epochs,
        steps=options.steps,
        sample=options.sample,
        unit=options.documents,
        **table_options(options),
    )
    named = [*((options.base and base) or ()), *((options.domains and domains) or ())]
    say = partial(console.note, "compare forgetting")
    report_data(named, table_options(options), say)
    folder = options.out or Path("runs") / f"forgetting-{time.strftime('%Y%m%d-%H%M%S')}"
    summary = study.study(
        settings,
        folder,
        seeds=options.seeds,
        workers=options.workers,
        overwrite=options.overwrite,
        say=say,
    )
    if options.json:
        console.print_json(summary)
        return 0
    print(report.render(summary))
    print(f"\nThe tables, every loss and forgetting.png (and .svg) are in\n{folder}")
    return 0
