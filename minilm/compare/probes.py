"""What word vectors have learned, seen without labels: probe words, their groups and a map.

The groups come from the shipped `corpora/probes.json`, reduced to the words that the corpus has.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minilm import files, resources
from minilm.compare import conditions
from minilm.compare.material import Material
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
    kinds = {"groups": dict, "map": list, "opinion_words": dict, "neighbors": dict}
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


def measure(material: Material, names: Sequence[str]) -> dict[str, Any]:
    """Return similarities within and between groups for the kinds of vectors compared, and a map.

    Parameters
    ----------
    material : Material
        Of the comparison.
    names : sequence of str
        The conditions compared; vectors of others are not made.

    Returns
    -------
    dict
        `similarity`: one record for each kind of vectors and group, with the mean cosine `within`
        the group and `between` it and the others; `map`: word, group and two coordinates (the
        first principal components of the pretrained vectors of some groups). Both are empty when
        the corpus has fewer than two groups.
    """
    probes = read(resources.corpora_dir())
    groups = known_words(probes["groups"], material.vocabulary)
    if len(groups) < 2:
        return {"similarity": [], "map": []}
    kinds = {
        "cooccurrence": lambda: material.vectors,
        "cooccurrence-shuffled": lambda: conditions.shuffled_vectors(material, 0),
        "random": lambda: conditions.random_vectors(material, 0),
    }
    ids = {name: material.vocabulary.encode(words) for name, words in groups.items()}
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
    mapped = [name for name in probes["map"] if name in groups] or list(groups)
    flat = [(word, name) for name in mapped for word in groups[name]]
    words = material.vocabulary.encode(word for word, _ in flat)
    points = principal_components(material.vectors[words])
    return {
        "similarity": rows,
        "map": [
            {"word": word, "group": group, "x": float(x), "y": float(y)}
            for (word, group), (x, y) in zip(flat, points, strict=True)
        ],
    }


def principal_components(rows: np.ndarray, count: int = 2) -> np.ndarray:
    """Return the coordinates of rows on their first principal components.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        Points.
    count : int
        How many components.

    Returns
    -------
    ndarray of shape (N, count)
        The sign of each component is fixed: its largest coordinate is positive.
    """
    centered = rows - rows.mean(axis=0)
    left, scale, _ = np.linalg.svd(centered, full_matrices=False)
    points = left[:, :count] * scale[:count]
    largest = points[np.abs(points).argmax(axis=0), np.arange(count)]
    return points * np.sign(largest)
