"""Leaks that people bring in: test texts in what is learned from, and files sorted by label.

They are looked for before a comparison and reported in a line each, never repaired in silence. The
order of a corpus cannot leak here, since a comparison shuffles its documents; but the same file
would leak its labels in `minilm pretrain`, so that is reported too.

A test text is recognized word for word, and also with a word or two changed, inside a longer
document, or next to others: by its pairs of neighboring words, without those that many test texts
have. How many of them a document must have was chosen on texts that share no sentence: of the 1,024
test reviews of corpora/movie_reviews.csv none is found in the unlabelled ones, and 92 % are found
after two of their words were changed (they have 13 such pairs in the median).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from minilm.data.labelled import LabelledData
from minilm.data.quality import minhash
from minilm.text.words import WordTokenizer

Words = Sequence[str]

# The share of a test text's pairs that must be in a document, at most half as long again as the
# text, or longer: a long document has many pairs by chance.
_NEAR, _WITHIN = 0.6, 0.8
_AS_LONG = 1.5
# A text with fewer pairs is looked for word for word only.
_LEAST_PAIRS = 6
# A pair that a larger share of the test texts has says nothing about any; in numbers, within these.
_COMMON_SHARE, _COMMON = 0.02, (3, 50)
# Words of a test text whose pairs are looked at, and of a piece of a long document.
_TEXT, _PIECE = 200, 400
# Words of documents that are looked at together.
_BATCH = 1 << 16
# This many labelled texts in a corpus can show an order, if neighbors have one label this share of
# the way from what chance gives to always.
_LEAST_LABELLED = 20
_SORTED = 0.8


class Copies:
    """Test texts, to be recognized in documents.

    Parameters
    ----------
    texts : sequence of sequences of str
        The words of each.
    """

    def __init__(self, texts: Sequence[Words]) -> None:
        self.places: dict[str, list[int]] = {}
        for i, words in enumerate(texts):
            if words:
                self.places.setdefault(" ".join(words), []).append(i)
        self._lengths = np.array([len(words) for words in texts])
        pairs, owners = _pairs([words[:_TEXT] for words in texts])
        self._pairs, pair_of = np.unique(pairs, return_inverse=True)
        pair_of, owners = np.divmod(np.unique(pair_of * len(texts) + owners), len(texts))
        many = np.bincount(pair_of, minlength=len(self._pairs))
        telling = many[pair_of] <= np.clip(_COMMON_SHARE * len(texts), *_COMMON)
        pair_of, self._owners = pair_of[telling], owners[telling]
        # The texts that have pair p are _owners[_starts[p] : _starts[p + 1]].
        self._starts = np.searchsorted(pair_of, np.arange(len(self._pairs) + 1))
        self._sizes = np.bincount(self._owners, minlength=len(texts))

    def nearly(self, documents: Sequence[Words]) -> np.ndarray:
        """Return the indices of the texts that are in the documents, nearly or word for word."""
        pieces = [
            words[start : start + _PIECE]
            for words in documents
            for start in range(0, max(1, len(words) - _TEXT), _PIECE - _TEXT)
        ]
        pairs, piece_of = _pairs(pieces)
        known = np.isin(pairs, self._pairs)
        pair = np.searchsorted(self._pairs, pairs[known])
        pair, piece = np.divmod(np.unique(pair * len(pieces) + piece_of[known]), len(pieces))
        many = self._starts[pair + 1] - self._starts[pair]
        place = np.arange(many.sum()) + np.repeat(self._starts[pair] - np.cumsum(many) + many, many)
        meetings = np.repeat(piece, many) * len(self._sizes) + self._owners[place]
        met, common = np.unique(meetings, return_counts=True)
        piece, text = np.divmod(met, len(self._sizes))
        lengths = np.array([len(words) for words in pieces])
        as_long = lengths[piece] <= _AS_LONG * self._lengths[text]
        size = self._sizes[text]
        enough = common >= np.where(as_long, _NEAR, _WITHIN) * size
        return np.unique(text[enough & (size >= _LEAST_PAIRS)])


def _pairs(documents: Sequence[Words]) -> tuple[minhash.Hashes, NDArray[np.int64]]:
    """Return the hashes of the pairs of neighboring words, and which document each is of."""
    places = np.array([i for i, words in enumerate(documents) if len(words) > 1], dtype=np.int64)
    hashes, starts = minhash.shingles([documents[i] for i in places])
    return hashes, np.repeat(places, np.diff(np.append(starts, len(hashes))))


class Found:
    """Which test texts are in documents that are shown one by one."""

    def __init__(self, copies: Copies, texts: int) -> None:
        self._copies = copies
        self.exact, self.near = np.zeros(texts, bool), np.zeros(texts, bool)
        self._batch: list[Words] = []
        self._waiting = 0

    def add(self, words: Words) -> None:
        """Look at the words of the next document."""
        self.exact[self._copies.places.get(" ".join(words), [])] = True
        self._batch.append(words)
        self._waiting += len(words)
        if self._waiting >= _BATCH:
            self.look()

    def look(self) -> None:
        """Look at the documents that are waiting."""
        if self._batch:
            self.near[self._copies.nearly(self._batch)] = True
        self._batch, self._waiting = [], 0


class Watch:
    """Knows the labelled texts of a task, and recognizes them elsewhere.

    Parameters
    ----------
    task : LabelledData
        With its splits.
    evaluated : mapping of str to LabelledData
        What the classifiers are tested on, by domain.
    tokenizer : WordTokenizer
        Texts are equal if their words are.

    Attributes
    ----------
    about_task : list of str
        Notes on test texts in the train part, and on texts with more than one label.
    """

    def __init__(
        self, task: LabelledData, evaluated: Mapping[str, LabelledData], tokenizer: WordTokenizer
    ) -> None:
        self.labels: dict[str, set[str]] = {}
        for text, label in zip(task.texts, task.labels, strict=True):
            self.labels.setdefault(" ".join(tokenizer.tokenize(text)), set()).add(label)
        self._sizes = {domain: len(part.texts) for domain, part in evaluated.items()}
        texts = chain.from_iterable(part.texts for part in evaluated.values())
        self._copies = Copies([tokenizer.tokenize(text) for text in texts])
        found = self.found()
        for text in task.part("train").texts:
            found.add(tokenizer.tokenize(text))
        where = f"in the train part of {task.path.name}"
        self.about_task = list(self.notes(found, where, "this flatters every condition"))
        if several := sum(len(labels) > 1 for labels in self.labels.values()):
            self.about_task.append(
                f"{several:,} text{'s' * (several > 1)} of {task.path.name} with more than one "
                "label; minilm validate lists them"
            )

    def found(self) -> Found:
        """Return a record of test texts found, with none found yet; `add` shows it a document."""
        return Found(self._copies, sum(self._sizes.values()))

    def notes(self, found: Found, where: str, so: str) -> Iterator[str]:
        """Yield how many test texts of each domain were found."""
        found.look()
        first = 0
        for domain, size in self._sizes.items():
            exact, near = (marks[first : first + size] for marks in (found.exact, found.near))
            first += size
            if many := int((exact | near).sum()):
                nearly = int((near & ~exact).sum())
                how = f", {nearly:,} of them not word for word" * (0 < nearly < many)
                how += ", not word for word" * (nearly == many)
                yield (
                    f"{many:,} of the {size:,} test texts of {domain} {'are' if many > 1 else 'is'}"
                    f" {where}{how}; {so}"
                )

    def corpus(self) -> Seen:
        """Return an observer of one corpus; it is shown the documents in the order of the files."""
        return Seen(self)


class Seen:
    """What was noticed about the documents of one corpus."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._found = watch.found()
        self._labels: list[str] = []

    def add(self, words: Words) -> None:
        """Look at the words of the next document."""
        if labels := self._watch.labels.get(" ".join(words)):
            self._labels.append(min(labels))
        self._found.add(words)

    def notes(self) -> list[str]:
        """Return what a careful reader should know, a line each."""
        so = "pretraining has read them, without their labels"
        found = list(self._watch.notes(self._found, "in the corpus", so))
        if sorted_by_label(self._labels):
            found.append(
                f"the {len(self._labels)} labelled texts in the corpus are sorted by label; the "
                "comparison shuffles them, but minilm pretrain on paragraphs would learn the "
                "labels from their order"
            )
        return found


def sorted_by_label(labels: Sequence[str]) -> bool:
    """Return whether neighbors have one label much more often than in a shuffled list.

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
