"""The whole model in small: run once with the library's functions and once with the learner's.

A kata whose target neither of these calls brings a `whole_model` of its own in its `checks.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilm.classify import centroid
from minilm.course.catalog import Kata, attribute
from minilm.embeddings import cooccurrence, documents, ppmi, similarity, svd
from minilm.nn import gpt, llama, lora, optim
from minilm.nn.config import TARGETS, GPTConfig
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Parameters, param_shapes
from minilm.text import words

WholeModel = Callable[[], dict[str, Any]]

_CONFIG = GPTConfig(vocab_size=13, n_positions=7, n_embd=10, n_layer=2, n_head=2).with_dropout(0.1)
# Six heads of queries share two of keys and values.
_LLAMA = LlamaConfig(13, 24, 17, 2, 6, 2, max_position_embeddings=7, attention_dropout=0.1)

_RANK = 2

_SENTENCES = (
    "The warm soup pleased the hungry guests.",
    "A warm stew pleased every hungry sailor!",
    "The cold soup annoyed the hungry guests.",
    "A cold stew annoyed the sailor; he left.",
    "Guests who eat warm stew come back.",
    "Guests who eat cold soup stay away.",
    "It's 3 o'clock: the sailor eats his soup.",
    "The café's tables are warm, its soup is not.",
)
_LABELS = np.array([1, 1, 0, 0, 1, 0])


def default(kata: Kata) -> WholeModel:
    """Return the whole model that the kata's functions are a part of."""
    own: WholeModel | None = attribute(kata.module("checks"), "whole_model", None)
    if own is not None:
        return own
    if any(target.is_llamas for target in kata.targets):
        return llama_model
    rooms = {target.module.__name__.split(".")[1] for target in kata.targets}
    return language_model if "nn" in rooms else word_vectors


def language_model() -> dict[str, Any]:
    """Train a tiny GPT for five steps, in float64, with dropout and with LoRA beside its matrices.

    All parameters are drawn at random: gains of one and zeros would hide what is done to them.
    """
    rng = np.random.default_rng(8)
    shapes = {**param_shapes(_CONFIG), **lora.adapter_shapes(_CONFIG, _RANK)}
    parameters = Parameters(shapes, np.float64)
    parameters.flat[...] = 0.3 * rng.standard_normal(parameters.flat.shape)
    model = gpt.GPT(_CONFIG, parameters=parameters)
    adapter = lora.Adapter(_RANK, 3.0, TARGETS, parameters)
    model.use(adapter)
    ids = rng.integers(0, _CONFIG.vocab_size, (3, 7))
    targets = rng.integers(0, _CONFIG.vocab_size, (3, 7))
    targets[0, :3] = -100
    loss, gradient = model.loss_and_grad(ids, targets, rng=np.random.default_rng(9))
    results = {"the loss": loss, "the gradient of the loss": gradient.flat.copy()}
    optimizer = optim.AdamW(model.parameters, weight_decay=0.1)
    for _ in range(5):
        _, gradient = model.loss_and_grad(ids, targets)
        optimizer.update(gradient, learning_rate=0.01)
    results["the loss after five steps"] = model.loss(ids, targets)
    merged = gpt.GPT(_CONFIG, parameters=lora.merge(parameters, adapter))
    results["the loss with LoRA merged into the matrices"] = merged.loss(ids, targets)
    return results


def llama_model() -> dict[str, Any]:
    """Train a tiny Llama for five steps, in float64, and let it read a text token by token."""
    rng = np.random.default_rng(18)
    parameters = Parameters(param_shapes(_LLAMA), np.float64)
    parameters.flat[...] = 0.3 * rng.standard_normal(parameters.flat.shape)
    model = llama.Llama(_LLAMA, parameters=parameters)
    ids, targets = rng.integers(0, _LLAMA.vocab_size, (2, 3, 7))
    targets[0, :3] = -100
    loss, gradient = model.loss_and_grad(ids, targets, rng=np.random.default_rng(19))
    results = {"the loss": loss, "the gradient of the loss": gradient.flat.copy()}
    optimizer = optim.AdamW(model.parameters, weight_decay=0.1)
    for _ in range(5):
        _, gradient = model.loss_and_grad(ids, targets)
        optimizer.update(gradient, learning_rate=0.01)
    results["the loss after five steps"] = model.loss(ids, targets)
    cache = gpt.KeyValueCache(model, batch=3)
    parts = np.split(ids, (4, 5, 6), axis=1)[:3]
    scores = [model.next_logits(part, cache) for part in parts]
    results["the scores beside a cache of keys"] = np.stack(scores)
    return results


def word_vectors() -> dict[str, Any]:
    """Go from sentences to word vectors, neighbors and classes."""
    tokens = [words.WordTokenizer(words.STOP_WORDS).tokenize(text) for text in _SENTENCES]
    vocabulary = words.Vocabulary.from_documents(tokens)
    ids = [vocabulary.encode(sentence) for sentence in tokens]
    counts = cooccurrence.count_chunks(ids, 3, len(vocabulary))
    vectors = svd.word_vectors(counts, dimensions=5, rng=np.random.default_rng(3))
    means = documents.mean_vectors(ids, vectors)
    model = centroid.NearestCentroid().fit(means[: len(_LABELS)], _LABELS)
    return {
        "the words": tokens,
        "the counts": counts,
        "the PPMI": ppmi.ppmi(counts),
        "the neighbors": [i for i, _ in similarity.neighbors(0, vectors, 3)],
        "the classes": model.predict(means),
    }
