"""A matrix of rank one by hand, then the PPMI of a text in few numbers: what is kept, what is
lost."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.course.demos import Course
from minilm.embeddings import cooccurrence, ppmi, similarity, svd
from minilm.text.words import Vocabulary, WordTokenizer

CHARACTERS = 1_000_000  # of the corpus
WORDS = 800
RANKS = (1, 10, 50, 200)
GROUPS = {
    "days": ("monday", "wednesday", "thursday", "friday"),
    "family": ("mother", "father", "brother", "sister"),
    "drinks": ("coffee", "tea", "water", "milk"),
}


def run(course: Course) -> None:
    """Print the example, what each rank keeps, and neighbors; draw values and a map."""
    by_hand()
    vocabulary, weights = weighted()
    U, S, _ = svd.dense_svd(weights, len(weights))
    print(f"PPMI of {len(weights)} words: {np.count_nonzero(weights)} cells are not 0")
    print("  rank   numbers to store   squared weight kept")
    for rank in RANKS:
        kept = (S[:rank] ** 2).sum() / (S**2).sum()
        print(f"  {rank:4}   {rank * (2 * len(weights) + 1):16}   {kept:19.0%}")
    neighbors(vocabulary, weights, U, S)
    course.picture(draw(vocabulary, U, S), "map")


def by_hand() -> None:
    """Three words and their company, of rank 2; and both ways to write the signs."""
    matrix = np.array([[4.0, 4.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
    U, S, Vt = svd.dense_svd(matrix, 2)
    print(f"singular values: {S.round(2)}")
    print(f"columns of U:    {U[:, 0].round(2) + 0.0}, {U[:, 1].round(2) + 0.0}")
    closest = (U[:, :1] * S[:1]) @ Vt[:1]
    tea, _, dog = closest.round(2) + 0.0
    print(f"rank 1:          tea {tea}, dog {dog}")
    turned, _ = svd.fix_signs(-U, -Vt)
    print(f"signs turned, then fixed: same U: {bool(np.allclose(turned, U))}")


def weighted() -> tuple[Vocabulary, Any]:
    """Return the PPMI of the most frequent words of the corpus, as a dense matrix."""
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")[:CHARACTERS]
    lines = [WordTokenizer().tokenize(line) for line in text.splitlines()]
    vocabulary = Vocabulary.from_documents(lines, max_size=WORDS)
    counts = cooccurrence.count_chunks(map(vocabulary.encode, lines), 3, len(vocabulary))
    return vocabulary, ppmi.ppmi(counts).dense(np.float64)


def neighbors(vocabulary: Vocabulary, weights: Any, U: Any, S: Any) -> None:
    """Ask for neighbors by long rows and by short ones."""
    tables = {f"{len(weights)} numbers": weights}
    tables |= {f"{rank} numbers": U[:, :rank] * np.sqrt(S[:rank]) for rank in (50, 2)}
    for word in ("monday", "mother", "three"):
        i = vocabulary.index[word]
        for name, table in tables.items():
            found = similarity.nearest(table[i], table, 4, exclude=[i])
            shown = " ".join(vocabulary.words[j] for j, _ in found)
            print(f"  {word if table is weights else '':8}{name:12} {shown}")


def draw(vocabulary: Vocabulary, U: Any, S: Any) -> Figure:
    """Draw the singular values, and groups of words on two axes of the short vectors."""
    figure = Figure(figsize=(12.5, 5.2), layout="constrained")
    values, plane = figure.subplots(1, 2)
    values.plot(np.arange(1, len(S) + 1), S, color=drawing.COLORS[0], linewidth=3)
    values.set(title="singular values", xlabel="number", ylabel="size", ylim=(0, None))
    values.grid(True, color="#dddddd")
    groups = {g: [w for w in ws if w in vocabulary] for g, ws in GROUPS.items()}
    rows = similarity.unit_rows(U[:, :50] * np.sqrt(S[:50]))
    shown = [vocabulary.index[word] for words in groups.values() for word in words]
    centered = rows[shown] - rows[shown].mean(axis=0)
    left, size, _ = svd.dense_svd(centered, 2)
    places = dict(zip(shown, left * size, strict=True))
    for (name, words), color in zip(groups.items(), drawing.COLORS, strict=False):
        points = np.array([places[vocabulary.index[word]] for word in words])
        plane.scatter(*points.T, s=60, color=color, label=name)
        for word, point in zip(words, points, strict=True):
            plane.annotate(word, point, (6, 4), textcoords="offset points", fontsize=11)
    plane.set(title="words in two numbers", xticks=[], yticks=[])
    plane.margins(x=0.2)
    plane.legend()
    return figure
