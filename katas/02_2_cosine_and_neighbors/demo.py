"""Three measures of likeness on real counts, and how alike random vectors are."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.embeddings import cooccurrence, similarity
from minilm.text.words import Vocabulary, WordTokenizer

CHARACTERS = 1_000_000  # of the corpus: a third of it is enough, and quick
WINDOW = 3
QUERIES = ("monday", "three", "he", "coffee")
SIZES = (2, 10, 100, 1000)


def run(course: Any) -> None:
    """Print the measures by hand and on counts; draw the cosines of random vectors."""
    by_hand()
    on_counts()
    course.picture(draw(random_cosines()), "cosines")


def by_hand() -> None:
    """One query and three points."""
    query = np.array([3.0, 4.0])
    points = np.array([[6.0, 8.0], [4.0, 3.0], [-3.0, -4.0], [0.0, 0.0]])
    print("(3, 4) and      distance   dot product   cosine")
    cosines = similarity.cosine(query[None], points)[0]
    for point, cosine in zip(points, cosines, strict=True):
        distance = np.linalg.norm(point - query)
        name = f"({point[0]:.0f}, {point[1]:.0f})"
        print(f"  {name:12}  {distance:8.2f}   {point @ query:11.0f}   {cosine:6.2f}")
    print(f"nearest by cosine: {similarity.nearest(query, points, top=2)}")


def on_counts() -> None:
    """Ask for the neighbors of words whose vectors are their counted company."""
    vocabulary, counts = counted()
    company = counts.dense(np.float64)
    print(f"{len(vocabulary)} words, and how often each met each")
    for word in QUERIES:
        i = vocabulary.index[word]
        dots = company @ company[i]
        distances = np.linalg.norm(company - company[i], axis=1)
        found = {
            "dot product": without(i, np.argsort(-dots, kind="stable")),
            "distance": without(i, np.argsort(distances, kind="stable")),
            "cosine": [j for j, _ in similarity.nearest(company[i], company, 4, exclude=[i])],
        }
        for how, ids in found.items():
            shown = " ".join(vocabulary.words[j] for j in ids[:4])
            print(f"  {word if how == 'dot product' else '':8}{how:12} {shown}")

    coffee = company[vocabulary.index["coffee"]]
    met = ("the", "a", "and", "machine", "drank")
    shown = ", ".join(f"{word} {coffee[vocabulary.index[word]]:.0f}" for word in met)
    print(f"coffee met {coffee.sum():.0f} words,")
    print(f"  among them {shown}")
    ids = [vocabulary.index[word] for word in met[:3]]
    share = (coffee[ids] ** 2).sum() / (coffee**2).sum()
    print(f"  share of the first three in its squared length: {share:.2f}")


def without(i: int, order: Any) -> list[int]:
    """Return an order of ids without one of them."""
    return [int(j) for j in order if j != i]


def counted() -> tuple[Vocabulary, Any]:
    """Count who stands near whom in the shipped corpus."""
    text = (resources.corpora_dir() / "general.txt").read_text(encoding="utf-8")
    tokenizer = WordTokenizer()
    lines = [tokenizer.tokenize(line) for line in text[:CHARACTERS].splitlines()]
    vocabulary = Vocabulary.from_documents(lines, min_count=10)
    ids = map(vocabulary.encode, lines)
    return vocabulary, cooccurrence.count_chunks(ids, WINDOW, len(vocabulary))


def random_cosines() -> dict[int, Any]:
    """Return cosines of pairs of vectors that are drawn at random."""
    rng = np.random.default_rng(0)
    print("200 random vectors with each other")
    drawn = {}
    for size in SIZES:
        vectors = rng.standard_normal((200, size))
        cosines = similarity.cosine(vectors, vectors)[np.triu_indices(200, k=1)]
        drawn[size] = cosines
        print(
            f"  {size:4} coordinates: root mean square {np.sqrt(np.mean(cosines**2)):.3f}"
            f"   largest {cosines.max():.2f}"
        )
    return drawn


def draw(drawn: dict[int, Any]) -> Figure:
    """Draw the example as arrows, and the cosines of random vectors as histograms."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    plane, histogram = figure.subplots(1, 2, width_ratios=(2, 3))
    arrows = {"(6, 8)": (6, 8), "(3, 4)": (3, 4), "(4, 3)": (4, 3), "(-3, -4)": (-3, -4)}
    for (name, (x, y)), color in zip(arrows.items(), drawing.COLORS, strict=False):
        style = {"arrowstyle": "-|>", "color": color, "lw": 3}
        plane.annotate("", (x, y), (0, 0), arrowprops=style)
        plane.annotate(name, (x, y), (6, -4), textcoords="offset points", fontsize=13)
    plane.set(title="which two are most alike?", xlim=(-5, 9), ylim=(-5, 9), aspect="equal")
    plane.grid(True)
    bins = np.linspace(-1, 1, 81)
    for (size, cosines), color in zip(drawn.items(), drawing.COLORS, strict=False):
        histogram.hist(
            cosines,
            bins,
            histtype="step",
            linewidth=2.5,
            color=color,
            density=True,
            label=f"{size} coordinates",
        )
    histogram.set(title="cosines of random vectors", xlabel="cosine", yticks=[])
    histogram.legend()
    return figure
