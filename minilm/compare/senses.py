"""Words with two senses: what a fixed vector cannot do, and whether the transformer does it.

"bank" has one word vector, by the river and with money. The transformer's state at the word is
another one in every sentence, made of the words before it. Occurrences in the pretraining text are
sorted into senses by cue words that stand before them, and the states are compared: are those of
one sense nearer to each other than to those of the other?
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.compare import transformer
from minilm.compare.axes import Axes
from minilm.compare.data import Text
from minilm.compare.transformer import Body
from minilm.embeddings import similarity

_LEAST, _MOST = 5, 40  # occurrences of each sense
_SHOWN = 10  # words of a sentence


def measure(text: Text, body: Body, probes: dict[str, Any]) -> list[dict[str, Any]]:
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
        `between` the two (see `compare`), and `accuracy`: the share of occurrences whose nearest
        other one is of the same sense (for the fixed vector, to which all are equal, the share of
        the commoner sense). `points`: the states on their two principal components, with `sense`
        and the `sentence` up to the word.
    """
    found = []
    for probe in probes["two_senses"]:
        if probe["word"] not in text.vocabulary:
            continue
        contexts = _contexts(text, probe["word"], probe["senses"], body.config.n_positions)
        senses = np.array([sense for sense, _ in contexts], dtype=int)
        counts = np.bincount(senses, minlength=2)
        if counts.min() < _LEAST:
            continue
        states = last_states(body, [words for _, words in contexts])
        points = Axes.of(states).place(states)
        found.append(
            {
                "word": probe["word"],
                "senses": probe["senses"],
                "contextual": compare(states, senses),
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
        told = [i for i, cue in enumerate(cues) if cue & set(words)]
        if len(told) == 1 and len(found[told[0]]) < _MOST:
            found[told[0]].append(words)
    return [(i, words) for i, contexts in enumerate(found) for words in contexts]


def _occurrences(ids: np.ndarray, word: int, longest: int) -> Iterator[list[int]]:
    """Yield for each occurrence of a word its document up to it, at most so many words of it."""
    ends = np.flatnonzero(ids < 0)
    for place in np.flatnonzero(ids == word):
        before = np.searchsorted(ends, place)
        start = ends[before - 1] + 1 if before else 0
        yield ids[max(start, place - longest + 1) : place + 1].tolist()


def last_states(body: Body, texts: list[list[int]]) -> np.ndarray:
    """Return the last hidden state at the last word of each text: (N, C)."""
    encoded = [transformer.encode(words, body.config) for words in texts]
    return np.stack([transformer.states(body, ids)[-1] for ids in encoded])


def compare(states: np.ndarray, senses: np.ndarray) -> dict[str, float]:
    """Return mean cosines within and between senses, and how often the nearest is of the same.

    What all states have in common, the mean of the two senses' means, is taken away first: the
    states of a transformer all point much the same way (Ethayarajh 2019, "How Contextual are
    Contextualized Word Representations?"). Of a vector that is the same everywhere nothing is left,
    and its cosines are 0.

    Examples
    --------
    >>> states = np.array([[9.0, 0.0], [9.0, 0.1], [8.0, 1.0], [8.1, 1.0]])
    >>> found = compare(states, np.array([0, 0, 1, 1]))
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
