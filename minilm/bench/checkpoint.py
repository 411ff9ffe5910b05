"""The race of a checkpoint: save a model's folder and load it again, next to `safetensors`.

Ours does more: it hashes every byte both ways, flushes to the disk, puts the new model in the old
one's place in one transaction, checks shapes against the configuration, and looks for NaN. The
package writes and reads one file of the same tensors. Both take turns in one process; what the
package leaves unwritten is flushed before our turn, and that time is given apart.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm.errors import OptionError
from minilm.nn.config import SIZES

if TYPE_CHECKING:
    from minilm.nn.parameters import Parameters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--size", choices=tuple(SIZES), default="gpt2", help="(default: gpt2)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="turns (default: 7)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the four, in turns; the package's only where it is installed."""
    if options.rounds < 1:
        raise OptionError(f"--rounds: {options.rounds}; it must be 1 or more")
    import numpy as np

    from minilm.nn.parameters import Parameters, param_shapes

    parameters = Parameters(param_shapes(SIZES[options.size].config), np.float32)
    np.random.default_rng(0).standard_normal(out=parameters.flat, dtype=np.float32)
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        turns = {**_ours(options.size, parameters, Path(folder)), **_theirs(parameters, folder)}
        for turn in turns.values():  # files and memory are made once
            turn()
        for _ in range(options.rounds):
            for name, turn in turns.items():
                np.ones(2 * parameters.flat.size, np.float32)
                start = time.perf_counter()
                turn()
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    result: dict[str, Any] = {
        "size": options.size,
        "parameters": parameters.count(),
        "megabytes": parameters.flat.nbytes / 1e6,
        "rounds": options.rounds,
        "seconds": medians,
    }
    if "safetensors_save" in medians:
        for what in ("save", "load"):
            result[f"{what}_ratio"] = medians[what] / medians[f"safetensors_{what}"]
        flushed = medians["safetensors_save"] + medians["safetensors_flush"]
        result["flushed_save_ratio"] = medians["save"] / flushed
    return result


def render(result: dict[str, Any]) -> str:
    """Return the lines for a person."""
    seconds = result["seconds"]
    lines = [
        f"Checkpoint, size {result['size']}: {result['parameters']:,} parameters, "
        f"{result['megabytes']:,.1f} MB, median of {result['rounds']} rounds",
        "",
        f"save   {seconds['save']:7.3f} s   with checksums, flushed, all or nothing",
        f"load   {seconds['load']:7.3f} s   verified",
    ]
    if "save_ratio" in result:
        lines += [
            "safetensors, taking turns:",
            f"save   {seconds['safetensors_save']:7.3f} s   "
            f"and {seconds['safetensors_flush']:.3f} s more to flush it",
            f"load   {seconds['safetensors_load']:7.3f} s",
            "ours over theirs:",
            f"save   {result['save_ratio']:7.2f}     {result['flushed_save_ratio']:.2f} if flushed",
            f"load   {result['load_ratio']:7.2f}",
        ]
    return "\n".join(lines)


def _ours(size: str, parameters: Parameters, folder: Path) -> dict[str, Callable[[], object]]:
    from minilm.store import folder as model_folder

    config, path = SIZES[size].config, folder / "ours"
    return {
        "save": lambda: model_folder.save(path, model_folder.model_files(config, parameters, None)),
        "load": lambda: model_folder.load(path),
    }


def _theirs(parameters: Parameters, folder: str) -> dict[str, Callable[[], object]]:
    if importlib.util.find_spec("safetensors") is None:
        return {}
    from safetensors import numpy as package

    path, tensors = os.path.join(folder, "theirs.safetensors"), dict(parameters)
    return {
        "safetensors_save": lambda: package.save_file(tensors, path),
        "safetensors_flush": lambda: _flush(path),
        "safetensors_load": lambda: package.load_file(path),
    }


def _flush(path: str) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
