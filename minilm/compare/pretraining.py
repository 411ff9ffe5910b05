"""Pretraining on the texts of a comparison: done once, wherever there is a worker, and cached."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from minilm.compare import cache, costs, transformer
from minilm.compare.cache import Made
from minilm.compare.data import CompareData, CompareSettings, Text
from minilm.embeddings import cooccurrence, svd
from minilm.random import generator

#: What can be made of a text, and what it is called in tables.
KINDS = {
    "vectors": "word vectors",
    "model": "transformer",
    "shuffled model": "transformer, shuffled text",
}
# Passes over the matrix in `factorize.truncated_svd`: two an iteration, and two at the end.
_SVD_PASSES = 10
# Bytes for counting, in each of the processes that may do it at a time.
_MEMORY = 1 << 27


class Job(NamedTuple):
    """One thing to be made: of which text, and what."""

    corpus: str
    words: int
    kind: str


def count_vectors(settings: CompareSettings, ids: np.ndarray, size: int) -> np.ndarray:
    """Count, weight and factorize: the one way from ids to word vectors in a comparison.

    Parameters
    ----------
    settings : CompareSettings
        Window, weighting and dimensions (at most one for each word).
    ids : ndarray of int
        Documents separated by -1.
    size : int
        V, the size of the vocabulary.

    Returns
    -------
    ndarray of shape (V, D), float32
        Rows of unit length; zero for words that met no other.
    """
    return _count_vectors(settings, ids, size)[0]


def _count_vectors(settings: CompareSettings, ids: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """Return the vectors, and how many pairs of words met."""
    counts = cooccurrence.count_chunks([ids], settings.window, size, memory=_MEMORY)
    vectors = svd.word_vectors(
        counts,
        weighting=settings.weighting,
        dimensions=columns(settings, size),
        rng=np.random.default_rng(0),
    )
    return vectors, counts.keys.size


def columns(settings: CompareSettings, size: int) -> int | None:
    """Return how many columns vectors have that are counted on a vocabulary of so many words."""
    return None if settings.dimensions is None else min(settings.dimensions, size)


def shuffled(ids: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return a text with its words shuffled across it.

    Lengths of documents and frequencies of words stay; only the company that words keep is lost.

    >>> shuffled(np.array([3, 3, -1, 3, -1]), rng=np.random.default_rng(0))
    array([ 3,  3, -1,  3, -1])
    """
    ids = ids.copy()
    words = ids >= 0
    ids[words] = rng.permutation(ids[words])
    return ids


def make(text: Text, settings: CompareSettings, kind: str) -> Made:
    """Make one kind of thing of a text; a pure function, apart from the seconds it took."""
    start = time.perf_counter()
    size = len(text.vocabulary)
    if kind == "vectors":
        vectors, pairs = _count_vectors(settings, text.ids, size)
        arrays = {"vectors": vectors}
        details: dict[str, Any] = {
            "flops": costs.word_vectors(pairs, size, columns(settings, size), _SVD_PASSES),
            "parameters": vectors.size,
            "loss": [],
            "held_out": [],
        }
    else:
        ids = text.ids
        if kind == "shuffled model":
            ids = shuffled(ids, rng=generator(0, "shuffled"))
        body, details = transformer.pretrain(ids, size, settings.transformer, seed=0)
        arrays = dict(body.parameters.items())
    return Made(arrays, {"seconds": time.perf_counter() - start, **details})


def wanted(materials: Iterable[CompareData], needs: Collection[str]) -> dict[Job, CompareData]:
    """Return what is to be made of the texts, once where tasks share a text."""
    found: dict[Job, CompareData] = {}
    for material in materials:
        for kind in KINDS:
            if kind in needs:
                found.setdefault(Job(material.text.corpus, material.text.words, kind), material)
    return found


def cache_key(text: Text, settings: CompareSettings, kind: str) -> str:
    """Return the name in the cache: a hash of the text and of the settings that count."""
    inputs: dict[str, Any] = {"kind": kind, "words": len(text.vocabulary)}
    if kind == "vectors":
        inputs["settings"] = [settings.window, settings.weighting, settings.dimensions]
    else:
        inputs["settings"] = asdict(settings.transformer)
    inputs["text"] = hashlib.sha256(text.ids.astype("<i4").tobytes()).hexdigest()
    return cache.key(inputs)
