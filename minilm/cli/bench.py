"""`minilm bench RACE`: run one race and print its table, or JSON."""

from __future__ import annotations

import argparse
import importlib

from minilm.cli import console

# Each race is a module of minilm.bench with `add_arguments(parser)`, `run(options) -> dict` (what
# --json prints) and `render(result) -> str` (what a person reads). Their module level imports
# neither NumPy nor a peer, so that `minilm bench --help` is quick.
RACES = {
    "train": "a training step of the transformer, next to PyTorch",
    "pretrain": "held-out loss after the same training, next to PyTorch",
    "compare": "the steps that a comparison's time goes into, next to PyTorch",
    "generate": "tokens a second from a model, next to transformers",
    "llama": "generating, reading and training with Llamas, next to transformers",
    "cooccurrence": "counting and factorizing, next to SciPy and scikit-learn",
    "checkpoint": "saving and loading a model, next to safetensors",
    "bpe": "training and applying byte-level BPE, next to tokenizers and tiktoken",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one sub-command per race."""
    races = parser.add_subparsers(dest="race", metavar="race", required=True)
    for name, summary in RACES.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        race = races.add_parser(name, help=summary, description=description)
        race.add_argument("--json", action="store_true", help="print one JSON object")
        module = importlib.import_module(f"minilm.bench.{name}")
        module.add_arguments(race)
        race.set_defaults(module=module)


def run(options: argparse.Namespace) -> int:
    """Run the race and print what it measured."""
    result = options.module.run(options)
    if options.json:
        console.print_json(result)
    else:
        print(options.module.render(result))
    return 0
