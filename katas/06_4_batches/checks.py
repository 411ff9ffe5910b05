"""Cases of batches: windows in any order, that overlap, at both ends; texts that fit, or do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.models import batches
from minilm.nn import optim
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.parameters import Parameters, param_shapes

_RETURNS = ("ids", "targets")


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; no token appears twice in a text."""
    text = 1 + rng.permutation(500)
    for name, size, starts, time in (
        ("three windows of four tokens", 30, [11, 2, 20], 4),
        ("windows that overlap", 12, [3, 4, 3, 0, 5], 6),
        ("one window, as long as the text", 8, [0], 7),
        ("the first window and the last", 25, [19, 0], 5),
        ("windows of one token", 9, [7, 0, 4], 1),
    ):
        inputs = {"tokens": text[:size], "starts": np.array(starts), "time": time}
        yield Call("windows_at", inputs, returns=_RETURNS, name=name)
    stored = {"tokens": text[:30].astype(np.uint16), "starts": np.array([6, 13, 1]), "time": 4}
    yield Call("windows_at", stored, returns=_RETURNS, name="a text stored as uint16")
    for name, size, time in (
        ("eleven tokens in windows of four", 11, 4),
        ("thirteen tokens, which fit", 13, 4),
        ("less than one window", 4, 7),
        ("two tokens", 2, 3),
        ("windows of one token", 6, 1),
        ("one token beyond", 12, 5),
    ):
        yield Call("cut", {"tokens": text[:size], "time": time}, returns=_RETURNS, name=name)
    stored = {"tokens": text[:11].astype(np.uint16), "time": 3}
    yield Call("cut", stored, returns=_RETURNS, name="a text stored as uint16")


def whole_model() -> dict[str, Any]:
    """Train a tiny GPT on shuffled windows, and measure it on all of another text."""
    rng = np.random.default_rng(8)
    config = GPTConfig(vocab_size=13, n_positions=7, n_embd=10, n_layer=1, n_head=2)
    parameters = Parameters(param_shapes(config), np.float64)
    parameters.flat[...] = 0.3 * rng.standard_normal(parameters.flat.shape)
    model = GPT(config, parameters=parameters)
    tokens = rng.integers(0, config.vocab_size, 120).astype(np.uint16)
    windows = batches.ShuffledWindows(tokens[:80], 7, 3, seed=0)
    optimizer = optim.AdamW(parameters)
    for step in range(4):
        _, gradient = model.loss_and_grad(*windows[step])
        optimizer.update(gradient, learning_rate=0.01)
    held_out = list(batches.spaced(tokens[80:], 7, 3, 1000))
    return {
        "the batches": [windows[step] for step in range(4)],
        "the held-out losses": np.array([model.loss(*batch) for batch in held_out]),
    }
