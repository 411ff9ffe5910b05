"""`minilm pipeline`: a whole session, from data to export."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from minilm import resources, threads
from minilm.cli import console, pretrain
from minilm.cli.options import add_care, given
from minilm.training import settings

_CARE = ("replay", "ewc", "average", "lora", "limit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: those of `pretrain`, and those of a session."""
    pretrain.add_arguments(parser)
    keys = ", ".join(field.name for field in fields(settings.PretrainSettings))
    parser.epilog = (
        "An update is not a resumed run. A complete model is updated: a new run on the text that "
        "is new to it (3 epochs by default), with its own schedule, becomes a new version. An "
        "interrupted run is resumed, with --resume and the same options: it ends as if nothing "
        "had happened. --size, --tokenizer, --vocab-size and --init are for a new model. FILE.toml "
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
        help="update the model in this folder, whatever is in --output-dir",
    )
    base.add_argument(
        "--from-scratch",
        action="store_true",
        help="move what is there aside, and train a new model",
    )
    care = add_care(parser)
    care.add_argument(
        "--lora", type=int, metavar="RANK", help="train LoRA's thin matrices, then merge them"
    )
    parser.add_argument(
        "--anyway", action="store_true", help="train even if the data has not passed the checks"
    )
    parser.add_argument(
        "--discard", action="store_true", help="throw away what an interrupted run left"
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait while another process updates the model"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object at the end, null if untrained"
    )


def run(options: argparse.Namespace) -> int:
    """Run the session, and print how it went."""
    threads.set_blas_threads(1)  # has its full effect before NumPy is loaded
    from minilm.training import pipeline

    session = pipeline.Session(
        [resources.find_corpus(path) for path in options.data_file],
        options.output_dir,
        options.onnx_output,
        pretrain.settings_of(options) | given(options, _CARE),
        base=options.model_name,
        old_data=[resources.find_corpus(path) for path in options.old_data],
        from_scratch=options.from_scratch,
        anyway=options.anyway,
        resume=options.resume,
        discard=options.discard,
        wait=options.wait,
        say=console.aside if options.json else console.say,
    )
    report = pipeline.run(session)
    if options.json:
        console.print_json(report and pipeline.to_json(report))
    if report is None:
        return 1
    if not options.json:
        for text in pipeline.summary(report):
            console.say(text)
    held_back = report.update is not None and report.update.verdict == "held back"
    return 1 if held_back else 0
