"""`minilm finetune DIR`: adapt a pretrained model to a labelled task or to conversations."""

from __future__ import annotations

import argparse
from pathlib import Path

from minilm import resources, threads
from minilm.cli import console
from minilm.cli.options import add_lora, add_table, add_training, given, refuse, table_options
from minilm.errors import OptionError
from minilm.nn.config import POOLINGS
from minilm.training import settings
from minilm.training.given import METHODS

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
        help="labelled texts: a table with columns for text, label and perhaps split",
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
    parser.add_argument("--method", choices=METHODS, help="what is trained (default: full)")
    parser.add_argument(
        "--epochs", type=float, metavar="N", help="times through the texts (default: 10)"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="texts in a batch (default: 16)")
    parser.add_argument(
        "--learning-rate", type=float, metavar="X", help="peak learning rate (default: by method)"
    )
    add_lora(parser.add_argument_group("with --method lora"))
    _add_task(parser)
    add_table(parser, labels=True)
    add_training(parser)


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


def run(options: argparse.Namespace) -> int:
    """Fine-tune, and print how it goes."""
    threads.set_blas_threads(1)  # has its full effect before NumPy is loaded
    _check(options)
    asked = given(options, _SETTINGS)
    if "targets" in asked:
        asked["targets"] = tuple(asked["targets"])
    learn = _learn_labels if options.conversations is None else _learn_replies
    try:
        learn(options, settings.FinetuneSettings(**{"threads": 2, **asked}))
    except KeyboardInterrupt:
        from minilm.store import manifest

        # The result is written at the end, all of it or nothing.
        kept = f"the result is in {options.output_dir}"
        if not (options.output_dir / manifest.NAME).exists():
            kept = "nothing was saved; the same command starts again"
        console.note("finetune", f"stopped by Ctrl-C; {kept}")
        return 130
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise OptionError at what is missing, or would have no effect."""
    if options.data_file is not None:
        raise OptionError(
            "--data-file is text without labels; train the language model further on it with "
            "minilm update, or give labelled texts with --task"
        )
    if (options.task is None) == (options.conversations is None):
        raise OptionError(
            "one of --task (a table of labelled texts) and --conversations (a file) is needed"
        )
    if options.output_dir is None:
        raise OptionError("--output-dir is needed: the folder of the result")
    if options.method != "lora":
        refuse(options, "--method lora", ("rank", "alpha", "targets"))
    if options.method != "last-n":
        refuse(options, "--method last-n", ("layers",))
    if options.method == "probe":
        refuse(options, "a method that trains the body", ("layer_decay",))
    if options.conversations is not None:
        of_tables = ("text_column", "label_column", "no_header")
        refuse(options, "--task", ("labels", "pooling", "lm_weight", *of_tables))


def _learn_labels(options: argparse.Namespace, chosen: settings.FinetuneSettings) -> None:
    from minilm.training import labelled_task

    task = labelled_task.Task(
        resources.find_corpus(options.task),
        options.labels,
        **table_options(options, labels=True),
    )
    labelled_task.run(options.model, task, options.output_dir, chosen, console.say)


def _learn_replies(options: argparse.Namespace, chosen: settings.FinetuneSettings) -> None:
    from minilm.training import replies

    replies.run(
        options.model,
        resources.find_corpus(options.conversations),
        options.output_dir,
        chosen,
        encoding=options.encoding,
        say=console.say,
    )
