"""What word vectors have learned, seen without labels: probe words, their groups and a map.

The groups come from the shipped `corpora/probes.json`, reduced to the words that the corpus has.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minilm import files, resources
from minilm.compare import classifiers, senses
from minilm.compare.axes import Axes
from minilm.compare.data import CompareData
from minilm.data import labelled
from minilm.embeddings import similarity
from minilm.errors import InputError
from minilm.text.words import Vocabulary

# A group with fewer words in the vocabulary says nothing about its inner similarity.
_LEAST = 3


def read(folder: Path) -> dict[str, Any]:
    """Read `probes.json` of a folder of corpora and check that its parts are there.

    Raises
    ------
    InputError
        When one is missing.
    """
    path = folder / "probes.json"
    probes = files.read_json(path)
    kinds = {
        "groups": dict,
        "map": list,
        "opinion_words": dict,
        "neighbors": dict,
        "two_senses": list,
    }
    if not isinstance(probes, dict) or not all(
        isinstance(probes.get(part), kind) for part, kind in kinds.items()
    ):
        raise InputError(f"needs the parts {', '.join(kinds)}; install minilm again", path)
    return probes


def known_words(groups: dict[str, list[str]], vocabulary: Vocabulary) -> dict[str, list[str]]:
    """Return the groups without words that the vocabulary lacks, and without groups left too small.

    Examples
    --------
    >>> vocabulary = Vocabulary(["red", "blue", "green", "oak"], [4, 3, 2, 1])
    >>> known_words({"colors": ["red", "pink", "green", "blue"], "trees": ["oak"]}, vocabulary)
    {'colors': ['red', 'green', 'blue']}
    """
    known = {name: [w for w in words if w in vocabulary] for name, words in groups.items()}
    return {name: words for name, words in known.items() if len(words) >= _LEAST}


def measure(
    material: CompareData, names: Collection[str], budgets: Sequence[int]
) -> dict[str, Any]:
    """Return what the vectors of a comparison are like, seen by the probe words.

    Parameters
    ----------
    material : CompareData
        The main one of the comparison.
    names : collection of str
        The conditions compared; vectors of others are not made.
    budgets : sequence of int
        Numbers of labels compared.

    Returns
    -------
    dict
        `similarity`: one record for each kind of vectors and group, with the mean cosine `within`
        the group and `between` it and the others. `map`: word, group and two coordinates (the first
        principal components of the pretrained vectors of some groups). `map_finetuned`: the same
        words on the same axes after the run of `cooccurrence-finetuned` with the most labels and
        seed 0. These are empty when the corpus has fewer than two groups. `two_senses`: see
        `senses.measure`.
    """
    probes = read(resources.corpora_dir())
    text = material.text
    groups = known_words(probes["groups"], text.vocabulary)
    found: dict[str, Any] = {"similarity": [], "map": [], "map_finetuned": [], "two_senses": []}
    if "model" in text.made:
        found["two_senses"] = senses.measure(text, classifiers.pretrained_body(material), probes)
    if len(groups) < 2 or "vectors" not in text.made:
        return found
    found["similarity"] = _similarities(material, names, groups)
    mapped = [name for name in probes["map"] if name in groups] or list(groups)
    flat = [(word, name) for name in mapped for word in groups[name]]
    words = text.vocabulary.encode(word for word, _ in flat)
    axes = Axes.of(text.vectors[words])
    found["map"] = _points(flat, axes.place(text.vectors[words]))
    if "cooccurrence-finetuned" in names and budgets:
        chosen = labelled.draw(material.train.labels, max(budgets), seed=0)
        fitted = classifiers.fit_finetuned(material, chosen)
        # The classifier learned vectors times their weights, which words never lose.
        learned = fitted.vectors_[words] / text.weights[words, np.newaxis]
        found["map_finetuned"] = _points(flat, axes.place(learned))
    return found


def _similarities(
    material: CompareData, names: Collection[str], groups: dict[str, list[str]]
) -> list[dict[str, Any]]:
    kinds = {
        "cooccurrence": lambda: material.text.vectors,
        "cooccurrence-shuffled": lambda: classifiers.shuffled_vectors(material, 0)[0],
        "random": lambda: classifiers.random_vectors(material, 0),
    }
    ids = {name: material.text.vocabulary.encode(words) for name, words in groups.items()}
    rows = []
    for kind in [kind for kind in kinds if kind in names]:
        found = similarity.group_similarity(ids, kinds[kind]())
        for group, within in found.within.items():
            between = [value for pair, value in found.between.items() if group in pair]
            rows.append(
                {
                    "vectors": kind,
                    "group": group,
                    "within": within,
                    "between": float(np.mean(between)),
                }
            )
    return rows


def _points(flat: list[tuple[str, str]], points: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"word": word, "group": group, "x": float(x), "y": float(y)}
        for (word, group), (x, y) in zip(flat, points, strict=True)
    ]
