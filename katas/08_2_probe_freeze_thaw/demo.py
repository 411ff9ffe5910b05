"""What freezing is, what each method trains, and a real fine-tuning run with the learner's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.data.labelled import read_labelled
from minilm.nn import gpt, lora, optim, parameters
from minilm.nn.config import SIZES, GPTConfig
from minilm.text.words import Vocabulary, WordTokenizer
from minilm.training import finetune, unfreezing
from minilm.training.settings import FinetuneSettings

CONFIG = GPTConfig(vocab_size=600, n_positions=24, n_embd=24, n_layer=2, n_head=2)
PARTS = ("embeddings", "layer 0", "layer 1", "final norm")
LABELS = 100
RUNS = {
    "probe": FinetuneSettings("probe", updates=60),
    "last-n": FinetuneSettings("last-n", updates=60, learning_rate=5e-3, layer_decay=0.1),
    "gradual": FinetuneSettings("gradual", updates=60, learning_rate=5e-3, layer_decay=0.1),
    "full, one rate": FinetuneSettings("full", updates=60, layer_decay=1.0),
    "full, 0.3": FinetuneSettings("full", updates=60, layer_decay=0.3),
}


def run(course: Any) -> None:
    """Print four small experiments and draw the last one."""
    by_hand()
    frozen_by_zeros()
    in_gpt2()
    course.picture(draw(fine_tuned()), "moved")


def by_hand() -> None:
    """Two layers, one name at each level."""
    levels = {"wte": 3, "h.0": 2, "h.1": 1, "score.weight": 0}
    for i, names in enumerate(unfreezing.stages(levels, "gradual")):
        print(f"stage {i}: {' '.join(names)}")
    factors = unfreezing.rate_factors(levels, 0.1)
    print("rates: " + "  ".join(f"{name} {factor:g}" for name, factor in factors.items()))
    shapes = {"matrix": (3, 4), "bias": (4,)}
    print(f"numbers: {parameters.count_of(shapes, shapes)}")


def frozen_by_zeros() -> None:
    """Give AdamW a gradient of 1 for three steps, then of 0: the weight goes on."""
    w, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    found = []
    for step in range(1, 7):
        g = np.array([1.0 if step <= 3 else 0.0])
        w, m, v = optim.adamw(w, g, m, v, step=step, learning_rate=0.1)
        found.append(f"{w[0]:.2f}")
    print(f"gradient 1, 1, 1: w {' '.join(found[:3])}")
    print(f"    then 0, 0, 0: w {' '.join(found[3:])}")


def in_gpt2() -> None:
    """Count what each method trains in GPT-2, for two labels."""
    config = SIZES["gpt2"].config
    body = parameters.param_shapes(config)
    shapes = {**body, "score.weight": (2, config.n_embd), **lora.adapter_shapes(config, 4)}
    levels = unfreezing.below_the_head(shapes, config)
    plain = {name: level for name, level in levels.items() if ".lora_" not in name}
    base = parameters.count_of(body, body)
    print(f"GPT-2, {base:,} parameters, 2 labels; trained")
    for method in ("probe", "lora", "last-n", "full"):
        [names] = unfreezing.stages(levels if method == "lora" else plain, method)
        count = parameters.count_of(shapes, names)
        print(f"  {method:7}{count:12,}   {count / base:8.3%}")
    decay = FinetuneSettings("full").decay(config.n_layer)
    factors = unfreezing.rate_factors(plain, decay)
    print(f"its rates by level, decay {decay:.3f}")
    for name in ("score.weight", "h.11.ln_1.bias", "h.5.ln_1.bias", "wte.weight"):
        print(f"  level {levels[name]:2}   {factors[name]:.3f}   {name}")


def fine_tuned() -> dict[str, dict[str, float]]:
    """Pretrain a small GPT, fine-tune it in five ways; return how far each part moved."""
    base, encoded, labels = prepared()
    found = {}
    print(f"{LABELS} tickets, 60 steps; how far each part moved, in percent")
    print(" " * 16 + "".join(f"{part:>11}" for part in PARTS))
    for name, settings in RUNS.items():
        fitted = finetune.fit(CONFIG, base, encoded, labels, classes=5, settings=settings)
        found[name] = moved(base, fitted.model.parameters)
        print(f"  {name:14}" + "".join(f"{found[name][part]:11.1f}" for part in PARTS))
    return found


def moved(base: Any, after: Any) -> dict[str, float]:
    """Return how far each part of the body is from where it was, in percent of its length."""
    levels = unfreezing.below_the_head(base, CONFIG)
    found = {}
    for level, part in zip((3, 2, 1, 0), PARTS, strict=True):
        names = [name for name in base if levels[name] == level]
        one, other = (np.concatenate([s[n].ravel() for n in names]) for s in (base, after))
        found[part] = 100 * float(np.linalg.norm(other - one) / np.linalg.norm(one))
    return found


def prepared() -> tuple[Any, Any, Any]:
    """Return a GPT pretrained on a shop's conversations, and encoded tickets, and their labels."""
    folder = resources.corpora_dir()
    tokenizer = WordTokenizer()
    text = (folder / "support_conversations.txt").read_text(encoding="utf-8")[:200_000]
    words = tokenizer.tokenize(text)
    vocabulary = Vocabulary.from_documents([words], max_size=CONFIG.vocab_size, unknown="<unk>")
    ids = np.array(vocabulary.encode(words))
    model = gpt.GPT(CONFIG, rng=np.random.default_rng(0), dtype=np.float64)
    optimizer, rng = optim.AdamW(model.parameters), np.random.default_rng(1)
    time = CONFIG.n_positions
    for step in range(80):
        places = rng.integers(0, len(ids) - time, 8)[:, None] + np.arange(time + 1)
        _, gradient = model.loss_and_grad(ids[places[:, :-1]], ids[places[:, 1:]])
        optimizer.update(gradient, learning_rate=0.01 * (1 - step / 80))
    tickets = read_labelled(folder / "support_tickets.csv")
    kinds = sorted(set(tickets.labels))
    chosen = np.random.default_rng(2).permutation(len(tickets.texts))[:LABELS]
    encoded = [vocabulary.encode(tokenizer.tokenize(tickets.texts[i]))[:time] for i in chosen]
    return model.parameters, encoded, np.array([kinds.index(tickets.labels[i]) for i in chosen])


def draw(found: dict[str, dict[str, float]]) -> Figure:
    """Draw how far each part moved, by method."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    axes = figure.subplots()
    hatches = ("", "//", "..", "xx", "\\\\")
    for i, (name, values) in enumerate(found.items()):
        places = np.arange(len(PARTS)) + 0.16 * (i - 2)
        heights = [values[part] for part in PARTS]
        color = drawing.COLORS[i]
        axes.bar(places, heights, 0.16, color=color, hatch=hatches[i], label=name)
    axes.set_xticks(range(len(PARTS)), PARTS)
    axes.set(title="how far each part of the body moved", ylabel="percent of its length")
    axes.legend()
    return figure
