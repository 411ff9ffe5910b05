"""Leaks that people bring in: test texts in what is learned from, and files sorted by label.

They are looked for before a comparison and reported in a line each, never repaired in silence. The
order of a corpus cannot leak here, since a comparison shuffles its documents; but the same file
would leak its labels in `minilm pretrain`, so that is reported too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from minilm.data.labelled import LabelledData
from minilm.data.quality import minhash
from minilm.text.words import WordTokenizer

# Documents with fewer words are compared word for word only, as `validate` does.
_NEAR_WORDS = 5
# Words whose MinHash is taken at a time.
_BATCH = 1 << 16
# This many labelled texts in a corpus can show an order, if neighbors have one label this share of
# the way from what chance gives to always.
_LEAST_LABELLED = 20
_SORTED = 0.8


class Watch:
    """Knows the labelled texts of a task, and recognizes them elsewhere.

    Parameters
    ----------
    task : LabelledData
        With its splits.
    tokenizer : WordTokenizer
        Texts are equal if their words are.

    Attributes
    ----------
    in_train : list of str
        Notes on test texts that are in the train part.
    """

    def __init__(self, task: LabelledData, tokenizer: WordTokenizer) -> None:
        test, train = task.part("test"), task.part("train")
        self.labels = {
            " ".join(tokenizer.tokenize(text)): label
            for text, label in zip(task.texts, task.labels, strict=True)
        }
        tokens = [tokenizer.tokenize(text) for text in test.texts]
        self.test = {" ".join(words) for words in tokens}
        self._near = [words for words in tokens if len(words) >= _NEAR_WORDS]
        self._shingles = [_shingles(words) for words in self._near]
        self._keys = minhash.band_keys(self._near) if self._near else None
        exact, near = self.recognize(tokenizer.tokenize(text) for text in train.texts)
        self.in_train = []
        if exact or near:
            self.in_train.append(
                f"{_copies(exact, near)} of the train part of {task.path.name} are also among its "
                f"{len(tokens)} test texts; they flatter every condition"
            )

    def recognize(self, documents: Iterable[Sequence[str]]) -> tuple[int, int]:
        """Return how many documents are test texts, and how many more nearly are."""
        exact, near = 0, 0
        batch: list[Sequence[str]] = []
        waiting = 0
        for words in documents:
            if " ".join(words) in self.test:
                exact += 1
            elif len(words) >= _NEAR_WORDS:
                batch.append(words)
                waiting += len(words)
            if waiting >= _BATCH:
                near += self._nearly(batch)
                batch, waiting = [], 0
        return exact, near + self._nearly(batch)

    def _nearly(self, batch: Sequence[Sequence[str]]) -> int:
        """Return how many documents resemble a test text (see `minhash`)."""
        if self._keys is None or not batch:
            return 0
        keys = minhash.band_keys(batch)
        candidates: dict[int, set[int]] = {}
        for own, theirs in zip(self._keys.T, keys.T, strict=True):
            order = np.argsort(own, kind="stable")
            first = np.searchsorted(own[order], theirs, side="left")
            last = np.searchsorted(own[order], theirs, side="right")
            for i in np.flatnonzero(first < last):
                candidates.setdefault(int(i), set()).update(order[first[i] : last[i]].tolist())
        return sum(
            any(
                minhash.resemblance(_shingles(batch[i]), self._shingles[j]) >= minhash.THRESHOLD
                for j in tests
            )
            for i, tests in candidates.items()
        )

    def corpus(self) -> Seen:
        """Return what is to be shown the documents of one corpus, in the order of its files."""
        return Seen(self)


class Seen:
    """What was noticed about the documents of one corpus."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._labels: list[str] = []
        self._exact = self._near = self._waiting = 0
        self._batch: list[Sequence[str]] = []

    def add(self, words: Sequence[str]) -> None:
        """Look at the words of the next document."""
        label = self._watch.labels.get(" ".join(words))
        if label is not None:
            self._labels.append(label)
        self._batch.append(words)
        self._waiting += len(words)
        if self._waiting >= _BATCH:
            self._look()

    def _look(self) -> None:
        exact, near = self._watch.recognize(self._batch)
        self._exact += exact
        self._near += near
        self._batch, self._waiting = [], 0

    def notes(self) -> list[str]:
        """Return what a careful reader should know, a line each."""
        self._look()
        found = []
        if self._exact or self._near:
            found.append(
                f"{_copies(self._exact, self._near, 'documents')} of the corpus are test texts "
                "(without their labels): pretraining has read them"
            )
        if sorted_by_label(self._labels):
            found.append(
                f"the {len(self._labels)} labelled texts in the corpus are sorted by label; the "
                "comparison shuffles them, but minilm pretrain on paragraphs would learn the "
                "labels from their order"
            )
        return found


def sorted_by_label(labels: Sequence[str]) -> bool:
    """Return whether neighbors have one label much more often than a shuffle would have it.

    >>> sorted_by_label(["pos"] * 20 + ["neg"] * 20), sorted_by_label(["pos", "neg"] * 20)
    (True, False)
    """
    if len(labels) < _LEAST_LABELLED or len(set(labels)) < 2:
        return False
    _, codes = np.unique(labels, return_inverse=True)
    same = float(np.mean(codes[1:] == codes[:-1]))
    shares = np.bincount(codes) / len(codes)
    by_chance = float(np.sum(shares**2))
    return same > by_chance + _SORTED * (1 - by_chance)


def _shingles(words: Sequence[str]) -> np.ndarray:
    return np.unique(minhash.shingles([words])[0])


def _copies(exact: int, near: int, what: str = "texts") -> str:
    """Return how many are equal and how many nearly so.

    >>> _copies(3, 2), _copies(0, 2)
    ('3 texts and 2 near-copies', '2 near-copies')
    """
    parts = [f"{exact} {what if exact > 1 else what[:-1]}"] * bool(exact)
    parts += [f"{near} near-cop{'ies' if near > 1 else 'y'}"] * bool(near)
    return " and ".join(parts)
