"""`minilm convert FILE.gguf --output-dir DIR`: a GGUF file as a model's folder."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", type=Path, metavar="FILE.gguf", help="a Llama with its tokenizer")
    parser.add_argument(
        "--output-dir", type=Path, required=True, metavar="DIR", help="the folder to write"
    )


def run(options: argparse.Namespace) -> int:
    """Convert the file, and print what it holds."""
    from minilm.store import folder

    saved = folder.convert(options.file, options.output_dir)
    config, stage = saved.config, saved.lineage[0]
    kinds = ", ".join(f"{count} {kind}" for kind, count in stage.settings["tensors"].items())
    print(f"{options.file}: {stage.settings.get('name', 'a model without a name')}")
    print(f"  license: {stage.settings.get('license', 'not recorded in the file')}")
    print(f"  tensors: {kinds}")
    print(
        f"{options.output_dir}: Llama, {saved.parameters.count():,} parameters, {config.n_layer} "
        f"layers, {config.n_embd} wide, context {config.n_positions:,}"
    )
    return 0
