"""The race of generation: tokens a second at batch 1, next to transformers.

Both sides have a GPT of the same shape with random weights, read a prompt and then take the
likeliest token each time, with a cache of keys and values. Each runs in its own way: what is
compared is what a user of either gets. transformers, when asked for, has a process of its own, and
the two take turns, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from typing import Any

from minilm.bench.peer import Peer
from minilm.errors import MinilmError, OptionError
from minilm.nn.config import SIZES
from minilm.threads import set_blas_threads

PROMPT, NEW = 32, 64
ROUNDS = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--size", choices=tuple(SIZES), default="gpt2", help="(default: gpt2)")
    parser.add_argument(
        "--threads", type=int, default=2, metavar="N", help="of either side (default: 2)"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, metavar="N", help=f"turns (default: {ROUNDS})"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure both, in turns; transformers only where it is installed."""
    for name in ("threads", "rounds"):
        if getattr(options, name) < 1:
            raise OptionError(f"--{name}: {getattr(options, name)}; it must be 1 or more")
    set_blas_threads(options.threads)  # before NumPy is loaded, for the surest effect
    config = SIZES[options.size].config
    new = min(NEW, config.n_positions // 2)
    prompt = min(PROMPT, config.n_positions - new)
    take = ours(options.size, prompt, new)
    theirs = None
    if all(map(importlib.util.find_spec, ("torch", "transformers"))):
        lengths = ["--prompt", str(prompt), "--new", str(new)]
        common = ["--size", options.size, "--threads", str(options.threads)]
        theirs = Peer("minilm.bench.transformers_generate", *common, *lengths)
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    try:
        take()
        if theirs is not None:
            theirs.ask("go")
        for _ in range(options.rounds):
            seconds["ours"].append(take())
            if theirs is not None:
                seconds["theirs"].append(theirs.ask("go"))
    finally:
        if theirs is not None:
            theirs.close()
    median = statistics.median(seconds["ours"])
    result: dict[str, Any] = {
        "size": options.size,
        "threads": options.threads,
        "prompt_tokens": prompt,
        "new_tokens": new,
        "rounds": options.rounds,
        "tokens_per_second": new / median,
        "ms_per_token": 1e3 * median / new,
    }
    if theirs is not None:
        other = statistics.median(seconds["theirs"])
        result["transformers_tokens_per_second"] = new / other
        result["transformers_ratio"] = other / median
    return result


def render(result: dict[str, Any]) -> str:
    """Return the lines for a person."""
    lines = [
        f"Generation, size {result['size']}, random weights, batch 1, {result['prompt_tokens']} + "
        f"{result['new_tokens']} tokens, {result['threads']} threads, median of "
        f"{result['rounds']} rounds",
        "",
        f"speed         {result['tokens_per_second']:8.1f} tokens a second, "
        f"{result['ms_per_token']:.1f} ms each",
    ]
    if "transformers_ratio" in result:
        lines += [
            f"transformers  {result['transformers_tokens_per_second']:8.1f} tokens a second, "
            "taking turns",
            f"ratio         {result['transformers_ratio']:8.2f} of its time over ours",
        ]
    return "\n".join(lines)


def ours(size: str, prompt: int, new: int) -> Any:
    """Return what generates once and gives the seconds. NumPy is imported here, not before."""
    import numpy as np

    from minilm.models import generate
    from minilm.nn.gpt import GPT

    model = GPT(SIZES[size].config, rng=np.random.default_rng(0))
    greedy = generate.Sampling(temperature=0)

    def take() -> float:
        start = time.perf_counter()
        made = list(generate.generate(model, range(prompt), new, greedy))
        seconds = time.perf_counter() - start
        if len(made) != new:
            raise MinilmError(f"{len(made)} tokens were made, not {new}")
        return seconds

    return take
