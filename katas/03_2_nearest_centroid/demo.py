"""Centroids by hand, where they fail, and support tickets with few labels and with all."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.classify import centroid, tfidf
from minilm.data.labelled import read_labelled
from minilm.embeddings import similarity
from minilm.text.words import WordTokenizer

ROWS = np.array([[8.0, 2.0], [4.0, 2.0], [0.0, 2.0], [2.0, 2.0], [1.0, 2.0]])
LABELS = np.array([0, 0, 1, 1, 1])
NAMES = ("billing", "account")
NEW = np.array([[3.0, 1.0]])
AMOUNTS = (1, 4, 16, 57)  # labelled tickets of each class
DRAWS = 20


def run(course: Any) -> None:
    """Print the example by hand, two groups in one class, and the tickets; draw two pictures."""
    by_hand()
    print()
    in_the_middle()
    print()
    course.picture(draw(on_tickets()), "accuracy")


def by_hand() -> None:
    """Compare one ticket with two classes by cosine and by distance, with means and with sums."""
    model = centroid.NearestCentroid().fit(ROWS, LABELS)
    print("a new ticket (3, 1)        cosine   distance")
    for label, name in enumerate(NAMES):
        middle = model.centroids_[label]
        points = {"mean": middle, "sum": middle * np.count_nonzero(np.equal(LABELS, label))}
        for how, (x, y) in points.items():
            cosine = similarity.cosine(NEW, np.array([[x, y]]))[0, 0]
            distance = np.hypot(*(NEW[0] - (x, y)))
            place = f"({x:.0f}, {y:.0f})"
            print(f"  {name:8} {how:4} {place:8}    {cosine:6.3f}     {distance:6.2f}")
    goes, longer = (NAMES[model.predict(rows)[0]] for rows in (NEW, 3 * NEW))
    print(f"  it goes to {goes}; three times as long, to {longer}")


def in_the_middle() -> None:
    """Learn one class that lies on both sides of the other."""
    rows, labels = np.array([[4.0, 0.0], [0.0, 4.0], [3.0, 3.0]]), np.array([0, 0, 1])
    model = centroid.NearestCentroid().fit(rows, labels)
    print("class 0 has (4, 0) and (0, 4), class 1 has (3, 3)")
    print(f"  centroids {model.centroids_.tolist()}")
    print(f"  its own three rows go to {model.predict(rows).tolist()}")


def on_tickets() -> dict[str, list[float]]:
    """Learn the subjects of support tickets, from few and from many."""
    tickets = read_labelled(resources.corpora_dir() / "support_tickets.csv")
    tokenizer = WordTokenizer()
    tokens = {
        name: [tokenizer.tokenize(text) for text in tickets.part(name).texts]
        for name in ("train", "test")
    }
    labels = {
        name: np.array([tickets.classes.index(label) for label in tickets.part(name).labels])
        for name in tokens
    }
    print(f"{len(labels['test'])} new tickets on {len(tickets.classes)} subjects")
    print("  labels a class   its own tickets   new tickets")
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {"its own tickets": [], "new tickets": []}
    for amount in AMOUNTS:
        scores = [_scores(tokens, labels, amount, rng) for _ in range(DRAWS)]
        for series, score in zip(found.values(), np.mean(scores, axis=0), strict=True):
            series.append(float(score))
        own, new = (series[-1] for series in found.values())
        print(f"       {amount:2}                 {own:.2f}            {new:.2f}")
    return found


def _scores(
    tokens: dict[str, list[list[str]]],
    labels: dict[str, np.ndarray],
    amount: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Draw this many tickets of each class; return the shares right among them, and of the test."""
    drawn = [
        i
        for label in np.unique(labels["train"])
        for i in rng.permutation(np.flatnonzero(labels["train"] == label))[:amount]
    ]
    texts = [tokens["train"][i] for i in drawn]
    vectorizer = tfidf.TfidfVectorizer().fit(texts)
    features, wanted = vectorizer.transform(texts), labels["train"][drawn]
    model = centroid.NearestCentroid().fit(features, wanted)
    new = model.predict(vectorizer.transform(tokens["test"]))
    return np.mean(model.predict(features) == wanted), np.mean(new == labels["test"])


def draw(found: dict[str, list[float]]) -> Figure:
    """Draw the example by hand, and the shares that are right against the number of labels."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    plane, right = figure.subplots(1, 2)
    for label, name in enumerate(NAMES):
        color, marker = drawing.COLORS[label], drawing.MARKERS[label]
        rows = ROWS[np.equal(LABELS, label)]
        middle = rows.mean(axis=0)
        plane.plot(*rows.T, marker, color=color, markeredgecolor="black", label=name)
        plane.plot(*middle, "*", color=color, markersize=22, zorder=1)
        plane.plot([0, 2 * middle[0]], [0, 2 * middle[1]], "--", color=color, alpha=0.6)
    plane.plot(*NEW[0], "X", color="black", markersize=11, label="new")
    plane.set(title="which star?", xlim=(-0.3, 9), ylim=(-0.2, 5), aspect="equal")
    plane.set(xlabel='times "card"', ylabel='times "password"')
    plane.legend(loc="upper right")
    for (name, values), color in zip(found.items(), drawing.COLORS[2:], strict=False):
        right.plot(AMOUNTS, values, "o-", color=color, linewidth=3, label=name)
    right.axhline(0.2, color="gray", linestyle=":", label="guessing")
    right.set(title="support tickets", xscale="log", ylim=(0, 1.03), xticks=AMOUNTS)
    right.set(xlabel="labels a class", ylabel="share right")
    right.set_xticks([], minor=True)
    right.set_xticklabels([str(amount) for amount in AMOUNTS])
    right.legend(loc=(0.04, 0.62))
    return figure
