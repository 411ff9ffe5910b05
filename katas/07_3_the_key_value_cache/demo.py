"""Live code of kata 7.3: the same tokens for less work, and what a cache takes."""

from __future__ import annotations

import time

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.course.demos import Course
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT, KeyValueCache

SMALL = GPTConfig(vocab_size=60, n_positions=128, n_embd=32, n_layer=3, n_head=4)
LARGER = GPTConfig(vocab_size=500, n_positions=256, n_embd=128, n_layer=2, n_head=4)
LENGTHS = (16, 64, 112, 160, 208, 255)
PROMPT, TOKENS = 8, 40
ROUNDS = 12


def run(course: Course) -> None:
    """Print tokens, work, memory and what depends on what; draw the time that a token takes."""
    same_tokens()
    one_token_changed()
    memory()
    course.picture(draw(), "time")


def same_tokens() -> None:
    """Write the most likely tokens, without a cache and with one."""
    model = GPT(SMALL, rng=np.random.default_rng(0), dtype=np.float64)
    model.parameters.flat[...] *= 6  # as they are, it writes one word again and again
    prompt = list(range(PROMPT))
    plain, rows_plain = list(prompt), 0
    for _ in range(TOKENS):
        rows_plain += len(plain)
        plain.append(int(model.logits([plain])[0, -1].argmax()))
    cached, rows_cached = list(prompt), 0
    cache = KeyValueCache(model)
    new = prompt
    for _ in range(TOKENS):
        rows_cached += len(new)
        new = [int(model.next_logits([new], cache)[0].argmax())]
        cached += new
    print(f"a prompt of {PROMPT} tokens, {TOKENS} more")
    print(f"  the same tokens: {plain == cached}")
    print(f"  positions through the model without a cache: {rows_plain:,}")
    print(f"  positions through the model with a cache:    {rows_cached:,}")


def one_token_changed() -> None:
    """Change one token of a text, and show which stored keys change."""
    model = GPT(SMALL, rng=np.random.default_rng(0), dtype=np.float64)
    ids = np.arange(16)[None]
    other = ids.copy()
    other[0, 5] = 50
    caches = []
    for text in (ids, other):
        caches.append(KeyValueCache(model))
        model.next_logits(text, caches[-1])
    before, after = (cache.keys[:, 0, :, :16] for cache in caches)
    changed = np.abs(before - after).max(axis=(1, 3)) > 1e-12
    print("token 5 of 16 is another: keys that change are x")
    for layer, places in enumerate(changed):
        print(f"  layer {layer}   {''.join('x' if place else '.' for place in places)}")


def memory() -> None:
    """Print what the cache of a full context takes."""
    sizes = {
        "GPT-2": (12, 12, 64, 1024, 4),
        "Llama 2 7B": (32, 32, 128, 4096, 2),
        "the same, 8 heads of keys": (32, 8, 128, 4096, 2),
    }
    print("keys and values of a full context")
    for name, (layers, heads, size, room, item) in sizes.items():
        total = 2 * layers * heads * size * room * item
        print(f"  {name:27}{total // room / 1e3:6.0f} kB a token {total / 1e6:7,.0f} MB")


def draw() -> Figure:
    """Measure the time for one more token after texts of several lengths."""
    model = GPT(LARGER, rng=np.random.default_rng(1))
    ids = np.random.default_rng(2).integers(0, LARGER.vocab_size, (1, 256))
    caches = [KeyValueCache(model) for _ in LENGTHS]
    for length, cache in zip(LENGTHS, caches, strict=True):
        model.next_logits(ids[:, :length], cache)
    # The shortest of several rounds: whatever else the computer does only makes times longer.
    times = np.full((2, len(LENGTHS)), np.inf)
    for _ in range(ROUNDS):
        for i, (length, cache) in enumerate(zip(LENGTHS, caches, strict=True)):
            start = time.perf_counter()
            model.logits(ids[:, : length + 1])
            middle = time.perf_counter()
            model.next_logits(ids[:, length : length + 1], cache)
            end = time.perf_counter()
            cache.length = length  # take the token back
            times[:, i] = np.minimum(times[:, i], [middle - start, end - middle])
    plain, cached = 1e3 * times
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.subplots()
    for name, each, i in (("without a cache", plain, 1), ("with a cache", cached, 0)):
        style = {"color": drawing.COLORS[i], "marker": drawing.MARKERS[i]}
        axes.plot(LENGTHS, each, label=name, linewidth=2, **style)
    axes.set(
        title="one more token",
        xlabel="tokens before it",
        ylabel="milliseconds",
        ylim=(0, None),
    )
    axes.legend(frameon=False)
    return figure
