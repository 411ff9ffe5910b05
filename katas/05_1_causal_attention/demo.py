"""Live code of kata 5.1: by hand, the future, a word that looks for itself, and the scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.nn import functional as F

WORDS = "the soup was warm so the cook ate the soup".split()
KEYS, DRAWS = 16, 400
SIZES = (1, 4, 16, 64, 256, 1024)


def run(course: Any) -> None:
    """Print three experiments and draw two."""
    by_hand()
    the_future()
    weights = same_word()
    course.picture(draw(weights, scale()), "attention")


def by_hand() -> None:
    """The example of the page."""
    q = np.ones((1, 1, 3, 1))
    k = np.log([1.0, 3.0, 2.0]).reshape(1, 1, 3, 1)
    v = np.array([0.0, 4.0, 6.0]).reshape(1, 1, 3, 1)
    y, cache = F.attention(q, k, v)
    print("three positions, by hand")
    for t, weights in enumerate(cache[3][0, 0]):
        print(f"  position {t}: weights {row(weights)}   y {y[0, 0, t, 0]:.2f}")


def the_future() -> None:
    """Another token at position 3: what changes?"""
    q, k, v = np.random.default_rng(2).standard_normal((3, 1, 1, 6, 8))
    before, _ = F.attention(q, k, v)
    k[0, 0, 3] = -k[0, 0, 3]
    v[0, 0, 3] = 5.0
    after, _ = F.attention(q, k, v)
    print("another token at position 3 of 0 to 5: does y change?")
    changed = np.abs(after - before).max(axis=-1)[0, 0] > 1e-9
    print("  " + "  ".join(f"{t}: {'yes' if c else 'no'}" for t, c in enumerate(changed)))


def same_word() -> Any:
    """Let every word ask for itself: its query is its key, times 6."""
    names = sorted(set(WORDS))
    vectors = np.eye(len(names))[[names.index(word) for word in WORDS]][None, None]
    _, cache = F.attention(6 * np.sqrt(len(names)) * vectors, vectors, vectors)
    weights = cache[3][0, 0]
    print("each word asks for its own kind; the weights of the last two")
    for t in (-2, -1):
        seen = [f"{w} {x:.2f}" for w, x in zip(WORDS, weights[t], strict=True) if x > 0.01]
        print(f"  {WORDS[t]:5} -> " + ", ".join(seen))
    return weights


def scale() -> tuple[list[float], list[float]]:
    """How certain is a new head? The largest of 16 weights, with the scale and without."""
    rng = np.random.default_rng(0)
    scaled, plain = [], []
    print("largest of 16 weights, random queries and keys")
    print("     D   with 1/sqrt(D)   without")
    for size in SIZES:
        q = rng.standard_normal((DRAWS, 1, 1, size))
        k = rng.standard_normal((DRAWS, 1, KEYS, size))
        v = np.zeros_like(k)
        for found, queries in ((scaled, q), (plain, q * np.sqrt(size))):
            weights = F.attention(queries, k, v)[1][3]
            found.append(float(weights.max(axis=-1).mean()))
        print(f"  {size:4}             {scaled[-1]:.2f}      {plain[-1]:.2f}")
    return scaled, plain


def row(x: Any) -> str:
    """Return numbers with two digits, side by side."""
    return " ".join(f"{value:.2f}" for value in x)


def draw(weights: Any, certain: tuple[list[float], list[float]]) -> Figure:
    """Draw who looks at whom, and how certain a new head is."""
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    who, how = figure.subplots(1, 2)
    places = np.arange(len(WORDS))
    shown = np.where(np.triu(np.ones_like(weights), 1) > 0, np.nan, weights)
    image = who.imshow(shown, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=who, label="weight")
    who.set_xticks(places, WORDS, rotation=60)
    who.set_yticks(places, WORDS)
    who.set(title="each word looks for its own kind", xlabel="key", ylabel="query")
    scaled, plain = certain
    how.semilogx(SIZES, plain, "s--", color=drawing.COLORS[1], linewidth=3, label="without")
    how.semilogx(SIZES, scaled, "o-", color=drawing.COLORS[0], linewidth=3, label="with 1/sqrt(D)")
    how.axhline(1 / KEYS, color="black", linewidth=1)
    how.text(SIZES[0], 1 / KEYS + 0.02, "all 16 keys alike")
    how.set(title="how certain is a new head?", xlabel="D", ylabel="largest weight", ylim=(0, 1))
    how.legend()
    return figure
