"""`minilm finetune DIR`: a pretrained model adapted to a task, or to texts of a domain."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.errors import OptionError
from minilm.training import finetune_settings

# Options that are fields of the settings; None where the user did not say.
_LORA = ("rank", "alpha", "targets")
_BOTH = ("method", *_LORA, "epochs", "batch", "learning_rate", "seed")
_TASK = ("layers", "layer_decay", "lm_weight", "pooling")
_TASK_FILE = ("labels", "label_column")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "model", type=Path, metavar="DIR", help="folder of a model: minilm's or Hugging Face's"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--task",
        type=Path,
        metavar="FILE",
        help="labelled texts: a table with a text and a label column; its split column is heeded",
    )
    what.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="texts of a domain, for the language model itself",
    )
    parser.add_argument(
        "--output-dir", type=Path, required=True, metavar="OUT", help="folder of the result"
    )
    parser.add_argument(
        "--method",
        choices=finetune_settings.METHODS,
        help="what is trained (default: full; with --data-file full or lora)",
    )
    parser.add_argument("--epochs", type=float, metavar="N", help="times through the texts")
    parser.add_argument("--batch", type=int, metavar="N", help="texts in a batch (default: 16)")
    parser.add_argument(
        "--learning-rate", type=float, metavar="X", help="the highest (default: by method)"
    )
    _add_lora(parser)
    _add_task(parser)
    parser.add_argument(
        "--general",
        type=Path,
        metavar="FILE",
        help="with --data-file: a text to see what is forgotten on (default: that of pretraining)",
    )
    parser.add_argument("--encoding", default="utf-8", help="of the files (default: utf-8)")
    parser.add_argument("--text-column", metavar="NAME", help="where the text is")
    parser.add_argument("--seed", type=int, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--threads",
        type=int,
        default=2,
        metavar="N",
        help="each takes a part of the batch (default: 2)",
    )


def _add_lora(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("with --method lora")
    group.add_argument("--rank", type=int, metavar="R", help="of the matrices (default: 4)")
    group.add_argument("--alpha", type=float, metavar="X", help="(default: twice the rank)")
    group.add_argument(
        "--lora-targets",
        dest="targets",
        nargs="+",
        choices=finetune_settings.TARGETS,
        metavar="MATRIX",
        help=f"of {', '.join(finetune_settings.TARGETS)} (default: all)",
    )


def _add_task(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("with --task")
    group.add_argument(
        "--labels", type=int, metavar="N", help="draw N labelled texts, classes in proportion"
    )
    group.add_argument("--label-column", metavar="NAME", help="where the label is")
    group.add_argument("--pooling", choices=finetune_settings.POOLINGS, help="(default: mean)")
    group.add_argument("--layers", type=int, metavar="N", help="of --method last-n (default: 1)")
    group.add_argument(
        "--layer-decay",
        type=float,
        metavar="X",
        help="a layer's learning rate is X times that above (default: 1; gradual: 0.385)",
    )
    group.add_argument(
        "--lm-weight",
        type=float,
        metavar="X",
        help="weight of predicting the next word meanwhile (default: 0)",
    )


def run(options: argparse.Namespace) -> int:
    """Fine-tune, and print how it goes."""
    threads.set_blas_threads(1)  # before NumPy is loaded, for the surest effect
    given = {name: getattr(options, name) for name in (*_BOTH, *_TASK, "threads")}
    given = {name: value for name, value in given.items() if value is not None}
    if "targets" in given:
        given["targets"] = tuple(given["targets"])
    if options.method != "lora":
        _refuse(options, "--method lora", _LORA)
    if options.method != "last-n":
        _refuse(options, "--method last-n", ("layers",))
    if options.task is not None:
        _refuse(options, "--data-file", ("general",))
        return _run_task(options, given)
    _refuse(options, "--task", (*_TASK, *_TASK_FILE))
    return _run_text(options, given)


def _refuse(options: argparse.Namespace, partner: str, names: Sequence[str]) -> None:
    """Raise OptionError at an option that would be without effect."""
    for name in names:
        if getattr(options, name) is not None:
            option = "lora-targets" if name == "targets" else name.replace("_", "-")
            raise OptionError(f"--{option} goes with {partner}; leave it out")


def _run_task(options: argparse.Namespace, given: dict[str, Any]) -> int:
    from minilm.training import finetune_task

    task = finetune_task.Task(
        resources.find_corpus(options.task),
        options.labels,
        options.encoding,
        options.text_column,
        options.label_column,
    )
    settings = finetune_settings.Settings(**given)
    finetune_task.run(options.model, task, options.output_dir, settings, _print)
    return 0


def _run_text(options: argparse.Namespace, given: dict[str, Any]) -> int:
    from minilm.training import finetune_text

    domain = finetune_text.Domain(
        [resources.find_corpus(path) for path in options.data_file],
        options.general,
        options.encoding,
        options.text_column,
    )
    settings = finetune_settings.Settings(**given)
    finetune_text.run(options.model, domain, options.output_dir, settings, _print)
    return 0


def _print(line: str) -> None:
    print(line, flush=True)
