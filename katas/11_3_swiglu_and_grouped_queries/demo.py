"""Live code of kata 11.3: gates by hand, shared keys, and what sharing them saves."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.nn import functional as F

#: layers, heads of queries, heads of keys, size of a head, tokens
MODELS = {
    "SmolLM2 135M": (30, 9, 3, 64, 2048),
    "Llama 3 8B": (32, 32, 8, 128, 8192),
    "Llama 3 70B": (80, 64, 8, 128, 8192),
}


def run(course: Course) -> None:
    """Print four experiments; draw silu, and what a gate does."""
    gates()
    backward()
    groups()
    memory()
    course.picture(draw(), "gates")


def gates() -> None:
    """Print what passes gates of several sizes."""
    gate = np.array([-10.0, -1.0, 0.0, 1.0, 10.0])
    y, _ = F.swiglu(gate, np.full(5, 1000.0))
    print("up is 1000; what passes the gate")
    print("  gate    " + "".join(f"{value:9.0f}" for value in gate))
    print("  silu    " + "".join(f"{value + 0.0:9.4f}" for value in F.silu(gate)[0]))
    print("  y       " + "".join(f"{value + 0.0:9.1f}" for value in y))


def backward() -> None:
    """Print the gradients of the example of the page."""
    _, cache = F.swiglu(np.array([1.0]), np.array([10.0]))
    dgate, dup = F.swiglu_backward(np.array([1.0]), cache)
    print(f"gate 1, up 10: dgate {dgate[0]:.2f}   dup {dup[0]:.2f}")


def groups() -> None:
    """Change one head of keys, and look at the heads of y; add up what its copies get."""
    q, k, v = qkv(np.random.default_rng(0), 6, 2)
    before, cache = F.grouped_query_attention(q, k, v)
    changed = k.copy()
    changed[:, 1] *= -1
    moved = np.abs(F.grouped_query_attention(q, changed, v)[0] - before).max(axis=(0, 2, 3)) > 1e-9
    print("six heads of queries, two of keys; other keys in head 1")
    print("  " + "  ".join(f"{h}: {'new' if m else 'same'}" for h, m in enumerate(moved)))
    dy = np.random.default_rng(1).standard_normal(before.shape)
    _, dk, _ = F.grouped_query_attention_backward(dy, cache)
    print("gradient of one number of key head 1")
    alone = []
    for h in range(6):
        part = np.zeros_like(dy)
        part[:, h] = dy[:, h]
        alone.append(F.grouped_query_attention_backward(part, cache)[1][0, 1, 0, 0])
    print("  from heads 0 to 5: " + " ".join(f"{value + 0.0:5.2f}" for value in alone))
    print(f"  from all of them:  {dk[0, 1, 0, 0]:5.2f}")


def qkv(rng: np.random.Generator, heads: int, shared: int) -> list[Any]:
    """Return random queries, keys and values of four positions."""
    return [rng.standard_normal((1, n, 4, 8)) for n in (heads, shared, shared)]


def memory() -> None:
    """Print how large a cache of keys and values is, with two bytes for a number."""
    print("gigabytes of keys and values of one text")
    print("                 tokens   heads   own keys   shared")
    for name, (layers, heads, shared, size, tokens) in MODELS.items():
        own, less = (2 * 2 * layers * tokens * size * n / 1e9 for n in (heads, shared))
        print(f"  {name:14}{tokens:7,}{f'{heads} / {shared}':>8}{own:11.2f}{less:9.2f}")


def draw() -> Figure:
    """Draw silu beside ReLU, and the product of gate and up."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    curves, product = figure.subplots(1, 2)
    x = np.linspace(-6, 6, 241)
    y, cache = F.silu(x)
    curves.plot(x, np.maximum(x, 0), "--", color="gray", label="ReLU")
    curves.plot(x, y, color=drawing.COLORS[0], linewidth=3, label="silu")
    slope = F.silu_backward(np.ones_like(x), cache)
    curves.plot(x, slope, color=drawing.COLORS[1], linewidth=2, label="slope of silu")
    curves.axhline(0, color="gray", linewidth=0.5)
    curves.set(title="silu and its slope", xlabel="x", ylim=(-0.7, 4))
    curves.legend(frameon=False)
    axis = np.linspace(-4, 4, 161)
    gate, up = np.meshgrid(axis, axis)
    image = product.imshow(
        F.swiglu(gate, up)[0],
        cmap="RdBu_r",
        vmin=-12,
        vmax=12,
        origin="lower",
        extent=(-4, 4, -4, 4),
    )
    figure.colorbar(image, ax=product)
    product.set(title="swiglu: silu(gate) times up", xlabel="gate", ylabel="up")
    return figure
