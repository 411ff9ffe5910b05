"""`minilm finetune DIR`: a pretrained model adapted to a task, or to texts of a domain."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.cli import pretrain
from minilm.cli.options import add_table, report_data, table_options
from minilm.errors import OptionError
from minilm.training import finetune_settings

# Options that are fields of the settings; None where the user did not say.
_LORA = ("rank", "alpha", "targets")
_BOTH = ("method", *_LORA, "epochs", "batch", "learning_rate", "seed")
_TASK = ("layers", "layer_decay", "lm_weight", "pooling")
_TASK_FILE = ("labels", "label_column")
# Fields of the settings of an incremental update, and the options that set them.
_INCREMENTAL = {
    "learning_rate": "learning_rate",
    "epochs": "epochs",
    "batch_size": "batch",
    "replay": "replay",
    "limit": "limit",
    "seed": "seed",
    "threads": "threads",
}
_RANK = 4  # of LoRA in an incremental update, unless said


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
        "--output-dir",
        type=Path,
        metavar="OUT",
        help="folder of the result (needed, except with --incremental)",
    )
    parser.add_argument(
        "--method",
        choices=finetune_settings.METHODS,
        help="what is trained (default: full; with --data-file full or lora)",
    )
    parser.add_argument(
        "--epochs", type=float, metavar="N", help="times through the texts (default: 10)"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="texts in a batch (default: 16)")
    parser.add_argument(
        "--learning-rate", type=float, metavar="X", help="the highest (default: by method)"
    )
    _add_lora(parser)
    _add_task(parser)
    _add_incremental(parser)
    parser.add_argument(
        "--general",
        type=Path,
        metavar="FILE",
        help="with --data-file: a text to see what is forgotten on (default: that of pretraining)",
    )
    add_table(parser, labels=True)
    parser.add_argument("--seed", type=int, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--threads",
        type=int,
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
    group.add_argument("--pooling", choices=finetune_settings.POOLINGS, help="(default: mean)")
    group.add_argument("--layers", type=int, metavar="N", help="of --method last-n (default: 1)")
    group.add_argument(
        "--layer-decay",
        type=float,
        metavar="X",
        help="a layer's learning rate is X times that above (default: by method)",
    )
    group.add_argument(
        "--lm-weight",
        type=float,
        metavar="X",
        help="weight of predicting the next word meanwhile (default: 0)",
    )


def _add_incremental(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("with --data-file")
    group.add_argument(
        "--incremental",
        action="store_true",
        help="learn what is new to DIR, as a new version of DIR itself: 3 epochs at a tenth of "
        "the rate of pretraining, measured before and after (see also minilm rollback)",
    )
    group = parser.add_argument_group(
        "with --incremental", "Exit code 1 when the update is held back, or advised against."
    )
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE.toml",
        help="its table [fine_tuning] may hold learning_rate, epochs, batch_size, "
        "max_seq_length, replay, limit, seed, threads",
    )
    group.add_argument(
        "--replay", type=float, metavar="X", help="windows of old text for each new one"
    )
    group.add_argument(
        "--limit",
        type=float,
        metavar="X",
        help="hold the update back when old text's perplexity rises by more (default: 0.1)",
    )
    group.add_argument(
        "--old-data",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="old text, for a model that keeps no sample of it",
    )
    group.add_argument(
        "--dry-run", action="store_true", default=None, help="count and advise, train nothing"
    )
    interrupted = group.add_mutually_exclusive_group()
    interrupted.add_argument(
        "--resume", action="store_true", default=None, help="go on with an interrupted update"
    )
    interrupted.add_argument(
        "--discard", action="store_true", default=None, help="throw an interrupted update away"
    )
    group.add_argument(
        "--wait",
        action="store_true",
        default=None,
        help="wait while another process updates the model, instead of refusing",
    )


def run(options: argparse.Namespace) -> int:
    """Fine-tune, and print how it goes."""
    threads.set_blas_threads(1)  # before NumPy is loaded, for the surest effect
    if options.incremental:
        return _run_incremental(options)
    _refuse(options, "--incremental", ("config", "replay", "limit", "old_data", "dry_run"))
    _refuse(options, "--incremental", ("resume", "discard", "wait"))
    if options.output_dir is None:
        raise OptionError("--output-dir is needed: the folder of the result")
    given = {name: getattr(options, name) for name in (*_BOTH, *_TASK, "threads")}
    given = {name: value for name, value in given.items() if value is not None}
    given.setdefault("threads", 2)
    if "targets" in given:
        given["targets"] = tuple(given["targets"])
    if options.method != "lora":
        _refuse(options, "--method lora", _LORA)
    if options.method != "last-n":
        _refuse(options, "--method last-n", ("layers",))
    if options.method == "probe":
        _refuse(options, "a method that trains the body", ("layer_decay",))
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
        **table_options(options, labels=True),
    )
    settings = finetune_settings.FinetuneSettings(**given)
    finetune_task.run(options.model, task, options.output_dir, settings, pretrain.say)
    return 0


def _run_text(options: argparse.Namespace, given: dict[str, Any]) -> int:
    from minilm.training import finetune_text

    domain = finetune_text.Domain(
        [resources.find_corpus(path) for path in options.data_file],
        options.general,
        **table_options(options),
    )
    report_data(domain.paths, table_options(options), pretrain.say, output=options.output_dir)
    settings = finetune_settings.FinetuneSettings(**given)
    finetune_text.run(options.model, domain, options.output_dir, settings, pretrain.say)
    return 0


def _run_incremental(options: argparse.Namespace) -> int:
    from minilm.training import incremental

    if options.task is not None:
        raise OptionError("--incremental learns texts; give them with --data-file")
    _refuse(options, "--task", (*_TASK, *_TASK_FILE))
    if options.output_dir is not None:
        raise OptionError("--incremental updates DIR itself; leave out --output-dir")
    _refuse(options, "an adaptation without --incremental", ("general", "alpha", "targets"))
    if options.method not in (None, "full", "lora"):
        raise OptionError(f"--method {options.method} is for a task; use full or lora")
    if options.method != "lora":
        _refuse(options, "--method lora", ("rank",))
    table, pretraining = incremental.read_toml(options.config) if options.config else ({}, {})
    said = {field: getattr(options, name) for field, name in _INCREMENTAL.items()}
    said = {field: value for field, value in said.items() if value is not None}
    paths = [resources.find_corpus(path) for path in options.data_file]
    report_data(paths, table_options(options), pretrain.say, output=options.model)
    outcome = incremental.run(
        paths,
        options.model,
        incremental.FineTuning(**{**table, **incremental.checked(said)}),
        pretraining=pretraining,
        lora=(_RANK if options.rank is None else options.rank) if options.method == "lora" else 0,
        old_data=[resources.find_corpus(path) for path in options.old_data or ()],
        **table_options(options),
        resume=bool(options.resume),
        discard=bool(options.discard),
        wait=bool(options.wait),
        dry_run=bool(options.dry_run),
        say=pretrain.say,
    )
    refused = outcome.result is None and not options.dry_run and outcome.collected.kept > 0
    held_back = outcome.result is not None and outcome.result.verdict == "held back"
    return 1 if refused or held_back else 0
