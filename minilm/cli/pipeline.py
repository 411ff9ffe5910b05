"""`minilm pipeline`: a whole session, from data to export."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path

from minilm import resources, threads
from minilm.cli import options, pretrain
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
    care = options.add_care(parser)
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


def run(chosen: argparse.Namespace) -> int:
    """Run the session, and print how it went."""
    threads.set_blas_threads(1)  # has its full effect before NumPy is loaded
    from minilm.training import pipeline

    given = pretrain.given(chosen)
    said = {name: getattr(chosen, name) for name in _CARE}
    given |= {name: value for name, value in said.items() if value is not None}
    report = pipeline.run(
        [resources.find_corpus(path) for path in chosen.data_file],
        chosen.output_dir,
        chosen.onnx_output,
        given,
        base=chosen.model_name,
        old_data=[resources.find_corpus(path) for path in chosen.old_data],
        from_scratch=chosen.from_scratch,
        anyway=chosen.anyway,
        resume=chosen.resume,
        discard=chosen.discard,
        wait=chosen.wait,
        say=options.note if chosen.json else pretrain.say,
    )
    if chosen.json:
        json.dump(report and pipeline.to_json(report), sys.stdout, indent=2)
        print()
    if report is None:
        return 1
    if not chosen.json:
        for text in pipeline.summary(report, chosen.output_dir):
            pretrain.say(text)
    held_back = report.update is not None and report.update.verdict == "held back"
    return 1 if held_back else 0
