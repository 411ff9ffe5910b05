"""What word vectors have learned, seen without labels: probe words, their groups and a map.

The groups come from the shipped `corpora/probes.json`, reduced to the words that the corpus has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minilm import files, resources
from minilm.compare import classifiers, transformer
from minilm.compare.data import CompareData
from minilm.compare.texts import Text, name_of
from minilm.compare.transformer import Body
from minilm.data import labelled
from minilm.embeddings import similarity
from minilm.errors import InputError
from minilm.text.words import Vocabulary

# A group with fewer words in the vocabulary says nothing about its inner similarity.
_LEAST = 3
_LEAST_OF_A_SENSE, _MOST_OF_A_SENSE = 5, 40  # occurrences of each sense
_SHOWN = 10  # words of a sentence


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


def measure(data: CompareData, names: Collection[str], budgets: Sequence[int]) -> dict[str, Any]:
    """Return what the vectors of a comparison are like, seen by the probe words.

    Parameters
    ----------
    data : CompareData
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
        `measure_senses`.
    """
    probes = read(resources.corpora_dir())
    text = data.text
    groups = known_words(probes["groups"], text.vocabulary)
    found: dict[str, Any] = {"similarity": [], "map": [], "map_finetuned": [], "two_senses": []}
    if name_of("model", 0) in text.made:
        found["two_senses"] = measure_senses(text, classifiers.pretrained_body(data), probes)
    if len(groups) < 2 or "vectors" not in text.made:
        return found
    found["similarity"] = _similarities(data, names, groups)
    mapped = [name for name in probes["map"] if name in groups] or list(groups)
    flat = [(word, name) for name in mapped for word in groups[name]]
    words = text.vocabulary.encode(word for word, _ in flat)
    axes = Axes.of(text.vectors[words])
    found["map"] = _points(flat, axes.place(text.vectors[words]))
    if "cooccurrence-finetuned" in names and budgets:
        chosen = labelled.draw(data.train.labels, max(budgets), seed=0)
        fitted = classifiers.fit_finetuned(data, chosen)
        # The classifier learned vectors times their weights, which words never lose.
        learned = fitted.vectors_[words] / text.weights[words, np.newaxis]
        found["map_finetuned"] = _points(flat, axes.place(learned))
    return found


def _similarities(
    data: CompareData, names: Collection[str], groups: dict[str, list[str]]
) -> list[dict[str, Any]]:
    kinds = {
        "cooccurrence": lambda: data.text.vectors,
        "cooccurrence-shuffled": lambda: data.made("shuffled vectors").arrays["vectors"],
        "random": lambda: classifiers.random_vectors(data, 0),
    }
    ids = {name: data.text.vocabulary.encode(words) for name, words in groups.items()}
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


@dataclass(frozen=True, eq=False)
class Axes:
    """The first principal components of some rows: where they are centered, and two directions.

    Examples
    --------
    >>> axes = Axes.of(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [2.0, 1.0]]))
    >>> axes.place(np.array([[4.0, 0.25]])).round(3)
    array([[-2.,  0.]])
    """

    center: np.ndarray
    directions: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, count: int = 2) -> Axes:
        """Find them: (N, D) -> center (D,), directions (count, D).

        The sign of each is fixed: the row that lies furthest out along it is on the positive side.
        """
        center = rows.mean(axis=0)
        _, _, directions = np.linalg.svd(rows - center, full_matrices=False)
        directions = directions[:count]
        points = (rows - center) @ directions.T
        furthest = points[np.abs(points).argmax(axis=0), np.arange(len(directions))]
        return cls(center, directions * np.where(furthest < 0, -1, 1)[:, np.newaxis])

    def place(self, rows: np.ndarray) -> np.ndarray:
        """Return the coordinates of rows: (N, D) -> (N, 2)."""
        return (rows - self.center) @ self.directions.T


def measure_senses(text: Text, body: Body, probes: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare the senses of each probe word that the text has in both.

    Parameters
    ----------
    text : Text
    body : Body
        The transformer pretrained on it.
    probes : dict
        Its part `two_senses`: words, and lists of cues for each sense.

    Returns
    -------
    list of dict
        `word`; `senses`, the cues; `contextual` and `static`: the mean cosine `within` a sense and
        `between` the two (see `compare_senses`), and `accuracy`: the share of occurrences
        whose nearest other one is of the same sense (for the fixed vector, to which all are equal,
        the share of the commoner sense). `points`: the states on their two principal components,
        with `sense` and the `sentence` up to the word.
    """
    found = []
    for probe in probes["two_senses"]:
        if probe["word"] not in text.vocabulary:
            continue
        contexts = _contexts(text, probe["word"], probe["senses"], body.config.n_positions)
        senses = np.array([sense for sense, _ in contexts], dtype=int)
        counts = np.bincount(senses, minlength=2)
        if counts.min() < _LEAST_OF_A_SENSE:
            continue
        states = last_states(body, [words for _, words in contexts])
        points = Axes.of(states).place(states)
        found.append(
            {
                "word": probe["word"],
                "senses": probe["senses"],
                "contextual": compare_senses(states, senses),
                "static": {
                    "within": 0.0,
                    "between": 0.0,
                    "accuracy": float(counts.max() / counts.sum()),
                },
                "points": [
                    {
                        "sense": int(sense),
                        "x": float(x),
                        "y": float(y),
                        "sentence": " ".join(text.vocabulary.decode(words[-_SHOWN:])),
                    }
                    for (sense, words), (x, y) in zip(contexts, points, strict=True)
                ],
            }
        )
    return found


def _contexts(
    text: Text, word: str, senses: list[list[str]], longest: int
) -> list[tuple[int, list[int]]]:
    """Return the sense and the words up to it of the first occurrences of each sense."""
    cues = [set(text.vocabulary.encode(words)) for words in senses]
    found: list[list[list[int]]] = [[] for _ in senses]
    for words in _occurrences(text.ids, text.vocabulary.index[word], longest):
        found_in = [i for i, cue in enumerate(cues) if cue & set(words)]
        if len(found_in) == 1 and len(found[found_in[0]]) < _MOST_OF_A_SENSE:
            found[found_in[0]].append(words)
    return [(i, words) for i, contexts in enumerate(found) for words in contexts]


def _occurrences(ids: np.ndarray, word: int, longest: int) -> Iterator[list[int]]:
    """Yield for each occurrence of a word its document up to it, at most this many words of it."""
    ends = np.flatnonzero(ids < 0)
    for place in np.flatnonzero(ids == word):
        before = np.searchsorted(ends, place)
        start = ends[before - 1] + 1 if before else 0
        yield ids[max(start, place - longest + 1) : place + 1].tolist()


def last_states(body: Body, texts: list[list[int]]) -> np.ndarray:
    """Return the last hidden state at the last word of each text: (N, C)."""
    encoded = [transformer.encode(words, body.config) for words in texts]
    return np.stack([transformer.states(body, ids)[-1] for ids in encoded])


def compare_senses(states: np.ndarray, senses: np.ndarray) -> dict[str, float]:
    """Return mean cosines within and between senses, and how often the nearest is of the same.

    What all states have in common, the mean of the two senses' means, is taken away first: the
    states of a transformer all point much the same way (Ethayarajh 2019, "How Contextual are
    Contextualized Word Representations?"). Of a vector that is the same everywhere nothing is left,
    and its cosines are 0.

    Examples
    --------
    >>> states = np.array([[9.0, 0.0], [9.0, 0.1], [8.0, 1.0], [8.1, 1.0]])
    >>> found = compare_senses(states, np.array([0, 0, 1, 1]))
    >>> found["within"] > 0.98, found["between"] < -0.98, found["accuracy"]
    (True, True, 1.0)
    """
    common = np.mean([states[senses == sense].mean(axis=0) for sense in (0, 1)], axis=0)
    cosines = similarity.cosine(states - common, states - common)
    same = senses[:, np.newaxis] == senses
    others = ~np.eye(len(states), dtype=bool)
    nearest = np.where(others, cosines, -np.inf).argmax(axis=1)
    return {
        "within": float(cosines[same & others].mean()),
        "between": float(cosines[~same].mean()),
        "accuracy": float(np.mean(senses[nearest] == senses)),
    }
