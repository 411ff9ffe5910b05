"""What a mean forgets, how frequent words drown it, and what weights change."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.classify.centroid import NearestCentroid
from minilm.course.demos import Course
from minilm.embeddings import cooccurrence, documents, similarity, svd
from minilm.random import generator
from minilm.text.words import Vocabulary, WordTokenizer

CHARACTERS = 1_000_000  # of the corpus
DIMENSIONS = 50
TOKENIZER = WordTokenizer()


def run(course: Course) -> None:
    """Print the example, pairs of sentences and whole files of texts; draw likenesses."""
    by_hand()
    vocabulary, vectors = learned()
    weights = documents.frequency_weights(vocabulary.counts)
    for word in ("the", "was", "tea", "kettle"):
        i = vocabulary.index[word]
        share = vocabulary.counts[i] / sum(vocabulary.counts)
        print(f"  {word:9} share {share:8.3%}   weight {weights[i]:.2f}")
    tables = {"plain": vectors, "weighted": vectors * weights[:, None]}
    pairs(vocabulary, tables)
    course.picture(draw(on_texts(vocabulary, tables)), "likeness")


def by_hand() -> None:
    """Three words as points, and three texts."""
    vectors = np.array([[3.0, 0.0], [0.0, 3.0], [6.0, 6.0]])
    for ids in ([0, 1], [0, 1, 1], [1, 0, 1], []):
        print(f"ids {ids!s:10} mean {documents.mean_vectors([ids], vectors)[0]}")


def learned() -> tuple[Vocabulary, Any]:
    """Return word vectors of the corpus."""
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")[:CHARACTERS]
    lines = [TOKENIZER.tokenize(line) for line in text.splitlines()]
    vocabulary = Vocabulary.from_documents(lines, min_count=5)
    counts = cooccurrence.count_chunks(map(vocabulary.encode, lines), 3, len(vocabulary))
    rng = generator(0, "svd")
    return vocabulary, svd.word_vectors(counts, dimensions=DIMENSIONS, rng=rng)


def pairs(vocabulary: Vocabulary, tables: dict[str, Any]) -> None:
    """Compare sentences two by two."""
    sentences = (
        ("the dog bit the man", "the man bit the dog"),
        ("the tea was hot", "the coffee was warm"),
        ("the tea was hot", "the train was late"),
    )
    print("cosine of two sentences                  plain  weighted")
    for one, other in sentences:
        ids = [vocabulary.encode(TOKENIZER.tokenize(text)) for text in (one, other)]
        means = [documents.mean_vectors(ids, table) for table in tables.values()]
        plain, weighted = (similarity.cosine(m[:1], m[1:])[0, 0] for m in means)
        print(f"  {f'{one}, {other}':40} {plain:4.2f}      {weighted:4.2f}")


def on_texts(vocabulary: Vocabulary, tables: dict[str, Any]) -> dict[str, Any]:
    """Compare short texts on many topics with each other, and classify half of them."""
    texts, labels = topics()
    ids = [vocabulary.encode(TOKENIZER.tokenize(text)) for text in texts]
    _, numbers = np.unique(labels, return_inverse=True)
    train = np.arange(len(texts)) % 2 == 0
    print(f"{len(texts)} texts, {numbers.max() + 1} topics")
    print("             mean cosine of two   right by nearest centroid")
    found = {}
    for name, table in tables.items():
        means = documents.mean_vectors(ids, table)
        cosines = similarity.cosine(means, means)[np.triu_indices(len(means), k=1)]
        model = NearestCentroid().fit(means[train], numbers[train])
        right = np.mean(model.predict(means[~train]) == numbers[~train])
        print(f"  {name:10} {cosines.mean():18.2f} {right:27.0%}")
        found[name] = cosines
    return found


def topics() -> tuple[list[str], Sequence[str]]:
    """Return the texts and topics of a shipped file."""
    path = resources.corpora_dir() / "topics.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row[0] for row in rows], [row[1] for row in rows]


def draw(found: dict[str, Any]) -> Figure:
    """Draw how alike two texts are."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for (name, cosines), color in zip(found.items(), drawing.COLORS, strict=False):
        axes.hist(cosines, 60, histtype="step", linewidth=3, color=color, density=True, label=name)
    axes.set(title="how alike two texts look", xlabel="cosine", yticks=[])
    axes.legend(loc="upper left")
    return figure
