"""Models from folders as conditions: what was pretrained elsewhere joins the same table."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Sequence

import numpy as np

from minilm.classify import logistic
from minilm.compare import classifiers, transformer
from minilm.compare.classifiers import Classifier
from minilm.compare.conditions import Condition
from minilm.compare.data import CompareData, Examples
from minilm.compare.transformer import Body
from minilm.errors import ModelError, OptionError
from minilm.models import language_model
from minilm.nn.config import GPTConfig
from minilm.training.settings import FinetuneSettings

HOW = ("probe", "finetuned", "lora")

# The default rates are for small bodies; a folder may hold a deep one, of whatever origin. One
# moderate rate for all layers is what such bodies are usually fine-tuned at.
_WAYS = {
    "finetuned": FinetuneSettings(learning_rate=5e-4, layer_decay=1.0, epochs=20),
    "lora": FinetuneSettings("lora", learning_rate=2e-3, layer_decay=1.0, epochs=20),
}


@functools.lru_cache(maxsize=2)
def _load(path: str) -> language_model.LanguageModel:
    return language_model.load(path)


def _body(loaded: language_model.LanguageModel, path: str) -> Body:
    """Return a folder's body, of the only architecture whose costs are counted here."""
    if not isinstance(loaded.config, GPTConfig):
        raise ModelError("a Llama; compare takes folders of GPT-2's architecture only", path)
    return Body(loaded.config, loaded.gpt.parameters)


@functools.lru_cache(maxsize=2)
def _states(path: str) -> dict[str, tuple[np.ndarray, float]]:
    """Return the table of the texts that a model has read in this process, with the seconds."""
    return {}


def _read(path: str, texts: Sequence[str]) -> tuple[np.ndarray, float]:
    """Return a model's pooled states of texts, and the seconds of those that it knew already.

    Each text is read once by itself, so that its states do not depend on what else is read.
    """
    known, seconds = _states(path), 0.0
    loaded = _load(path)
    body = _body(loaded, path)
    for text in texts:
        if text in known:
            seconds += known[text][1]
        else:
            start = time.perf_counter()
            state = transformer.pooled(body, [_ids_of(loaded, text)])[0]
            known[text] = state, time.perf_counter() - start
    return np.stack([known[text][0] for text in texts]), seconds


def _ids_of(loaded: language_model.LanguageModel, text: str) -> list[int]:
    """Return the ids of a text, cut to the context; an empty one still has one token."""
    if not text.strip():
        return [loaded.end_of_text or 0]
    return loaded.encode(text)[: loaded.config.n_positions]


def folder_of(name: str) -> tuple[str, str]:
    """Return how a model is used, and its folder, from the name of a condition.

    >>> folder_of("lora:models/mine"), folder_of("C:/models/mine")
    (('lora', 'models/mine'), ('probe', 'C:/models/mine'))
    """
    how, _, path = name.partition(":")
    return (how, path) if how in HOW else (HOW[0], name)


def of_folder(name: str) -> Condition:
    """Return the condition that a model's folder makes: `PATH`, or `probe:`, `finetuned:`, `lora:`.

    Raises
    ------
    ModelError, OptionError
        When the folder holds no model, or one without a tokenizer.
    """
    how, path = folder_of(name)
    if _load(path).tokenizer is None:
        raise OptionError(f"{path}: the model has no tokenizer; put its tokenizer.json there")
    summary = {
        "probe": "the model of this folder, frozen",
        "finetuned": "the model of this folder, trained further with the labels",
        "lora": "the model of this folder, with thin matrices trained beside its own",
    }[how]
    train = functools.partial(_train_folder, path=os.path.abspath(path), how=how)
    return Condition(summary, ("tfidf",), "models from folders", train)


def _train_folder(
    data: CompareData, seed: int, chosen: np.ndarray, *, path: str, how: str
) -> Classifier:
    loaded = _load(path)
    body = _body(loaded, path)
    if how != "probe":

        def encode(examples: Examples) -> list[list[int]]:
            return [_ids_of(loaded, text) for text in examples.texts]

        return classifiers.further(data, seed, chosen, body, _WAYS[how], encode)
    texts = [data.train.texts[i] for i in chosen]
    features, seconds = _read(path, texts)
    regression = logistic.SoftmaxRegression(l2=classifiers.PROBE_L2)
    regression.fit(features, data.train.labels[chosen], classes=len(data.classes))
    return classifiers.regressed(
        lambda examples: regression.predict(_read(path, examples.texts)[0]),
        regression,
        features.shape,
        classifiers.reading(body, [_ids_of(loaded, text) for text in texts]),
        seconds,
    )
