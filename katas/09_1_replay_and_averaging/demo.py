"""Live code of kata 9.1: both by hand, who is heard, and a model that goes on to other text."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.course.demos import Course
from minilm.nn import gpt, optim
from minilm.nn.config import GPTConfig
from minilm.text.words import Vocabulary, WordTokenizer
from minilm.training import forgetting, replay

CONFIG = GPTConfig(vocab_size=200, n_positions=12, n_embd=32, n_layer=2, n_head=2)
LONG = 300_000  # characters of each corpus
BATCH = 12
WEIGHTS = np.linspace(0, 1, 5)


def run(course: Course) -> None:
    """Print three small experiments and draw the last."""
    by_hand()
    who_is_heard()
    course.picture(draw(*going_on()), "between_two_models")


def by_hand() -> None:
    """Mix two old windows into a batch of one; average two numbers."""
    new = np.array([[1, 2, 3]]), np.array([[2, 3, 4]])
    ids, targets = replay.mixed(*new, [np.array([7, 8]), np.array([5, 6, 7, 8, 9])])
    for name, row, goal in zip(("new", "short", "long"), ids, targets, strict=True):
        print(f"  {name:5}  ids {row.tolist()!s:10}  targets {goal.tolist()}")
    for weight in (0.0, 0.25, 1.0):
        mean = forgetting.averaged(np.array([2.0, 8.0]), np.array([2.0, 4.0]), weight)
        print(f"  weight {weight:<4}  {mean.tolist()}")


def who_is_heard() -> None:
    """Draw from an old text of 2 windows and one of 30, by text and from one heap."""
    short, long = np.zeros((2, 3), int), np.ones((30, 3), int)
    rng = np.random.default_rng(1)
    drawn = replay.old_windows([short, long], 1000, rng=rng)
    heap = np.concatenate([short, long])[rng.integers(32, size=1000)]
    print("of 1,000 windows, from the short text")
    print(f"  text first     {sum(int(window[0] == 0) for window in drawn)}")
    print(f"  from one heap  {int((heap[:, 0] == 0).sum())}")


def going_on() -> tuple[Any, Any]:
    """Train on general text and then on a customer service; return the losses by weight."""
    general, service = texts()
    base = gpt.GPT(CONFIG, rng=np.random.default_rng(3), dtype=np.float64)
    train(base, general, steps=120)
    kept = sample(general, 40)
    naive, replayed = (gpt.GPT(CONFIG, parameters=base.parameters.extended({})) for _ in range(2))
    train(naive, service, steps=80)
    train(replayed, service, steps=80, kept=kept)

    mean = gpt.GPT(CONFIG, parameters=base.parameters.extended({}))
    by_weight = []
    for weight in WEIGHTS:
        flat = forgetting.averaged(naive.parameters.flat, base.parameters.flat, float(weight))
        mean.parameters.flat[...] = flat
        by_weight.append(both(mean, general, service))
    found = {
        "before": by_weight[-1],
        "naive": by_weight[0],
        "replay": both(replayed, general, service),
        "average": by_weight[2],
    }
    print("loss in nats a word    old text   new text")
    for name, (old, new) in found.items():
        print(f"  {name:18} {old:10.2f} {new:10.2f}")
    middle = np.mean([by_weight[0], by_weight[-1]], axis=0)
    print(f"  {'half of both losses':18} {middle[0]:9.2f} {middle[1]:10.2f}")
    return np.array(by_weight), found["replay"]


def texts() -> tuple[Any, Any]:
    """Return general text and a customer service's in one small vocabulary."""
    tokenizer, found = WordTokenizer(), []
    for name in ("general", "support_conversations"):
        text = (resources.corpora_dir() / f"{name}.txt").read_text(encoding="utf-8")
        found.append(tokenizer.tokenize(text[:LONG]))
    vocabulary = Vocabulary.from_documents(found, max_size=CONFIG.vocab_size, unknown="<unk>")
    general, service = (np.array(vocabulary.encode(words)) for words in found)
    return general, service


def sample(ids: Any, count: int) -> Any:
    """Return windows from the first nine tenths of a text: (count, T + 1)."""
    starts = np.random.default_rng(4).integers(0, _end(ids), count)
    return ids[starts[:, None] + np.arange(CONFIG.n_positions + 1)]


def train(model: gpt.GPT, ids: Any, *, steps: int, kept: Any = None) -> None:
    """Train on random windows; with `kept`, half as many old ones are in each batch."""
    rng, optimizer = np.random.default_rng(5), optim.AdamW(model.parameters)
    for step in range(steps):
        starts = rng.integers(0, _end(ids), BATCH)
        batch = windows(ids, starts)
        if kept is not None:
            old = replay.old_windows([kept], BATCH // 2, rng=np.random.default_rng(step))
            batch = replay.mixed(*batch, old)
        _, gradient = model.loss_and_grad(*batch)
        optimizer.update(gradient, learning_rate=0.01 * (1 - step / steps))


def windows(ids: Any, starts: Any) -> tuple[Any, Any]:
    """Return inputs and targets, (B, T) each."""
    places = starts[:, None] + np.arange(CONFIG.n_positions + 1)
    return ids[places[:, :-1]], ids[places[:, 1:]]


def _end(ids: Any) -> int:
    return len(ids) * 9 // 10 - CONFIG.n_positions


def both(model: gpt.GPT, *corpora: Any) -> tuple[float, ...]:
    """Return the losses on the last tenth of each corpus."""
    found = []
    for ids in corpora:
        starts = np.arange(len(ids) * 9 // 10, len(ids) - CONFIG.n_positions - 1, 60)
        found.append(float(model.loss(*windows(ids, starts))))
    return tuple(found)


def draw(by_weight: Any, replayed: Any) -> Figure:
    """Draw the losses on the line between both models, and those of replay."""
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.subplots()
    for column, (name, mark) in enumerate((("old text", "o"), ("new text", "s"))):
        color = drawing.COLORS[column]
        line = by_weight[:, column]
        axes.plot(WEIGHTS, line, f"-{mark}", color=color, label=name)
        axes.plot([0, 1], line[[0, -1]], ":", color=color)
        axes.axhline(
            replayed[column], color=color, linestyle="--", linewidth=1, label=f"{name}, replay"
        )
    axes.set(xlabel="weight of the old model", ylabel="loss in nats a word")
    axes.set_title("between the new model (0) and the old one (1)")
    axes.legend()
    return figure
