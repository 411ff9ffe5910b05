"""Live code of kata 4.7: who gets a gradient, what `+=` loses, and what a lookup saves."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.nn import functional as F

WORDS = ("a", "cat", "dog", "saw", "the")
SENTENCE = "the cat saw the dog"
VOCABULARY, WIDTH, BATCH, BATCHES = 2000, 8, 256, 100


def run(course: Course) -> None:
    """Print the page's example, the trap, the saving, and how many rows ever move."""
    dweight = by_hand()
    sizes()
    course.picture(draw(dweight, *coverage()), "rows")


def by_hand() -> np.ndarray:
    """Return the gradient of a table of five words from one sentence."""
    ids = np.array([WORDS.index(word) for word in SENTENCE.split()])
    weight = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [3.0, 1.0]])
    dy = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [4.0, 0.0], [0.0, 3.0]])
    y, cache = F.embedding(ids, weight)
    dweight = F.embedding_backward(dy, cache)
    print(f"{SENTENCE}: ids {ids.tolist()}")
    print(f"  y  {'  '.join(row(values) for values in y)}")
    print(f"  dy {'  '.join(row(values) for values in dy)}")
    once = np.zeros_like(weight)
    once[ids] += dy
    print("         dweight   with dweight[ids] += dy")
    for word, right, wrong in zip(WORDS, dweight, once, strict=True):
        print(f"  {word:4}   {row(right):7}   {row(wrong)}")
    product = np.eye(len(WORDS))[ids].T @ dy
    print(f"one-hot.T @ dy is the same: {np.array_equal(product, dweight)}")
    return dweight


def row(values: np.ndarray) -> str:
    """Return small numbers in brackets."""
    return f"[{' '.join(f'{value:g}' for value in values)}]"


def sizes() -> None:
    """Count what GPT-2's lookup would cost as a product."""
    vocabulary, width, time = 50257, 768, 1024
    print(f"GPT-2: {time} tokens, a table of {vocabulary} x {width}")
    print(f"  as a product: {vocabulary * width * time / 1e9:.1f} billion multiplications")
    print(f"  as a lookup:  none, and {width * time / 1e6:.1f} million numbers copied")


def coverage() -> tuple[np.ndarray, np.ndarray]:
    """Return how many rows have had a gradient after each batch, for two kinds of text.

    In one, all words are equally frequent; in the other the word of rank r is drawn with a
    probability of 1 / r, as nearly in real text.
    """
    print(f"{VOCABULARY} words, {BATCH} tokens a batch: rows with a gradient")
    print("  batches             1    10   100")
    found = []
    ranks = np.arange(1, VOCABULARY + 1)
    for name, odds in (("equally frequent", np.ones(VOCABULARY)), ("as in real text", 1 / ranks)):
        rng = np.random.default_rng(0)
        seen = np.zeros(VOCABULARY, bool)
        way = [0]
        for _ in range(BATCHES):
            ids = rng.choice(VOCABULARY, BATCH, p=odds / odds.sum())
            y, cache = F.embedding(ids, np.zeros((VOCABULARY, WIDTH)))
            seen |= np.any(F.embedding_backward(np.ones_like(y), cache) != 0, axis=1)
            way.append(int(seen.sum()))
        print(f"  {name:16} {way[1]:4}  {way[10]:4}  {way[100]:4}")
        found.append(np.array(way))
    return found[0], found[1]


def draw(dweight: np.ndarray, equal: np.ndarray, real: np.ndarray) -> Figure:
    """Draw the small gradient, and how many rows ever get one."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.2))
    limit = np.abs(dweight).max()
    left.imshow(dweight, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    for (i, j), value in np.ndenumerate(dweight):
        color = "white" if value > limit / 2 else "black"
        left.text(j, i, f"{value:g}", ha="center", va="center", color=color)
    left.set(title=f"dweight of “{SENTENCE}”", yticks=range(5), xticks=range(2), xlabel="channel")
    left.set_yticklabels(WORDS)
    pairs = (("all words equally frequent", equal), ("as in real text", real))
    for (name, way), color, style in zip(pairs, drawing.COLORS, ("--", "-"), strict=False):
        right.plot(way, style, color=color, linewidth=3, label=name)
    right.axhline(VOCABULARY, color="0.8", linewidth=1)
    right.set(title="rows that have had a gradient", xlabel="batches", ylim=(0, None))
    right.legend()
    return figure
