"""LoRA by hand, at its start, by rank, and beside a real model that it does not change."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.nn import gpt, lora, optim
from minilm.nn.config import SIZES, TARGETS, GPTConfig
from minilm.nn.parameters import param_shapes
from minilm.text.words import Vocabulary, WordTokenizer

RANKS = (1, 2, 3, 4, 8)
CONFIG = GPTConfig(vocab_size=200, n_positions=12, n_embd=32, n_layer=2, n_head=2)
LONG = 300_000  # characters of each corpus


def run(course: Any) -> None:
    """Print five small experiments and draw two of them."""
    by_hand()
    first_steps()
    sizes()
    errors = by_rank()
    course.picture(draw(errors, beside_a_model()), "lora")


def by_hand() -> None:
    """One row, rank 1."""
    x, a = np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]])
    b = np.array([[1.0], [0.0], [2.0]])
    y, cache = lora.low_rank(x, a, b, 2.0)
    dx, da, db = lora.low_rank_backward(np.array([[1.0, 0.0, 1.0]]), cache)
    merged = lora.merged_weight(np.zeros((2, 3)), a, b, 2.0)
    print(f"narrow {row(cache[1])}   y {row(y)}")
    print(f"dx {row(dx)}   da {row(da)}   db {row(db)}")
    print(f"as one matrix: {row(merged[0])} {row(merged[1])}")


def first_steps() -> None:
    """Three ways to begin, and how long the gradients of the factors are."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((20, 12)), rng.standard_normal((20, 9))
    random_a, random_b = rng.standard_normal((3, 12)), rng.standard_normal((9, 3))
    print("the start          size of y   of da   of db")
    for name, a, b in (
        ("A random, B zero", random_a, 0 * random_b),
        ("both zero", 0 * random_a, 0 * random_b),
        ("both random", random_a, random_b),
    ):
        y, cache = lora.low_rank(x, a, b, 1.0)
        _, da, db = lora.low_rank_backward(dy, cache)
        lengths = [np.sqrt(np.mean(array**2)) for array in (y, da, db)]
        print(f"  {name:16}  {lengths[0]:8.2f}{lengths[1]:8.2f}{lengths[2]:8.2f}")


def sizes() -> None:
    """Count the numbers of adapters to GPT-2."""
    config = SIZES["gpt2"].config
    base = sum(int(np.prod(shape)) for shape in param_shapes(config).values())
    print(f"GPT-2 has {base:,} parameters; adapters to it")
    for rank in (1, 4, 16):
        shapes = lora.adapter_shapes(config, rank).values()
        count = sum(int(np.prod(shape)) for shape in shapes)
        print(f"  rank {rank:2}: {count:9,}   {count / base:.2%}")


def by_rank() -> dict[int, tuple[float, float]]:
    """Learn a change of rank 3, and some noise; return the error reached and the least possible."""
    rng = np.random.default_rng(1)
    change = rng.standard_normal((20, 3)) @ rng.standard_normal((3, 16))
    change += 0.1 * rng.standard_normal(change.shape)
    x = rng.standard_normal((400, 20))
    singular = np.linalg.svd(change, compute_uv=False)
    print("a matrix has to change by something of rank 3, and noise")
    print("  rank   error reached   least possible   numbers")
    errors = {}
    for rank in RANKS:
        a, b = learn(x, x @ change, rank)
        left = change - lora.merged_weight(np.zeros(change.shape), a, b, 1.0)
        reached = np.linalg.norm(left) / np.linalg.norm(change)
        least = np.sqrt((singular[rank:] ** 2).sum() / (singular**2).sum())
        errors[rank] = (float(reached), float(least))
        print(f"  {rank:4}   {reached:13.2f}   {least:14.2f}   {a.size + b.size:7}")
    return errors


def learn(x: Any, wanted: Any, rank: int) -> tuple[Any, Any]:
    """Return the factors after 300 steps of AdamW."""
    rng = np.random.default_rng(2)
    factors = [
        rng.normal(0.0, x.shape[1] ** -0.5, (rank, x.shape[1])),
        np.zeros((wanted.shape[1], rank)),
    ]
    state = [(np.zeros(f.shape), np.zeros(f.shape)) for f in factors]
    for step in range(1, 301):
        y, cache = lora.low_rank(x, *factors, 1.0)
        gradients = lora.low_rank_backward((y - wanted) / len(x), cache)[1:]
        rate = 0.1 * (1 - step / 301)
        for i, g in enumerate(gradients):
            factors[i], *state[i] = optim.adamw(
                factors[i], g, *state[i], step=step, learning_rate=rate
            )
    return factors[0], factors[1]


def beside_a_model() -> dict[str, tuple[float, ...]]:
    """Pretrain on general text, adapt to a customer service; return the losses on both."""
    general, service = texts()
    base = gpt.GPT(CONFIG, rng=np.random.default_rng(3), dtype=np.float64)
    train(base, general, steps=120)

    model, adapter = adapted(base, rank=4)
    losses = {"base": both(base, general, service)}
    losses["adapter, untrained"] = both(model, general, service)
    train(model, service, steps=100)
    losses["adapter on"] = both(model, general, service)
    merged = gpt.GPT(CONFIG, parameters=lora.merge(model.parameters, adapter))
    losses["merged"] = both(merged, general, service)
    model.use(None)
    losses["adapter off"] = both(model, general, service)
    same = all(np.array_equal(base.parameters[n], model.parameters[n]) for n in base.parameters)

    whole = gpt.GPT(CONFIG, parameters=base.parameters.extended({}))
    train(whole, service, steps=100)
    losses["all trained instead"] = both(whole, general, service)

    trained = model.parameters.count_trainable()
    print(f"a model of {base.parameters.count():,} parameters, an adapter of {trained:,}")
    print("  loss                 general   service")
    for name, (one, other) in losses.items():
        print(f"  {name:19}  {one:7.2f}   {other:7.2f}")
    print(f"  the base is what it was, to the bit: {'yes' if same else 'no'}")
    return losses


def adapted(base: gpt.GPT, *, rank: int) -> tuple[gpt.GPT, lora.Adapter]:
    """Return a model that has the base's parameters, frozen, and an adapter beside them."""
    store = base.parameters.extended(lora.adapter_shapes(CONFIG, rank))
    store.freeze(*base.parameters)
    adapter = lora.Adapter(rank, 2.0 * rank, TARGETS, store)
    lora.initialize(adapter, CONFIG, rng=np.random.default_rng(4))
    model = gpt.GPT(CONFIG, parameters=store)
    model.use(adapter)
    return model, adapter


def texts() -> list[Any]:
    """Return the word ids of both corpora, by one vocabulary."""
    tokenizer = WordTokenizer()
    words = [
        tokenizer.tokenize((resources.corpora_dir() / name).read_text(encoding="utf-8")[:LONG])
        for name in ("general.txt", "support_conversations.txt")
    ]
    vocabulary = Vocabulary.from_documents(words, max_size=CONFIG.vocab_size, unknown="<unk>")
    return [np.array(vocabulary.encode(part)) for part in words]


def windows(ids: Any, starts: Any) -> tuple[Any, Any]:
    """Return inputs and targets, (B, T) each."""
    places = starts[:, None] + np.arange(CONFIG.n_positions + 1)
    return ids[places[:, :-1]], ids[places[:, 1:]]


def train(model: gpt.GPT, ids: Any, *, steps: int) -> None:
    """Train on random windows of the first nine tenths."""
    rng = np.random.default_rng(5)
    optimizer = optim.AdamW(model.parameters)
    end = len(ids) * 9 // 10 - CONFIG.n_positions
    for step in range(steps):
        _, gradient = model.loss_and_grad(*windows(ids, rng.integers(0, end, 12)))
        optimizer.update(gradient, learning_rate=0.01 * (1 - step / steps))


def both(model: gpt.GPT, *corpora: Any) -> tuple[float, ...]:
    """Return the losses on the last tenth of each corpus."""
    found = []
    for ids in corpora:
        starts = np.arange(len(ids) * 9 // 10, len(ids) - CONFIG.n_positions - 1, 60)
        found.append(float(model.loss(*windows(ids, starts))))
    return tuple(found)


def row(x: Any) -> str:
    """Return small numbers in brackets."""
    return f"[{' '.join(f'{value:g}' for value in np.ravel(x))}]"


def draw(errors: dict[int, tuple[float, float]], losses: dict[str, tuple[float, ...]]) -> Figure:
    """Draw the error by rank, and the losses with the adapter on and off."""
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    rank, bars = figure.subplots(1, 2)
    reached, least = zip(*errors.values(), strict=True)
    rank.plot(RANKS, least, "--", color=drawing.COLORS[6], label="least possible (SVD)")
    rank.plot(RANKS, reached, "o", markersize=9, color=drawing.COLORS[0], label="LoRA")
    rank.set(title="a change of rank 3, and noise", xlabel="rank", ylabel="error", ylim=(0, 1))
    rank.legend()
    names = ("base", "adapter on", "adapter off", "all trained instead")
    places = np.arange(len(names))
    for i, (corpus, color, hatch) in enumerate(
        (("general", drawing.COLORS[0], ""), ("service", drawing.COLORS[1], "//"))
    ):
        heights = [losses[name][i] for name in names]
        bars.bar(places + 0.4 * i - 0.2, heights, 0.4, color=color, hatch=hatch, label=corpus)
    bars.set_xticks(places, (name.replace(" ", "\n", 1) for name in names))
    bars.set(title="loss in nats, by text", ylim=(0, 1.3 * max(map(max, losses.values()))))
    bars.legend(ncols=2)
    return figure
