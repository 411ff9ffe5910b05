"""Live code of kata 7.2: options on paper, a model of word pairs that writes, how many stay."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.arrays import Array, Ids
from minilm.course.demos import Course
from minilm.models import generate
from minilm.text import words

LINES, VOCABULARY = 2500, 2000
WIDTH = 58


def run(course: Course) -> None:
    """Print three experiments, and draw what the options do to two predictions."""
    by_hand()
    vocabulary, ids = reviews()
    model = WordPairs(ids, len(vocabulary))
    write(vocabulary, model)
    course.picture(draw(vocabulary, model), "options")


def by_hand() -> None:
    """Print what each option makes of four probabilities."""
    logits = np.log([0.5, 0.3, 0.15, 0.05])
    options: dict[str, dict[str, Any]] = {
        "temperature 1": {},
        "temperature 0.5": {"temperature": 0.5},
        "temperature 2": {"temperature": 2.0},
        "temperature 0": {"temperature": 0.0},
        "top-k 2": {"top_k": 2},
        "top-p 0.9": {"top_p": 0.9},
    }
    for name, chosen in options.items():
        y = generate.token_probabilities(logits, **chosen)
        print(f"{name:16}" + "".join(f"{value:7.3f}" for value in y))


def reviews() -> tuple[words.Vocabulary, Ids]:
    """Return a vocabulary, and the text of reviews as ids, without rare words."""
    text = (resources.corpora_dir() / "reviews_unlabelled.txt").read_text(encoding="utf-8")
    tokenizer = words.WordTokenizer()
    lines = [tokenizer.tokenize(line) for line in text.splitlines()[:LINES]]
    vocabulary = words.Vocabulary.from_documents(lines, max_size=VOCABULARY)
    return vocabulary, np.concatenate([vocabulary.encode(line) for line in lines])


class WordPairs:
    """A language model that knows how often each word followed the two before it.

    Parameters
    ----------
    ids : integer array of shape (n,)
    size : int
        V.
    """

    def __init__(self, ids: Ids, size: int) -> None:
        self.ids, self.size = ids, size
        self.counts = np.bincount(ids, minlength=size) + 0.1

    def logits(self, last: list[int]) -> Array:
        """Return the logarithms of a mixture: after two words, after one, at all."""
        after_one = np.flatnonzero(self.ids[:-1] == last[-1]) + 1
        one = np.bincount(self.ids[after_one], minlength=self.size)
        mixed = 0.001 * self.counts / self.counts.sum() + 0.2 * one / max(1, one.sum())
        if len(last) > 1:
            after_two = after_one[(after_one > 1) & (self.ids[after_one - 2] == last[-2])]
            two = np.bincount(self.ids[after_two], minlength=self.size)
            mixed = mixed + 0.8 * two / max(1, two.sum())
        logits: Array = np.log(mixed)
        return logits


def write(vocabulary: words.Vocabulary, model: WordPairs) -> None:
    """Let the model write the same beginning with different options."""
    options: dict[str, dict[str, Any]] = {
        "temperature 0": {"temperature": 0.0},
        "temperature 0.5": {"temperature": 0.5},
        "temperature 1": {},
        "temperature 2": {"temperature": 2.0},
        "temperature 2, top-k 5": {"temperature": 2.0, "top_k": 5},
        "temperature 1, top-p 0.8": {"top_p": 0.8},
    }
    for name, chosen in options.items():
        rng = np.random.default_rng(4)
        text = vocabulary.encode(["the", "film"])
        for _ in range(20):
            y = generate.token_probabilities(model.logits(text), **chosen)
            sums = np.cumsum(y)
            text.append(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")))
        line, shown = "", []
        for word in (vocabulary.words[i] for i in text):
            if len(line) + len(word) >= WIDTH:
                shown.append(line)
                line = ""
            line += f" {word}"
        print(name)
        print("\n".join(f" {line}" for line in [*shown, line]))


def draw(vocabulary: words.Vocabulary, model: WordPairs) -> Figure:
    """Draw what is kept in a place where the next word is nearly certain, and where it is open."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    print("how many of the words stay      top-k 10   top-p 0.9")
    for axes, start in zip(figure.subplots(1, 2), ("i couldn", "and the"), strict=True):
        logits = model.logits(vocabulary.encode(start.split()))
        kept = [
            generate.token_probabilities(logits, top_k=10),
            generate.token_probabilities(logits, top_p=0.9),
        ]
        counts = [np.count_nonzero(y) for y in kept]
        print(f"  after '{start}'".ljust(32) + f"{counts[0]:8}{counts[1]:12}")
        y = generate.token_probabilities(logits)
        order = np.argsort(-y, kind="stable")[:12]
        places = np.arange(len(order))
        axes.bar(places - 0.25, y[order], 0.25, color="#999999", label="as it is")
        for shift, name, chosen, color in (
            (0.0, "top-k 10", kept[0], drawing.COLORS[0]),
            (0.25, "top-p 0.9", kept[1], drawing.COLORS[1]),
        ):
            axes.bar(places + shift, chosen[order], 0.25, color=color, label=name)
        axes.set_xticks(places, [vocabulary.words[i] for i in order], rotation=60)
        axes.set(title=f"after '{start}'", ylabel="probability")
        axes.legend()
    return figure
