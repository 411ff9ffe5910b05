"""The race of the steps that a comparison's time goes into, next to PyTorch, one thread each.

The shapes are those of the comparison's transformer on a text with a full vocabulary: 10,002 words,
context 64, width 64, 2 layers, 2 heads, float32. All times are for one update.

    pretraining   8 windows of 64 words, next-word loss over the vocabulary, clipping, AdamW
    fine-tuning   16 texts of 8 to 31 words, mean pooling, two classes, dropout, all parameters
    probe         reading 16 such texts with the frozen body, and a step of the head

PyTorch runs in a process of its own (`minilm.bench.torch_compare`), and the two take turns, so that
a noisy machine is noisy for both.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import statistics
import time
from typing import TYPE_CHECKING, Any

from minilm.bench.peer import Peer
from minilm.errors import MissingExtraError, OptionError
from minilm.threads import set_blas_threads

if TYPE_CHECKING:
    import numpy as np

VOCABULARY, CONTEXT, WIDTH, LAYERS, HEADS = 10_002, 64, 64, 2, 2
WINDOWS = 8
TEXTS, BATCH, SHORTEST, LONGEST = 256, 16, 8, 31
# Updates of a part in each turn; a multiple of the 16 batches that the texts make.
PARTS = {"pretraining": 8, "fine-tuning": 32, "probe": 16}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--turns", type=int, default=6, metavar="N", help="turns of each side (default: 6)"
    )
    parser.add_argument("--against", choices=("torch",), help="run PyTorch's steps in turn")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the steps in turns; the figures are medians over the turns."""
    if options.turns < 1:
        raise OptionError(f"--turns: {options.turns}; it must be 1 or more")
    set_blas_threads(1)  # before NumPy is loaded, for the surest effect
    torch = Torch() if options.against == "torch" else None
    seconds: dict[str, list[float]] = {part: [] for part in PARTS}
    others: dict[str, list[float]] = {part: [] for part in PARTS}
    try:
        ours = Ours()
        for turn in range(options.turns + 1):  # the first warms up
            for part, count in PARTS.items():
                mine = ours.take(part, count)
                theirs = torch.take(part, count) if torch is not None else math.nan
                if turn:
                    seconds[part].append(mine)
                    others[part].append(theirs)
    finally:
        if torch is not None:
            torch.close()
    parts = []
    for part in PARTS:
        record: dict[str, Any] = {"name": part, "ms": 1e3 * statistics.median(seconds[part])}
        if torch is not None:
            record["torch_ms"] = 1e3 * statistics.median(others[part])
            record["ratio"] = record["torch_ms"] / record["ms"]
        parts.append(record)
    result: dict[str, Any] = {"turns": options.turns, "parts": parts}
    if torch is not None:
        result["ratio"] = statistics.geometric_mean([part["ratio"] for part in parts])
    return result


def render(result: dict[str, Any]) -> str:
    """Return the lines for a person."""
    against = "ratio" in result
    lines = [
        f"The steps of a comparison, one thread, medians of {result['turns']} turns",
        "",
        f"{'milliseconds an update':<24}{'ours':>9}" + f"{'PyTorch':>9}{'ratio':>8}" * against,
    ]
    for part in result["parts"]:
        line = f"{part['name']:<24}{part['ms']:>9.2f}"
        lines.append(line + (f"{part['torch_ms']:>9.2f}{part['ratio']:>8.2f}" if against else ""))
    if against:
        lines.append(f"{'geometric mean':<42}{result['ratio']:>8.2f}")
        lines.append("The ratio is PyTorch's time over ours: above 1, ours is faster.")
    return "\n".join(lines)


def texts(rng: np.random.Generator) -> tuple[list[Any], np.ndarray]:
    """Return random texts of the lengths of reviews, and labels: the same on both sides."""
    lengths = rng.integers(SHORTEST, LONGEST + 1, size=TEXTS)
    return [rng.integers(2, VOCABULARY, n) for n in lengths], rng.integers(0, 2, TEXTS)


class Ours:
    """Our side: the comparison's own steps. NumPy is imported here, not before."""

    def __init__(self) -> None:
        import numpy as np

        from minilm.compare import classifiers
        from minilm.nn.config import GPTConfig
        from minilm.nn.gpt import GPT
        from minilm.nn.optim import AdamW
        from minilm.nn.parallel import Shards
        from minilm.training import finetune, loop

        rng = np.random.default_rng(0)
        self.config = GPTConfig(VOCABULARY, CONTEXT, WIDTH, LAYERS, HEADS)
        self.model = GPT(self.config, rng=rng)
        self.optimizer = AdamW(self.model.parameters)
        windows = rng.integers(0, VOCABULARY, (WINDOWS, CONTEXT + 1))
        self.batch = windows[:, :-1], windows[:, 1:]
        self.texts, self.labels = texts(rng)
        self._finetune, self._way = finetune, classifiers.WAYS["full"]
        self._train_step, self._shards = loop.train_step, Shards(1)

    def take(self, part: str, count: int) -> float:
        """Do updates of a part; return the seconds of one."""
        start = time.perf_counter()
        if part == "pretraining":
            for _ in range(count):
                self._train_step(
                    self.model,
                    self.batch,
                    self.optimizer,
                    learning_rate=1e-3,
                    shards=self._shards,
                )
        else:
            settings = self._finetune.FinetuneSettings(
                method="probe" if part == "probe" else self._way.method,
                learning_rate=self._way.learning_rate,
                layer_decay=1.0,
                updates=count,
                batch=BATCH,
            )
            self._finetune.fit(
                self.config,
                self.model.parameters,
                self.texts,
                self.labels,
                classes=2,
                settings=settings,
            )
        return (time.perf_counter() - start) / count


class Torch:
    """PyTorch's side: a process that waits for its turn."""

    def __init__(self) -> None:
        if importlib.util.find_spec("torch") is None:
            raise MissingExtraError("torch", "peers", "minilm bench compare --against torch")
        self._peer = Peer("minilm.bench.torch_compare")

    def take(self, part: str, count: int) -> float:
        """Do updates of a part; return the seconds of one."""
        return float(self._peer.ask(f"{part} {count}"))

    def close(self) -> None:
        """End the process."""
        self._peer.close()
