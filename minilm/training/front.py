"""What a person calls from Python: pretrain, finetune and update, in one line each.

    model = minilm.pretrain("corpus.txt", "model", steps=500)
    reviews = minilm.finetune("model", "reviews.csv", "reviews", method="lora")
    model = minilm.update("model", "new.txt", epochs=2)

They take the settings of `settings.py` as keywords and return the model, ready to use.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from minilm import files, resources
from minilm.errors import InputError, OptionError
from minilm.models import language_model, loading
from minilm.models.language_model import LanguageModel
from minilm.models.text_classifier import TextClassifier
from minilm.nn import architectures
from minilm.progress import Say, silent
from minilm.store.folder import SavedModel
from minilm.text import several
from minilm.training import labelled_task
from minilm.training import pretrain as pretraining
from minilm.training import update as updates
from minilm.training.given import check
from minilm.training.labelled_task import Task
from minilm.training.settings import FinetuneSettings

PathLike = str | os.PathLike[str]
Texts = PathLike | Sequence[PathLike]


def pretrain(
    texts: Texts,
    output_dir: PathLike,
    *,
    resume: bool = False,
    say: Say | None = print,
    **settings: Any,
) -> LanguageModel:
    """Train a tokenizer and a language model on text, into a folder; return the model.

    Parameters
    ----------
    texts : path-like, or sequence of path-like or str
        A file, a folder, or several; or documents.
    output_dir : path-like
        A folder without a model.
    resume : bool
        Continue the run that the folder holds, with the same texts and settings.
    say : callable, optional
        Takes lines about how it goes; None for silence.
    **settings
        Fields of `minilm.training.settings.PretrainSettings`, such as `steps=500` or
        `size="kata"`.

    Raises
    ------
    MinilmError
        When texts, settings or folder cannot be used, or training fails.
    """
    with as_files(texts) as paths:
        pretraining.pretrain(paths, output_dir, settings, resume=resume, say=say or silent)
    return language_model.load(output_dir)


def finetune(
    model: PathLike,
    task: PathLike,
    output_dir: PathLike,
    *,
    labels: int | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    no_header: bool = False,
    encoding: str = "utf-8",
    say: Say | None = print,
    **settings: Any,
) -> TextClassifier:
    """Adapt a model to a labelled task, into a folder; return the classifier.

    Parameters
    ----------
    model : path-like
        The folder of a language model, or of a classifier to train further.
    task : path-like
        A table (.csv, .tsv, .json, .jsonl) of texts and labels.
    output_dir : path-like
        A folder without a model. With `method="lora"` it becomes an adapter, which needs `model`.
    labels : int, optional
        Draw this many labelled texts; all by default.
    text_column, label_column : str, optional
        Guessed by default.
    no_header : bool
        Whether the first row of a .csv or .tsv file is data; recognized by default.
    encoding : str
    say : callable, optional
        Takes lines about how it goes; None for silence.
    **settings
        Fields of `minilm.training.settings.FinetuneSettings`, such as `method="lora"`.

    Raises
    ------
    MinilmError
        When model, task, settings or folder cannot be used, or training fails.
    """
    check(settings, FinetuneSettings)
    if not isinstance(model, (str, os.PathLike)):
        raise OptionError("model is the path of a folder; keep a model in memory with its save()")
    if not isinstance(task, (str, os.PathLike)):
        raise OptionError(
            "task is the path of a table; lists of texts and labels are for "
            "TransformerClassifier(model).fit(texts, labels)"
        )
    where = Task(
        resources.find_corpus(Path(task)), labels, encoding, text_column, label_column, no_header
    )
    labelled_task.run(model, where, output_dir, FinetuneSettings(**settings), say or silent)
    found = loading.load(output_dir, base=model if settings.get("method") == "lora" else None)
    assert isinstance(found, TextClassifier)  # noqa: S101  (it was just saved as one)
    return found


def update(
    model: PathLike | LanguageModel,
    texts: Texts,
    output_dir: PathLike | None = None,
    *,
    old_data: Texts = (),
    resume: bool = False,
    discard: bool = False,
    say: Say | None = print,
    **settings: Any,
) -> LanguageModel:
    """Train a language model further on new text; return it. Text that it has seen is skipped.

    Parameters
    ----------
    model : path-like or LanguageModel
        A folder, where the update becomes a new version (`minilm rollback` goes back). Or a model
        in memory, which changes in place.
    texts : path-like, or sequence of path-like or str
        A file, a folder, or several; or documents.
    output_dir : path-like, optional
        A folder without a model for the result; the model's own folder is then unchanged.
    old_data : path-like, or sequence of path-like or str
        Text that the model knows, if its folder keeps no sample of it.
    resume, discard : bool
        Continue an interrupted update of the folder, or throw it away.
    say : callable, optional
        Takes lines about how it goes; None for silence.
    **settings
        Fields of `minilm.training.settings.UpdateSettings`, such as `epochs=2` or `replay=0.5`.

    Warns
    -----
    UserWarning
        When the update is held back, because old text got too much worse. The model that is
        returned is then the one before.

    Raises
    ------
    MinilmError
        When model, texts or settings cannot be used, or training fails.
    """
    with as_files(texts) as paths, as_files(old_data, "old_texts") as old:
        if isinstance(model, LanguageModel):
            if output_dir is not None or resume or discard:
                raise OptionError("a model in memory is updated in place; keep it with its save()")
            return _update_in_memory(model, paths, old, settings, say)
        outcome = updates.update(
            paths,
            model,
            settings,
            output=output_dir,
            old_data=old,
            resume=resume,
            discard=discard,
            say=say or silent,
        )
    result = outcome.result
    if result is not None and result.verdict == "held back":
        warnings.warn(
            f"the update of {os.fspath(model)} is held back in {result.path}: old text got worse "
            f"than the limit allows",
            stacklevel=2,
        )
    made = output_dir is not None and result is not None
    found = loading.load(output_dir if made and output_dir is not None else model, base=None)
    assert isinstance(found, LanguageModel)  # noqa: S101  (a classifier is refused above)
    return found


def _update_in_memory(
    model: LanguageModel,
    paths: Sequence[PathLike],
    old: Sequence[PathLike],
    settings: dict[str, Any],
    say: Say | None,
) -> LanguageModel:
    if model.gpt.adapter is not None:
        raise OptionError("this model has an adapter; save() merges it, then update the result")
    saved = SavedModel(
        model.config,
        model.gpt.parameters,
        model.tokenizer,
        model.end_of_text,
        model.lineage,
        model.seen,
    )
    trained, _ = updates.update_in_memory(saved, paths, settings, old_data=old, say=say)
    model.gpt = architectures.language_model(model.config, parameters=trained.parameters)
    model.lineage, model.seen = trained.lineage, trained.seen
    return model


@contextlib.contextmanager
def as_files(texts: Texts, name: str = "texts") -> Iterator[list[PathLike]]:
    """Yield the paths that are given, or that of a temporary file with the documents given.

    A single string is a path. Several strings are documents, unless they name files.

    Raises
    ------
    OptionError
        When one is neither a string nor a path.
    InputError
        When only some of the strings name files, or one looks like the name of a missing file.
    """
    one = isinstance(texts, (str, os.PathLike))
    if one:
        files.check_path(texts, name)
    items: list[Any] = [texts] if one else list(several.values_of(texts, name))
    if isinstance(texts, (str, os.PathLike)) or all(isinstance(x, os.PathLike) for x in items):
        yield [resources.find_corpus(Path(item)) for item in items]
        return
    for number, item in enumerate(items):
        if not isinstance(item, (str, os.PathLike)):
            raise OptionError(f"{name}[{number}] is of type {type(item).__name__}, not a string")
    found = [resources.find_corpus(Path(x)) if _is_short(x) else Path() for x in items]
    exist = [_is_short(x) and path.exists() for x, path in zip(items, found, strict=True)]
    if all(exist):
        yield list(found)
        return
    for item, is_file in zip(items, exist, strict=True):
        if (any(exist) and not is_file) or isinstance(item, os.PathLike) or _is_file_name(item):
            raise InputError("no such file; give either files or documents", str(item)[:80])
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{name}.jsonl"
        lines = (json.dumps(item) + "\n" for item in items)
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
        yield [path]


def _is_short(item: Any) -> bool:
    """Return whether a string can be a path: short, and one line."""
    return isinstance(item, os.PathLike) or (len(item) < 256 and "\n" not in item and item != "")


def _is_file_name(item: str) -> bool:
    """Return whether a string looks like a file's name: no blanks, and a suffix of a text file."""
    suffixes = (".txt", ".md", ".csv", ".tsv", ".json", ".jsonl")
    return not any(map(str.isspace, item)) and item.lower().endswith(suffixes)
