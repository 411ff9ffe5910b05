"""`minilm kata notebook`: the katas as Jupyter notebooks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from minilm.errors import OptionError

if TYPE_CHECKING:
    from minilm.course.catalog import Kata
    from minilm.course.learner import Learner

FOLDER = "notebooks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("number", nargs="?", help='which kata, such as "4.6"')
    parser.add_argument("--all", action="store_true", help="write every kata")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"where to (default: {FOLDER} in mykatas)"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace a notebook that you have changed; yours goes to a backup beside it",
    )


def run(who: Learner, kata: Kata | None, options: argparse.Namespace) -> int:
    """Write the notebooks; one that the learner has changed is left alone."""
    from minilm.course import catalog
    from minilm.course.notebook import writing

    if kata is not None and options.all:
        raise OptionError(f"{kata.number} and --all; choose one of the two")
    if kata is None and not options.all:
        raise OptionError('give the number of a kata, such as "4.6", or --all')
    folder = who.folder / FOLDER if options.out is None else options.out
    katas = catalog.all_katas() if kata is None else (kata,)
    kept = 0
    for each in katas:
        written = writing.write(each, folder, overwrite=options.overwrite)
        path = written.path.as_posix()
        if written.is_kept:
            kept += 1
            print(f"{path} has your changes, so it stays as it is.")
            print("  --overwrite writes it again and keeps yours as a backup beside it.")
        elif written.backup:
            print(f"{path} is written.\n  Yours is in {written.backup.as_posix()}.")
        elif kata is not None:
            print(f"{path} is ready.\n  Open it in Jupyter, VS Code or Colab.")
    if kata is None:
        print(f"{len(katas) - kept} notebooks are in {folder.as_posix()}.")
    return 1 if kept else 0
