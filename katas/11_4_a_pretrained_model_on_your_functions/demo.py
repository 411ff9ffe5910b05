"""Live code of kata 11.4: SmolLM2 on your functions, and with parts exchanged."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.arrays import Array
from minilm.course import catalog, pretrained, targets
from minilm.course.demos import Course
from minilm.data.documents import read_documents
from minilm.models import chat, scores
from minilm.models.generate import Sampling
from minilm.models.language_model import LanguageModel
from minilm.nn import functional as F

NORM = "minilm.nn.functional.rms_norm"
PROMPT = "What is a verb? Answer in one sentence."
REPLY, SHORT, TOKENS = 40, 16, 512
WIDTH = 58
OWN = 2.27  # bits per byte of the model of kata 7.5


def run(course: Course) -> dict[str, float]:
    """Let it answer, then measure it with each part exchanged; return what is asked for."""
    model = pretrained.load()
    config = model.config
    print(f"SmolLM2: {config.n_layer} blocks, width {config.n_embd}, heads {config.n_head}")
    print(f"  {config.kv_heads} heads of keys, {model.gpt.parameters.flat.size:,} parameters")
    whose()
    print(f"> {PROMPT}")
    print(f"  {reply(model, REPLY)}")
    norms = calls_of_the_norm(model)
    print(f"calls of rms_norm for each token: {norms}")
    found = {name: bits(model, exchanged) for name, exchanged in exchanges().items()}
    print("bits per byte of film reviews")
    print(f"  your model of kata 7.5      {OWN:6.2f}")
    for name, value in found.items():
        print(f"  {name:28}{value:6.2f}")
    print("its reply, with a part exchanged")
    for name, exchanged in list(exchanges().items())[1:]:
        with targets.replaced(exchanged), np.errstate(all="ignore"):
            print(f"  {name}: {reply(model, SHORT, len(name) + 2)}", flush=True)
    course.picture(draw(found), "exchanged")
    names = ("right", "gelu", "layer_norm", "neighbors", "tiled")
    return {"norms": float(norms), **dict(zip(names, found.values(), strict=False))}


def whose() -> None:
    """Print which of the functions that it may call are the learner's."""
    found = [
        target.name
        for kata in catalog.all_katas()
        for target in kata.targets
        if not target.is_class and getattr(target.module, target.name) is not target.reference
    ]
    print(f"functions of yours that are plugged in: {len(found)}")
    for line in textwrap.wrap(", ".join(found), 56):
        print(f"  {line}")


def reply(model: LanguageModel, most: int, used: int = 0) -> str:
    """Return a greedy reply in lines that fit, of which some of the first one is used."""
    talk = chat.Chat(model, Sampling(0), max_new_tokens=most)
    said = "".join(c if c.isprintable() else " " for c in "".join(talk.reply(PROMPT)))
    lines = textwrap.wrap("-" * used + (said.strip() or "(nothing)"), WIDTH)
    return "\n  ".join(lines)[used:]


def calls_of_the_norm(model: LanguageModel) -> int:
    """Return how often the norm is called for a token."""
    with pretrained.plugged({NORM: F.rms_norm}) as calls:
        model.logits([1])
    return calls[NORM]


def exchanges() -> dict[str, dict[str, Callable[..., Any]]]:
    """Return what is exchanged, by the name it is printed under."""
    room = "minilm.nn.functional"
    return {
        "SmolLM2": {},
        "GELU for silu": {f"{room}.swiglu": with_gelu},
        "layer norm for RMS norm": {NORM: layer_norm},
        "neighbors for halves": {f"{room}.rotary": neighbors},
        "tiled for repeated keys": {f"{room}.grouped_query_attention": tiled},
        "no positions": {f"{room}.rotary": unturned},
        "no gate": {f"{room}.swiglu": ungated},
    }


def layer_norm(x: Array, gain: Array, epsilon: float = 1e-5) -> Any:
    """Take the mean off, too."""
    return F.layer_norm(x, gain, np.zeros_like(gain), epsilon)


def neighbors(x: Array, cos: Array, sin: Array) -> Any:
    """Pair channels 0 and 1, 2 and 3, and so on."""
    a, b = x[..., ::2], x[..., 1::2]
    return np.stack([a * cos - b * sin, b * cos + a * sin], axis=-1).reshape(x.shape), None


def unturned(x: Array, cos: Array, sin: Array) -> Any:
    """Do nothing: no position is known."""
    return x, None


def tiled(q: Array, k: Array, v: Array, keep: Array | None = None) -> Any:
    """Share keys and values in another order."""
    times = (1, q.shape[1] // k.shape[1], 1, 1)
    return F.attention(q, np.tile(k, times), np.tile(v, times), keep)


def with_gelu(gate: Array, up: Array) -> Any:
    """Bend the gate as GPT-2 would."""
    return F.gelu(gate)[0] * up, None


def ungated(gate: Array, up: Array) -> Any:
    """Leave the gate out: silu of up."""
    return F.silu(up)[0], None


def bits(model: LanguageModel, exchanged: dict[str, Callable[..., Any]]) -> float:
    """Return the bits per byte of held-out film reviews, with parts exchanged."""
    tokenizer = model.tokenizer
    if tokenizer is None:
        raise AssertionError("SmolLM2 has a tokenizer")
    texts = list(read_documents([resources.corpora_dir() / "reviews_unlabelled.txt"], unit="lines"))
    ids = np.array(tokenizer.encode("\n".join(texts[::10])[: 8 * TOKENS])[: TOKENS + 1])
    with targets.replaced(exchanged), np.errstate(all="ignore"):
        loss = model.gpt.loss(ids[None, :-1], ids[None, 1:])
    size = len(tokenizer.decode(ids[1:].tolist()).encode())
    return scores.bits_per_byte(loss, len(ids) - 1, size)


def draw(found: dict[str, float]) -> Figure:
    """Draw the bits per byte as bars."""
    bars = {"your model of 7.5": OWN, **found}
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    axes = figure.subplots()
    colors = ["gray", drawing.COLORS[0], *[drawing.COLORS[1]] * len(found)]
    axes.barh(list(bars), list(bars.values()), color=colors[: len(bars)])
    axes.invert_yaxis()
    for place, value in enumerate(bars.values()):
        axes.text(value, place, f" {value:.2f}", va="center")
    axes.margins(x=0.1)
    axes.set(title="one pretrained model, one part exchanged", xlabel="bits per byte of reviews")
    return figure
