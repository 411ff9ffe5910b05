"""`minilm update DIR`: train a language model further on new text."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.cli import options, pretrain
from minilm.errors import OptionError
from minilm.training import settings

# Options that are fields of the settings; None if not given.
_SETTINGS = (
    *("epochs", "steps", "batch", "learning_rate", "seed", "threads"),
    *("replay", "ewc", "average", "limit"),
    *("documents", "encoding", "text_column", "no_header"),
)
_RANK = 4  # of LoRA by default, as in fine-tuning
_LORA = ("rank", "alpha", "targets")
_VERSION = ("resume", "discard", "wait", "dry_run")


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
    parser.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="new text: .txt .md .csv .tsv .json .jsonl, or folders of them",
    )
    parser.add_argument(
        "--output-dir",
        type=Path,
        metavar="OUT",
        help="write the result to this folder, and leave DIR unchanged",
    )
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="a file of settings")
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
        help="the highest (default: a fifth of that of pretraining; with LoRA the same)",
    )
    parser.add_argument(
        "--method",
        choices=("full", "lora"),
        help="train all parameters, or LoRA's thin matrices alone (default: full)",
    )
    lora = parser.add_argument_group("with --method lora")
    options.add_lora(lora)
    care = options.add_care(parser)
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
    options.add_table(parser)
    parser.set_defaults(encoding=None, no_header=None)  # FILE.toml may say
    parser.add_argument("--seed", type=int, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="each works on a part of the batch (default: 2)"
    )
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


def run(chosen: argparse.Namespace) -> int:
    """Update, and print how it goes."""
    threads.set_blas_threads(1)  # has its full effect before NumPy is loaded
    from minilm.training import update

    _check(chosen)
    shape, table = settings.read_toml(chosen.config) if chosen.config else ({}, {})
    say = options.note if chosen.json else pretrain.say
    paths = [resources.find_corpus(path) for path in chosen.data_file]
    asked = {**table, **_given(chosen, table)}
    if not chosen.resume:
        output = chosen.output_dir or chosen.model
        options.report_data(paths, pretrain.reading(asked), say, output=output)
    outcome = update.update(
        paths,
        chosen.model,
        asked,
        output=chosen.output_dir,
        shape=shape,
        old_data=[resources.find_corpus(path) for path in chosen.old_data],
        general=[resources.find_corpus(path) for path in chosen.general],
        resume=chosen.resume,
        discard=chosen.discard,
        wait=chosen.wait,
        dry_run=chosen.dry_run,
        say=say,
    )
    if chosen.json:
        json.dump(outcome.to_json(), sys.stdout, indent=2)
        print()
    refused = outcome.result is None and not chosen.dry_run and outcome.collected.kept > 0
    held_back = outcome.result is not None and outcome.result.verdict == "held back"
    return 1 if refused or held_back else 0


def _check(chosen: argparse.Namespace) -> None:
    """Raise OptionError at an option that would have no effect."""
    if chosen.method != "lora":
        options.refuse(chosen, "--method lora", _LORA)
    if chosen.output_dir is not None:
        for name in _VERSION:
            if getattr(chosen, name):
                option = name.replace("_", "-")
                raise OptionError(f"--{option} is for an update of DIR itself; leave it out")
        if chosen.limit is not None:
            raise OptionError("--limit is for an update of DIR itself; leave it out")


def _given(chosen: argparse.Namespace, table: dict[str, Any]) -> dict[str, Any]:
    """Return the settings from the options; what they replace in the table is removed there."""
    given = {name: getattr(chosen, name) for name in _SETTINGS}
    given = {name: value for name, value in given.items() if value is not None}
    for option, other in (("steps", "epochs"), ("epochs", "steps")):
        if option in given:
            table.pop(other, None)
    if chosen.method == "full":
        table.pop("lora", None)
    if chosen.method == "lora":
        given["lora"] = chosen.rank or table.get("lora") or _RANK
        if chosen.alpha is not None:
            given["alpha"] = chosen.alpha
        if chosen.targets is not None:
            given["targets"] = tuple(chosen.targets)
    return given
