"""A comparison of ways to continue as a whole: runs on all cores, tables and a picture in a folder.

results.csv     a row for each way, seed, stage and text: loss in nats a token, perplexity
losses.npz      the losses of every test document, way by way: (seeds, stages + 1, documents)
summary.json    measures, intervals, verdicts
settings.json   what was compared, and on which texts
forgetting.png, forgetting.svg
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import minilm
from minilm import files
from minilm.compare import executors
from minilm.compare.forgetting import report, runs
from minilm.compare.forgetting import ways as ways
from minilm.compare.forgetting.runs import Outcome
from minilm.compare.forgetting.summary import summarize
from minilm.compare.forgetting.ways import ForgettingData, ForgettingSettings
from minilm.data.sources import find_files
from minilm.errors import OptionError, OutputError
from minilm.progress import Progress

RESULTS = "results.csv"
SUMMARY = "summary.json"
_COLUMNS = ("way", "seed", "after", "text", "loss", "perplexity")


def study(
    settings: ForgettingSettings,
    folder: Path,
    *,
    seeds: int,
    workers: int,
    overwrite: bool = False,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Run every way at every seed, write the folder, and return the summary.

    Raises
    ------
    MinilmError
        When texts or settings cannot be used, or the folder holds a study already.
    """
    if seeds < 1 or workers < 1:
        raise OptionError(f"{seeds} seeds and {workers} workers; there must be 1 or more of each")
    if (folder / RESULTS).exists() and not overwrite:
        raise OutputError(
            f"{folder}: holds a comparison already; replace it with --overwrite, or choose another "
            "--out"
        )
    data = ways.prepare(settings)
    sizes = ", ".join(f"{d.name} {len(d.train):,}" for d in data.measured)
    say(f"tokens to learn from: {sizes}")
    outcomes = _run_all(data, seeds, workers)
    summary = summarize(data, outcomes, seeds)
    folder.mkdir(parents=True, exist_ok=True)
    with files.FolderLock(folder):
        _write_results(data, outcomes, folder)
        files.write_json(folder / "settings.json", _settings(settings))
        report.draw(folder, summary)
        files.write_json(folder / SUMMARY, summary)  # last: a folder with a summary is finished
    return summary


def _run_all(data: ForgettingData, seeds: int, workers: int) -> list[dict[str, Outcome]]:
    place = executors.Here() if min(workers, seeds) == 1 else executors.ProcessRunner(workers)
    found: dict[int, dict[str, Outcome]] = {}
    try:
        with Progress("seeds", seeds) as progress:
            jobs = [[seed] for seed in range(seeds)]
            for seed, outcome in place.map(runs.run, data, jobs):
                if isinstance(outcome, executors.Lost):
                    raise OutputError(f"seed {seed}: {outcome.reason}; use fewer --workers")
                found[seed] = outcome
                progress.advance()
    finally:
        place.close()
    return [found[seed] for seed in range(seeds)]


def _write_results(
    data: ForgettingData, outcomes: Sequence[Mapping[str, Outcome]], folder: Path
) -> None:
    stages = ["before", *(domain.name for domain in data.domains)]
    ends = np.cumsum([len(domain.test) for domain in data.measured])[:-1]
    tokens = [sum(len(document) - 1 for document in d.test) for d in data.measured]
    with files.atomic_write(folder / RESULTS) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for seed, found in enumerate(outcomes):
            for way, outcome in found.items():
                for after, row in zip(stages, outcome.losses, strict=True):
                    parts = np.split(row, ends)
                    for domain, part, n in zip(data.measured, parts, tokens, strict=True):
                        loss = float(part.sum()) / n
                        figures = (round(loss, 6), round(math.exp(loss), 4))
                        writer.writerow([way, seed, after, domain.name, *figures])
    arrays = {way: np.stack([found[way].losses for found in outcomes]) for way in ways.WAYS}
    with files.atomic_write(folder / "losses.npz", "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _settings(settings: ForgettingSettings) -> dict[str, Any]:
    named = {key: [p.as_posix() for p in getattr(settings, key)] for key in ("domains", "base")}
    inputs = find_files([*settings.base, *settings.domains])
    return {
        "versions": {"minilm": minilm.__version__, "numpy": np.__version__},
        "settings": {**asdict(settings), **named},
        "ways": {name: asdict(way) for name, way in ways.WAYS.items()},
        "inputs": {path.as_posix(): files.sha256(path) for path in inputs},
    }
