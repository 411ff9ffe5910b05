"""manifest.json: everything needed to repeat a comparison, and the machine that it ran on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

import minilm
from minilm import files
from minilm.compare import classifiers, model_folders, statistics, store, summary
from minilm.compare.data import CompareData, CompareSettings
from minilm.compare.run import Grid, Shared
from minilm.data.sources import find_files
from minilm.errors import InputError

# What decides the numbers beside the settings; other versions may round otherwise.
_VERSIONS = ("minilm", "numpy")
# CompareSettings that say where the files are and which texts there are: more texts may be added.
_PLACES = ("task", "corpora", "transfers", "others", "pretrain_words", "equal_words")
# CompareSettings that decide the numbers.
_DECISIVE = tuple(f.name for f in fields(CompareSettings) if f.name not in _PLACES)


def describe(
    shared: Shared,
    grid: Grid,
    *,
    price_per_hour: float | None,
    preset: str | None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the manifest of a comparison that is about to start, with notes on all of it."""
    tasks = store.main_data(shared)
    return {
        "versions": {
            "minilm": minilm.__version__,
            "numpy": np.__version__,
            "matplotlib": matplotlib.__version__,
            "python": platform.python_version(),
        },
        "settings": {task: _plain(data.settings) for task, data in tasks.items()},
        "conditions": classifiers.settings(),
        "about": {
            name: {
                "summary": condition.summary,
                "family": condition.family,
                "control": condition.control,
                "baselines": list(condition.baselines),
                "baseline": next(iter(condition.baselines), None),
                "uses_text": bool(condition.needs),
                "drawn": condition.drawn,
                "model": condition.model and model_folders.record(condition.model),
            }
            for name, condition in shared.conditions.items()
        },
        "bootstrap_resamples": statistics.RESAMPLES,
        "inputs": {
            path.as_posix(): files.sha256(path)
            for data in tasks.values()
            for path in _inputs(data.settings)
        },
        "grid": {
            "conditions": list(grid.conditions),
            "budgets": list(grid.budgets),
            "seeds": list(range(grid.seeds)),
            "pretrainings": grid.pretrainings,
            "crossed": grid.crossed,
        },
        "data": {task: _data(shared, task, data) for task, data in tasks.items()},
        "notes": list(notes),
        "pretraining": [],
        "price_per_hour": price_per_hour,
        "preset": preset,
        "machine": {
            "platform": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def _inputs(settings: CompareSettings) -> list[Path]:
    texts = [path for paths in settings.corpora for path in find_files(paths)]
    return [settings.task, *settings.transfers, *settings.others, *texts]


def _data(shared: Shared, task: str, data: CompareData) -> dict[str, Any]:
    """Return what a task's files hold."""
    texts: dict[str, list[int]] = {}
    notes: list[str] = []
    vocabulary: dict[str, int] = {}
    for (name, text, words), one in shared.data.items():
        if name == task:
            texts.setdefault(text, []).insert(0, words)
            vocabulary[f"{text} {words}"] = len(one.text.vocabulary)
            notes += one.notes
    return {
        "classes": list(data.classes),
        "train": len(data.train.labels),
        "test": {name: len(part.labels) for name, part in data.domains.items()},
        "split": "column of the file" if data.split is None else f"seed 0, in {store.SPLIT}",
        "texts": texts,
        "main": [data.text.corpus, data.text.words],
        "vocabulary": vocabulary,
        "notes": list(dict.fromkeys(notes)),
    }


def _plain(settings: CompareSettings) -> dict[str, Any]:
    """Return settings as JSON has them."""
    return {
        **asdict(settings),
        "task": settings.task.as_posix(),
        "corpora": [[path.as_posix() for path in paths] for paths in settings.corpora],
        "transfers": [path.as_posix() for path in settings.transfers],
        "others": [path.as_posix() for path in settings.others],
        "pretrain_words": list(settings.pretrain_words),
    }


def check_resumable(folder: Path, now: dict[str, Any]) -> None:
    """Raise unless the folder's runs are results of the same settings, inputs and versions.

    The grid may differ: more seeds, pretrainings, budgets or conditions are added to what is there.
    The inputs may have moved: what counts is their content.

    Raises
    ------
    InputError
        Naming the first setting or input that differs.
    """
    path = folder / store.MANIFEST
    before = summary.read_manifest(folder)
    if sorted(before["inputs"].values()) != sorted(now["inputs"].values()):
        raise InputError(
            "files or their contents have changed; use --overwrite to start again", path
        )
    then: dict[str, Any] = {"versions": before["versions"], **before["settings"]}
    for task, settings in {"versions": now["versions"], **now["settings"]}.items():
        for name in _VERSIONS if task == "versions" else _DECISIVE:
            _check_same(name, then.get(task, {}).get(name), settings[name], path)
    for task, data in now["data"].items():
        old = before["data"].get(task, {})
        _check_same("the main text", old.get("main"), data["main"], path)
        for text, amounts in old.get("texts", {}).items():
            if gone := set(amounts) - set(data["texts"].get(text, ())):
                raise InputError(
                    f"holds runs with {min(gone)} words of {text}; resume with the same "
                    "--corpus and --pretrain-words, or use --overwrite",
                    path,
                )
    _check_same("the conditions' settings", before.get("conditions"), now["conditions"], path)
    for name, about in now["about"].items():
        if name in before["about"] and about["model"] != before["about"][name].get("model"):
            raise InputError(
                f"the model of {name} has changed, or is used in another way; use "
                "--overwrite to start again",
                path,
            )


def _check_same(name: str, old: Any, new: Any, path: Path) -> None:
    """Raise InputError at the first value that has changed; the message names it."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            _check_same(f"{name}, {key}", old.get(key), new.get(key), path)
    elif old != new:
        raise InputError(
            f"{name} was {old!r} and is now {new!r}; resume with what it was, or use --overwrite",
            path,
        )
