"""`minilm corpora check`: measure again what the data card of the shipped corpora promises."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from minilm import resources, threads
from minilm.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the one sub-command."""
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    check = actions.add_parser(
        "check", help="print the table of figures; exit code 1 if one is wrong"
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Print the figures, and the neighbors of the probe words."""
    threads.set_blas_threads(1)
    from minilm.bench import corpora

    figures, neighbors = corpora.measure(resources.corpora_dir())
    broken = [figure for figure in figures if not figure.kept]
    if options.json:
        rows = [asdict(figure) | {"kept": figure.kept} for figure in figures]
        console.print_json({"figures": rows, "neighbors": neighbors})
    else:
        print(corpora.table(figures))
        print("\n| probe word | nearest words |\n|---|---|")
        for word, nearest in neighbors.items():
            print(f"| {word} | {', '.join(f'{near} {cosine:.2f}' for near, cosine in nearest)} |")
        for figure in broken:
            print(f"not kept: {figure.file}: {figure.name} is {corpora.number(figure.value)}")
    return 1 if broken else 0
