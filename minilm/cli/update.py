"""`minilm update DIR`: train a language model further on new text."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.cli import console
from minilm.cli.options import (
    add_care,
    add_lora,
    add_table,
    add_texts,
    add_training,
    given,
    override,
    reading,
    refuse,
    report_data,
)
from minilm.errors import OptionError
from minilm.training import settings

# Options that are fields of the settings; None if not given.
_SETTINGS = (
    *("epochs", "steps", "batch", "learning_rate", "seed", "threads"),
    *("replay", "ewc", "average", "limit"),
    *("documents", "encoding", "text_column", "no_header"),
)
_RANK = 4  # of LoRA by default, as in fine-tuning
_VERSION = ("resume", "discard", "wait", "dry_run", "limit")  # only for an update of DIR itself


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    keys = ", ".join(field.name for field in fields(settings.UpdateSettings))
    parser.epilog = (
        "Documents that the model has seen are skipped. The result is a new version of DIR (see "
        "minilm rollback), or with --output-dir a folder of its own: a model, or an adapter with "
        "--method lora. The table [update] of FILE.toml may hold: "
        f"{keys}; options override it. Exit code 1 when the update is held back, because old text "
        "got too much worse, or when the model has another shape than FILE.toml asks for."
    )
    parser.add_argument(
        "model", type=Path, metavar="DIR", help="folder of a model: minilm's or Hugging Face's"
    )
    add_texts(parser)
    parser.add_argument(
        "--output-dir",
        type=Path,
        metavar="OUT",
        help="write the result to this folder, and leave DIR unchanged",
    )
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="a file of settings")
    _add_settings(parser)
    parser.add_argument("--dry-run", action="store_true", help="count and advise, train nothing")
    interrupted = parser.add_mutually_exclusive_group()
    interrupted.add_argument("--resume", action="store_true", help="continue an interrupted update")
    interrupted.add_argument(
        "--discard", action="store_true", help="throw an interrupted update away"
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait while another process updates the model, instead of refusing",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Declare how the texts are read and learned; FILE.toml may say the same."""
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--epochs", type=float, metavar="N", help="times through the text (default: 3)"
    )
    length.add_argument("--steps", type=int, metavar="N", help="a number of steps instead")
    parser.add_argument(
        "--batch", type=int, metavar="N", help="windows in a batch (default: as before, or 16)"
    )
    parser.add_argument(
        "--learning-rate",
        type=float,
        metavar="X",
        help="peak rate (default: a fifth of the one in pretraining; with LoRA the same)",
    )
    parser.add_argument(
        "--method",
        choices=("full", "lora"),
        help="train all parameters, or LoRA's thin matrices alone (default: full)",
    )
    add_lora(parser.add_argument_group("with --method lora"))
    care = add_care(parser)
    care.add_argument(
        "--general",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="more text on which to measure what is forgotten",
    )
    parser.add_argument(
        "--documents",
        choices=("lines", "paragraphs"),
        help="what a document of a .txt or .md file is (default: depends on blank lines)",
    )
    add_table(parser)
    parser.set_defaults(encoding=None, no_header=None)  # FILE.toml may say
    add_training(parser)


def run(options: argparse.Namespace) -> int:
    """Update, and print how it goes."""
    threads.set_blas_threads(1)  # has its full effect before NumPy is loaded
    from minilm.training import update

    _check(options)
    shape, table = settings.read_toml(options.config) if options.config else ({}, {})
    say = console.aside if options.json else console.say
    paths = [resources.find_corpus(path) for path in options.data_file]
    asked = _asked(options, table)
    if not options.resume:
        report_data(paths, reading(asked), say, output=options.output_dir or options.model)
    outcome = update.update(
        paths,
        options.model,
        asked,
        output=options.output_dir,
        shape=shape,
        old_data=[resources.find_corpus(path) for path in options.old_data],
        general=[resources.find_corpus(path) for path in options.general],
        resume=options.resume,
        discard=options.discard,
        wait=options.wait,
        dry_run=options.dry_run,
        say=say,
    )
    if options.json:
        console.print_json(outcome.to_json())
    refused = outcome.result is None and not options.dry_run and outcome.collected.kept > 0
    held_back = outcome.result is not None and outcome.result.verdict == "held back"
    return 1 if refused or held_back else 0


def _check(options: argparse.Namespace) -> None:
    """Raise OptionError at an option that would have no effect."""
    if options.method != "lora":
        refuse(options, "--method lora", ("rank", "alpha", "targets"))
    if options.output_dir is not None:
        for name, value in given(options, _VERSION).items():
            if value is not False:
                option = name.replace("_", "-")
                raise OptionError(f"--{option} is for an update of DIR itself; leave it out")


def _asked(options: argparse.Namespace, table: dict[str, Any]) -> dict[str, Any]:
    """Return the settings from the file and from the options, which override it."""
    found = override(table, given(options, _SETTINGS))
    if options.method == "full":
        found.pop("lora", None)
    if options.method == "lora":
        found |= given(options, ("alpha", "targets"))
        found["lora"] = options.rank or table.get("lora") or _RANK
    return found
