"""`minilm book`: the course as pages for a browser, to read, to print and to show."""

from __future__ import annotations

import argparse
from pathlib import Path

from minilm import threads
from minilm.cli import console
from minilm.errors import OptionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--out", type=Path, default=Path("book"), metavar="DIR", help="the folder (default: book)"
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.add_argument(
        "--katas", type=Path, metavar="DIR", help="a folder of your own katas, beside the others"
    )
    parser.add_argument(
        "--workers", type=int, default=2, metavar="N", help="processes for demos (default: 2)"
    )
    parser.add_argument(
        "--demos",
        nargs="*",
        metavar="NUMBER",
        help="write no book: run these demos (default: all), and store the output of experiments "
        "and of others that take more than three seconds in their katas' folders",
    )


def run(options: argparse.Namespace) -> int:
    """Write the book, or store the demos' output."""
    if options.workers < 1:
        raise OptionError(f"--workers: {options.workers}; give 1 or more")
    threads.set_blas_threads(1)
    from minilm.course import book, catalog

    if options.katas is not None:
        catalog.use_folder(options.katas)
    if options.demos is not None:
        book.store_demos(options.demos)
        return 0
    path = book.write(options.out, workers=options.workers, say=console.aside)
    print(f"The book: {path}")
    if options.open:
        console.open_page(path)
    return 0
