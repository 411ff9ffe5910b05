"""What word vectors have learned, seen without labels: probe words, their groups and a map.

The groups come from the shipped `corpora/probes.json`, reduced to the words that the corpus has.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilm import files, resources
from minilm.compare import conditions
from minilm.compare.material import Material
from minilm.embeddings import similarity
from minilm.errors import InputError

# A group with fewer words in the vocabulary says nothing about its inner similarity.
_LEAST = 3


def groups_known(vocabulary_index: dict[str, int]) -> dict[str, list[str]]:
    """Return the probe groups, without words that the vocabulary lacks and groups left too small.

    Raises
    ------
    InputError
        When the shipped probes are damaged.
    """
    path = resources.corpora_dir() / "probes.json"
    probes = files.read_json(path)
    groups = probes.get("groups") if isinstance(probes, dict) else None
    if not isinstance(groups, dict):
        raise InputError("has no groups of words; install minilm again", path)
    known = {
        name: [word for word in words if word in vocabulary_index] for name, words in groups.items()
    }
    return {name: words for name, words in known.items() if len(words) >= _LEAST}


def measure(material: Material) -> dict[str, Any]:
    """Return similarities within and between groups for three kinds of vectors, and a map.

    Returns
    -------
    dict
        `similarity`: one record for each kind of vectors and group, with the mean cosine `within`
        the group and `between` it and the others; `map`: word, group and two coordinates (the
        first principal components of the pretrained vectors of all the probe words). Both are
        empty when the corpus has fewer than two groups.
    """
    groups = groups_known(material.vocabulary.index)
    if len(groups) < 2:
        return {"similarity": [], "map": []}
    kinds = {
        "cooccurrence": material.vectors,
        "cooccurrence-shuffled": conditions.shuffled_vectors(material, 0),
        "random": conditions.random_vectors(material, 0),
    }
    ids = {name: material.vocabulary.encode(words) for name, words in groups.items()}
    rows = []
    for kind, table in kinds.items():
        found = similarity.group_similarity(ids, table)
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
    flat = [(word, group) for group, words in groups.items() for word in words]
    points = principal_components(material.vectors[[i for part in ids.values() for i in part]])
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
