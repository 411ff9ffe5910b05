"""The race of a training step: how long, how much memory, how near to the machine's limit.

The step is whole: forward, backward, clipping, AdamW, on random tokens. The limit is the float32
matrix product of this machine, measured in the same run. PyTorch, when asked for, runs in a process
of its own, and the two take turns, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import statistics
import time
from types import TracebackType
from typing import Any

from minilm.bench.memory import peak_memory_mb
from minilm.bench.peer import Peer
from minilm.errors import MissingExtraError, OptionError
from minilm.nn.config import SIZES, GPTConfig
from minilm.threads import set_blas_threads

STEPS = {"kata": 300, "class": 60, "large": 30}  # some seconds each
WARM_UP = 3
ROUNDS = 6  # turns that each side takes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--size", choices=tuple(STEPS), default="class", help="shape and batch (default: class)"
    )
    parser.add_argument(
        "--threads", type=int, default=2, metavar="N", help="shards of the batch (default: 2)"
    )
    parser.add_argument(
        "--steps", type=int, metavar="N", help="steps measured (default: by size, some seconds)"
    )
    parser.add_argument("--against", choices=("torch",), help="run PyTorch's step in turn")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, in turns, the step, the matrix product, and PyTorch's step if asked for."""
    steps = STEPS[options.size] if options.steps is None else options.steps
    for name, value in (("--steps", steps), ("--threads", options.threads)):
        if value < 1:
            raise OptionError(f"{name}: {value}; it must be 1 or more")
    set_blas_threads(1)  # before NumPy is loaded, for the surest effect
    seconds: list[float] = []
    flops_per_second = 0.0
    with Ours(options.size, options.threads) as ours:
        torch = Torch(options.size, options.threads) if options.against == "torch" else None
        try:
            for count in turns(steps):
                flops_per_second = max(flops_per_second, ours.matmul_flops_per_second())
                seconds += ours.take(count)
                if torch is not None:
                    torch.take(count)
        finally:
            if torch is not None:
                torch.close()
        parameters = ours.model.parameters.count()
    config, batch = SIZES[options.size].config, SIZES[options.size].batch
    median = statistics.median(seconds)
    result = {
        "size": options.size,
        "threads": options.threads,
        "steps": steps,
        "parameters": parameters,
        "ms_per_step": 1e3 * median,
        "tokens_per_second": batch * config.n_positions / median,
        "peak_memory_mb": peak_memory_mb(),
        "matmul_share": step_flops(config, batch) / median / flops_per_second,
        "matmul_gflops": flops_per_second / 1e9,
    }
    if torch is not None:
        other = statistics.median(torch.seconds)
        result["torch_ratio"] = other / median
        result["torch_ms_per_step"] = 1e3 * other
        result["torch_peak_memory_mb"] = torch.peak_memory_mb
    return result


def render(result: dict[str, Any]) -> str:
    """Return the lines for a person."""
    lines = [
        f"Training step, size {result['size']}: {result['parameters']:,} parameters, "
        f"{result['threads']} threads, median of {result['steps']} steps",
        "",
        f"time           {result['ms_per_step']:10.2f} ms a step",
        f"speed          {result['tokens_per_second']:10,.0f} tokens a second",
        f"peak memory    {result['peak_memory_mb']:10.0f} MiB",
        f"matrix product {result['matmul_share']:10.0%} of this machine's "
        f"{result['matmul_gflops']:.0f} GFLOP/s in float32",
    ]
    if "torch_ratio" in result:
        lines += [
            f"PyTorch        {result['torch_ms_per_step']:10.2f} ms a step, eager, taking turns; "
            f"{result['torch_peak_memory_mb']:.0f} MiB",
            f"ratio          {result['torch_ratio']:10.2f} of PyTorch's time over ours",
        ]
    return "\n".join(lines)


def step_flops(config: GPTConfig, batch: int) -> int:
    """Return the floating-point operations of the matrix products in one training step.

    Six for each matrix entry and token (two forward, four backward), and twelve for each layer,
    channel and pair of positions in attention (A. Chowdhery et al. 2022, "PaLM", appendix B). The
    position table is not multiplied with; the word table is, as the head.

    >>> step_flops(SIZES["kata"].config, 16)
    427819008
    """
    layer = config.n_embd * (4 * config.n_embd + 2 * config.inner)
    entries = config.n_layer * layer + config.vocab_size * config.n_embd
    pairs = 12 * config.n_layer * config.n_embd * config.n_positions
    return batch * config.n_positions * (6 * entries + pairs)


def turns(steps: int) -> list[int]:
    """Return how many steps each turn takes; together `steps`.

    >>> turns(20), turns(2)
    ([4, 4, 3, 3, 3, 3], [1, 1])
    """
    rounds = min(ROUNDS, steps)
    return [math.ceil((steps - turn) / rounds) for turn in range(rounds)]


class Ours:
    """Our side: a model, its optimizer, and the shards. NumPy is imported here, not before."""

    def __init__(self, size: str, threads: int) -> None:
        import numpy as np

        from minilm.nn.gpt import GPT
        from minilm.nn.optim import AdamW
        from minilm.nn.parallel import Shards
        from minilm.training import loop

        config, batch = SIZES[size].config, SIZES[size].batch
        rng = np.random.default_rng(0)
        self.model = GPT(config, rng=rng)
        self.optimizer = AdamW(self.model.parameters)
        shape = (batch, config.n_positions)
        self.batch = tuple(rng.integers(config.vocab_size, size=(2, *shape)))
        self.square = rng.random((1024, 1024), dtype=np.float32)
        self.shards = Shards(threads)
        self.step = loop.train_step
        self.take(WARM_UP)

    def take(self, steps: int) -> list[float]:
        """Take steps; return the seconds of each."""
        seconds = []
        for _ in range(steps):
            start = time.perf_counter()
            self.step(
                self.model, self.batch, self.optimizer, learning_rate=1e-3, shards=self.shards
            )
            seconds.append(time.perf_counter() - start)
        return seconds

    def matmul_flops_per_second(self) -> float:
        """Return the best of three: a product of 1,024 x 1,024 matrices on every thread at once."""
        best = math.inf
        for _ in range(3):
            start = time.perf_counter()
            self.shards.each(lambda _: self.square @ self.square, range(self.shards.count))
            best = min(best, time.perf_counter() - start)
        return self.shards.count * 2 * 1024**3 / best

    def __enter__(self) -> Ours:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the threads."""
        self.shards.close()


class Torch:
    """PyTorch's side: a process that waits for its turn (`minilm.bench.torch_train`)."""

    def __init__(self, size: str, threads: int) -> None:
        if importlib.util.find_spec("torch") is None:
            raise MissingExtraError("torch", "peers", "minilm bench train --against torch")
        arguments = ["--size", size, "--threads", str(threads)]
        self._peer = Peer("minilm.bench.torch_train", *arguments)
        self.seconds: list[float] = []
        self.peak_memory_mb = 0.0
        self.take(WARM_UP)
        self.seconds.clear()

    def take(self, steps: int) -> None:
        """Take steps; keep the seconds of each and the peak memory so far."""
        answer = self._peer.ask(steps)
        self.seconds += answer["seconds"]
        self.peak_memory_mb = answer["peak_memory_mb"]

    def close(self) -> None:
        """End the process."""
        self._peer.close()
