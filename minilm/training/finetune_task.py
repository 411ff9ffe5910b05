"""From a model's folder and a labelled file to a classifier's folder, or an adapter's."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from minilm.arrays import Ids
from minilm.data import labelled
from minilm.data.labelled import LabelledData, read_labelled
from minilm.errors import InputError, ModelError, OptionError, OutputError
from minilm.files import FolderLock
from minilm.models import texts
from minilm.models.text_classifier import TextClassifier
from minilm.models.texts import Encoded
from minilm.store import adapters, classification, folder
from minilm.store.classification import Head
from minilm.store.folder import SavedModel, Stage, Tokenizer, Writer
from minilm.store.huggingface import SCORE
from minilm.text.wordlevel import WordLevelTokenizer
from minilm.training import checkpoint, finetune, log
from minilm.training.finetune import Fitted
from minilm.training.finetune_settings import FinetuneSettings

Say = Callable[[str], None]

KIND = "finetune"


@dataclass(frozen=True)
class Task:
    """A labelled file and what is taken of it.

    Attributes
    ----------
    path : Path
    count : int, optional
        Draw so many labelled texts of the train part, classes in proportion; all unless said.
    encoding, text_column, label_column, no_header
        How the file is read; see `labelled.read_labelled`.
    """

    path: Path
    count: int | None = None
    encoding: str = "utf-8"
    text_column: str | None = None
    label_column: str | None = None
    no_header: bool = False


def run(
    model: str | os.PathLike[str],
    task: Task,
    output: str | os.PathLike[str],
    settings: FinetuneSettings,
    say: Say = print,
) -> None:
    """Fine-tune a model on a labelled file, and save what came of it with its log and picture.

    The folder of LoRA is an adapter's, which goes with the base; that of other methods is a
    classifier of its own. Nothing is written before the training has ended.

    Parameters
    ----------
    model : path-like
        A language model's folder, or a classifier's, whose head is then trained further.
    task : Task
    output : path-like
        A folder that holds no model.
    settings : FinetuneSettings
    say : callable
        Takes lines for the person who waits.

    Raises
    ------
    MinilmError
        When model, task, settings or folder cannot be used, or training cannot go on.
    """
    settings.check()
    with new_folder(output) as writer:
        _run(Path(model), task, writer, settings, say)


@contextlib.contextmanager
def new_folder(output: str | os.PathLike[str]) -> Iterator[Writer]:
    """Hold a folder without a model; if it was made for nothing, it is removed again.

    Raises
    ------
    OutputError
        When the folder holds a model or an adapter, or is in use.
    """
    path = Path(output)
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path}: a file of that name is there; choose another --output-dir")
    is_new, is_held = not path.exists(), False
    try:
        with Writer(path) as writer:
            is_held = True
            if folder.exists(path) or adapters.exists(path):
                raise OutputError(f"{path}: holds a model already; choose another --output-dir")
            yield writer
    except BaseException:
        if is_new and is_held:
            with contextlib.suppress(OSError):
                (path / FolderLock.NAME).unlink()
                path.rmdir()
        raise


def _run(model: Path, task: Task, writer: Writer, settings: FinetuneSettings, say: Say) -> None:
    base, head = load_base(model)
    data = read_labelled(
        task.path,
        text_column=task.text_column,
        label_column=task.label_column,
        no_header=task.no_header,
        encoding=task.encoding,
        training_only=True,
    )
    for line in data.report():
        say(line)
    head = replace(head, pooling=settings.pooling) if head else Head(data.classes, settings.pooling)
    _check_labels(data, head, model)
    train, dev = _parts(data, head, task, settings.seed)
    for line in _sizes(train, dev, head, task):
        say(line)
    tokenizer = tokenizer_of(base, model)
    encoded = _encode(base, tokenizer, train.texts, task.path, say)
    look = _encode(base, tokenizer, dev.texts, task.path, _silent).ids if dev else []
    say(settings.share(*finetune.sizes(base.config, len(head.labels), settings)))
    fitted = finetune.fit(
        base.config,
        base.parameters,
        encoded.ids,
        _indices(train, head),
        classes=len(head.labels),
        settings=settings,
        dev=(look, _indices(dev, head)) if dev else None,
        say=say,
    )
    recorded = {
        **asdict(settings),
        "labels": task.count,
        "encoding": task.encoding,
        "text_column": task.text_column,
        "label_column": task.label_column,
        "machine": checkpoint.machine(),
    }
    stage = Stage(KIND, (folder.source(task.path),), fitted.updates, fitted.tokens, recorded)
    kind = _save(writer, model, base, head, fitted, stage)
    log.write(writer.path, fitted.rows)
    picture = log.draw(
        writer.path,
        title=f"How well {task.path.name} is learned",
        unit="nats a text",
        held_out_name="development part",
    )
    say(f"{writer.path}: {kind}, {log.NAME} and {picture.name}")


def load_base(path: str | os.PathLike[str]) -> tuple[SavedModel, Head | None]:
    """Read what is to be fine-tuned: a language model, or a classifier with its head.

    Raises
    ------
    ModelError
        When it is an adapter, which is no model without its base, or damaged.
    """
    if adapters.exists(path):
        raise ModelError("an adapter, which is no model of its own; fine-tune its base", path)
    if classification.is_classifier(path):
        saved, head = classification.load(path)
    else:
        saved, head = folder.load(path), None
    return saved, head


def tokenizer_of(saved: SavedModel, path: str | os.PathLike[str]) -> Tokenizer:
    """Return a model's tokenizer, or raise ModelError where its folder has none."""
    if saved.tokenizer is None:
        raise ModelError("no tokenizer here; put the model's tokenizer.json there", path)
    return saved.tokenizer


def _silent(line: str) -> None:
    """Take a line and say nothing: what is said of the train part holds for the others."""


def _check_labels(data: LabelledData, head: Head, model: Path) -> None:
    """Raise InputError at a label that the head has not."""
    for label, line in zip(data.labels, data.lines, strict=True):
        if label not in head.labels:
            raise InputError(
                f"the label {label!r} is not one of the head's in {model} "
                f"({', '.join(map(repr, head.labels[:5]))}{', ...' * (len(head.labels) > 5)}); "
                "fine-tune the language model that it was made from",
                data.path,
                line,
            )


def _parts(
    data: LabelledData, head: Head, task: Task, seed: int
) -> tuple[LabelledData, LabelledData | None]:
    """Return the texts to train on, and the development part if the file has one."""
    train = data.part("train")
    dev = data.part("dev") if data.splits is not None and "dev" in data.splits else None
    if task.count is not None:
        if not len(train.classes) <= task.count <= len(train.texts):
            raise OptionError(
                f"--labels: {task.count} texts of {task.path.name} with {len(train.texts)} to "
                f"train on and {len(train.classes)} classes; use {len(train.classes)} to "
                f"{len(train.texts)}"
            )
        train = train.take(labelled.draw(_indices(train, head), task.count, seed).tolist())
    return train, dev


def _indices(data: LabelledData, head: Head) -> Ids:
    return np.array([head.labels.index(label) for label in data.labels])


def _encode(
    base: SavedModel, tokenizer: Tokenizer, documents: tuple[str, ...], path: Path, say: Say
) -> Encoded:
    """Encode the texts to train on, and say what was lost on the way."""
    context = base.config.n_positions
    encoded = texts.encode(tokenizer, documents, context=context, end_of_text=base.end_of_text)
    total = f"{len(documents):,}"
    if encoded.truncated:
        say(f"texts longer than {context} tokens, and cut: {encoded.truncated:,} of {total}")
    if encoded.empty:
        say(f"texts without a word, read as the end of a text: {encoded.empty:,} of {total}")
    known = texts.known_share(tokenizer, encoded.ids)
    if known == 0:
        raise InputError(
            "the base was trained on none of its words; is it in the same language?", path
        )
    if known < 1 / 2 and isinstance(tokenizer, WordLevelTokenizer):
        say(f"the base knows only {known:.0%} of the words; the others are all alike to it")
    return encoded


def _sizes(train: LabelledData, dev: LabelledData | None, head: Head, task: Task) -> Iterator[str]:
    counts = Counter(train.labels)
    shown = ", ".join(f"{label} {counts[label]:,}" for label in head.labels[:5])
    more = f" and {len(head.labels) - 5} classes more" if len(head.labels) > 5 else ""
    look = f"a development part of {len(dev.texts):,}" if dev else "no development part"
    yield f"{task.path.name}: {len(train.texts):,} texts to train on, {look}"
    yield f"labels: {shown}{more}"


def _save(
    writer: Writer, model: Path, base: SavedModel, head: Head, fitted: Fitted, stage: Stage
) -> str:
    """Save the result; return what kind of folder it is."""
    parameters = fitted.model.parameters
    lineage = (*base.lineage, stage)
    if fitted.model.adapter is None:
        saved = replace(base, parameters=parameters, lineage=lineage)
        writer.save(TextClassifier(saved, head).files(), lineage)
        return "classifier"
    adapters.write(
        writer,
        adapters.SavedAdapter(
            fitted.model.adapter.alone(),
            os.fspath(model),
            adapters.fingerprint(base.config, base.parameters),
            parameters[SCORE],
            head,
            lineage,
        ),
    )
    return f"adapter for {model}"
