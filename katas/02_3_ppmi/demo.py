"""What dividing chance out does to counts: on paper, to neighbors, and to a shuffled text."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.embeddings import cooccurrence, ppmi, similarity
from minilm.embeddings.sparse import SparseMatrix
from minilm.text.words import Vocabulary, WordTokenizer

CHARACTERS = 1_000_000  # of the corpus: a third of it is enough, and quick
WINDOW = 3
BANDS = ((1, 1), (2, 4), (5, 19), (20, 10**9))
WORD = "coffee"


def run(course: Any) -> None:
    """Print the example, the neighbors, the top of the list and the control; draw two of them."""
    by_hand()
    lines = tokenized()
    rarest(lines[: len(lines) // 5])
    vocabulary = Vocabulary.from_documents(lines, min_count=10)
    ids = [np.array(vocabulary.encode(line), np.int64) for line in lines]
    counts = cooccurrence.count_chunks(ids, WINDOW, len(vocabulary))
    neighbors(vocabulary, counts)
    means = control(ids, counts)
    course.picture(draw(vocabulary, counts, means), "chance")


def by_hand() -> None:
    """Five words; every pair that met did so four times."""
    words = ("the", "tea", "cup", "dog", "cat")
    dense = np.zeros((5, 5), np.int64)
    for one, other in ((0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (3, 4)):
        dense[one, other] = dense[other, one] = 4
    keys = np.flatnonzero(dense)
    counts = SparseMatrix(keys, dense.reshape(-1)[keys], 5)
    print("tea met       the      cup")
    print(f"  counts   {dense[1, 0]:6}   {dense[1, 2]:6}")
    for smoothing in (1.0, 0.75):
        weights = ppmi.ppmi(counts, smoothing).dense()
        print(f"  a = {smoothing:4}   {weights[1, 0]:6.3f}   {weights[1, 2]:6.3f}")
    weights = ppmi.ppmi(counts, 1.0).dense()
    for name, table in (("counts", dense), ("PPMI", weights)):
        cosine = similarity.cosine(table[1:2], table[3:4])[0, 0]
        print(f"cosine of {words[1]} and {words[3]} by {name}: {cosine:.2f}")


def tokenized() -> list[list[str]]:
    """Return the words of the shipped corpus, line by line."""
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")
    tokenizer = WordTokenizer()
    return [tokenizer.tokenize(line) for line in text[:CHARACTERS].splitlines()]


def rarest(lines: list[list[str]]) -> None:
    """Show the pairs with the largest weights when no word is left out for being rare."""
    vocabulary = Vocabulary.from_documents(lines)
    counts = cooccurrence.count_chunks(map(vocabulary.encode, lines), WINDOW, len(vocabulary))
    weights = ppmi.ppmi(counts)
    upper = weights.rows < weights.columns
    keys, values = weights.keys[upper], weights.values[upper]
    met = counts.values[np.searchsorted(counts.keys, keys)]
    print(f"the largest weights among {len(vocabulary)} words, none left out")
    for i in np.argsort(-np.round(values, 6), kind="stable")[:4]:
        one, other = (vocabulary.words[j] for j in divmod(int(keys[i]), len(vocabulary)))
        print(f"  {values[i]:5.2f}   {one} {other}, met {met[i]}x")


def neighbors(vocabulary: Vocabulary, counts: SparseMatrix) -> None:
    """Ask for neighbors by the cosine of counts, of PPMI, and of PPMI smoothed too much."""
    i, plain, met = vocabulary.index[WORD], ppmi.ppmi(counts, 1.0).dense(), counts.dense()
    print(f"{WORD} met        seen   expected   PMI")
    for word in ("the", "machine"):
        j = vocabulary.index[word]
        seen, weight = met[i, j], plain[i, j]
        print(f"  {word:12} {seen:6}   {seen / np.exp(weight):8.2f}   {weight:3.1f}")
    tables = {
        "counts": counts.dense(np.float64),
        "PPMI": ppmi.ppmi(counts).dense(),
        "a = 0.3": ppmi.ppmi(counts, 0.3).dense(),
    }
    print("neighbors by cosine")
    for word in (WORD, "mother", "bread"):
        i = vocabulary.index[word]
        for name, table in tables.items():
            found = similarity.nearest(table[i], table, 5, exclude=[i])
            shown = " ".join(vocabulary.words[j] for j, _ in found)
            print(f"  {word if name == 'counts' else '':8}{name:8} {shown}")


def control(ids: list[Any], counts: SparseMatrix) -> dict[str, list[float]]:
    """Compare with the same words in random order, where nobody keeps any company."""
    every = np.concatenate(ids)
    np.random.default_rng(0).shuffle(every)
    shuffled = cooccurrence.count(every, WINDOW, counts.size)
    means: dict[str, list[float]] = {}
    print("pairs that met: share above chance, mean PPMI by how often")
    print("              share   once    2-4   5-19    20+")
    for name, matrix in (("the text", counts), ("shuffled", shuffled)):
        weights = ppmi.ppmi(matrix)
        values = np.zeros(len(matrix.keys))
        values[np.searchsorted(matrix.keys, weights.keys)] = weights.values
        means[name] = [
            float(values[(matrix.values >= low) & (matrix.values <= high)].mean())
            for low, high in BANDS
        ]
        shown = "".join(f"{mean:7.2f}" for mean in means[name])
        print(f"  {name}    {np.mean(values > 0):6.2f}{shown}")
    return means


def draw(vocabulary: Vocabulary, counts: SparseMatrix, means: dict[str, list[float]]) -> Figure:
    """Draw one word's company by count and weight, and the control."""
    figure = Figure(figsize=(13, 5), layout="constrained")
    company, bars = figure.subplots(1, 2, width_ratios=(3, 2))
    i = vocabulary.index[WORD]
    met, weights = counts.dense()[i], ppmi.ppmi(counts).dense()[i]
    who = np.flatnonzero(met)
    company.scatter(met[who], weights[who], s=45, color=drawing.COLORS[0], alpha=0.45)
    for word in ("the", "a", "and", "maker", "machine", "drank", "break", "black", "is"):
        j = vocabulary.index[word]
        company.annotate(
            word, (met[j], weights[j]), (6, 4), textcoords="offset points", fontsize=12
        )
    company.set_xscale("log")
    company.set(title=f"the company of '{WORD}'", xlabel="how often they met", ylabel="PPMI")
    places = np.arange(len(BANDS))
    for name, shift, color, hatch in (
        ("the text", -0.2, drawing.COLORS[0], ""),
        ("shuffled", 0.2, drawing.COLORS[1], "//"),
    ):
        bars.bar(places + shift, means[name], 0.4, color=color, hatch=hatch, label=name)
    bars.set_xticks(places, ("once", "2-4", "5-19", "20+"))
    bars.set(title="mean PPMI of a pair", xlabel="how often it met")
    bars.legend()
    return figure
