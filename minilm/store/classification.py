"""A classifier's folder: a language model's with a head, `score.weight`, and the labels' names.

With the pooling "last" it is a folder of Hugging Face's `GPT2ForSequenceClassification`, which
judges a text by its last position. transformers has no model that takes the mean of all positions.
It would read such a folder as one that takes the last, and give other labels without a warning. So
a classifier with the pooling "mean" has a `model_type` of its own, which transformers refuses.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minilm import errors
from minilm.errors import ModelError
from minilm.nn.config import POOLINGS
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Config, Parameters, param_shapes
from minilm.store import folder, huggingface, safetensors
from minilm.store.folder import END_OF_TEXT, Content, OpenModel, SavedModel, Tokenizer
from minilm.store.huggingface import SCORE
from minilm.store.ledger import Ledger

POOLING = "minilm_pooling"
#: The kind of head that is read here: it chooses one of two labels or more.
ONE_LABEL = "single_label_classification"

# architecture and pooling -> model_type and architecture in config.json
_NAMES = {
    ("gpt2", "last"): ("gpt2", "GPT2ForSequenceClassification"),
    ("gpt2", "mean"): (huggingface.MEAN_POOLED["gpt2"], "MinilmMeanPoolClassifier"),
    ("llama", "last"): ("llama", "LlamaForSequenceClassification"),
    ("llama", "mean"): (huggingface.MEAN_POOLED["llama"], "MinilmMeanPoolLlamaClassifier"),
}


@dataclass(frozen=True)
class Head:
    """What a classifier has beyond a language model, apart from the weights.

    Attributes
    ----------
    labels : tuple of str
        In the order of the rows of `score.weight`.
    pooling : {"mean", "last"}
    """

    labels: tuple[str, ...]
    pooling: str


def model_files(
    config: Config,
    parameters: Parameters,
    tokenizer: Tokenizer | None,
    head: Head,
    *,
    end_of_text: int | None,
    seen: Ledger | None = None,
    in_graph: bool = False,
) -> dict[str, Content]:
    """Return the files of a classifier, to be saved.

    Parameters
    ----------
    config, parameters, tokenizer, seen
        As for `folder.model_files`; with `score.weight` among the parameters.
    head : Head
    end_of_text : int, optional
        The id to pad with, so that batches work in transformers.
    in_graph : bool
        The files go with a graph that does the pooling itself, so that nobody can mistake it.

    Raises
    ------
    TrainingError
        When a parameter is not finite.
    """
    contents = folder.model_files(config, parameters, tokenizer, seen)
    is_llama = isinstance(config, LlamaConfig)
    names = dict(enumerate(head.labels))
    kind = "llama" if is_llama else "gpt2"
    model_type, architecture = _NAMES[kind, "last" if in_graph else head.pooling]
    settings = {
        **_content(contents[huggingface.CONFIG]),
        "architectures": [architecture],
        "model_type": model_type,
        "id2label": {str(i): label for i, label in names.items()},
        "label2id": {label: i for i, label in names.items()},
        POOLING: head.pooling,
    }
    if end_of_text is not None:
        settings["pad_token_id"] = end_of_text
    contents[huggingface.CONFIG] = folder.render_json(settings)
    # With `transformer.` before the body's names, as transformers writes a model with a head.
    prefix = "" if is_llama else huggingface.PREFIX
    weights = {f"{prefix}{name}": parameters[name] for name in param_shapes(config)}
    weights[SCORE] = parameters[SCORE]
    contents[huggingface.WEIGHTS] = partial(safetensors.dump, weights, metadata={"format": "pt"})
    if tokenizer is not None and END_OF_TEXT in tokenizer.vocab:
        roles = _content(contents[folder.TOKENIZER_CONFIG])
        contents[folder.TOKENIZER_CONFIG] = folder.render_json({**roles, "pad_token": END_OF_TEXT})
    return contents


def consequence(pooling: str) -> str:
    """Return one line on what a saved head's pooling means for other programs.

    >>> consequence("last")
    'pooling last: transformers reads this folder too, and computes the same'
    >>> consequence("mean")
    'pooling mean: transformers refuses this folder; --pooling last makes one that it reads'
    """
    if pooling == "last":
        return "pooling last: transformers reads this folder too, and computes the same"
    return "pooling mean: transformers refuses this folder; --pooling last makes one that it reads"


def _content(content: Content) -> dict[str, Any]:
    assert isinstance(content, bytes)  # noqa: S101  (JSON files are small and given as bytes)
    value: dict[str, Any] = json.loads(content)
    return value


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32) -> tuple[SavedModel, Head]:
    """Read a classifier's folder; `score.weight` is among the parameters.

    Raises
    ------
    ModelError
        When it is a language model's, its head is not for choosing one label, or something is
        missing or damaged; it names the file.
    """
    saved, head = load_any(path, dtype=dtype)
    if head is None:
        raise ModelError(
            f"a language model without a classifier's head ({SCORE}); make a classifier of it "
            "with minilm finetune",
            path,
        )
    return saved, head


def load_any(
    path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32
) -> tuple[SavedModel, Head | None]:
    """Read a language model's folder or a classifier's; only the second has a head.

    Raises
    ------
    ModelError
        As for `load`.
    """

    def read(opened: OpenModel) -> tuple[SavedModel, Head | None]:
        found = head(opened)
        if found is None:
            return opened.read(dtype), None
        _require_one_label(opened)
        shape = opened.stored[SCORE].info.shape
        return opened.read(dtype, {**param_shapes(opened.config), SCORE: shape}), found

    return folder.reading(path, read)


def is_classifier(path: str | os.PathLike[str]) -> bool:
    """Return whether a model's folder has a classifier's head.

    Raises
    ------
    ModelError
        As for `load`.
    """
    return folder.reading(path, lambda opened: SCORE in opened.stored)


def require_language_model(path: str | os.PathLike[str]) -> None:
    """Raise ModelError at a classifier, which would lose its head by learning text."""
    if is_classifier(path):
        raise ModelError(
            "a classifier, which would lose its head; train the language model that it was made "
            "from on this text",
            path,
        )


def problem_type(opened: OpenModel) -> str | None:
    """Return what the head is for, in transformers' words; None for a language model."""
    if SCORE not in opened.stored:
        return None
    named = opened.settings.get("problem_type")
    if named is None:  # transformers then goes by the number of outputs
        return "regression" if opened.stored[SCORE].info.shape[0] == 1 else ONE_LABEL
    return named if isinstance(named, str) else errors.brief(named)


def _require_one_label(opened: OpenModel) -> None:
    """Raise ModelError at a head that does not choose one label of several."""
    kind, count = problem_type(opened), opened.stored[SCORE].info.shape[0]
    if kind != ONE_LABEL or count < 2:
        outputs = "1 output" if count == 1 else f"{count} outputs"
        raise ModelError(
            f"its head is for {errors.brief(kind)} with {outputs}; minilm reads heads for "
            f"{ONE_LABEL} with 2 outputs or more",
            opened.path / huggingface.CONFIG,
        )


def head(opened: OpenModel) -> Head | None:
    """Return the labels and the pooling in `config.json`; None for a language model.

    Raises
    ------
    ModelError
        When they do not fit `score.weight`, or contradict each other.
    """
    if SCORE not in opened.stored:
        return None
    count = opened.stored[SCORE].info.shape[0]
    path = opened.path / huggingface.CONFIG
    named = opened.settings.get("id2label")
    # transformers does not write the names that it would fill in itself.
    if named is None:
        named = {str(i): f"LABEL_{i}" for i in range(count)}
    if not isinstance(named, dict) or set(named) != {str(i) for i in range(count)}:
        raise ModelError(
            f"id2label does not name the {count} labels of {SCORE} by 0 to {count - 1}", path
        )
    labels = tuple(named[str(i)] for i in range(count))
    if not all(isinstance(label, str) for label in labels) or len(set(labels)) < count:
        raise ModelError("id2label needs a different text for each label", path)
    is_mean = opened.settings.get("model_type") in huggingface.MEAN_POOLED.values()
    pooling = opened.settings.get(POOLING, "mean" if is_mean else "last")
    if pooling not in POOLINGS:
        raise ModelError(
            f"{POOLING} is {errors.brief(pooling)}; expected {' or '.join(POOLINGS)}", path
        )
    if is_mean and pooling != "mean":
        raise ModelError(
            f"{POOLING} is 'last', but model_type {opened.settings['model_type']}", path
        )
    return Head(labels, pooling)
