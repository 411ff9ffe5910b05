"""Live code of kata 6.5: overfit one batch, then train on reviews for a while and write."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.arrays import Ids
from minilm.course.demos import Course
from minilm.models import batches, generate
from minilm.nn import gpt, optim
from minilm.nn.config import GPTConfig
from minilm.nn.parallel import Shards
from minilm.text import words
from minilm.training import loop

CONFIG = GPTConfig(vocab_size=1000, n_positions=16, n_embd=64, n_layer=2, n_head=2)
ENOUGH = 0.05  # nats
TRIAL = 20  # steps that tell how many a minute has room for
SECONDS = 60.0
MOST_STEPS = 6000
UNKNOWN = "<unk>"


def run(course: Course) -> None:
    """Overfit one batch, train on all of the text, print and draw."""
    vocabulary, train, test = reviews()
    held_out = next(batches.spaced(test, CONFIG.n_positions, 64, len(test)))
    one = overfit(train, held_out)
    many, model = on_everything(train, held_out)
    course.picture(draw(one, many), "losses")
    print("it writes")
    for line in written(model, vocabulary):
        print(f"  {line}")


def reviews() -> tuple[words.Vocabulary, Ids, Ids]:
    """Return a vocabulary, and the reviews as ids, rare words left out: to train on, and others."""
    text = (resources.corpora_dir() / "reviews_unlabelled.txt").read_text(encoding="utf-8")
    tokenizer = words.WordTokenizer()
    lines = [tokenizer.tokenize(line) for line in text.splitlines()]
    vocabulary = words.Vocabulary.from_documents(lines, max_size=CONFIG.vocab_size, unknown=UNKNOWN)
    half = len(lines) * 9 // 10
    train, test = (
        np.concatenate([vocabulary.encode(line) for line in part]).astype(np.int64)
        for part in (lines[:half], lines[half:])
    )
    unknown = vocabulary.index[UNKNOWN]
    return vocabulary, train[train != unknown], test[test != unknown]


def overfit(train: Ids, held_out: tuple[Ids, Ids]) -> list[float]:
    """Train a fresh model on one batch until it knows it; return the losses."""
    model = gpt.GPT(CONFIG, rng=np.random.default_rng(0))
    optimizer = optim.AdamW(model.parameters, betas=loop.BETAS)
    batch = batches.windows_at(train, 1000 * np.arange(8), CONFIG.n_positions)
    print(f"one batch of {batch[1].size} targets, {model.parameters.flat.size:,} parameters")
    print(f"  ln {CONFIG.vocab_size} = {math.log(CONFIG.vocab_size):.1f}")
    before = model.loss(*held_out)
    losses: list[float] = []
    with Shards(1) as shards:
        while len(losses) < 300 and (not losses or losses[-1] >= ENOUGH):
            loss, _ = loop.train_step(model, batch, optimizer, learning_rate=3e-3, shards=shards)
            losses.append(loss)
    print(f"  the first loss is {losses[0]:.1f}")
    print(f"  under {ENOUGH} nats within 300 steps: {'yes' if losses[-1] < ENOUGH else 'no'}")
    after = model.loss(*held_out)
    worse = "worse" if after > before else "better"
    print(f"  on other reviews it is now {worse} than a fresh model")
    print(f"  (after {len(losses)} steps; on other reviews {after:.1f})")
    return losses


@dataclass
class Task:
    """What the library's loop trains."""

    model: gpt.GPT
    optimizer: optim.Optimizer
    windows: batches.ShuffledWindows

    def batch(self, step: int) -> tuple[Ids, Ids]:
        """Return the inputs and targets of a step."""
        return self.windows[step]

    def evaluate(self, shards: Shards) -> None:
        """Evaluate nothing on the way."""


def on_everything(train: Ids, held_out: tuple[Ids, Ids]) -> tuple[list[float], gpt.GPT]:
    """Train a fresh model on all windows for a while; return the losses and the model."""
    windows = batches.ShuffledWindows(train, CONFIG.n_positions, 16, seed=0)
    print(f"all of the reviews: {len(train):,} tokens, {windows.count:,} windows")
    print("  now it trains for a minute", flush=True)
    start = time.perf_counter()
    trained(windows, TRIAL, SECONDS)
    each = (time.perf_counter() - start) / TRIAL
    steps = min(MOST_STEPS, max(TRIAL, int(SECONDS / each)))
    losses, model = trained(windows, steps, SECONDS)
    print("  step          1     25    100   last")
    places = [step for step in (1, 25, 100) if step <= len(losses)]
    means = [np.mean(losses[max(0, step - 10) : step]) for step in (*places, len(losses))]
    print("  loss     " + "".join(f"{mean:7.2f}" for mean in means))
    read = len(losses) * 16 * CONFIG.n_positions / len(train)
    print(f"  {len(losses):,} steps: each token was read {read:.1f} times")
    print(f"  on other reviews: {model.loss(*held_out):.2f}")
    return losses, model


def trained(
    windows: batches.ShuffledWindows, steps: int, seconds: float
) -> tuple[list[float], gpt.GPT]:
    """Train a fresh model for some steps, or until the time is over."""
    model = gpt.GPT(CONFIG, rng=np.random.default_rng(0))
    task = Task(model, optim.AdamW(model.parameters, betas=loop.BETAS, weight_decay=0.1), windows)
    plan = loop.Plan(steps, 5e-3, min(50, steps // 2), seed=0, threads=1, evaluate_every=steps)
    losses: list[float] = []
    start = time.perf_counter()
    with Shards(1) as shards:
        for row, _ in loop.steps(task, plan, loop.State(), shards):
            losses.append(row.loss)
            if time.perf_counter() - start > seconds:
                break
    return losses, model


def written(model: gpt.GPT, vocabulary: words.Vocabulary) -> list[str]:
    """Return three beginnings as the model continues them, without unknown words."""
    unknown = vocabulary.index[UNKNOWN]
    lines = []
    rng = np.random.default_rng(1)
    for start in ("the film", "i", "this book"):
        ids = vocabulary.encode(start.split())
        made = generate.generate(
            model, ids, 14, generate.Sampling(temperature=0.7, top_k=40), rng=rng
        )
        text = [*start.split(), *(vocabulary.words[t.id] for t in made if t.id != unknown)]
        line = ""
        for word in text:
            if len(line) + len(word) < 56:
                line += f" {word}"
        lines.append(line.strip())
    return lines


def draw(one: list[float], many: list[float]) -> Figure:
    """Draw both losses."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy(np.arange(1, len(one) + 1), one, color=drawing.COLORS[0])
    left.axhline(ENOUGH, color="black", linewidth=1)
    left.set(title="one batch, again and again", xlabel="step", ylabel="loss (nats)")
    right.plot(np.arange(1, len(many) + 1), many, color=drawing.COLORS[1], linewidth=1)
    right.axhline(math.log(CONFIG.vocab_size), color="black", linewidth=1, linestyle="--")
    right.set(title="every step another batch", xlabel="step", ylim=(0, None))
    return figure
