"""Cases of sampling: each option alone, all together, ties, huge logits, float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.models import generate
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import GPT
from minilm.nn.parameters import Parameters, param_shapes


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases; logits of eleven tokens."""
    logits = 2 * rng.standard_normal(11)
    ties = np.array([0.5, 2.0, -1.0, 2.0, 1.0, 1.0, -3.0, 1.0])
    for name, given, options in (
        ("temperature 0.7", logits, {"temperature": 0.7}),
        ("temperature 1.8", logits, {"temperature": 1.8}),
        ("no option", logits, {}),
        ("temperature 0", logits, {"temperature": 0.0}),
        ("top-k of 4", logits, {"top_k": 4}),
        ("top-k of 1", logits, {"top_k": 1}),
        ("top-k of more than there are", logits, {"top_k": 40}),
        ("top-p of 0.8", logits, {"top_p": 0.8}),
        ("top-p of 0.01", logits, {"top_p": 0.01}),
        ("top-p of 1", logits, {"top_p": 1.0}),
        ("top-p at temperature 2.5", logits, {"temperature": 2.5, "top_p": 0.7}),
        ("everything", logits, {"temperature": 1.5, "top_k": 6, "top_p": 0.75}),
        ("logits far above zero", logits + 30, {"top_k": 5, "temperature": 0.9}),
        ("ties, temperature 0", ties, {"temperature": 0.0}),
        ("ties, top-k of 4", ties, {"top_k": 4}),
        ("ties, top-p of 0.6", ties, {"top_p": 0.6}),
        ("four equally likely, top-p of 0.5", np.full(4, 1.5), {"top_p": 0.5}),
        ("logits far apart", 400 * logits, {"temperature": 0.5, "top_p": 0.9}),
        ("float32", logits.astype(np.float32), {"temperature": 1.2, "top_k": 7}),
    ):
        inputs = {"logits": given} | options
        tolerance = 1e-5 if given.dtype == np.float32 else 1e-7
        yield Call(
            "token_probabilities", inputs, returns="probabilities", name=name, tolerance=tolerance
        )


def they_sum_to_one(f: Any, rng: np.random.Generator) -> str | None:
    """Try many options."""
    for _ in range(20):
        options = {
            "temperature": float(rng.uniform(0.2, 3.0)),
            "top_k": int(rng.integers(1, 9)),
            "top_p": float(rng.uniform(0.05, 1.0)),
        }
        total = f.token_probabilities(3 * rng.standard_normal(9), **options).sum()
        if abs(total - 1) > 1e-9:
            return f"they sum to {total:.6g}"
    return None


PROPERTIES = {"the probabilities sum to one": they_sum_to_one}


def whole_model() -> dict[str, Any]:
    """Let a tiny GPT write, with every option."""
    rng = np.random.default_rng(8)
    config = GPTConfig(vocab_size=13, n_positions=9, n_embd=10, n_layer=1, n_head=2)
    parameters = Parameters(param_shapes(config), np.float64)
    parameters.flat[...] = 0.6 * rng.standard_normal(parameters.flat.shape)
    model = GPT(config, parameters=parameters)
    results = {}
    for name, options in (
        ("what it writes", {"temperature": 1.3, "top_k": 9, "top_p": 0.9}),
        ("what it writes at temperature 0", {"temperature": 0.0}),
    ):
        sampling = generate.Sampling(**options)
        made = generate.generate(model, [3, 1], 7, sampling, rng=np.random.default_rng(1))
        results[name] = [token.id for token in made]
    return results
