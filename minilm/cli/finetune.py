"""`minilm finetune DIR`: adapt a pretrained model to a labelled task or to conversations."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from minilm import resources, threads
from minilm.cli import options, pretrain
from minilm.cli.options import add_table, table_options
from minilm.errors import OptionError
from minilm.nn.config import POOLINGS
from minilm.training import given, settings

# Options that are fields of the settings; None if not given.
_SETTINGS = (
    *("method", "rank", "alpha", "targets", "epochs", "batch", "learning_rate", "seed", "threads"),
    *("layers", "layer_decay", "lm_weight", "pooling"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "model", type=Path, metavar="DIR", help="folder of a model: minilm's or Hugging Face's"
    )
    parser.add_argument(
        "--task",
        type=Path,
        metavar="FILE",
        help="labelled texts: a table with a text and a label column, and maybe a split column",
    )
    parser.add_argument(
        "--conversations",
        type=Path,
        metavar="FILE",
        help="conversations (.jsonl, .json, .csv, .tsv, or Question:/Answer: in .txt): "
        "learn the replies",
    )
    parser.add_argument("--data-file", type=Path, nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--output-dir", type=Path, metavar="OUT", help="folder of the result")
    parser.add_argument("--method", choices=given.METHODS, help="what is trained (default: full)")
    parser.add_argument(
        "--epochs", type=float, metavar="N", help="times through the texts (default: 10)"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="texts in a batch (default: 16)")
    parser.add_argument(
        "--learning-rate", type=float, metavar="X", help="the highest (default: by method)"
    )
    options.add_lora(parser.add_argument_group("with --method lora"))
    _add_task(parser)
    add_table(parser, labels=True)
    parser.add_argument("--seed", type=int, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="each works on a part of the batch (default: 2)",
    )


def _add_task(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("of the task")
    group.add_argument(
        "--labels",
        type=int,
        metavar="N",
        help="draw N labelled texts, in proportion to the classes",
    )
    group.add_argument("--pooling", choices=POOLINGS, help="(default: mean)")
    group.add_argument("--layers", type=int, metavar="N", help="of --method last-n (default: 1)")
    group.add_argument(
        "--layer-decay",
        type=float,
        metavar="X",
        help="each layer learns at X times the rate of the layer above (default: by method)",
    )
    group.add_argument(
        "--lm-weight",
        type=float,
        metavar="X",
        help="weight of an additional next-word loss (default: 0)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Fine-tune, and print how it goes."""
    threads.set_blas_threads(1)  # has its full effect before NumPy is loaded
    if chosen.data_file is not None:
        raise OptionError(
            "--data-file is text without labels; train the language model further on it with "
            "minilm update, or give labelled texts with --task"
        )
    if (chosen.task is None) == (chosen.conversations is None):
        raise OptionError(
            "one of --task (a table of labelled texts) and --conversations (a file) is needed"
        )
    if chosen.output_dir is None:
        raise OptionError("--output-dir is needed: the folder of the result")
    if chosen.method != "lora":
        options.refuse(chosen, "--method lora", ("rank", "alpha", "targets"))
    if chosen.method != "last-n":
        options.refuse(chosen, "--method last-n", ("layers",))
    if chosen.method == "probe":
        options.refuse(chosen, "a method that trains the body", ("layer_decay",))
    asked = {name: getattr(chosen, name) for name in _SETTINGS}
    asked = {name: value for name, value in asked.items() if value is not None}
    if "targets" in asked:
        asked["targets"] = tuple(asked["targets"])
    finetune_settings = settings.FinetuneSettings(**{"threads": 2, **asked})
    learn = _learn_labels if chosen.conversations is None else _learn_replies
    try:
        return learn(chosen, finetune_settings)
    except KeyboardInterrupt:
        from minilm.store import manifest

        # The result is written at the end, all of it or nothing.
        kept = f"the result is in {chosen.output_dir}"
        if not (chosen.output_dir / manifest.NAME).exists():
            kept = "nothing was saved; the same command starts again"
        print(f"minilm finetune: stopped by Ctrl-C; {kept}", file=sys.stderr)
        return 130


def _learn_labels(chosen: argparse.Namespace, finetune_settings: settings.FinetuneSettings) -> int:
    from minilm.training import labelled_task

    task = labelled_task.Task(
        resources.find_corpus(chosen.task),
        chosen.labels,
        **table_options(chosen, labels=True),
    )
    labelled_task.run(chosen.model, task, chosen.output_dir, finetune_settings, pretrain.say)
    return 0


def _learn_replies(chosen: argparse.Namespace, finetune_settings: settings.FinetuneSettings) -> int:
    options.refuse(
        chosen, "--task", ("labels", "pooling", "lm_weight", "text_column", "label_column")
    )
    from minilm.training import replies

    replies.run(
        chosen.model,
        resources.find_corpus(chosen.conversations),
        chosen.output_dir,
        finetune_settings,
        encoding=chosen.encoding,
        say=pretrain.say,
    )
    return 0
