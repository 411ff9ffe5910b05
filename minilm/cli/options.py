"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
import reprlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minilm.errors import OptionError
from minilm.nn.llama_config import ALL_TARGETS


def dimensions(text: str) -> int | None:
    """Return how many columns of the vectors to keep; None, all of them, for "all".

    Raises
    ------
    argparse.ArgumentTypeError
        When the text is neither a positive number nor "all".

    Examples
    --------
    >>> dimensions("100"), dimensions("all")
    (100, None)
    """
    if text == "all":
        return None
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{reprlib.repr(text)} is neither a positive number nor all")


def add_adapter(parser: argparse.ArgumentParser) -> None:
    """Declare --adapter, which may be given more than once."""
    parser.add_argument(
        "--adapter",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="adapter to use on the model; several, each with its own --adapter, take turns",
    )


def add_care(parser: argparse.ArgumentParser) -> Any:
    """Declare the options against forgetting; return their group."""
    care = parser.add_argument_group(
        "against forgetting",
        "By default only a lower learning rate; minilm compare forgetting measures each.",
    )
    care.add_argument(
        "--replay", type=float, metavar="X", help="windows of old text for each new one"
    )
    care.add_argument(
        "--ewc", type=float, metavar="X", help="strength of elastic weight consolidation"
    )
    care.add_argument(
        "--average", type=float, metavar="X", help="weight of the old model in a mean of both"
    )
    care.add_argument(
        "--limit",
        type=float,
        metavar="X",
        help="hold the update back if old text's perplexity rises by more (default: 0.1)",
    )
    care.add_argument(
        "--old-data",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="old text, for a model that keeps no sample of it",
    )
    return care


def add_lora(group: Any) -> None:
    """Declare the options of LoRA."""
    group.add_argument("--rank", type=int, metavar="R", help="of the matrices (default: 4)")
    group.add_argument("--alpha", type=float, metavar="X", help="(default: twice the rank)")
    group.add_argument(
        "--lora-targets",
        dest="targets",
        nargs="+",
        choices=ALL_TARGETS,
        metavar="MATRIX",
        help=f"of {', '.join(ALL_TARGETS)} (default: all)",
    )


def refuse(chosen: argparse.Namespace, partner: str, names: Sequence[str]) -> None:
    """Raise OptionError at an option that would have no effect without its partner."""
    for name in names:
        if getattr(chosen, name) is not None:
            option = "lora-targets" if name == "targets" else name.replace("_", "-")
            raise OptionError(f"--{option} goes with {partner}; leave it out")


def note(text: str) -> None:
    """Print a line on standard error, away from the JSON on standard output."""
    print(text, file=sys.stderr, flush=True)


def add_table(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, *, labels: bool = False
) -> None:
    """Declare how files are read: every option that the messages of `minilm.data` advise.

    Parameters
    ----------
    parser : ArgumentParser or a group of one
    labels : bool
        Whether the command reads labels too.
    """
    parser.add_argument(
        "--text-column",
        metavar="NAME",
        help="column of the text, by name or number; 2,3 joins two (default: guessed)",
    )
    if labels:
        parser.add_argument(
            "--label-column",
            metavar="NAME",
            help="column of the label, by name or number (default: guessed)",
        )
    parser.add_argument(
        "--no-header",
        action="store_true",
        help="the first row of .csv and .tsv files is data (default: recognized)",
    )
    parser.add_argument("--encoding", default="utf-8", help="of the files (default: utf-8)")


def table_options(options: argparse.Namespace, *, labels: bool = False) -> dict[str, Any]:
    """Return what `add_table` declared, as the readers of `minilm.data` take it."""
    names = ["text_column", "no_header", "encoding"] + ["label_column"] * labels
    return {name: getattr(options, name) for name in names}


def report_data(
    paths: Sequence[str | os.PathLike[str]],
    reading: Mapping[str, Any],
    say: Callable[[str], None],
    *,
    output: str | os.PathLike[str] | None = None,
) -> None:
    """Say what is taken of files: the columns of tables, and what of a folder is left out.

    Parameters
    ----------
    paths : sequence of path-like
    reading : mapping
        How they are read, as by `table_options`.
    say : callable
    output : path-like, optional
        The folder that the command writes to.
    """
    from minilm.data import documents

    for line in documents.describe(paths, **reading, output=output):
        say(line)
