"""`minilm validate`: whether a text is fit to learn from, and a cleaned copy of it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from minilm import resources, threads
from minilm.errors import OptionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = (
        "Exit code 1 when a check of severity error is over its limit. Labelled tables are checked "
        "for labels and leaks too: parts are told by a column split, or by files named train, dev "
        "and test."
    )
    parser.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="text: .txt .md .csv .tsv .json .jsonl, or folders of them",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DIR",
        help="a model: what it has seen counts as duplicate, its words as known",
    )
    parser.add_argument(
        "--fix", type=Path, metavar="OUT", help="write a cleaned copy (one file, the same kind)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--encoding", default="utf-8", help="of the files (default: utf-8)")
    parser.add_argument("--text-column", metavar="NAME", help="where the text is")
    parser.add_argument("--label-column", metavar="NAME", help="where the label is")


def run(options: argparse.Namespace) -> int:
    """Check, print the table and the verdict, and clean if asked to."""
    threads.set_blas_threads(1)
    from minilm.data.quality import cleaning, inspect

    known, note = _known(options.against)
    paths = [resources.find_corpus(path) for path in options.data_file]
    if options.fix is not None and len(paths) != 1:
        raise OptionError("--fix cleans one file at a time; name one")
    columns = {"encoding": options.encoding, "text_column": options.text_column}
    report = inspect.check(paths, **known, **columns, label_column=options.label_column)
    cleaned = None
    if options.fix is not None:
        cleaned = cleaning.write(report, options.fix, **columns)
    if options.json:
        content = {**report.to_json(), "against": note, "cleaned": None}
        if cleaned is not None:
            content["cleaned"] = {**vars(cleaned), "path": str(cleaned.path)}
        json.dump(content, sys.stdout, indent=2)
        print()
        return 0 if report.passed else 1
    for line in (*report.lines(), *note, *(cleaned.lines() if cleaned else ())):
        print(line)
    if not report.passed and cleaned is None and len(report.paths) == 1:
        print(f"a cleaned copy: --fix {report.paths[0].stem}.clean{report.paths[0].suffix}")
    return 0 if report.passed else 1


def _known(model: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Return what a model has seen and which words it knows, and lines about what it cannot say."""
    if model is None:
        return {}, []
    from minilm.data.quality import inspect
    from minilm.store import folder

    seen, tokenizer = folder.reading(model, lambda opened: (opened.seen(), opened.tokenizer))
    lines = []
    if seen is None:
        lines.append(f"{model}: has no record of what it has seen; duplicates against it are not")
        lines.append("  checked (minilm keeps one in the folders that it trains)")
    else:
        lines.append(f"{model}: has seen {len(seen):,} documents")
    if tokenizer is None:
        lines.append(f"{model}: has no tokenizer; its words are not known")
    words = None if tokenizer is None else inspect.known_words(tokenizer)
    return {"seen": seen, "vocabulary": words}, lines
