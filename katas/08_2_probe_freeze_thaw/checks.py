"""Cases of what is trained: five methods, three layers, names in no special order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.course.cases import Call, Case
from minilm.errors import OptionError
from minilm.nn.config import GPTConfig
from minilm.nn.gpt import initial_parameters
from minilm.store.huggingface import SCORE
from minilm.training import finetune
from minilm.training.settings import FinetuneSettings

LEVELS = {
    "h.1.mlp.c_fc.weight": 2,
    "wte.weight": 4,
    "h.0.ln_1.bias": 3,
    SCORE: 0,
    "h.2.attn.c_attn.lora_A.weight": 1,
    "h.2.attn.c_attn.weight": 1,
    "wpe.weight": 4,
    "h.0.attn.c_attn.lora_B.weight": 3,
    "ln_f.weight": 0,
}
SHAPES = {
    "wte.weight": (7, 4),
    "ln_f.weight": (4,),
    SCORE: (3, 4),
    "scale": (),
    "filters": (2, 3, 5),
    "bias": (6,),
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases."""
    plain = {"wte.weight": 2, "h.0.ln_1.bias": 1, SCORE: 0}
    yield Call("stages", {"levels": plain, "method": "full"}, name="full, one layer")
    for method in ("full", "probe", "lora", "last-n", "gradual"):
        yield Call("stages", {"levels": LEVELS, "method": method}, name=f"{method}, three layers")
    for layers in (2, 3):
        inputs = {"levels": LEVELS, "method": "last-n", "layers": layers}
        yield Call("stages", inputs, name=f"the last {layers} of three layers")
    for layers in (4, 9):
        inputs = {"levels": LEVELS, "method": "last-n", "layers": layers}
        yield Call("stages", inputs, raises=OptionError, name=f"the last {layers} of three layers")
    for decay in (0.5, 0.1, 1.0):
        inputs = {"levels": LEVELS, "decay": decay}
        yield Call("rate_factors", inputs, name=f"a decay of {decay:g}")
    for names in (["bias", "wte.weight"], ["scale", SCORE], ["filters"], [], list(SHAPES)):
        yield Call(
            "count_of",
            {"shapes": SHAPES, "names": names},
            name=f"{', '.join(names) or 'no names'}",
        )


def nothing_freezes_again(f: Any, rng: np.random.Generator) -> str | None:
    """Compare each stage of gradual unfreezing with the one before it."""
    found = f.stages(LEVELS, "gradual")
    for before, after in itertools.pairwise(found):
        if not set(before) < set(after):
            return "a stage of gradual unfreezing must train all of the stage before it, and more"
    return None


PROPERTIES = {"what is thawed stays thawed": nothing_freezes_again}


def whole_model() -> dict[str, Any]:
    """Fine-tune a tiny GPT by each method."""
    config = GPTConfig(11, 6, 4, 2, 2)
    base = initial_parameters(config, rng=np.random.default_rng(5), dtype=np.float64)
    texts = [[1, 2, 3], [4, 5], [6, 7, 8, 9], [10, 1]]
    labels = np.array([0, 1, 1, 0])
    results: dict[str, Any] = {}
    for method in ("full", "probe", "lora", "last-n", "gradual"):
        settings = FinetuneSettings(method, rank=1, updates=4, batch=2, dropout=0.0)
        fitted = finetune.fit(config, base, texts, labels, classes=2, settings=settings)
        results[f"the number of trained parameters ({method})"] = fitted.trained
        values = fitted.model.parameters
        results[f"the parameters after fine-tuning ({method})"] = np.concatenate(
            [values[name].ravel() for name in ("wte.weight", "h.1.ln_2.bias", SCORE)]
        )
    return results
