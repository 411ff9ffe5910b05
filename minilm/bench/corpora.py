"""The figures of the shipped corpora: what their data card promises, measured again.

Every promise is a row: what is counted, what came out, and the least (or most) it should be. The
same rows stand in `corpora/README.md`; a test compares the two.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minilm.compare import pretraining
from minilm.compare import probes as probing
from minilm.compare.data import CompareSettings
from minilm.data import corpus
from minilm.embeddings import similarity
from minilm.text.words import Vocabulary, WordTokenizer

GENERATED = ("general.txt", "support_conversations.txt")
LABELLED = ("movie_reviews.csv", "product_reviews.csv", "support_tickets.csv")
CONTINUAL = ("programming_basics", "web_development", "databases")

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+")


@dataclass(frozen=True)
class Figure:
    """One measured promise.

    Parameters
    ----------
    file : str
        What it is about.
    name : str
        What is measured.
    value : float
        What came out.
    least, most : float, optional
        The promise; neither when the figure is only for information.
    """

    file: str
    name: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)


def sentences(documents: Iterable[str]) -> list[str]:
    """Split documents after full stops, question and exclamation marks."""
    return [s for d in documents for s in _SENTENCE_END.split(d.strip()) if s]


def longest_shared_run(documents: Sequence[Sequence[int]]) -> int:
    """Return the length of the longest run of words that two different documents share.

    Runs of one length are compared by a polynomial hash modulo 2^64 (Karp and Rabin 1987); a run of
    length n contains shared ones of all smaller lengths, so the greatest length is found by
    bisection.

    Parameters
    ----------
    documents : sequence of int sequences
        Word ids.

    Examples
    --------
    >>> longest_shared_run([[1, 2, 3, 4], [9, 2, 3, 8], [2, 2, 2, 2]])
    2
    """
    lengths = np.array([len(document) for document in documents])
    ids = np.concatenate([np.asarray(document, np.uint64) for document in documents])
    owner = np.repeat(np.arange(len(documents)), lengths)
    base = np.uint64(0x9E3779B97F4A7C15)

    def shared(length: int) -> bool:
        starts = len(ids) - length + 1
        if starts < 1:
            return False
        hashes = np.zeros(starts, np.uint64)
        for k in range(length):
            hashes = hashes * base + ids[k : k + starts] + np.uint64(1)
        inside = owner[:starts] == owner[length - 1 :]
        hashes, owners = hashes[inside], owner[:starts][inside]
        order = np.lexsort((owners, hashes))
        hashes, owners = hashes[order], owners[order]
        same = hashes[1:] == hashes[:-1]
        return bool(np.any(same & (owners[1:] != owners[:-1])))

    low, high = 0, int(lengths.max())
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if shared(middle) else (low, middle - 1)
    return low


def measure(folder: Path) -> tuple[list[Figure], dict[str, list[tuple[str, float]]]]:
    """Measure every promise of the data card.

    Parameters
    ----------
    folder : Path
        The corpora.

    Returns
    -------
    figures : list of Figure
    neighbors : dict of str to list of (str, float)
        The nearest words of the probe words, with their cosines.

    Raises
    ------
    InputError
        When a file is missing or damaged.
    """
    probes = probing.read(folder)
    texts = {name: _documents(folder / name) for name in GENERATED}
    figures = [figure for name in GENERATED for figure in _generated(name, texts[name])]
    unlabelled = {s for documents in texts.values() for s in sentences(documents)}
    for name in LABELLED:
        figures += _labelled(folder / name, unlabelled, probes["opinion_words"])
    figures += _written(folder)
    learned, neighbors = _vectors(texts["general.txt"], probes)
    return figures + learned, neighbors


def _documents(path: Path, unit: str = "lines") -> list[str]:
    return list(corpus.read_documents([path], unit=unit))


def _words(documents: Iterable[str]) -> list[list[str]]:
    tokenizer = WordTokenizer()
    return [tokenizer.tokenize(document) for document in documents]


def _generated(name: str, documents: list[str]) -> list[Figure]:
    """Sizes and repetition of an unlabelled file."""
    words = _words(documents)
    counts = Counter(word for document in words for word in document)
    vocabulary = Vocabulary.from_counts(counts)
    found = sentences(documents)
    lengths = [len(sentences([document])) for document in documents]
    general = name == GENERATED[0]
    figures = [
        Figure(name, "documents", len(documents)),
        Figure(name, "words", counts.total(), least=600_000 if general else 60_000),
        Figure(name, "different words", len(counts)),
        Figure(
            name,
            "different words seen five times or more",
            sum(count >= 5 for count in counts.values()),
            least=4_000 if general else None,
        ),
        Figure(name, "sentences", len(found)),
        Figure(
            name,
            "share of different sentences",
            len(set(found)) / len(found),
            # People in conversations say "Thank you." again and again.
            least=0.97 if general else None,
        ),
        Figure(
            name,
            "longest run of words that two documents share",
            longest_shared_run([vocabulary.encode(document) for document in words]),
        ),
    ]
    if general:
        figures.append(
            Figure(
                name,
                "share of documents of 3 to 8 sentences",
                float(np.mean([3 <= n <= 8 for n in lengths])),
                least=0.97,
            )
        )
    return figures


_LEAST_ROWS = {"movie_reviews": 900, "product_reviews": 600, "support_tickets": 400}


def _labelled(
    path: Path, unlabelled: set[str], opinion_words: dict[str, list[str]]
) -> list[Figure]:
    """Sizes, balance and how much of the test part the train part does not show."""
    data = corpus.read_labelled(path)
    with open(path, encoding="utf-8", newline="") as file:
        hard = [bool(row["hard"]) for row in csv.DictReader(file)]
    test, train = data.part("test"), data.part("train")
    reviews = path.stem != "support_tickets"
    known = {word for document in _words(train.texts) for word in document}
    met = {word for document in _words(test.texts) for word in document}
    if reviews:
        met &= {word for words in opinion_words.values() for word in words}
    common = sum(s in unlabelled for s in sentences(data.texts))
    return [
        Figure(path.name, "rows", len(data.texts), least=_LEAST_ROWS[path.stem]),
        Figure(path.name, "classes", len(data.classes)),
        Figure(path.name, "rows of the train part", len(train.texts)),
        Figure(path.name, "rows of the test part", len(test.texts), least=400 if reviews else 200),
        Figure(path.name, "different texts", len(set(data.texts)), least=len(data.texts)),
        Figure(path.name, "share marked as hard", float(np.mean(hard))),
        Figure(
            path.name,
            f"share of the test part's {'opinion ' * reviews}words absent from train",
            len(met - known) / len(met),
            least=1 / 3 if reviews else None,
        ),
        Figure(path.name, "sentences in common with unlabelled text", common, most=0),
    ]


def _written(folder: Path) -> list[Figure]:
    """Sizes of the files written by hand for language models."""
    parts = {"advice_letters.txt": (folder / "advice_letters.txt", 12_000)} | {
        f"continual/{name}.jsonl": (folder / "continual" / f"{name}.jsonl", 6_000)
        for name in CONTINUAL
    }
    figures = []
    for name, (path, least) in parts.items():
        documents = _documents(path, unit="paragraphs")
        count = sum(map(len, _words(documents)))
        figures.append(Figure(name, "documents", len(documents)))
        figures.append(Figure(name, "words", count, least=least))
    return figures


def _vectors(
    documents: list[str], probes: dict[str, Any]
) -> tuple[list[Figure], dict[str, list[tuple[str, float]]]]:
    """What the default vectors make of the probe words."""
    words = _words(documents)
    vocabulary = Vocabulary.from_documents(words)
    ids = np.concatenate([[*vocabulary.encode(document), -1] for document in words])
    # As `minilm neighbors` counts: near company, which shows what kind of word each is.
    settings = CompareSettings(Path(), (), window=3)
    vectors = pretraining.count_vectors(settings, ids, len(vocabulary))
    groups = {
        name: vocabulary.encode(member for member in members if member in vocabulary)
        for name, members in probes["groups"].items()
    }
    found = similarity.group_similarity(groups, vectors)
    figures, apart = [], 0
    for name, within in found.within.items():
        between = float(np.mean([v for pair, v in found.between.items() if name in pair]))
        apart += int(within - between >= 0.2)
        figures.append(Figure("vectors", f"{name}: within the group", within))
        figures.append(Figure("vectors", f"{name}: between it and the others", between))
    figures.append(Figure("vectors", "groups apart by 0.2 or more", apart, least=8))
    neighbors = {
        word: [
            (vocabulary.words[i], cosine)
            for i, cosine in similarity.neighbors(vocabulary.index[word], vectors, 3)
        ]
        for word in probes["neighbors"]
    }
    at_home = sum(
        any(near in probes["groups"][probes["neighbors"][word]] for near, _ in nearest)
        for word, nearest in neighbors.items()
    )
    name = f"of {len(neighbors)} probe words, with one of their group among the nearest three"
    figures.append(Figure("vectors", name, at_home, least=7))
    return figures, neighbors


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a Markdown table, as it stands in the data card."""
    lines = ["| file | figure | value | promised |", "|---|---|---|---|"]
    for figure in figures:
        promise = ""
        if figure.least is not None:
            promise = f"at least {number(figure.least)}"
        if figure.most is not None:
            promise = f"at most {number(figure.most)}"
        lines.append(f"| {figure.file} | {figure.name} | {number(figure.value)} | {promise} |")
    return "\n".join(lines)


def number(value: float) -> str:
    """Return counts with their thousands apart, shares and means to three decimals.

    >>> number(620000), number(0.97123)
    ('620,000', '0.971')
    """
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
