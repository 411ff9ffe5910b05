"""Fine-tuning as a command: a model's folder and a labelled file in, a classifier's folder out.

The maths is in `finetune.py`. LoRA's result is an adapter's folder, which needs its base.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from pathlib import Path

from minilm.data import labelled
from minilm.data.labelled import LabelledData, read_labelled
from minilm.errors import InputError, ModelError, OptionError
from minilm.models import predictions, texts
from minilm.models.text_classifier import TextClassifier
from minilm.models.texts import Encoded
from minilm.progress import Say, silent
from minilm.store import adapters, classification, folder
from minilm.store.classification import Head
from minilm.store.folder import SavedModel, Stage, Tokenizer, Writer
from minilm.store.huggingface import SCORE
from minilm.text.wordlevel import WordLevelTokenizer
from minilm.training import checkpoint, finetune
from minilm.training.finetune import Fitted
from minilm.training.output import new_folder, save_adapter, save_log
from minilm.training.settings import FinetuneSettings

KIND = "finetune"


@dataclass(frozen=True)
class Task:
    """A labelled file, and what to use of it.

    Attributes
    ----------
    path : Path
    count : int, optional
        Draw this many labelled texts from the train part, in proportion to the classes; all by
        default.
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
    """Fine-tune a model on a labelled file, and save the result with its log and picture.

    The result of LoRA is an adapter, which needs its base; the other methods make a complete
    classifier. Nothing is written before training has ended.

    Parameters
    ----------
    model : path-like
        The folder of a language model, or of a classifier to train further with its head.
    task : Task
    output : path-like
        A folder that holds no model.
    settings : FinetuneSettings
    say : callable
        Takes lines for the person who waits.

    Raises
    ------
    MinilmError
        When model, task, settings or folder cannot be used, or training fails.
    """
    settings.check()
    with new_folder(output) as writer:
        _run(Path(model), task, writer, settings, say)


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
    predictions.class_indices(data, head.labels)  # raises at one that an older head does not have
    train, dev = _parts(data, head, task, settings.seed)
    for line in _sizes(train, dev, head, task):
        say(line)
    tokenizer = tokenizer_of(base, model)
    encoded = _encode(base, tokenizer, train.texts, task.path, say)
    look = _encode(base, tokenizer, dev.texts, task.path, silent).ids if dev else []
    say(settings.share(*finetune.sizes(base.config, len(head.labels), settings)))
    fitted = finetune.fit(
        base.config,
        base.parameters,
        encoded.ids,
        predictions.class_indices(train, head.labels),
        classes=len(head.labels),
        settings=settings,
        dev=(look, predictions.class_indices(dev, head.labels)) if dev else None,
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
    say(classification.consequence(head.pooling))
    save_log(
        writer.path,
        fitted.rows,
        kind,
        say,
        title=f"How well {task.path.name} is learned",
        unit="nats a text",
        held_out_name="development part",
    )


def load_base(path: str | os.PathLike[str]) -> tuple[SavedModel, Head | None]:
    """Read the model to fine-tune: a language model, or a classifier with its head.

    Raises
    ------
    ModelError
        When it is an adapter, which needs its base, or damaged.
    """
    if adapters.exists(path):
        raise ModelError("an adapter, not a complete model; fine-tune its base", path)
    return classification.load_any(path)


def tokenizer_of(saved: SavedModel, path: str | os.PathLike[str]) -> Tokenizer:
    """Return a model's tokenizer, or raise ModelError if its folder has none."""
    if saved.tokenizer is None:
        raise ModelError("no tokenizer here; add the model's tokenizer.json", path)
    return saved.tokenizer


def _parts(
    data: LabelledData, head: Head, task: Task, seed: int
) -> tuple[LabelledData, LabelledData | None]:
    """Return the texts to train on, and the development part if there is one."""
    train = data.part("train")
    dev = data.part("dev") if data.splits is not None and "dev" in data.splits else None
    if task.count is not None:
        fits = isinstance(task.count, Integral)
        if not fits or not len(train.classes) <= task.count <= len(train.texts):
            raise OptionError(
                f"--labels: {task.count} texts of {task.path.name}, with {len(train.texts)} to "
                f"train on and {len(train.classes)} classes; use {len(train.classes)} to "
                f"{len(train.texts)}"
            )
        classes = predictions.class_indices(train, head.labels)
        train = train.take(labelled.draw(classes, task.count, seed).tolist())
    return train, dev


def _encode(
    base: SavedModel, tokenizer: Tokenizer, documents: tuple[str, ...], path: Path, say: Say
) -> Encoded:
    """Encode texts, and report what is lost."""
    context = base.config.n_positions
    encoded = texts.encode(tokenizer, documents, context=context, end_of_text=base.end_of_text)
    total = f"{len(documents):,}"
    if encoded.truncated:
        say(f"texts cut to {context} tokens: {encoded.truncated:,} of {total}")
    if encoded.empty:
        say(f"texts without a word, read as an end of text: {encoded.empty:,} of {total}")
    known = texts.known_share(tokenizer, encoded.ids)
    if known == 0:
        raise InputError(
            "the base has seen none of its words in training; is it in the same language?", path
        )
    if known < 1 / 2 and isinstance(tokenizer, WordLevelTokenizer):
        say(f"the base knows only {known:.0%} of the words; the rest become <unk>")
    return encoded


def _sizes(train: LabelledData, dev: LabelledData | None, head: Head, task: Task) -> Iterator[str]:
    counts = Counter(train.labels)
    shown = ", ".join(f"{label} {counts[label]:,}" for label in head.labels[:5])
    more = f" and {len(head.labels) - 5} more classes" if len(head.labels) > 5 else ""
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
    score = parameters[SCORE]
    save_adapter(writer, fitted.model.adapter, base, model, lineage, score=score, head=head)
    return f"adapter for {model}"
