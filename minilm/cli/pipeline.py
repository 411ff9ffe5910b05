"""`minilm pipeline`: a session from data to export, on what earlier sessions have left."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path

from minilm import resources, threads
from minilm.cli import pretrain
from minilm.training import settings

_CARE = ("replay", "ewc", "average", "lora", "limit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: those of `pretrain`, and those of a session."""
    pretrain.add_arguments(parser)
    keys = ", ".join(field.name for field in fields(settings.PretrainSettings))
    parser.epilog = (
        "Continuing is not resuming. A finished model is continued: a new run with a schedule of "
        "its own (2 epochs unless said), on other text, which becomes a new version. An "
        "interrupted run is resumed, with --resume and the same options: it ends as if nothing "
        "had happened. Of a new model are --size, --tokenizer, --vocab-size, --init. FILE.toml "
        f"may hold: {keys}. Exit code 1 when the data has not passed its checks, or the update is "
        "held back."
    )
    parser.add_argument(
        "--onnx-output",
        type=Path,
        default=Path("onnx_model"),
        metavar="DIR",
        help="where the export goes (default: ./onnx_model)",
    )
    base = parser.add_mutually_exclusive_group()
    base.add_argument(
        "--model-name",
        type=Path,
        metavar="BASE",
        help="continue the model of this folder, whatever is in --output-dir",
    )
    base.add_argument(
        "--from-scratch", action="store_true", help="move what is there aside, and begin anew"
    )
    care = parser.add_argument_group(
        "against forgetting",
        "A lower rate alone unless said; minilm compare forgetting measures each.",
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
        "--lora",
        type=int,
        metavar="RANK",
        help="train thin matrices and merge them (minilm finetune keeps them apart)",
    )
    care.add_argument(
        "--limit",
        type=float,
        metavar="X",
        help="hold the update back when old text's perplexity rises by more (default: 0.1)",
    )
    care.add_argument(
        "--old-data",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="old text, for a model that keeps no sample of it",
    )
    parser.add_argument(
        "--anyway", action="store_true", help="train on data that has not passed the checks"
    )
    parser.add_argument(
        "--discard", action="store_true", help="throw away what an interrupted run has left"
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait while another process updates the model"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object at the end, null if untrained"
    )


def run(options: argparse.Namespace) -> int:
    """Do the session, and print how it went."""
    threads.set_blas_threads(1)  # before NumPy is loaded, for the surest effect
    from minilm.training import pipeline

    given = pretrain.given(options)
    said = {name: getattr(options, name) for name in _CARE}
    given |= {name: value for name, value in said.items() if value is not None}
    report = pipeline.run(
        [resources.find_corpus(path) for path in options.data_file],
        options.output_dir,
        options.onnx_output,
        given,
        base=options.model_name,
        old_data=[resources.find_corpus(path) for path in options.old_data],
        from_scratch=options.from_scratch,
        anyway=options.anyway,
        resume=options.resume,
        discard=options.discard,
        wait=options.wait,
        say=_note if options.json else pretrain.say,
    )
    if options.json:
        json.dump(report and pipeline.to_json(report), sys.stdout, indent=2)
        print()
    if report is None:
        return 1
    if not options.json:
        for text in pipeline.summary(report, options.output_dir):
            pretrain.say(text)
    held_back = report.update is not None and report.update.verdict == "held back"
    return 1 if held_back else 0


def _note(text: str) -> None:
    """Print a line out of the way of the JSON."""
    print(text, file=sys.stderr, flush=True)
