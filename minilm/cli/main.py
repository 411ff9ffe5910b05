"""The entry point: choose the command, run it, turn errors into one line and an exit code.

Exit codes: 0 done; 1 ran, and the answer is no; 2 a mistake in the input (one line on standard
error says what is wrong, where, and what to do); 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from minilm import __version__
from minilm.errors import MinilmError

# Each command is a module of this package with `add_arguments(parser)` and `run(options) -> int`.
# Only the chosen one is imported, so that `minilm --help` needs neither NumPy nor matplotlib.
COMMANDS = {
    "compare": "compare random, pretrained and fine-tuned models on a labelled task",
    "compare forgetting": "compare ways to learn new text without losing the old",
    "report": "draw a comparison's pictures and page again, from its tables",
    "neighbors": "find a word's nearest neighbors in a corpus",
    "tokenize": "show a text's pieces, tokens and bytes, by byte-level BPE",
    "validate": "check whether a text is fit to learn from; write a cleaned copy",
    "pretrain": "train a language model on your text",
    "train": "the same as pretrain",
    "update": "train a language model further on new text, as a new version",
    "pipeline": "run a whole session: check, pretrain or update, measure, export",
    "rollback": "bring back a model as it was before an update; list its versions",
    "finetune": "adapt a pretrained model to a labelled task or to conversations",
    "adapter": "list, merge or apply adapters that share one base model",
    "predict": "label texts; show how certain a model is, and why",
    "generate": "generate or continue text",
    "chat": "talk with a model",
    "evaluate": "measure how well a model predicts text, or a classifier labels",
    "inspect": "show what a model's folder holds: shapes, vocabulary, lineage",
    "convert": "turn a GGUF file into a model's folder",
    "export": "export a model or classifier as an ONNX graph",
    "kata": "take the course: read, write a function, check it, plug it in",
    "book": "write the course as pages for a browser, to read, print and show",
    "corpora": "check the shipped texts against their data card",
    "bench": "race against another library, in one run",
}

# The module of a command, where that is not its name.
_MODULES = {"compare forgetting": "forgetting", "train": "pretrain"}


class Parser(argparse.ArgumentParser):
    """An argument parser with errors of one line, that accepts options anywhere."""

    _mixing = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register("type", Path, _path)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; options may come between arguments, as in `predict DIR --explain TEXT`."""
        if self._mixing or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self._mixing = True  # Python 3.11 comes back here, twice
        try:
            found, unknown = self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False
        if unknown:  # reported here, so that the message names the command
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Print one line that names the command and exit with code 2."""
        line = " ".join(message.splitlines())
        self.exit(2, f"{self.prog}: error: {line} (see {self.prog} --help)\n")


def _path(text: str) -> Path:
    """Return a path that is not empty: `Path("")`, as of an unset variable, is the current folder.

    >>> _path("runs/first").name
    'first'
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(
            'the path is empty; name a file or folder ("." is this one)'
        )
    return Path(text)


def build_parser(chosen: str | None) -> Parser:
    """Return the parser; only the chosen command's module is imported for its arguments."""
    parser = Parser(
        prog="minilm", description="Pretraining and fine-tuning, built by hand in NumPy."
    )
    parser.add_argument("--version", action="version", version=f"minilm {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", parser_class=Parser)
    for name, summary in COMMANDS.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(
            name, prog=f"minilm {name}", help=summary, description=description
        )
        if name == chosen:
            module = importlib.import_module(f"minilm.cli.{_MODULES.get(name, name)}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _show_what_the_console_lacks()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:2] == ["compare", "forgetting"]:  # a comparison with options of its own
        arguments[:2] = ["compare forgetting"]
    chosen = next((a for a in arguments if not a.startswith("-")), None)
    parser = build_parser(chosen)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    command = options.command
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except MinilmError as error:
        return _mistake(command, str(error))
    except BrokenPipeError:
        # The reader (head, less) went away: not an error. Keep the interpreter's own flush quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"minilm {command}: stopped by Ctrl-C", file=sys.stderr)
        return 130
    except MemoryError as error:
        detail = f" ({error})" if str(error) else ""
        advice = "close other programs, or take less data or smaller sizes"
        return _mistake(command, f"not enough memory{detail}; {advice}")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        advice = "check the path, its permissions and the free space"
        return _mistake(command, f"{place}{error.strerror or error}; {advice}")


def _mistake(command: str, message: str) -> int:
    # One line, even if a file's name has line breaks.
    print(f"minilm {command}: error: {' '.join(message.splitlines())}", file=sys.stderr)
    return 2


def _show_what_the_console_lacks() -> None:
    """Print the codes of characters that the console's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    raise SystemExit(main())
