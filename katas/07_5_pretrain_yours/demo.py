"""Live code of kata 7.5: pretrain a small GPT, read what it writes, and do it on less text."""

from __future__ import annotations

import lzma
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.course.demos import Course
from minilm.data.documents import read_documents
from minilm.models import batches, generate, scores
from minilm.nn import optim
from minilm.nn.config import SIZES
from minilm.nn.gpt import GPT
from minilm.random import generator
from minilm.text.bpe import BytePairTokenizer

STEPS, WARMUP, RATE, EVERY = 1500, 50, 3e-3, 125
VOCABULARY = 512
TEMPERATURES = (0.5, 1.0, 1.5)
PROMPT = "The film"
LIBRARY = "all, the library"
SIZE = SIZES["kata"]


@dataclass
class Run:
    """A training run: the model, and bits per byte at some steps.

    `learned` is measured on text that the model learns from, `unseen` on the held-out part.
    """

    model: GPT
    steps: list[int] = field(default_factory=list)
    learned: list[float] = field(default_factory=list)
    unseen: list[float] = field(default_factory=list)


def run(course: Course) -> dict[str, float]:
    """Train on all of the text and on a tenth of it; return what the questions ask for."""
    texts = list(read_documents([resources.corpora_dir() / "reviews_unlabelled.txt"], unit="lines"))
    held_out, training = texts[::10], [text for i, text in enumerate(texts) if i % 10]
    tenth = training[::10]
    tokenizer = BytePairTokenizer.train(tenth, VOCABULARY)
    print(f"{len(training):,} reviews to learn from, {len(held_out)} held out")
    runs = {}
    for name, part in (("all of the text", training), ("a tenth of it", tenth)):
        runs[name] = train(name, tokenizer, part, held_out)
    whole, less = runs.values()
    with course.library():
        runs[LIBRARY] = train("the library", tokenizer, training, held_out)
    print("bits per byte of unseen reviews")
    print(f"  plain text        {8.0:.2f}")
    print(f"  not trained       {whole.unseen[0]:.2f}")
    print(f"  compressed (xz)   {compressed(held_out):.2f}")
    for name, found in runs.items():
        seen = f"{found.learned[-1]:.2f} on what it learned from"
        print(f"  {name:18}{found.unseen[-1]:.2f}, {seen}")
    print("words of 4 letters or more that occur in the reviews")
    words = samples(whole.model, tokenizer, training)
    course.picture(draw(runs), "bits_per_byte")
    return {
        "fresh": whole.unseen[0],
        "trained": whole.unseen[-1],
        "tenth": less.unseen[-1],
        "words_at_low": words[0],
        "words_at_high": words[-1],
    }


def encoded(tokenizer: BytePairTokenizer, texts: Sequence[str]) -> np.ndarray:
    """Return the tokens of texts one after another, with a line break between two."""
    return np.array(tokenizer.encode("\n".join(texts)), np.int64)


def train(
    name: str, tokenizer: BytePairTokenizer, texts: Sequence[str], held_out: Sequence[str]
) -> Run:
    """Train a new model for STEPS steps, on as many tokens whatever the text."""
    ids, unseen = encoded(tokenizer, texts), encoded(tokenizer, held_out)
    context, batch = SIZE.config.n_positions, SIZE.batch
    found = Run(GPT(SIZE.config, rng=generator(0, "parameters")))
    windows = batches.ShuffledWindows(ids, context, batch, 0)
    optimizer = optim.AdamW(found.model.parameters, weight_decay=0.1)
    epochs = STEPS * batch * context / len(ids)
    print(f"{name}: {len(ids):,} tokens, read {epochs:.1f} times")
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            found.steps.append(step)
            found.learned.append(score(found.model, ids, texts))
            found.unseen.append(score(found.model, unseen, held_out))
        if step < STEPS:
            _, gradient = found.model.loss_and_grad(*windows[step])
            rate = optim.warmup_decay(step, peak=RATE, warmup=WARMUP, total=STEPS, floor=RATE / 10)
            optimizer.update(gradient, learning_rate=rate)
    return found


def score(model: GPT, ids: np.ndarray, texts: Sequence[str]) -> float:
    """Return the bits per byte of texts, by a few thousand tokens that are spread over them."""
    pieces = list(batches.spaced(ids, SIZE.config.n_positions, SIZE.batch, 1 << 13))
    losses = [model.loss(x, y) for x, y in pieces]
    loss = scores.mean_loss(losses, [int(np.count_nonzero(y != -100)) for _, y in pieces])
    return scores.bits_per_byte(loss, len(ids), len("\n".join(texts).encode()))


def compressed(texts: Sequence[str]) -> float:
    """Return the bits per byte that a good compressor needs, which knows no text but this."""
    data = "\n".join(texts).encode()
    return 8 * len(lzma.compress(data)) / len(data)


def samples(model: GPT, tokenizer: BytePairTokenizer, texts: Sequence[str]) -> list[float]:
    """Print a sample at each temperature; return the shares of words that the reviews have."""
    known = set(_words(" ".join(texts)))
    start, shares = tokenizer.encode(PROMPT), []
    for temperature in TEMPERATURES:
        made = generate.generate(
            model,
            start,
            1200,
            generate.Sampling(temperature),
            rng=generator(0, "text"),
            slide=True,
        )
        text = tokenizer.decode([*start, *(token.id for token in made)])
        written = _words(text)[:-1]  # the last one may be cut off
        shares.append(float(np.mean([word in known for word in written])))
        print(f"temperature {temperature}: {shares[-1]:.0%}")
        line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split())[:168])
        for i in range(0, len(line), 56):
            print(f"  {line[i : i + 56].strip()}")
    return shares


def _words(text: str) -> list[str]:
    """Return the words of four letters or more: shorter ones are words by chance too often."""
    return re.findall(r"[a-z]{4,}", text.lower())


def draw(runs: dict[str, Run]) -> Figure:
    """Draw bits per byte over the steps, on seen and unseen text."""
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axes = figure.subplots()
    for (name, found), color in zip(runs.items(), drawing.COLORS, strict=False):
        if name == LIBRARY:  # on top of the first one, if all is well
            axes.plot(found.steps, found.unseen, "k.", markersize=9, label=f"{name}, unseen")
            continue
        style = {"color": color, "linewidth": 2}
        axes.plot(found.steps, found.unseen, label=f"{name}, unseen reviews", **style)
        axes.plot(found.steps, found.learned, "--", label=f"{name}, what it learns from", **style)
    axes.set(title="pretraining", xlabel="steps", ylabel="bits per byte", ylim=(2, None))
    axes.legend(frameon=False)
    return figure
