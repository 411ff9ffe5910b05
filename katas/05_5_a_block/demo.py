"""Live code of kata 5.5: a block of zeros, a new block, and twelve with and without the stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.nn import gpt
from minilm.nn.config import GPTConfig

DEPTH, TIME = 12, 16
CONFIG = GPTConfig(vocab_size=8, n_positions=TIME, n_embd=48, n_layer=DEPTH, n_head=4)


def run(course: Any) -> None:
    """Print three experiments and draw the third."""
    by_paths()
    layers = new_layers()
    zeros(layers[0])
    new_block(layers[0])
    course.picture(draw(twelve(layers)), "stream")


def by_paths() -> None:
    """The example of the page: two layers that multiply by a number."""
    first, second = 0.2, 0.5
    paths = (1.0, first, second, first * second)
    print(f"two layers, slopes {first} and {second}")
    print(f"  with the stream:    {' + '.join(f'{p:g}' for p in paths)} = {sum(paths):g}")
    print(f"  without:            {first * second:g}")


def new_layers() -> list[gpt.Layer]:
    """Return the layers of a new model."""
    body = gpt.GPT(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)
    layers = []
    for number in range(DEPTH):
        start = f"h.{number}."
        weights = {n.removeprefix(start): a for n, a in body.parameters.items() if start in n}
        layers.append(gpt.Layer(weights, CONFIG.n_head))
    return layers


def zeros(layer: gpt.Layer) -> None:
    """Set the two matrices that write into the stream to zero."""
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((2, 1, TIME, CONFIG.n_embd))
    silent = {n: 0 * a if "c_proj" in n else a for n, a in layer.weights.items()}
    layer = gpt.Layer(silent, CONFIG.n_head)
    y, cache = gpt.block(x, layer)
    dx, gradients = gpt.block_backward(dy, cache, layer)
    print("both c_proj zero")
    print(f"  y is x: {'yes' if np.array_equal(y, x) else 'no'}", end="")
    print(f"   dx is dy: {'yes' if np.array_equal(dx, dy) else 'no'}")
    moving = [n for n, g in gradients.items() if np.abs(g).max() > 1e-12]
    print("  parameters with a gradient:")
    for part in ("attn", "mlp"):
        print(f"    {', '.join(sorted(n for n in moving if n.startswith(part)))}")


def new_block(layer: gpt.Layer) -> None:
    """How much does a block of a new model add to what comes in?"""
    x = np.random.default_rng(1).standard_normal((1, TIME, CONFIG.n_embd))
    middle, _ = gpt.attention_half(x, layer, None, None)
    y, _ = gpt.mlp_half(middle, layer, None)
    print("a new block: lengths, for a stream of length 1")
    print(f"  attention adds {length(middle - x) / length(x):.3f}", end="")
    print(f"   the MLP adds {length(y - middle) / length(middle):.3f}")


def twelve(layers: list[gpt.Layer]) -> dict[str, tuple[list[float], list[float]]]:
    """Send words up and a gradient down through twelve blocks, with the stream and without."""
    rng = np.random.default_rng(2)
    x, dy = rng.standard_normal((2, 1, TIME, CONFIG.n_embd))
    found = {
        "with the stream": through(layers, x, dy, stream=True),
        "without": through(layers, x, dy, stream=False),
    }
    print(f"{DEPTH} new blocks")
    print("  how alike are the positions? after 0, 1, 2, 4, 12 blocks")
    for name, (same, _) in found.items():
        print(f"    {name + ':':17}" + row(same))
    print("  how alike are the gradient and dy? 0, 1, 2, 4, 12 down")
    for name, (_, kept) in found.items():
        print(f"    {name + ':':17}" + row(kept))
    return found


def through(
    layers: list[gpt.Layer], x: Any, dy: Any, *, stream: bool
) -> tuple[list[float], list[float]]:
    """Return how alike the positions are on the way up, and the gradient and dy on the way down."""
    caches, up = [], [alike(x)]
    for layer in layers:
        if stream:
            x, cache = gpt.block(x, layer)
        else:
            y, attention = gpt.attention_half(x, layer, None, None)
            x = y - x
            y, mlp = gpt.mlp_half(x, layer, None)
            x, cache = y - x, (attention, mlp)
        caches.append(cache)
        up.append(alike(x))
    dx, down = dy, [1.0]
    for layer, cache in zip(reversed(layers), reversed(caches), strict=True):
        if stream:
            dx, _ = gpt.block_backward(dx, cache, layer)
        else:
            dx = gpt.mlp_half_backward(dx, cache[1], layer)[0] - dx
            dx = gpt.attention_half_backward(dx, cache[0], layer)[0] - dx
        down.append(abs(float(np.vdot(dx, dy))) / (length(dx) * length(dy)))
    return up, down


def alike(x: Any) -> float:
    """Return the mean cosine between two positions."""
    rows = x[0] / np.linalg.norm(x[0], axis=-1, keepdims=True)
    return float((rows @ rows.T)[np.triu_indices(TIME, 1)].mean())


def length(x: Any) -> float:
    """Return the Euclidean length of an array."""
    return float(np.linalg.norm(x))


def row(way: list[float]) -> str:
    """Return five of the numbers, without a negative zero."""
    return "  ".join(f"{round(way[i], 1) + 0.0:.1f}" for i in (0, 1, 2, 4, 12))


def draw(found: dict[str, tuple[list[float], list[float]]]) -> Figure:
    """Draw what is left of the words on the way up, and of the gradient on the way down."""
    figure = Figure(figsize=(13, 5), layout="constrained")
    up, down = figure.subplots(1, 2)
    for (name, ways), color, marker in zip(found.items(), drawing.COLORS, "os", strict=False):
        for axes, way in zip((up, down), ways, strict=True):
            axes.plot(way, marker=marker, color=color, linewidth=3, label=name)
            axes.set_ylim(-0.1, 1.05)
    up.set(title="how alike are the positions?", xlabel="blocks passed, upward", ylabel="cosine")
    down.set(title="how alike are the gradient and dy?", xlabel="blocks passed, downward")
    up.legend()
    return figure
