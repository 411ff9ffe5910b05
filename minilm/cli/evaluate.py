"""`minilm evaluate DIR`: how well a model predicts text, or a classifier predicts labels."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm import files, resources, threads
from minilm.cli import console
from minilm.cli.options import add_adapter, add_table, report_data, table_options
from minilm.errors import OptionError
from minilm.progress import Progress

if TYPE_CHECKING:
    from minilm.models.predictions import Evaluation
    from minilm.models.scores import Score

_WIDEST = 79
_ABSENT = 3  # classes without a text that are named
_CONFUSIONS = 10  # listed where the matrix is too wide for the screen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "model", type=Path, metavar="DIR", help="folder of a model, an adapter, or a base"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--data-file",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="text the model was not trained on: files or folders",
    )
    what.add_argument("--task", type=Path, metavar="FILE", help="labelled .csv .tsv .json .jsonl")
    add_table(parser, labels=True)
    add_adapter(parser)
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="draw the confusion matrix to a .png or .svg"
    )
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="(default: 2)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Score the text or the task and print the figures."""
    threads.set_blas_threads(1)  # each thread scores its own windows
    if options.picture and (not options.task or len(options.adapter) > 1):
        raise OptionError("--picture draws the confusion matrix of one model on a --task")
    if options.picture:
        from minilm import drawing

        drawing.checked_suffix(options.picture)
    return _run_task(options) if options.task else _run_text(options)


def _run_text(options: argparse.Namespace) -> int:
    from minilm.data.documents import read_documents
    from minilm.models import adapted

    paths = [resources.find_corpus(path) for path in options.data_file]
    report_data(paths, table_options(options), partial(console.note, "evaluate"))
    results = []
    for name, model in adapted.load_language_models(options.model, options.adapter):
        texts = read_documents(paths, **table_options(options))
        if sys.stderr.isatty():
            count = sum(1 for _ in read_documents(paths, **table_options(options)))
            texts = _shown(texts, count)
        score = model.evaluate(texts, threads=options.threads)
        results.append((name, score))
    if options.json:
        _print_json([(name, _score_record(score)) for name, score in results])
        return 0
    for name, score in results:
        prefix = f"{name}: " if name else ""
        print(f"{prefix}{score.tokens:,} tokens, {score.loss:.4f} nats a token: {score}")
        if score.bytes is None:
            print("no bits per byte: this tokenizer does not keep the whole text")
    return 0


def _shown(texts: Iterable[str], count: int) -> Iterator[str]:
    """Yield texts, and show on the terminal how far this is and what time is left."""
    with Progress("reading documents", count) as progress:
        for text in texts:
            yield text
            progress.advance()


def _score_record(score: Score) -> dict[str, Any]:
    return {
        "tokens": score.tokens,
        "bytes": score.bytes,
        "loss": score.loss,
        "perplexity": score.perplexity,
        "bits_per_byte": score.bits_per_byte,
    }


def _run_task(options: argparse.Namespace) -> int:
    from minilm.classify import pictures
    from minilm.data.labelled import read_labelled
    from minilm.models import adapted, predictions

    path = resources.find_corpus(options.task)
    data = read_labelled(path, **table_options(options, labels=True), evaluation_only=True)
    for line in data.report():
        console.note("evaluate", line)
    part = data.part("test")
    what = f"the test part of {path.name}" if data.splits else path.name
    results = []
    for name, classifier in adapted.load_classifiers(options.model, options.adapter):
        found = predictions.evaluate(classifier, part)
        for remark in found.reading.remarks():
            console.note("evaluate", remark)
        if not data.splits and predictions.has_learned_from(classifier.lineage, files.sha256(path)):
            console.note(
                "evaluate", f"{path.name} was in the training data; expect lower scores on new text"
            )
        results.append((name, found))
    if options.json:
        _print_json([(name, _evaluation_record(found)) for name, found in results])
    else:
        for name, found in results:
            print(f"{name + ' on ' if name else ''}{what}:")
            for line in _evaluation_lines(found, "item" if path.suffix == ".json" else "line"):
                print(line)
    if options.picture:
        _, found = results[0]
        pictures.draw_confusion(options.picture, found.confusion, found.labels)
        console.note("evaluate", f"drawn: {options.picture}")
    return 0


def _print_json(records: list[tuple[str | None, dict[str, Any]]]) -> None:
    """Print one record, or those of several adapters by name."""
    content: Any = dict(records) if len(records) > 1 else records[0][1]
    console.print_json(content)


def _evaluation_lines(found: Evaluation, place: str) -> Iterator[str]:
    """Yield accuracy, the confusion matrix, a table of classes, calibration and mistakes.

    `place` is what mistakes are numbered by: lines, or items of a .json file.
    """
    from minilm.data.documents import counted

    texts = counted(int(found.confusion.sum()), "text")
    yield f"{texts}, accuracy {found.accuracy:.3f}, macro-F1 {found.macro_f1:.3f}"
    yield from _absent_lines(found)
    yield ""
    yield from _confusion_lines(found)
    yield ""
    yield f"{'class':<24} {'precision':>9} {'recall':>7} {'F1':>7} {'texts':>7}"
    scores = found.scores
    for k, label in enumerate(found.labels):
        yield (
            f"{console.cut(label, 24):<24} {scores.precision[k]:9.3f} {scores.recall[k]:7.3f} "
            f"{scores.f1[k]:7.3f} {scores.support[k]:7,}"
        )
    yield ""
    yield from _calibration_lines(found)
    if found.mistakes:
        yield ""
        yield "most confident mistakes"
    for mistake in found.mistakes:
        yield (
            f"  {console.cut(mistake.predicted, 20)} {mistake.probability:.3f}, but it is "
            f"{console.cut(mistake.label, 20)} ({place} {mistake.line})"
        )
        yield f"    {console.cut(mistake.text, _WIDEST - 4)}"


def _absent(found: Evaluation) -> list[str]:
    """Return the classes without a text."""
    return [
        label for label, count in zip(found.labels, found.scores.support, strict=True) if not count
    ]


def _absent_lines(found: Evaluation) -> Iterator[str]:
    """Yield how classes without a text affect macro-F1, and scikit-learn's convention."""
    from minilm.classify import metrics

    if absent := _absent(found):
        listed = ", ".join(console.cut(label, 20) for label in absent[:_ABSENT])
        listed += f" and {len(absent) - _ABSENT} more" * (len(absent) > _ABSENT)
        yield f"no text here has the label {listed}: its F1 counts as 0, which lowers macro-F1"
        present = metrics.macro_f1_of_present(found.confusion)
        yield f"macro-F1 of the labels that occur or are predicted (scikit-learn's): {present:.3f}"


def _confusion_lines(found: Evaluation) -> Iterator[str]:
    """Yield the matrix, one row per true class; the most common confusions if it is too wide."""
    names = [console.cut(label, 14) for label in found.labels]
    width = max(6, *map(len, names))
    if 15 + (width + 1) * len(names) <= _WIDEST:
        yield "true \\ predicted ".ljust(15) + "".join(f" {name:>{width}}" for name in names)
        for name, row in zip(names, found.confusion, strict=True):
            yield f"{name:<15}" + "".join(f" {cell:{width},}" for cell in row)
        return
    pairs = [
        (int(found.confusion[i, j]), i, j)
        for i in range(len(names))
        for j in range(len(names))
        if i != j and found.confusion[i, j]
    ]
    yield "most common confusions" if pairs else "no confusions"
    for count, i, j in sorted(pairs, key=lambda pair: -pair[0])[:_CONFUSIONS]:
        yield f"  {names[i]} predicted as {names[j]}: {count:,}"


def _calibration_lines(found: Evaluation) -> Iterator[str]:
    calibration = found.calibration
    yield f"expected calibration error {calibration.expected_error:.3f}"
    yield f"{'confidence':<14} {'texts':>7} {'mean':>7} {'right':>7}"
    for m, count in enumerate(calibration.counts):
        if count:
            bounds = f"{calibration.edges[m]:.1f} to {calibration.edges[m + 1]:.1f}"
            yield (
                f"{bounds:<14} {count:7,} {calibration.confidence[m]:7.3f} "
                f"{calibration.accuracy[m]:7.3f}"
            )


def _evaluation_record(found: Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON holds it."""
    from minilm.classify import metrics

    scores, calibration = found.scores, found.calibration
    return {
        "texts": int(found.confusion.sum()),
        "truncated": found.reading.truncated,
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        "macro_f1_of_present": metrics.macro_f1_of_present(found.confusion),
        "absent": _absent(found),
        "labels": list(found.labels),
        "confusion": found.confusion.tolist(),
        "classes": {
            label: {
                "precision": float(scores.precision[k]),
                "recall": float(scores.recall[k]),
                "f1": float(scores.f1[k]),
                "texts": int(scores.support[k]),
            }
            for k, label in enumerate(found.labels)
        },
        "calibration": {
            "expected_error": calibration.expected_error,
            "edges": calibration.edges.tolist(),
            "texts": calibration.counts.tolist(),
            "confidence": calibration.confidence.tolist(),
            "accuracy": calibration.accuracy.tolist(),
        },
        "mistakes": [vars(mistake) for mistake in found.mistakes],
    }
