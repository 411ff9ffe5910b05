"""Two ways to score the same predictions; who is taken for whom among support tickets."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.classify import centroid, metrics, tfidf
from minilm.course.demos import Course
from minilm.data.labelled import read_labelled
from minilm.text.words import WordTokenizer

TRUTH = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
RARE = np.repeat([0, 1], [95, 5])


def run(course: Course) -> None:
    """Print the example, the lazy classifier and the tickets; draw the matrix."""
    by_hand()
    print()
    lazy()
    print()
    course.picture(draw(*on_tickets()), "confusion")


def by_hand() -> None:
    """Ten tickets: eight about billing, two about fraud."""
    predicted = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 0])
    print("truth \\ predicted   billing  fraud")
    table = metrics.confusion_matrix(TRUTH, predicted, 2)
    for name, (one, other) in zip(("billing", "fraud"), table, strict=True):
        print(f"  {name:10} {one:13} {other:6}")
    print(f"accuracy {np.mean(predicted == TRUTH):.3f}", end="   ")
    print(f"macro-F1 {metrics.macro_f1(TRUTH, predicted, 2):.4f}")


def lazy() -> None:
    """Compare one who never says "fraud" with one who finds it, at a price."""
    careful = RARE.copy()
    careful[:10] = 1  # ten false alarms
    careful[-1] = 0  # one that slips through
    print("95 billing, 5 fraud         accuracy   macro-F1")
    for name, predicted in (("says billing always", 0 * RARE), ("finds 4 of 5 frauds", careful)):
        score = metrics.macro_f1(RARE, predicted, 2)
        print(f"  {name:20} {np.mean(predicted == RARE):13.2f} {score:10.2f}")
    swapped = metrics.macro_f1(careful, RARE, 2)
    print(f"  swapped with the truth {np.mean(careful == RARE):11.2f} {swapped:10.2f}")


def on_tickets() -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the confusion matrix of new tickets, and the subjects."""
    data = read_labelled(resources.corpora_dir() / "support_tickets.csv")
    tokenize = WordTokenizer().tokenize
    tokens = {n: [tokenize(text) for text in data.part(n).texts] for n in ("train", "test")}
    labels = {
        n: np.array([data.classes.index(label) for label in data.part(n).labels]) for n in tokens
    }
    vectorizer = tfidf.TfidfVectorizer().fit(tokens["train"])
    model = centroid.NearestCentroid()
    model.fit(vectorizer.transform(tokens["train"]), labels["train"])
    predicted = model.predict(vectorizer.transform(tokens["test"]))
    table = metrics.confusion_matrix(labels["test"], predicted, len(data.classes))
    scores = metrics.class_scores(table)
    print("truth \\ predicted  " + "".join(f"{name[:4]:>5}" for name in data.classes) + "     F1")
    for name, row, f1 in zip(data.classes, table, scores.f1, strict=True):
        print(f"  {name:17}" + "".join(f"{count:5}" for count in row) + f"   {f1:.2f}")
    print(f"times predicted    {''.join(f'{count:5}' for count in table.sum(axis=0))}")
    score = metrics.macro_f1(labels["test"], predicted, len(data.classes))
    print(f"accuracy {np.mean(predicted == labels['test']):.2f}   macro-F1 {score:.2f}")
    return table, data.classes


def draw(table: np.ndarray, names: tuple[str, ...]) -> Figure:
    """Draw the matrix, and precision and recall of each class."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(table, cmap="Blues")
    for (i, j), count in np.ndenumerate(table):
        color = "white" if count > table.max() / 2 else "black"
        left.text(j, i, f"{count}", ha="center", va="center", color=color, fontsize=13)
    places = np.arange(len(names))
    left.set_xticks(places, names, rotation=25)
    left.set_yticks(places, names)
    left.set(title="new tickets", xlabel="predicted", ylabel="true")
    scores = metrics.class_scores(table)
    right.plot(scores.recall, scores.precision, "o", color=drawing.COLORS[1], markersize=11)
    for name, x, y in zip(names, scores.recall, scores.precision, strict=True):
        place = (-70, -16) if name == "delivery" else (9, 6)
        right.annotate(name, (x, y), place, textcoords="offset points", fontsize=12)
    for f1, at in ((0.5, 0.54), (0.6, 0.86), (0.7, 0.86)):
        recall = np.linspace(f1 / (2 - f1) + 0.01, 1, 200)
        right.plot(recall, f1 * recall / (2 * recall - f1), ":", color="gray")
        right.text(at, f1 * at / (2 * at - f1), f"F1 = {f1}", fontsize=10, ha="center")
    right.set(title="two ways to be good", xlim=(0.4, 0.92), ylim=(0.4, 0.92))
    right.set(xlabel="recall", ylabel="precision")
    return figure
