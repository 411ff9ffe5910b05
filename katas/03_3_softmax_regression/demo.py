"""Softmax regression by hand, on tickets, on words without labels, and on separable points."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.classify import logistic, tfidf
from minilm.course.demos import Course
from minilm.data.labelled import LabelledData, read_labelled
from minilm.embeddings import cooccurrence, documents, svd
from minilm.text.words import Vocabulary, WordTokenizer

STRENGTHS = (0.01, 1.0, 100.0)
POINTS = np.array([[2.0, 1.0], [1.0, 2.0], [-1.0, -0.5], [-2.0, -1.0]])
SIDES = np.array([1, 1, 0, 0])
STEPS = 1000


def run(course: Course) -> None:
    """Print the example, the tickets and the endless descent; draw the last and a gradient."""
    gap = by_hand()
    print()
    data = read_labelled(resources.corpora_dir() / "support_tickets.csv")
    tokenize = WordTokenizer().tokenize
    tokens = {n: [tokenize(text) for text in data.part(n).texts] for n in ("train", "test")}
    labels = {n: _indices(data, n) for n in tokens}
    on_tickets(tokens, labels)
    print()
    on_words_without_labels(tokens, labels)
    print()
    course.picture(draw(gap, {l2: descend(l2) for l2 in (0.0, 0.1)}), "weights")


def by_hand() -> np.ndarray:
    """One row with label 0, at weights that give the logits 1, 0 and 0; return d_bias."""
    weights = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    row, label = np.array([[1.0, 2.0]]), np.array([0])
    loss, d_weights, d_bias = logistic.loss_and_gradient(weights, np.zeros(3), row, label, 0.0)
    print("logits 1, 0, 0; the label is 0")
    print(f"  loss      {loss:.3f}")
    print(f"  d_bias    {_numbers(d_bias)}")
    for i, line in enumerate(d_weights):
        print(f"  d_weights {_numbers(line)}   feature {i} = {row[0, i]:.0f}")
    return d_bias


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:6.3f}" for value in values)


def _indices(data: LabelledData, part: str) -> np.ndarray:
    return np.array([data.classes.index(label) for label in data.part(part).labels])


def on_tickets(tokens: dict[str, list[list[str]]], labels: dict[str, np.ndarray]) -> None:
    """Look at the start, and learn with three strengths of the penalty."""
    vectorizer = tfidf.TfidfVectorizer().fit(tokens["train"])
    rows = {name: vectorizer.transform(documents) for name, documents in tokens.items()}
    width, classes = rows["train"].shape[1], labels["train"].max() + 1
    loss, d_weights, d_bias = logistic.loss_and_gradient(
        np.zeros((width, classes)), np.zeros(classes), rows["train"], labels["train"], 1.0
    )
    print(f"{len(labels['train'])} tickets, {width} words, {classes} subjects; all weights zero")
    print(f"  loss {loss:.3f}; largest of d_bias {abs(d_bias).max():.3f}")
    print(f"  largest sum of a row of d_weights {abs(d_weights.sum(axis=1)).max():.3f}")
    print("share right     its own   new tickets   confidence")
    for l2 in STRENGTHS:
        model = logistic.SoftmaxRegression(l2=l2).fit(rows["train"], labels["train"])
        own, new = (np.mean(model.predict(rows[name]) == labels[name]) for name in rows)
        confidence = model.predict_proba(rows["test"]).max(axis=1).mean()
        print(f"  l2 = {l2:6}     {own:.2f}        {new:.2f}           {confidence:.2f}")


def on_words_without_labels(
    tokens: dict[str, list[list[str]]], labels: dict[str, np.ndarray]
) -> None:
    """Cross out of the new tickets every word that a labelled ticket has; sort what is left."""
    tokenize = WordTokenizer().tokenize
    path = resources.corpora_dir() / "support_conversations.txt"
    unlabelled = [tokenize(line) for line in path.read_text(encoding="utf-8").splitlines()]
    vocabulary = Vocabulary.from_documents(unlabelled, min_count=3)
    counts = cooccurrence.count_chunks(map(vocabulary.encode, unlabelled), 8, len(vocabulary))
    vectors = svd.word_vectors(counts, dimensions=50, rng=np.random.default_rng(0))

    def means(texts: list[list[str]]) -> np.ndarray:
        known = [[word for word in text if word in vocabulary.index] for text in texts]
        return documents.mean_vectors([vocabulary.encode(text) for text in known], vectors)

    seen = {word for text in tokens["train"] for word in text}
    left = [[word for word in text if word not in seen] for text in tokens["test"]]
    kept = [i for i, text in enumerate(left) if any(word in vocabulary.index for word in text)]
    left = [left[i] for i in kept]
    vectorizer = tfidf.TfidfVectorizer().fit(tokens["train"])
    print("new tickets, all labelled words crossed out: share right")
    for name, rows in (("TF-IDF", vectorizer.transform), ("word vectors", means)):
        model = logistic.SoftmaxRegression(l2=0.1).fit(rows(tokens["train"]), labels["train"])
        share = np.mean(model.predict(rows(left)) == labels["test"][kept])
        print(f"  {name:14} {share:.1f}")


def descend(l2: float) -> list[float]:
    """Go down the gradient on four points; return the length of the weights at each step."""
    weights, bias = np.zeros((2, 2)), np.zeros(2)
    lengths = []
    print(f"four points, l2 = {l2}")
    for step in range(STEPS + 1):
        loss, d_weights, d_bias = logistic.loss_and_gradient(weights, bias, POINTS, SIDES, l2)
        lengths.append(float(np.linalg.norm(weights)))
        if step in (10, 100, 1000):
            print(f"  step {step:4}   loss {loss:.4f}   length {lengths[-1]:.2f}")
        weights, bias = weights - d_weights, bias - d_bias
    return lengths


def draw(gap: np.ndarray, lengths: dict[float, list[float]]) -> Figure:
    """Draw what one row asks for, and the length of the weights with and without a penalty."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    places, true = np.arange(3), np.array([1.0, 0.0, 0.0])
    left.bar(places - 0.2, true + gap, 0.4, color=drawing.COLORS[0], label="predicted")
    left.bar(places + 0.2, true, 0.4, color=drawing.COLORS[4], label="true", hatch="//")
    left.bar_label(left.containers[0], fmt="%.2f")
    left.set(title="one row: the gradient is the gap", xlabel="class", ylim=(0, 1.1))
    left.set_xticks(places)
    left.legend()
    for (l2, values), color, style in zip(
        lengths.items(), drawing.COLORS[1:], ("-", "--"), strict=False
    ):
        steps = np.arange(1, len(values))
        right.plot(steps, values[1:], style, color=color, linewidth=3, label=f"l2 = {l2}")
    right.set(title="points that a line separates", xscale="log")
    right.set(xlabel="step", ylabel="length of the weights")
    right.legend()
    return figure
