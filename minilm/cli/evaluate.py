"""`minilm evaluate DIR`: how well a model predicts a text."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from minilm import resources, threads


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", type=Path, metavar="DIR", help="folder of a model")
    parser.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="text that it was not trained on: files or folders",
    )
    parser.add_argument("--encoding", default="utf-8", help="of the files (default: utf-8)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="(default: 2)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Score the text and print the figures."""
    threads.set_blas_threads(1)  # each thread scores windows of its own
    import minilm
    from minilm.training import documents

    model = minilm.load(options.model)
    paths = [resources.find_corpus(path) for path in options.data_file]
    texts = documents.read(paths, encoding=options.encoding)
    score = model.evaluate(texts, threads=options.threads)
    if options.json:
        content = {
            "tokens": score.tokens,
            "bytes": score.bytes,
            "loss": score.loss,
            "perplexity": score.perplexity,
            "bits_per_byte": score.bits_per_byte,
        }
        json.dump(content, sys.stdout, indent=2)
        print()
        return 0
    print(f"{score.tokens:,} tokens, {score.loss:.4f} nats a token: {score}")
    if score.bytes is None:
        print("no bits per byte: this tokenizer does not give the whole text back")
    return 0
