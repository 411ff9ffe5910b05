"""Two ways to pool: by hand, with padding, and where the gradient goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.nn import functional as F
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT

CONFIG = GPTConfig(vocab_size=50, n_positions=32, n_embd=16, n_layer=2, n_head=2)
TOKENS = 6


def run(course: Any) -> None:
    """Print three small experiments and draw the last two."""
    by_hand()
    model = GPT(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)
    model.parameters.flat[:] *= 6  # as large as those of a trained model: positions differ
    drift = with_padding(model)
    course.picture(draw(drift, gradients(model)), "pooling")


def pools() -> dict[str, Any]:
    """Return the functions, which are looked up when they are called."""
    return {
        "mean": (F.mean_pool, F.mean_pool_backward),
        "last": (F.last_token_pool, F.last_token_pool_backward),
    }


def by_hand() -> None:
    """Two texts, of three tokens and of one; the padding is 90."""
    x = np.array([[[2, 0], [4, 3], [6, 0]], [[5, 1], [90, 90], [90, 90]]], float)
    dy = np.array([[3.0, 6.0], [1.0, 2.0]])
    print(f"x.mean(axis=1)   y {rows(x.mean(axis=1))}")
    for name, (pool, backward) in pools().items():
        y, cache = pool(x, np.array([3, 1]))
        print(f"{name} of the tokens" if name == "mean" else "last token", f"  y {rows(y)}")
        for text in backward(dy, cache):
            print(f"  dx {rows(text)}")


def with_padding(model: GPT) -> dict[str, list[float]]:
    """Pad one text to several lengths; return how far its pooled row moves."""
    ids = np.random.default_rng(1).integers(1, CONFIG.vocab_size, TOKENS)
    found: dict[str, list[float]] = {}
    widths = (6, 8, 12, 16, 32)
    print("one text of 6 tokens; how far its row moves, in percent")
    print("  padded to          " + "".join(f"{w:5}" for w in widths))
    ways = {
        "x.mean(axis=1)": lambda x, lengths: x.mean(axis=1),
        "mean of the tokens": lambda x, lengths: F.mean_pool(x, lengths)[0],
        "x[:, -1]": lambda x, lengths: x[:, -1],
        "last token": lambda x, lengths: F.last_token_pool(x, lengths)[0],
    }
    for name, way in ways.items():
        pooled = []
        for width in widths:
            padded = np.zeros((1, width), int)
            padded[0, :TOKENS] = ids
            hidden, _ = model.hidden(padded, rng=None, backward=False)
            pooled.append(way(hidden, np.array([TOKENS]))[0])
        length = np.linalg.norm(pooled[0])
        found[name] = [100 * float(np.linalg.norm(row - pooled[0])) / length for row in pooled]
        print(f"  {name:19}" + "".join(f"{value:5.0f}" for value in found[name]))
    return found


def gradients(model: GPT) -> dict[str, tuple[Any, Any]]:
    """Send one gradient back; return its share at each position, at the top and at the bottom."""
    rng = np.random.default_rng(2)
    ids = rng.integers(1, CONFIG.vocab_size, (1, TOKENS + 3))
    upstream = rng.standard_normal((1, CONFIG.n_embd))
    found = {}
    print("percent of the gradient by position: 6 tokens, 3 padding")
    for name, (pool, backward) in pools().items():
        hidden, caches = model.hidden(ids, rng=None, backward=True)
        _, cache = pool(hidden, np.array([TOKENS]))
        dx = backward(upstream, cache)
        below = model.hidden_backward(dx, caches, {})["wpe.weight"][: TOKENS + 3]
        parts = tuple(shares(np.linalg.norm(part, axis=1)) for part in (dx[0], below))
        found[name] = parts
        for place, part in zip(("at the top", "at the words"), parts, strict=True):
            print(f"  {name}, {place:13}" + "".join(f"{value:4.0f}" for value in part))
    return found


def shares(lengths: Any) -> Any:
    """Return percentages of their sum."""
    return 100 * lengths / lengths.sum()


def rows(x: Any) -> str:
    """Return small numbers, a row in brackets."""
    return " ".join(f"[{' '.join(f'{value:g}' for value in row)}]" for row in x)


def draw(drift: dict[str, list[float]], parts: dict[str, tuple[Any, Any]]) -> Figure:
    """Draw how far the rows move, and where the gradient goes."""
    figure = Figure(figsize=(13, 4.5), layout="constrained")
    far, top, bottom = figure.subplots(1, 3)
    styles = ("o-", "s--", "^-", "v--")
    for i, (name, values) in enumerate(drift.items()):
        far.plot((6, 8, 12, 16, 32), values, styles[i], color=drawing.COLORS[i], label=name)
    far.set(title="one text, more padding", xlabel="padded to", ylabel="moved by, percent")
    far.set_ylim(top=1.5 * max(max(values) for values in drift.values()))
    far.legend(ncols=2, loc="upper left")
    for k, (axes, title) in enumerate(((top, "gradient at the top"), (bottom, "at the words"))):
        for i, (name, both) in enumerate(parts.items()):
            places = np.arange(len(both[k])) + 0.4 * i - 0.2
            hatch = ("", "//")[i]
            axes.bar(places, both[k], 0.4, color=drawing.COLORS[i], hatch=hatch, label=name)
        axes.axvline(TOKENS - 0.5, color="gray", linestyle=":")
        axes.set(title=title, xlabel="position; from 6 on padding", ylabel="percent", ylim=(0, 105))
        axes.legend()
    return figure
