"""`minilm predict DIR TEXT...`: labels, how certain they are, and what each word contributed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from minilm import resources, threads
from minilm.cli import console
from minilm.cli.options import add_adapter, add_table, report_data, table_options
from minilm.errors import OptionError

if TYPE_CHECKING:
    from minilm.classify.explain import Explanation
    from minilm.models.predictions import Prediction
    from minilm.models.text_classifier import TextClassifier

_SHOWN = 4  # labels of a text
_UNEXPLAINED = "not explained: the only word of a text cannot be left out"


class _Answer(NamedTuple):
    """A classifier's prediction, and why; with a name if there are several classifiers."""

    name: str | None
    prediction: Prediction
    why: Explanation | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "model", type=Path, metavar="DIR", help="folder of a classifier, an adapter, or a base"
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts to classify")
    parser.add_argument(
        "--data-file", type=Path, metavar="FILE", help="texts: lines, or the rows of a table"
    )
    add_table(parser)
    add_adapter(parser)
    parser.add_argument(
        "--explain", action="store_true", help="show what each word contributes, by leaving it out"
    )
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="with --explain: draw it to a .png or .svg"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Classify the texts and print the results."""
    threads.set_blas_threads(1)  # sums do not depend on the machine's cores
    from minilm.models import adapted, predictions

    texts = _texts(options)
    if options.picture:
        _check_picture(options, len(texts))
    # Adapters take turns: all texts with the first, then all with the next.
    answers: list[list[_Answer]] = [[] for _ in texts]
    truncated = 0
    for name, classifier in adapted.load_classifiers(options.model, options.adapter):
        found, reading = predictions.predict(classifier, texts)
        truncated = reading.truncated
        for remark in reading.remarks():
            console.note("predict", remark)
        for given, prediction in zip(answers, found, strict=True):
            why = _explanation(classifier, prediction.text) if options.explain else None
            given.append(_Answer(name, prediction, why))
    if options.json:
        records = [_record(answer, options.explain) for answer in chain.from_iterable(answers)]
        console.print_json({"predictions": records, "truncated": truncated})
    else:
        for text, given in zip(texts, answers, strict=True):
            print(console.cut(text, 79))
            for answer in given:
                for line in _lines(answer, options.explain):
                    print(f"  {line}")
    if options.picture:
        _draw(answers[0][0], options.picture)
    return 0


def _check_picture(options: argparse.Namespace, texts: int) -> None:
    """Raise OptionError unless one picture can show the result."""
    from minilm import drawing

    drawing.checked_suffix(options.picture)
    if not options.explain:
        raise OptionError("--picture draws the result of --explain; give both")
    if texts > 1 or len(options.adapter) > 1:
        raise OptionError("--picture draws one text classified by one model; give only one of each")


def _texts(options: argparse.Namespace) -> list[str]:
    """Return the texts to classify, from the command line or the file."""
    if bool(options.texts) == bool(options.data_file):
        raise OptionError("give texts, or a --data-file of them")
    if options.data_file:
        from minilm.data import documents

        path = resources.find_corpus(options.data_file)
        texts = documents.read_texts(path, **table_options(options))
        report_data([path], table_options(options), partial(console.note, "predict"))
        return texts
    for number, text in enumerate(options.texts, 1):
        if not text.strip():
            raise OptionError(f"text {number} is empty; leave it out")
    return list(options.texts)


def _explanation(classifier: TextClassifier, text: str) -> Explanation | None:
    """Return what each word contributes; None for a text of one word."""
    from minilm.classify import explain

    # A word is at least one token, so the context is still full without one of these words.
    read = explain.first_words(text, classifier.config.n_positions + 1)
    try:
        return explain.leave_one_out(classifier.predict_proba, read)
    except OptionError:
        return None


def _lines(answer: _Answer, explained: bool) -> Iterator[str]:
    """Yield the lines for a text, most likely labels first."""
    from minilm.classify import explain

    prediction = answer.prediction
    row, names = prediction.probabilities, prediction.labels
    order = sorted(range(len(row)), key=lambda k: -row[k])[:_SHOWN]
    labels = [f"{console.cut(names[k], 20)} {row[k]:.3f}" for k in order]
    more = [f"and {len(row) - _SHOWN} more"] if len(row) > _SHOWN else []
    yield (f"{answer.name}: " if answer.name else "") + "  ".join(labels + more)
    if prediction.unknown_words:
        yield console.cut(f"unknown words: {', '.join(prediction.unknown_words)}", 77)
    if answer.why is not None:
        color = console.has_color(sys.stdout)
        yield from explain.lines(answer.why, names, answer.why.predicted, color=color)
    elif explained:
        yield _UNEXPLAINED


def _record(answer: _Answer, explained: bool) -> dict[str, Any]:
    """Return an answer as JSON holds it."""
    prediction, why = answer.prediction, answer.why
    probabilities = map(float, prediction.probabilities)
    record: dict[str, Any] = {
        "text": prediction.text,
        "adapter": answer.name,
        "label": prediction.label,
        "probabilities": dict(zip(prediction.labels, probabilities, strict=True)),
        "unknown_words": prediction.unknown_words,
    }
    if explained:
        record["effects"] = why and [
            {"word": word, "effect": float(effect)}
            for word, effect in zip(why.words, why.effects(why.predicted), strict=True)
        ]
    return record


def _draw(answer: _Answer, path: Path) -> None:
    from minilm.classify import pictures

    if answer.why is None:
        console.note("predict", f"nothing is drawn; {_UNEXPLAINED}")
        return
    pictures.draw_explanation(path, answer.why, answer.prediction.labels, answer.why.predicted)
    console.note("predict", f"drawn: {path}")
