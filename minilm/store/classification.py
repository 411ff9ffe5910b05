"""A classifier's folder, as Hugging Face's `GPT2ForSequenceClassification` has it.

It is a language model's folder with the matrix `score.weight` more, the labels' names in
`config.json`, and a token to pad with. How a text's positions become one, Hugging Face does not ask
(it takes the last); here it is recorded as `minilm_pooling`.
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
from minilm.store.folder import END_OF_TEXT, Content, OpenFolder, SavedModel, Tokenizer
from minilm.store.huggingface import SCORE
from minilm.store.ledger import Ledger

POOLING = "minilm_pooling"


@dataclass(frozen=True)
class Head:
    """What a classifier has beside a language model, apart from its weights.

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
) -> dict[str, Content]:
    """Return the files of a classifier as transformers reads them, to be saved.

    Parameters
    ----------
    config, parameters, tokenizer, seen
        As for `folder.model_files`; with `score.weight` among the parameters.
    head : Head
    end_of_text : int, optional
        Padded with, so that batches work in transformers.

    Raises
    ------
    TrainingError
        When a parameter is not finite.
    """
    contents = folder.model_files(config, parameters, tokenizer, seen)
    is_llama = isinstance(config, LlamaConfig)
    names = dict(enumerate(head.labels))
    settings = {
        **_content(contents[huggingface.CONFIG]),
        "architectures": [
            "LlamaForSequenceClassification" if is_llama else "GPT2ForSequenceClassification"
        ],
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


def _content(content: Content) -> dict[str, Any]:
    assert isinstance(content, bytes)  # noqa: S101  (JSON files are small and given as bytes)
    value: dict[str, Any] = json.loads(content)
    return value


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = np.float32) -> tuple[SavedModel, Head]:
    """Read a classifier's folder; `score.weight` is among the parameters.

    Raises
    ------
    ModelError
        When it is a language model's, or something is missing or damaged; it names the file.
    """
    return folder.reading(path, partial(_read, dtype=dtype))


def is_classifier(path: str | os.PathLike[str]) -> bool:
    """Return whether a model's folder has a classifier's head.

    Raises
    ------
    ModelError
        As for `load`.
    """
    return folder.reading(path, lambda opened: SCORE in opened.stored)


def require_language_model(path: str | os.PathLike[str]) -> None:
    """Raise ModelError at a classifier: text to learn would cost it its head."""
    if is_classifier(path):
        raise ModelError(
            "a classifier, which would lose its head; teach the text to the language model that "
            "it was made from",
            path,
        )


def _read(opened: OpenFolder, dtype: DTypeLike) -> tuple[SavedModel, Head]:
    found = head(opened)
    if found is None:
        raise ModelError(
            f"a language model without a classifier's head ({SCORE}); make one of it with "
            "minilm finetune",
            opened.path,
        )
    shape = opened.stored[SCORE].info.shape
    saved = opened.read(dtype, {**param_shapes(opened.config), SCORE: shape})
    return saved, found


def head(opened: OpenFolder) -> Head | None:
    """Return the labels and the pooling that `config.json` tells; None of a language model.

    Raises
    ------
    ModelError
        When it tells something else than `score.weight` has.
    """
    if SCORE not in opened.stored:
        return None
    count = opened.stored[SCORE].info.shape[0]
    path = opened.path / huggingface.CONFIG
    named = opened.settings.get("id2label")
    # transformers leaves out what it would fill in itself.
    if named is None:
        named = {str(i): f"LABEL_{i}" for i in range(count)}
    if not isinstance(named, dict) or set(named) != {str(i) for i in range(count)}:
        raise ModelError(
            f"id2label does not name the {count} labels of {SCORE} by 0 to {count - 1}", path
        )
    labels = tuple(named[str(i)] for i in range(count))
    if not all(isinstance(label, str) for label in labels) or len(set(labels)) < count:
        raise ModelError("id2label needs a different text for each label", path)
    pooling = opened.settings.get(POOLING, "last")
    if pooling not in POOLINGS:
        raise ModelError(
            f"{POOLING} is {errors.brief(pooling)}; expected {' or '.join(POOLINGS)}", path
        )
    return Head(labels, pooling)
