"""Live code of kata 5.6: GPT-2 counted, a GPT put together, its first loss, and the tied table."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing
from minilm.nn import functional as F
from minilm.nn import gpt, parameters
from minilm.nn.config import SIZES, GPTConfig

SMALL = GPTConfig(vocab_size=12, n_positions=8, n_embd=16, n_layer=2, n_head=4)
PARTS = {
    "words": "wte",
    "positions": "wpe",
    "attention": ".attn.",
    "MLP": ".mlp.",
    "norms": "ln_",
}


def run(course: Any) -> None:
    """Print four experiments and draw two."""
    counted = count()
    put_together()
    first_losses()
    course.picture(draw(counted, tied()), "gpt")


def count() -> dict[str, int]:
    """Add up the table of the smallest GPT-2."""
    shapes = parameters.param_shapes(SIZES["gpt2"].config)
    counted = {
        part: sum(math.prod(shape) for name, shape in shapes.items() if mark in name)
        for part, mark in PARTS.items()
    }
    print("the smallest GPT-2")
    for part, size in counted.items():
        print(f"  {part:10}{size:12,}")
    print(f"  {'together':10}{sum(counted.values()):12,}")
    return counted


def loss_and_gradients(
    ids: Any, targets: Any, layers: list[gpt.Layer], p: Any
) -> tuple[Any, Any, dict[str, Any]]:
    """Return the logits, the loss and all gradients of a GPT: the whole of it."""
    x, embedded = gpt.embed(ids, p["wte.weight"], p["wpe.weight"])
    caches = []
    for layer in layers:
        x, cache = gpt.block(x, layer)
        caches.append(cache)
    hidden, norm = F.layer_norm(x, p["ln_f.weight"], p["ln_f.bias"])
    logits, head = F.unembed(hidden, p["wte.weight"])
    loss, cross = F.cross_entropy(logits, targets)

    g: dict[str, Any] = {}
    dlogits = F.cross_entropy_backward(1.0, cross)
    dhidden, dhead = F.unembed_backward(dlogits, head)
    dx, g["ln_f.weight"], g["ln_f.bias"] = F.layer_norm_backward(dhidden, norm)
    for number in reversed(range(len(layers))):
        dx, found = gpt.block_backward(dx, caches[number], layers[number])
        g |= {f"h.{number}.{name}": array for name, array in found.items()}
    g["wte.weight"], g["wpe.weight"] = gpt.embed_backward(dx, embedded, dhead)
    return logits, loss, g


def layers_of(model: gpt.GPT) -> list[gpt.Layer]:
    """Return the layers of a model."""
    layers = []
    for number in range(model.config.n_layer):
        start = f"h.{number}."
        weights = {n.removeprefix(start): a for n, a in model.parameters.items() if start in n}
        layers.append(gpt.Layer(weights, model.config.n_head))
    return layers


def put_together() -> None:
    """Compare the GPT that is put together here with the library's."""
    model = gpt.GPT(SMALL, rng=np.random.default_rng(0), dtype=np.float64)
    ids = np.random.default_rng(1).integers(0, SMALL.vocab_size, (3, 9))
    ids, targets = ids[:, :-1], ids[:, 1:]
    logits, loss, gradients = loss_and_gradients(ids, targets, layers_of(model), model.parameters)
    right, expected = model.loss_and_grad(ids, targets)
    same = np.allclose(logits, model.logits(ids)) and np.isclose(loss, right)
    agree = sum(np.allclose(gradients[name], expected[name]) for name in expected)
    print("a GPT of your parts, beside the library's")
    print(f"  the same logits and loss: {'yes' if same else 'no'}")
    print(f"  the same gradient: {agree} of {len(expected)} parameters")


def first_losses() -> None:
    """What is the loss of a model that has learned nothing?"""
    print("before the first step of training")
    print("  words   ln V   loss   loss if 25 times as bold")
    for words in (64, 512, 4096):
        config = replace(SIZES["kata"].config, vocab_size=words)
        ids = np.random.default_rng(1).integers(0, words, (8, config.n_positions + 1))
        losses = []
        for deviation in (0.02, 0.5):
            drawn = replace(config, initializer_range=deviation)
            model = gpt.GPT(drawn, rng=np.random.default_rng(0), dtype=np.float64)
            losses.append(model.loss(ids[:, :-1], ids[:, 1:]))
        print(f"  {words:5}  {math.log(words):5.2f}  {losses[0]:5.2f}  {losses[1]:5.1f}")


def tied() -> dict[str, Any]:
    """Take the gradient of the table of words apart."""
    model = gpt.GPT(SMALL, rng=np.random.default_rng(0), dtype=np.float64)
    p = model.parameters
    sequence = np.array([[0, 1, 2, 3, 4, 5, 0, 1, 6]])
    ids, targets = sequence[:, :-1], sequence[:, 1:]
    _, _, g = loss_and_gradients(ids, targets, layers_of(model), p)
    hidden, _ = model.hidden(ids)
    logits, head = F.unembed(hidden, p["wte.weight"])
    dlogits = F.cross_entropy_backward(1.0, F.cross_entropy(logits, targets)[1])
    _, dhead = F.unembed_backward(dlogits, head)
    from_head = np.linalg.norm(dhead, axis=-1)
    from_input = np.linalg.norm(g["wte.weight"] - dhead, axis=-1)
    print("the text is 0 1 2 3 4 5 0 1 6, of 12 words")
    print("  word             from the head   from the embedding")
    for word, what in ((0, "read"), (6, "to predict only"), (11, "not there")):
        print(
            f"  {word:2} {what:16}     {zero(from_head[word])}            {zero(from_input[word])}"
        )
    return {"head": from_head, "embedding": from_input}


def zero(value: float) -> str:
    """Say whether a length is zero."""
    return "zero" if value < 1e-12 else "some"


def draw(counted: dict[str, int], lengths: dict[str, Any]) -> Figure:
    """Draw where the parameters are, and where the gradient of the words comes from."""
    figure = Figure(figsize=(13, 5), layout="constrained")
    where, rows = figure.subplots(1, 2)
    names = list(counted)[::-1]
    bars = where.barh(names, [counted[n] / 1e6 for n in names], color=drawing.COLORS[0])
    where.bar_label(bars, fmt="%.1f", padding=4)
    where.set(title="GPT-2's 124 million parameters", xlabel="millions", xlim=(0, 65))
    places = np.arange(len(lengths["head"]))
    rows.bar(places - 0.2, lengths["head"], 0.4, color=drawing.COLORS[0], label="from the head")
    rows.bar(
        places + 0.2,
        lengths["embedding"],
        0.4,
        color=drawing.COLORS[1],
        hatch="//",
        label="from the embedding",
    )
    rows.set(title="gradient of the table of words", xlabel="word", ylabel="length of the row")
    rows.set_xticks(places)
    rows.legend()
    return figure
