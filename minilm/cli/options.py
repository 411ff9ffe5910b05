"""Options that several commands share: how they are declared, and what is read out of them."""

from __future__ import annotations

import argparse
import os
import reprlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minilm.errors import OptionError
from minilm.nn.llama_config import ALL_TARGETS

# A parser, or a group of its options.
Options = argparse.ArgumentParser | argparse._ArgumentGroup


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


def add_texts(parser: Options) -> None:
    """Declare --data-file, for text without labels."""
    parser.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="text: .txt .md .csv .tsv .json .jsonl, or folders of them",
    )


def add_table(parser: Options, *, labels: bool = False) -> None:
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
    """Report what is read of files: the columns of tables, and what of a folder is left out.

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


def add_training(parser: Options) -> None:
    """Declare what every training has, and leave it to the settings what is not given."""
    parser.add_argument("--seed", type=int, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="each works on a part of the batch (default: 2)"
    )


def given(options: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """Return the settings, of these names, that options give; the others are None."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def override(table: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings from a file, and from options, which win; steps replace epochs.

    >>> override({"epochs": 3, "seed": 1}, {"steps": 10})
    {'seed': 1, 'steps': 10}
    """
    replaced = {"steps": "epochs", "epochs": "steps"}
    gone = {replaced.get(name) for name in options}
    return {**{name: value for name, value in table.items() if name not in gone}, **options}


def reading(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return how files are read, out of settings of training."""
    return {
        "encoding": settings.get("encoding", "utf-8"),
        "text_column": settings.get("text_column"),
        "no_header": settings.get("no_header", False),
    }


def add_lora(group: Options) -> None:
    """Declare the options of LoRA."""
    group.add_argument("--rank", type=int, metavar="R", help="rank of the matrices (default: 4)")
    group.add_argument("--alpha", type=float, metavar="X", help="(default: twice the rank)")
    group.add_argument(
        "--lora-targets",
        dest="targets",
        nargs="+",
        choices=ALL_TARGETS,
        metavar="MATRIX",
        help=f"of {', '.join(ALL_TARGETS)} (default: all)",
    )


def add_care(parser: argparse.ArgumentParser) -> Options:
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


def refuse(options: argparse.Namespace, partner: str, names: Sequence[str]) -> None:
    """Raise OptionError at an option that would have no effect without its partner."""
    for name, value in given(options, names).items():
        if value is False:  # a switch that is off
            continue
        option = "lora-targets" if name == "targets" else name.replace("_", "-")
        raise OptionError(f"--{option} goes with {partner}; leave it out")


def add_vectors(parser: Options, *, window: int) -> None:
    """Declare how word vectors are counted."""
    parser.add_argument(
        "--window",
        type=int,
        default=window,
        metavar="N",
        help="words on each side (default: %(default)s)",
    )
    parser.add_argument(
        "--weighting",
        choices=("ppmi", "count"),
        default="ppmi",
        help="weights of the counts (default: ppmi)",
    )
    parser.add_argument(
        "--dimensions",
        type=dimensions,
        default=100,
        metavar="N|all",
        help="length of the word vectors, at most one per word (default: 100)",
    )
    parser.add_argument(
        "--min-count",
        type=int,
        default=1,
        metavar="N",
        help="leave out words that occur fewer times (default: 1)",
    )
    parser.add_argument("--stop-words", action="store_true", help="leave out stop words")


def add_adapter(parser: Options) -> None:
    """Declare --adapter, which may be given more than once."""
    parser.add_argument(
        "--adapter",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="adapter to use on the model; several, each with its own --adapter, take turns",
    )


def add_sampling(
    parser: Options, *, max_new_tokens: int, temperature: float, top_p: float | None
) -> None:
    """Declare how the next token is chosen; the values are the defaults."""
    parser.add_argument(
        "--max-new-tokens",
        type=int,
        default=max_new_tokens,
        metavar="N",
        help="(default: %(default)s)",
    )
    parser.add_argument(
        "--temperature",
        type=float,
        default=temperature,
        metavar="X",
        help="higher is more random; 0 is greedy (default: %(default)s)",
    )
    parser.add_argument(
        "--top-k", type=int, metavar="N", help="choose among the N most likely tokens"
    )
    parser.add_argument(
        "--top-p",
        type=float,
        default=top_p,
        metavar="P",
        help="choose among the most likely tokens that together have probability P"
        + ("" if top_p is None else " (default: %(default)s)"),
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="(default: 0)")


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}; it must be a whole number of 0 or more")
    return int(text)


def add_workers(parser: Options) -> None:
    """Declare --workers."""
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes (default: all cores)",
    )
