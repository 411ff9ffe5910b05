"""Pretraining on the texts of a comparison: wherever there is a worker, and cached.

Pretraining is drawn like labels are: another order of the documents and other initial parameters
give another transformer. So there are several pretrainings, numbered 0, 1, ...; a number stands for
the same initial parameters in pretraining and in training from scratch. Counting word vectors has
no chance in it, so that there is one pretraining of them.

What is made is kept for the next comparison on the same text with the same settings, in a folder of
the user's (MINILM_CACHE, or where the system keeps such files). An entry is one safetensors file,
`<key>.safetensors`. The key is a hash of everything that decides the content: the text, the
settings, the number, the code that does it, NumPy's version. A file appears whole or not at all,
two processes write the same bytes, and a damaged entry is made again; so the folder needs no lock
and can be deleted at any time.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minilm import files, resources
from minilm.compare import costs, transformer
from minilm.compare.data import CompareData, CompareSettings
from minilm.compare.texts import Text
from minilm.embeddings import cooccurrence, svd
from minilm.errors import InputError
from minilm.random import generator
from minilm.store import safetensors

LLAMA = "llama"
#: What can be made of a text, and what it is called in tables.
KINDS = {
    "vectors": "word vectors",
    "shuffled vectors": "word vectors, shuffled text",
    "model": "transformer",
    "shuffled model": "transformer, shuffled text",
    LLAMA: "transformer, Llama's architecture",
}
# Kinds that chance has a part in, so that each pretraining makes its own.
DRAWN = tuple(kind for kind in KINDS if kind != "vectors")
# Passes over the matrix in `svd.truncated_svd`: two an iteration, and two at the end.
_SVD_PASSES = 10
# Bytes for counting, in each process.
_MEMORY = 1 << 27
# The code that decides what pretraining makes, and what `states` computes.
_ROOMS = ("embeddings", "nn", "training", "text")
_FILES = ("compare/pretraining.py", "compare/states.py", "compare/transformer.py")


@dataclass(frozen=True, eq=False)
class Made:
    """What was made, and what it took.

    Parameters
    ----------
    arrays : dict of str to ndarray
    details : dict
        Values of JSON: `seconds`, `flops`, `parameters`, and the curves `loss` and `held_out`.
    from_cache : bool
        Whether it was there already; then `seconds` are those of making it.
    """

    arrays: dict[str, np.ndarray]
    details: dict[str, Any]
    from_cache: bool = False


class Job(NamedTuple):
    """One thing to be made: of which text, what, and in which pretraining."""

    corpus: str
    words: int
    kind: str
    pretraining: int = 0


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
        Rows of unit length; zero for words without neighbors.
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
    """Return how many columns vectors have that are counted on a vocabulary of this many words."""
    return None if settings.dimensions is None else min(settings.dimensions, size)


def shuffled(ids: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return a text with its words shuffled across it.

    Lengths of documents and frequencies of words stay; only the neighborhood of words is lost.

    >>> shuffled(np.array([3, 3, -1, 3, -1]), rng=np.random.default_rng(0))
    array([ 3,  3, -1,  3, -1])
    """
    ids = ids.copy()
    words = ids >= 0
    ids[words] = rng.permutation(ids[words])
    return ids


def make(text: Text, settings: CompareSettings, kind: str, pretraining: int = 0) -> Made:
    """Make one kind of thing of a text; a pure function, apart from the seconds it took."""
    start = time.perf_counter()
    size, ids = len(text.vocabulary), text.ids
    if kind.startswith("shuffled"):
        ids = shuffled(ids, rng=generator(pretraining, "shuffled"))
    if kind.endswith("vectors"):
        vectors, pairs = _count_vectors(settings, ids, size)
        arrays = {"vectors": vectors}
        details: dict[str, Any] = {
            "flops": costs.word_vectors(pairs, size, columns(settings, size), _SVD_PASSES),
            "parameters": vectors.size,
            "loss": [],
            "held_out": [],
        }
    else:
        body, details = transformer.pretrain(
            ids, size, settings.transformer, seed=pretraining, llama=kind == LLAMA
        )
        arrays = dict(body.parameters.items())
    return Made(arrays, {"seconds": time.perf_counter() - start, **details})


def wanted(
    every: Iterable[CompareData], needs: Collection[str], pretrainings: int
) -> dict[Job, CompareData]:
    """Return what is to be made of the texts, once where tasks share a text."""
    found: dict[Job, CompareData] = {}
    for data in every:
        for kind in KINDS:
            for number in range(pretrainings if kind in DRAWN else 1) if kind in needs else ():
                found.setdefault(Job(data.text.corpus, data.text.words, kind, number), data)
    return found


def cache_key(text: Text, settings: CompareSettings, kind: str, pretraining: int = 0) -> str:
    """Return the name in the cache: a hash of the text and of the settings that count."""
    inputs: dict[str, Any] = {"kind": kind, "words": len(text.vocabulary), "number": pretraining}
    if kind.endswith("vectors"):
        inputs["settings"] = [settings.window, settings.weighting, settings.dimensions]
    else:
        inputs["settings"] = asdict(settings.transformer)
    inputs["text"] = hashlib.sha256(text.ids.astype("<i4").tobytes()).hexdigest()
    return cache_name(inputs)


def cache_name(inputs: Mapping[str, Any]) -> str:
    """Return the name of an entry: a hash of what it is made from, of the code and of NumPy.

    Parameters
    ----------
    inputs : mapping
        Values of JSON.

    Examples
    --------
    >>> cache_name({"window": 3}) == cache_name({"window": 4})
    False
    """
    content = {"inputs": inputs, "code": _code_version(), "numpy": np.__version__}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.cache
def _code_version() -> str:
    """Return a hash of the source files that decide what pretraining makes."""
    package = Path(__file__).resolve().parent.parent
    paths = [path for room in _ROOMS for path in (package / room).rglob("*.py")]
    paths += [package / name for name in _FILES]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def load_cached(name: str) -> Made | None:
    """Return an entry, or None where there is none or it is damaged."""
    found = load_entry(resources.cache_dir() / f"{name}.safetensors")
    return found and replace(found, arrays={k: np.array(v) for k, v in found.arrays.items()})


def load_entry(path: Path) -> Made | None:
    """Return what a file of the cache holds, mapped; None where there is none or it is damaged."""
    if not path.exists():
        return None
    try:
        with safetensors.TensorFile(path) as tensors:
            arrays = dict(tensors.items())
            text, digest = tensors.metadata["details"], tensors.metadata["sha256"]
        if digest != _digest(arrays, text):
            return None
        return Made(arrays, files.parse_json(text, path), from_cache=True)
    except (InputError, KeyError):
        return None


def save_cached(name: str, made: Made) -> None:
    """Keep an entry under its name; see `save_entry`."""
    save_entry(resources.cache_dir() / f"{name}.safetensors", made)


def save_entry(path: Path, made: Made) -> None:
    """Keep an entry; where that is impossible (a full disk, no home), nothing is kept.

    Raises
    ------
    Nothing: a cache that cannot be written only costs time.
    """
    text = json.dumps(made.details)
    metadata = {"details": text, "sha256": _digest(made.arrays, text)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        safetensors.save(made.arrays, path, metadata)
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return


def _digest(arrays: Mapping[str, np.ndarray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
