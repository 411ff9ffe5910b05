"""Live code of kata 7.1: five models of one text, by three figures."""

from __future__ import annotations

import bz2
import itertools
import math

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.arrays import Array, Ids
from minilm.course.demos import Course
from minilm.data.documents import read_documents
from minilm.models import scores
from minilm.text.bpe import BytePairTokenizer

TRAIN, TEST = 100, 20  # documents
PIECES = 512


def run(course: Course) -> None:
    """Print the figures on paper and those of real text, and draw the latter."""
    by_hand()
    course.picture(draw(models()), "figures")


def by_hand() -> None:
    """Print a fresh model's figures, and a text measured in three batches."""
    loss = math.log(1000)
    print("a fresh model, 1000 tokens of about 4 bytes")
    print(f"  loss {loss:.2f}, perplexity {scores.perplexity(loss):.0f}, ", end="")
    print(f"bits per byte {scores.bits_per_byte(loss, 100, 400):.2f}")
    losses, counts = [2.0, 2.0, 8.0], [512, 512, 4]
    print(f"batches of {counts} tokens, losses {losses}")
    print(f"  mean of the means {np.mean(losses):.2f}", end="")
    print(f", of the tokens {scores.mean_loss(losses, counts):.2f}")


def models() -> dict[str, tuple[float, float]]:
    """Return perplexity and bits per byte of several models of the same text."""
    read = read_documents([resources.corpora_dir() / "general.txt"], unit="lines")
    texts = list(itertools.islice(read, TRAIN + TEST))
    train, test = "\n".join(texts[:TRAIN]), "\n".join(texts[TRAIN:])
    size = len(test.encode())
    tokenizer = BytePairTokenizer.train(texts[:TRAIN], PIECES)
    one, two = (np.frombuffer(text.encode(), np.uint8).astype(np.int64) for text in (train, test))
    pieces, tests = (np.array(tokenizer.encode(text)) for text in (train, test))
    found = {
        "any byte, equally": np.full(len(two), math.log(256)),
        "bytes": alone(one, two, 256),
        "bytes, knowing the last": pairs(one, two, 256),
        "byte pairs": alone(pieces, tests, PIECES),
        "byte pairs, knowing the last": pairs(pieces, tests, PIECES),
    }
    print(f"one text of {size:,} bytes, and what predicts it")
    print("                             tokens perplexity bits/byte")
    figures = {}
    for name, losses in found.items():
        loss = scores.mean_loss([float(losses.mean())], [len(losses)])
        figures[name] = (scores.perplexity(loss), scores.bits_per_byte(loss, len(losses), size))
        print(f"{name:29}{len(losses):6,}{figures[name][0]:11.0f}{figures[name][1]:10.2f}")
    packed = 8 * len(bz2.compress((train + test).encode())) - 8 * len(bz2.compress(train.encode()))
    print(f"{'bz2':46}{packed / size:10.1f}")
    return figures


def alone(train: Ids, test: Ids, vocabulary: int) -> Array:
    """Return the loss of each token, predicted by its frequency."""
    counts = np.bincount(train, minlength=vocabulary) + 1.0
    losses: Array = -np.log(counts / counts.sum())[test]
    return losses


def pairs(train: Ids, test: Ids, vocabulary: int) -> Array:
    """Return the loss of each token, predicted from the one before it.

    Half of the prediction is the frequency: most pairs of a small text are new.
    """
    counts = np.zeros((vocabulary, vocabulary))
    np.add.at(counts, (train[:-1], train[1:]), 1.0)
    frequency = np.bincount(train, minlength=vocabulary) + 1.0
    frequency /= frequency.sum()
    seen = (counts + frequency) / (counts.sum(axis=1, keepdims=True) + 1)
    before = np.append(train[-1], test[:-1])
    losses: Array = -np.log(0.8 * seen[before, test] + 0.2 * frequency[test])
    return losses


def draw(figures: dict[str, tuple[float, float]]) -> Figure:
    """Draw both figures of every model."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(figures))[::-1]
    for axes, which, title in ((left, 0, "perplexity"), (right, 1, "bits per byte")):
        values = [pair[which] for pair in figures.values()]
        axes.barh(places, values, color=drawing.COLORS[which])
        for place, value in zip(places, values, strict=True):
            axes.text(value, place, f" {value:.3g}", va="center")
        axes.set(title=title, xlim=(0, 1.15 * max(values)))
    left.set_yticks(places, list(figures))
    return figure
