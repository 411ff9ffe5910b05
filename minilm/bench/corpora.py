"""The figures of the shipped corpora: what their data card promises, measured again.

Every promise is a row: what is counted, what came out, and the least (or most) it should be. The
same rows stand in `corpora/README.md`; a test compares the two.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minilm.bench import readability
from minilm.compare import pretraining
from minilm.compare import probes as probing
from minilm.compare.data import CompareSettings
from minilm.data.documents import read_documents
from minilm.data.labelled import read_labelled
from minilm.embeddings import similarity
from minilm.text.words import Vocabulary, WordTokenizer

LABELLED = ("movie_reviews.csv", "product_reviews.csv", "support_tickets.csv", "topics.csv")
CONTINUAL = ("programming_basics", "web_development", "databases")
UNLABELLED = ("reviews_unlabelled.txt", "general.txt", "support_conversations.txt")

# What each unlabelled file promises: figure -> the least, or the most.
_LEAST: dict[str, dict[str, float]] = {
    "reviews_unlabelled.txt": {
        "words": 220_000,
        "different words": 9_000,
        "share of different sentences": 0.995,
        "share of documents of 10 to 120 words": 1.0,
    },
    "general.txt": {
        "words": 600_000,
        "different words seen five times or more": 4_000,
        "share of different sentences": 0.97,
    },
    "support_conversations.txt": {"words": 60_000, "share of different sentences": 0.98},
}
_MOST: dict[str, dict[str, float]] = {
    "reviews_unlabelled.txt": {
        "runs of nine words that two documents share": 20,
        "share of documents with the commonest first three words": 0.01,
    },
    "support_conversations.txt": {"runs of nine words that two documents share": 20},
}
# The rows that each part of a labelled file has at least.
_ROWS = {
    "movie_reviews": {"train": 800, "dev": 200, "test": 1_000},
    "product_reviews": {"train": 400, "test": 1_000},
    "support_tickets": {"train": 300, "test": 500},
    "topics": {"train": 400, "dev": 150, "test": 800},
}


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
    texts = {name: _documents(folder / name) for name in UNLABELLED}
    words = {name: _words(documents) for name, documents in texts.items()}
    figures = [f for name in UNLABELLED for f in _unlabelled(name, texts[name], words[name])]
    read = {_plain(s) for documents in texts.values() for s in readability.sentences(documents)}
    unlabelled = [document for documents in words.values() for document in documents]
    for name in LABELLED:
        figures += _labelled(folder / name, read, unlabelled, probes["opinion_words"])
    figures += _written(folder)
    learned, neighbors = _vectors(texts["general.txt"], probes)
    return figures + learned, neighbors


def _documents(path: Path, unit: str = "lines") -> list[str]:
    return list(read_documents([path], unit=unit))


def _words(documents: Iterable[str]) -> list[list[str]]:
    tokenizer = WordTokenizer()
    return [tokenizer.tokenize(document) for document in documents]


def _plain(sentence: str) -> str:
    """Return the words of a sentence, so that a comma or a capital makes no difference."""
    return " ".join(WordTokenizer().tokenize(sentence.removeprefix("Customer: ")))


def _unlabelled(name: str, documents: list[str], words: list[list[str]]) -> list[Figure]:
    """Sizes and repetition of an unlabelled file."""
    counts = Counter(word for document in words for word in document)
    vocabulary = Vocabulary.from_counts(counts)
    ids = [vocabulary.encode(document) for document in words]
    found = _words(readability.sentences(documents))
    values: dict[str, float] = {
        "documents": len(documents),
        "words": counts.total(),
        "different words": len(counts),
        "different words seen five times or more": sum(c >= 5 for c in counts.values()),
        "different words per 10,000": readability.types_per_10_000(words),
        "sentences": len(found),
        "share of different sentences": len({tuple(s) for s in found}) / len(found),
        "share of documents of 10 to 120 words": float(
            np.mean([10 <= len(document) <= 120 for document in words])
        ),
        "longest run of words that two documents share": readability.longest_shared_run(ids),
        "runs of nine words that two documents share": readability.shared_runs(ids, 9),
        "share of documents with the commonest first three words": (
            readability.commonest_opening(words)
        ),
    }
    for word, share in readability.commonest_first_words(found):
        values[f'share of sentences that begin with "{word}"'] = share
    least, most = _LEAST.get(name, {}), _MOST.get(name, {})
    return [Figure(name, key, v, least.get(key), most.get(key)) for key, v in values.items()]


def _labelled(
    path: Path, read: set[str], unlabelled: list[list[str]], opinion_words: dict[str, list[str]]
) -> list[Figure]:
    """Sizes, balance, order, and what the unlabelled files and the train part give away."""
    data = read_labelled(path)
    with open(path, encoding="utf-8", newline="") as file:
        hard = [bool(row["hard"]) for row in csv.DictReader(file)]
    parts = {name: data.part(name) for name in ("train", "dev", "test")}
    words = {name: _words(part.texts) for name, part in parts.items()}
    known = {word for document in words["train"] for word in document}
    met = {word for document in words["test"] for word in document}
    reviews = path.stem.endswith("reviews")
    if reviews:
        met &= {word for listed in opinion_words.values() for word in listed}
    values: dict[str, float] = {"rows": len(data.texts), "classes": len(data.classes)}
    for name, part in parts.items():
        values[f"rows of the {name} part"] = len(part.texts)
    least: dict[str, float] = {
        f"rows of the {name} part": n for name, n in _ROWS[path.stem].items()
    }
    sizes = Counter(parts["test"].labels).values()
    all_words = [document for part in words.values() for document in part]
    values |= {
        "rows of the largest class of the test part less the smallest": max(sizes) - min(sizes),
        "different texts": len(set(data.texts)),
        "share marked as hard": float(np.mean(hard)),
        f"share of the test part's {'opinion ' * reviews}words absent from train": (
            len(met - known) / len(met)
        ),
        "label changes between neighboring rows, 1 is random": readability.label_changes(
            data.labels
        ),
        "sentences in common with unlabelled text": sum(
            _plain(s) in read for s in readability.sentences(data.texts)
        ),
        "near-copies in unlabelled text": len(readability.near_copies(all_words, unlabelled)),
        "near-copies of test rows in the train part": len(
            readability.near_copies(words["test"], words["train"])
        ),
    }
    least |= {
        "different texts": len(data.texts),
        "label changes between neighboring rows, 1 is random": 0.9,
    }
    if reviews:
        least["share of the test part's opinion words absent from train"] = 1 / 3
        for name, part in parts.items():
            values[f"accuracy of counting opinion words on the {name} part"] = _by_opinion_words(
                words[name], part.labels, opinion_words
            )
    most: dict[str, float] = {
        "rows of the largest class of the test part less the smallest": 0,
        "sentences in common with unlabelled text": 0,
        "near-copies in unlabelled text": 0,
        "near-copies of test rows in the train part": 0,
    }
    if path.stem == "topics":
        name = "sentences that name their own topic"
        values[name] = sum(
            bool({*label.split("_")} & {*document} - {"life"})
            for document, label in zip(_words(data.texts), data.labels, strict=True)
        )
        most[name] = 0
    return [Figure(path.name, key, v, least.get(key), most.get(key)) for key, v in values.items()]


def _by_opinion_words(
    documents: list[list[str]], labels: Sequence[str], opinion_words: dict[str, list[str]]
) -> float:
    """Return the accuracy of: more words of praise than of blame. A draw is worth one half."""
    praise, blame = (set(opinion_words[name]) for name in ("positive", "negative"))
    points = 0.0
    for document, label in zip(documents, labels, strict=True):
        balance = sum((word in praise) - (word in blame) for word in document)
        points += 0.5 if balance == 0 else (balance > 0) == (label == "positive")
    return points / len(documents)


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
    """Return the figures as a Markdown table, as it is in the data card."""
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
