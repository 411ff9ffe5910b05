"""Word vectors that learn: by hand, on tickets, and by how tightly they are held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.classify import tuned_vectors
from minilm.data import labelled
from minilm.embeddings import cooccurrence, similarity, svd
from minilm.text.words import Vocabulary, WordTokenizer

CHARACTERS = 600_000  # of the corpus
LABELS = 100
HOLDS = (0.1, 10.0, 1000.0)
DRAWS = 3


@dataclass
class Tickets:
    """Word vectors, and tickets as ids of their words, with labels."""

    vectors: Any
    words: list[str]
    ids: list[Any]
    labels: Any
    split: Any


def run(course: Any) -> None:
    """Print three experiments and draw the last two."""
    by_hand()
    tickets = prepared()
    distances = one_draw(tickets)
    course.picture(draw(distances, held(tickets)), "moved")


def by_hand() -> None:
    """Two texts, "good film" and "bad film"; vectors of one number."""
    words = ("good", "bad", "film", "superb")
    start = np.array([[1.0], [-1.0], [0.0], [1.0]])
    tokens = tuned_vectors.flatten([np.array([0, 2]), np.array([1, 2])], 4)
    weights = np.array([[1.0, -1.0]])
    loss, _, _, gradient = tuned_vectors.loss_and_gradient(
        weights, np.zeros(2), np.zeros((4, 1)), start, tokens, np.array([0, 1]), 0.0, 1.0
    )
    print(f"loss {loss:.3f}")
    for word, value, slope in zip(words, start[:, 0], gradient[:, 0], strict=True):
        shown = slope if abs(slope) > 1e-9 else 0.0  # never -0
        print(f"  {word:7} vector {value:4.1f}   gradient {shown:6.3f}")


def prepared() -> Tickets:
    """Count vectors on the conversations, and read the tickets."""
    folder = resources.corpora_dir()
    tokenizer = WordTokenizer()
    text = (folder / "support_conversations.txt").read_text(encoding="utf-8")[:CHARACTERS]
    lines = [tokenizer.tokenize(line) for line in text.splitlines()]
    vocabulary = Vocabulary.from_documents(lines, min_count=3)
    ids = [np.array(vocabulary.encode(line), np.int64) for line in lines]
    counts = cooccurrence.count_chunks(ids, 5, len(vocabulary))
    vectors = svd.word_vectors(counts, dimensions=30, rng=np.random.default_rng(0))
    data = labelled.read_labelled(folder / "support_tickets.csv")
    kinds = sorted(set(data.labels))
    return Tickets(
        similarity.unit_rows(vectors),
        list(vocabulary.words),
        [np.array(vocabulary.encode(tokenizer.tokenize(text)), int) for text in data.texts],
        np.array([kinds.index(label) for label in data.labels]),
        np.array(data.splits),
    )


def drawn(tickets: Tickets, seed: int) -> Any:
    """Return places of labelled tickets, all classes in proportion."""
    places = np.flatnonzero(tickets.split == "train")
    return places[labelled.draw(tickets.labels[places], LABELS, seed)]


def fitted(tickets: Tickets, chosen: Any, hold: float) -> Any:
    """Return a classifier of the chosen tickets."""
    model = tuned_vectors.TunedVectorsClassifier(tickets.vectors, l2=0.03, vector_l2=hold)
    return model.fit([tickets.ids[i] for i in chosen], tickets.labels[chosen])


def one_draw(tickets: Tickets) -> Any:
    """Show who moved; return how far each word moved."""
    model = fitted(tickets, drawn(tickets, 0), 0.1)
    far = np.linalg.norm(model.vectors_ - tickets.vectors, axis=1)
    seen = np.zeros(len(far), bool)
    seen[model.seen_] = True
    tests = [tickets.ids[i] for i in np.flatnonzero(tickets.split == "test")]
    unseen = np.mean([not seen[word] for ids in tests for word in ids])
    print(f"{len(far)} words; {seen.sum()} of them are in the {LABELS} labelled tickets")
    print(f"  of the test tickets' words, never shown: {unseen:.0%}")
    print(f"  seen words moved by {far[seen].mean():.2f} on average")
    print(f"  unseen words moved by {far[~seen].max():g} at most")
    return far, seen


def held(tickets: Tickets) -> dict[float, tuple[float, float]]:
    """Hold the vectors more and more tightly; return accuracy on labelled and on test tickets."""
    test = np.flatnonzero(tickets.split == "test")
    found = {}
    print(f"{DRAWS} draws, {len(test)} tests; right on")
    print("  vector_l2   the labelled   the tests")
    for hold in HOLDS:
        scores = []
        for seed in range(DRAWS):
            chosen = drawn(tickets, seed)
            model = fitted(tickets, chosen, hold)
            scores.append(
                [
                    np.mean(model.predict([tickets.ids[i] for i in part]) == tickets.labels[part])
                    for part in (chosen, test)
                ]
            )
        found[hold] = tuple(np.mean(scores, axis=0))
        print(f"  {hold:9g}   {found[hold][0]:12.2f}   {found[hold][1]:9.2f}")
    return found


def draw(distances: Any, found: dict[float, tuple[float, float]]) -> Figure:
    """Draw how far words moved, and both accuracies."""
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    moved, right = figure.subplots(1, 2)
    far, seen = distances
    bins = np.linspace(0, far.max(), 25)
    moved.hist(far[seen], bins, color=drawing.COLORS[0], label=f"{seen.sum()} seen words")
    moved.hist(
        far[~seen], bins, color=drawing.COLORS[1], hatch="//", label=f"{(~seen).sum()} unseen words"
    )
    moved.set(title="how far words moved", xlabel="distance", ylabel="words", yscale="log")
    moved.legend()
    labels = ("the labelled tickets", "the test tickets")
    for i, label in enumerate(labels):
        values = [pair[i] for pair in found.values()]
        right.plot(list(found), values, ("o-", "s--")[i], color=drawing.COLORS[i], label=label)
    right.set_xscale("log")
    right.set(
        title="accuracy", xlabel="vector_l2: held more tightly to the right", ylim=(0.4, 1.05)
    )
    right.legend()
    return figure
