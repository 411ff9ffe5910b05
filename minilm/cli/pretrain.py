"""`minilm pretrain`: train a language model on your text."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.cli.options import add_table, report_data
from minilm.training import settings
from minilm.training.given import ARCHITECTURES, STARTS, TOKENIZERS, TRAINED_SIZES

# Options that are fields of the settings; None if not given.
_SETTINGS = (
    "epochs",
    "steps",
    "size",
    "architecture",
    "tokenizer",
    "vocab_size",
    "learning_rate",
    "init",
    "seed",
    "threads",
    "encoding",
    "text_column",
    "no_header",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    keys = ", ".join(field.name for field in fields(settings.PretrainSettings))
    parser.epilog = f"FILE.toml may hold, as `key = value`: {keys}. Options override it."
    parser.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="text: .txt .md .csv .tsv .json .jsonl, or folders of them",
    )
    parser.add_argument(
        "--output-dir",
        type=Path,
        default=Path("trained_model"),
        metavar="DIR",
        help="the model's folder (default: ./trained_model)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=float, metavar="N", help="times through the text")
    length.add_argument("--steps", type=int, metavar="N", help="updates (default: 3,000)")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--size", choices=TRAINED_SIZES, help="shape and batch (default: class)")
    parser.add_argument(
        "--architecture", choices=ARCHITECTURES, help="GPT-2's layers or Llama's (default: gpt2)"
    )
    shape.add_argument(
        "--config", type=Path, metavar="FILE.toml", help="a file of settings, see below"
    )
    parser.add_argument("--tokenizer", choices=TOKENIZERS, help="(default: bpe)")
    parser.add_argument(
        "--vocab-size",
        type=int,
        metavar="N",
        help="the most entries the tokenizer may have (default: by size; word: 10,000)",
    )
    parser.add_argument(
        "--learning-rate", type=float, metavar="X", help="the highest (default: 0.002)"
    )
    parser.add_argument(
        "--init",
        choices=STARTS,
        help="what the word embeddings start from (default: cooccurrence)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue the run that --output-dir holds"
    )
    add_table(parser)
    parser.set_defaults(encoding=None, no_header=None)  # FILE.toml may say
    parser.add_argument("--seed", type=int, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="each works on a part of the batch (default: 2)"
    )


def run(options: argparse.Namespace) -> int:
    """Train, and print how it goes."""
    threads.set_blas_threads(1)  # has its full effect before NumPy is loaded
    from minilm.training import pretrain

    paths = [resources.find_corpus(path) for path in options.data_file]
    asked = given(options)
    if not options.resume:
        report_data(paths, reading(asked), say, output=options.output_dir)
    pretrain.pretrain(paths, options.output_dir, asked, resume=options.resume, say=say)
    return 0


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings from the file and from the options, which override it."""
    found = settings.read_toml(options.config)[0] if options.config else {}
    said = {name: getattr(options, name) for name in _SETTINGS}
    said = {name: value for name, value in said.items() if value is not None}
    for option, other in (("steps", "epochs"), ("epochs", "steps")):
        if option in said:
            found.pop(other, None)
    return {**found, **said}


def reading(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the files are read, out of the settings that were given."""
    return {
        "encoding": asked.get("encoding", "utf-8"),
        "text_column": asked.get("text_column"),
        "no_header": asked.get("no_header", False),
    }


def say(line: str) -> None:
    """Print a line at once, in a pipe too."""
    print(line, flush=True)
