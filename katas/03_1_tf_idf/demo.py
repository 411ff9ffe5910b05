"""TF-IDF by hand, the words of support tickets, and what each of its parts is worth."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.classify import centroid, tfidf
from minilm.course.demos import Course
from minilm.data.labelled import read_labelled
from minilm.embeddings import similarity
from minilm.text.words import WordTokenizer

MARKED = ("the", "my", "card", "refund", "password", "kettle")


def run(course: Course) -> None:
    """Print the example, the words and the shares right; draw the words and one ticket."""
    by_hand()
    print()
    data = read_labelled(resources.corpora_dir() / "support_tickets.csv")
    texts = {name: data.part(name) for name in ("train", "test")}
    tokenize = WordTokenizer().tokenize
    tokens = {name: [tokenize(text) for text in part.texts] for name, part in texts.items()}
    terms = sorted({token for document in tokens["train"] for token in document})
    counts = {name: counted(documents, terms) for name, documents in tokens.items()}
    frequency = (counts["train"] > 0).sum(axis=0)
    idf = tfidf.inverse_frequency(frequency, len(counts["train"]))
    of_words(terms, frequency, idf)
    print()
    labels = {
        name: np.array([data.classes.index(label) for label in part.labels])
        for name, part in texts.items()
    }
    shares = parts(counts, labels, idf)
    course.picture(draw(terms, frequency, idf, shares), "weights")


def by_hand() -> None:
    """Weigh one ticket of three: "the" three times, "screen" once; then the ticket twice over."""
    idf = tfidf.inverse_frequency(np.array([3, 1]), 3)
    print("             the   screen")
    print(f"idf      {idf[0]:7.3f}  {idf[1]:7.3f}")
    raw = similarity.unit_rows(np.array([[3.0, 1.0]]))[0]
    print(f"counts   {raw[0]:7.3f}  {raw[1]:7.3f}   at length 1")
    for name, count in (("TF-IDF", (3, 1)), ("twice", (6, 2))):
        one, other = tfidf.weigh(np.array([count]), idf)[0]
        print(f"{name:7}  {one:7.3f}  {other:7.3f}")


def counted(documents: list[list[str]], terms: list[str]) -> np.ndarray:
    """Return how often each term occurs in each document, of shape (N, V)."""
    column = {term: i for i, term in enumerate(terms)}
    counts = np.zeros((len(documents), len(terms)), np.int64)
    for row, document in zip(counts, documents, strict=True):
        np.add.at(row, [column[token] for token in document if token in column], 1)
    return counts


def of_words(terms: list[str], frequency: np.ndarray, idf: np.ndarray) -> None:
    """Show how many tickets have a word, and its idf."""
    print(f"{len(terms)} words; {np.sum(frequency == 1)} of them are in one ticket only")
    for word in MARKED:
        i = terms.index(word)
        print(f"  {word:9} in {frequency[i]:3} tickets   idf {idf[i]:.2f}")


def parts(
    counts: dict[str, np.ndarray], labels: dict[str, np.ndarray], idf: np.ndarray
) -> dict[str, float]:
    """Sort new tickets by nearest centroids, with each part of the weights left out."""
    ones = np.ones_like(idf)
    forms = {
        "counts": lambda c: c.astype(float),
        "logarithm": lambda c: tfidf.weigh(c, ones),
        "counts x idf": lambda c: c * idf,
        "TF-IDF": lambda c: tfidf.weigh(c, idf),
    }
    found = {}
    print(f"{len(labels['test'])} new tickets, five subjects: share right")
    for name, form in forms.items():
        rows = {part: similarity.unit_rows(form(c)) for part, c in counts.items()}
        model = centroid.NearestCentroid().fit(rows["train"], labels["train"])
        found[name] = float(np.mean(model.predict(rows["test"]) == labels["test"]))
        print(f"  {name:14}{found[name]:.2f}")
    return found


def draw(
    terms: list[str], frequency: np.ndarray, idf: np.ndarray, shares: dict[str, float]
) -> Figure:
    """Draw idf against the number of tickets, and the shares right."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    words, bars = figure.subplots(1, 2, width_ratios=(3, 2))
    words.plot(frequency, idf, "o", color=drawing.COLORS[0], alpha=0.35)
    for word in MARKED:
        i = terms.index(word)
        place = (-52, -14) if word == "refund" else (8, 4)
        words.annotate(word, (frequency[i], idf[i]), place, textcoords="offset points", fontsize=12)
    words.set(title="one dot for each word", xscale="log", xlim=(0.7, 450), ylim=(0, 6.5))
    words.set(xlabel="tickets that have it", ylabel="idf")
    places = np.arange(len(shares))
    drawn = bars.bar(places, list(shares.values()), color=drawing.COLORS[2])
    bars.bar_label(drawn, fmt="%.2f")
    bars.axhline(0.2, color="gray", linestyle=":")
    bars.set_xticks(places, [name.replace(" x ", "\nx ") for name in shares], fontsize=11)
    bars.set(title="new tickets: share right", ylim=(0, 0.75))
    return figure
