"""`minilm pretrain`: train a language model on your text."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.cli import console
from minilm.cli.options import (
    add_table,
    add_texts,
    add_training,
    given,
    override,
    reading,
    report_data,
)
from minilm.training import settings
from minilm.training.given import ARCHITECTURES, STARTS, TOKENIZERS, TRAINED_SIZES

# Options that are fields of the settings; None if not given.
_SETTINGS = (
    *("epochs", "steps", "size", "architecture", "tokenizer", "vocab_size", "learning_rate"),
    *("init", "seed", "threads", "encoding", "text_column", "no_header"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    keys = ", ".join(field.name for field in fields(settings.PretrainSettings))
    parser.epilog = f"FILE.toml may hold, as `key = value`: {keys}. Options override it."
    add_texts(parser)
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
        "--learning-rate", type=float, metavar="X", help="peak learning rate (default: 0.002)"
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
    add_training(parser)


def run(options: argparse.Namespace) -> int:
    """Train, and print how it goes."""
    threads.set_blas_threads(1)  # has its full effect before NumPy is loaded
    from minilm.training import pretrain

    paths = [resources.find_corpus(path) for path in options.data_file]
    asked = settings_of(options)
    if not options.resume:
        report_data(paths, reading(asked), console.say, output=options.output_dir)
    pretrain.pretrain(paths, options.output_dir, asked, resume=options.resume, say=console.say)
    return 0


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings from the file and from the options, which override it."""
    table = settings.read_toml(options.config)[0] if options.config else {}
    return override(table, given(options, _SETTINGS))
