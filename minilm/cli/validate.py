"""`minilm validate`: whether a text is fit to learn from, and a cleaned copy of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.cli import console
from minilm.cli.options import add_table, add_texts, table_options
from minilm.errors import OptionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = (
        "Exit code 1 when a check of severity error is over its limit. In labelled tables, labels "
        "and leaks are checked too. The parts of a split come from a column named split, or from "
        "files named train, dev and test."
    )
    add_texts(parser)
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DIR",
        help="a model: texts it has learned from are reported, and its words are known",
    )
    parser.add_argument(
        "--fix", type=Path, metavar="OUT", help="write a cleaned copy (one file, the same kind)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_table(parser, labels=True)


def run(options: argparse.Namespace) -> int:
    """Check, print the table and the verdict, and clean if asked to."""
    threads.set_blas_threads(1)
    from minilm.data.quality import cleaning, validate

    known, note = _known(options.against)
    paths = [resources.find_corpus(path) for path in options.data_file]
    if options.fix is not None and len(paths) != 1:
        raise OptionError("--fix cleans one file at a time; name one")
    report = validate.validate(paths, **known, **table_options(options, labels=True))
    cleaned = None
    if options.fix is not None:
        cleaned = cleaning.write(report, options.fix, **table_options(options))
    if options.json:
        content = {**report.to_json(), "against": note, "cleaned": None}
        if cleaned is not None:
            content["cleaned"] = {**vars(cleaned), "path": str(cleaned.path)}
        console.print_json(content)
        return 0 if report.passed else 1
    for line in (*report.lines(), *note, *(cleaned.lines() if cleaned else ())):
        print(line)
    if not report.passed and cleaned is None and len(report.paths) == 1:
        print(f"a cleaned copy: --fix {report.paths[0].stem}.clean{report.paths[0].suffix}")
    return 0 if report.passed else 1


def _known(model: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Return what a model has seen, which words it knows, and lines about what is missing."""
    if model is None:
        return {}, []
    from minilm.data.quality import validate
    from minilm.store import folder

    seen, tokenizer = folder.reading(model, lambda opened: (opened.seen(), opened.tokenizer))
    lines = []
    if seen is None:
        lines.append(f"{model}: has no record of what it has seen, so texts are not compared")
        lines.append("  with it (minilm keeps one in the folders that it trains)")
    else:
        lines.append(f"{model}: has seen {len(seen):,} documents")
    if tokenizer is None:
        lines.append(f"{model}: has no tokenizer; its words are not known")
    words = None if tokenizer is None else validate.known_words(tokenizer)
    return {"seen": seen, "vocabulary": words}, lines
