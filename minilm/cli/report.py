"""`minilm report`: draw the pictures and the page of a comparison again from its tables."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from minilm import threads
from minilm.cli import console

if TYPE_CHECKING:
    from minilm.compare.report import Result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the --out of minilm compare")
    parser.add_argument(
        "--slides", action="store_true", help="also write slides.html, to page through"
    )
    parser.add_argument(
        "--predict",
        type=Path,
        metavar="BETS.CSV",
        help="score the bets of a class: columns student and order, such as a > b > c",
    )
    parser.add_argument("--open", action="store_true", help="open the report in the browser")
    parser.add_argument("--json", action="store_true", help="print summary.json, nothing else")


def run(options: argparse.Namespace) -> int:
    """Draw them again, and print the tables."""
    threads.set_blas_threads(1)  # as in the comparison, so that sums are the same
    from minilm.compare import report as reports

    made = reports.rewrite(options.folder, slides=options.slides, class_bets=options.predict)
    show(made, options)
    return 0


def show(result: Result, options: argparse.Namespace) -> None:
    """Print the results of a comparison, and open its page if asked to."""
    from minilm.compare.report import bets, page, scoreboard, terminal

    path = result.folder / (page.SLIDES if options.slides else page.REPORT)
    if options.json:
        console.print_json(result.summary)
        found = scoreboard.read(result.folder)
        for text in found.unreadable if found else ():
            console.aside(f"not a bet: {terminal.results.printable(text)}")
    else:
        print(terminal.render(result.summary))
        if bet := bets.read(result.folder):
            print("\n" + terminal.bet(result.folder, bet))
        if found := scoreboard.read(result.folder):
            print("\n" + terminal.class_bets(result.folder, found))
        print("\nThe table (results.csv), summary.json, every prediction and the pictures")
        print(textwrap.fill(f"{', '.join(result.pictures)} (and .svg) are in", 79))
        print(f"{result.folder}\n{'To show' if options.slides else 'All of it to read'}: {path}")
    if options.open:
        console.open_page(path)
