"""Cases of the figures: batches that differ in size, losses small and huge, other tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.errors import OptionError
from minilm.models import scores
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.parallel import Shards
from minilm.nn.parameters import Parameters, param_shapes


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases of each function, refusals last."""
    for name, losses, counts in (
        ("two batches", [2.5, 4.0], [30, 10]),
        ("five batches, the last one short", [3.1, 2.2, 2.9, 3.3, 7.5], [64, 64, 64, 64, 3]),
        ("a batch without a token", [2.0, 9.0, 3.5], [12, 0, 5]),
        ("one batch", [1.75], [8]),
        ("batches of one token", [0.5, 1.5, 2.5, 6.0], [1, 1, 1, 1]),
    ):
        yield Call("mean_loss", {"losses": losses, "counts": counts}, returns="loss", name=name)
    for name, losses, counts in (
        ("no token in any batch", [2.0, 3.0], [0, 0]),
        ("no batch", [], []),
    ):
        inputs = {"losses": losses, "counts": counts}
        yield Call("mean_loss", inputs, raises=OptionError, name=name)
    for loss, name in (
        (2.3, "a loss of 2.3"),
        (0.0, "a loss of 0"),
        (7.9, "a loss of 7.9"),
        (5000.0, "a loss of 5000"),
    ):
        yield Call("perplexity", {"loss": loss}, returns="perplexity", name=name)
    for name, loss, tokens, size in (
        ("300 tokens, 1250 bytes", 3.2, 300, 1250),
        ("a token a byte", 1.7, 40, 40),
        ("tokens of more bytes than bits", 0.4, 7, 90),
        ("half a letter a token", 2.1, 30, 15),
    ):
        inputs = {"loss": loss, "tokens": tokens, "size": size}
        yield Call("bits_per_byte", inputs, returns="bits per byte", name=name)


def cut_otherwise(f: Any, rng: np.random.Generator) -> str | None:
    """Predict the same text with the same total loss, in half as many tokens."""
    many, few = f.bits_per_byte(1.5, 400, 900), f.bits_per_byte(3.0, 200, 900)
    if abs(many - few) > 1e-9:
        return (
            "half as many tokens, each at twice the loss, is the same text predicted equally well, "
            f"but yours says {many:.4g} and {few:.4g}"
        )
    return None


PROPERTIES = {"bits per byte do not depend on how a text is cut": cut_otherwise}


def whole_model() -> dict[str, Any]:
    """Measure a tiny GPT on three batches, the last one short."""
    rng = np.random.default_rng(8)
    config = GPTConfig(vocab_size=13, n_positions=7, n_embd=10, n_layer=1, n_head=2)
    parameters = Parameters(param_shapes(config), np.float64)
    parameters.flat[...] = 0.3 * rng.standard_normal(parameters.flat.shape)
    model = GPT(config, parameters=parameters)
    pieces = [tuple(rng.integers(0, 13, (2, rows, 7))) for rows in (3, 3, 1)]
    pieces[2][1][0, 2:] = -100
    with Shards(1) as shards:
        score = scores.evaluate(model, pieces, shards, np.arange(1, 14))
    return {"the figures": dict(score.figures)}
