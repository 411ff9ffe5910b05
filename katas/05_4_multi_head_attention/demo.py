"""Live code of kata 5.4: by hand, two heads against one, and whom a gradient reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm.nn import functional as F

WORDS = "the cook burned the soup so the cook left".split()
TIME = len(WORDS)
SHARP = 8.0


def run(course: Any) -> None:
    """Print three experiments and draw the second."""
    by_hand()
    maps = two_heads_and_one()
    gradients()
    course.picture(draw(maps), "heads")


def by_hand() -> None:
    """Two positions, two heads of one channel each."""
    log3 = np.log(3.0)
    qkv = np.array([[[1.0, 1, 0, 0, 0, 8], [1, 1, log3, 0, 4, 0]]])
    y, cache = F.multi_head_attention(qkv, 2)
    dy = np.array([[[0.0, 0], [1, 1]]])
    dqkv = F.multi_head_attention_backward(dy, cache)
    print("two positions, two heads of one channel")
    for t in range(2):
        print(f"  y at position {t}: {row(y[0, t])}")
    print("                    q0    q1    k0    k1    v0    v1")
    for t in range(2):
        print(f"  dqkv at {t}:     {row(dqkv[0, t])}")


def two_heads_and_one() -> list[tuple[str, Any]]:
    """Let head 0 look one position back and head 1 for the same word; then one head for both."""
    qkv = asked()
    print("where the second 'cook' looks")
    maps = []
    for heads in (2, 1):
        _, cache = F.multi_head_attention(qkv, heads)
        for head in range(heads):
            name = f"head {head}" if heads == 2 else "one head"
            weights = cache[3][0, head]
            maps.append((name, weights))
            seen = [f"{WORDS[t]} {x:.2f}" for t, x in enumerate(weights[7]) if x > 0.05]
            print(f"  {name + ':':9} {', '.join(seen)}")
    return maps


def asked() -> Any:
    """Return qkv: head 0 asks for the position before, head 1 for the same word, earlier."""
    names = sorted(set(WORDS))
    place, word = np.eye(TIME), np.zeros((TIME, TIME))
    for t, name in enumerate(WORDS):
        word[t, names.index(name)] = 1
    before = np.zeros_like(place)  # row t asks for position t - 1, the first for itself
    before[0] = place[0]
    before[1:] = place[:-1]
    q = SHARP * np.sqrt(TIME) * np.concatenate([before, word], axis=-1)
    k = np.concatenate([place, word], axis=-1)
    v = np.concatenate([place, place], axis=-1)
    return np.concatenate([q, k, v], axis=-1)[None]


def gradients() -> None:
    """Let the loss look at the channels of head 1 only, then exchange the heads."""
    rng = np.random.default_rng(3)
    qkv = rng.standard_normal((1, 5, 3, 2, 4))
    y, cache = F.multi_head_attention(qkv.reshape(1, 5, 24), 2)
    dy = np.zeros_like(y)
    dy[..., 4:] = rng.standard_normal((1, 5, 4))
    dqkv = F.multi_head_attention_backward(dy, cache).reshape(1, 5, 3, 2, 4)
    print("the loss looks at the channels of head 1 only")
    for head in range(2):
        lengths = [np.linalg.norm(dqkv[0, :, i, head]) for i in range(3)]
        shown = "  ".join(f"{n} {x:.2f}" for n, x in zip(("dq", "dk", "dv"), lengths, strict=True))
        print(f"  head {head}: {shown}")
    other, _ = F.multi_head_attention(qkv[:, :, :, ::-1].reshape(1, 5, 24), 2)
    exchanged = np.abs(other - np.roll(y, 4, axis=-1)).max() < 1e-9
    print(f"heads exchanged in qkv, exchanged in y: {'yes' if exchanged else 'no'}")


def row(x: Any) -> str:
    """Return numbers with two digits, side by side, without a negative zero."""
    return " ".join(f"{value + 0.0:5.2f}" for value in np.round(x, 2))


def draw(maps: list[tuple[str, Any]]) -> Figure:
    """Draw the weights of two heads, and of one head that has to do the work of both."""
    figure = Figure(figsize=(15, 5.4), layout="constrained")
    titles = ("head 0: the word before", "head 1: the same word", "one head for both")
    places = np.arange(TIME)
    for axes, (_, weights), title in zip(figure.subplots(1, 3), maps, titles, strict=True):
        shown = np.where(np.triu(np.ones_like(weights), 1) > 0, np.nan, weights)
        axes.imshow(shown, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(places, WORDS, rotation=60)
        axes.set_yticks(places, WORDS)
        axes.set(title=title, xlabel="key", ylabel="query")
    return figure
