"""From the table of runs to what may be said: means, intervals, differences, verdicts.

Everything here follows from what a comparison's folder holds (manifest.json, results.csv and
predictions.npz); the texts are not needed, nor that all runs are there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minilm import files
from minilm.compare import costs, paired, statistics, store
from minilm.compare.paired import Runs
from minilm.compare.run import Key, Outcome
from minilm.compare.statistics import Estimate
from minilm.errors import InputError

# A text and how much of it: ("", 0) for conditions that use none.
Place = tuple[str, int]
Records = list[dict[str, Any]]


Cells = dict[tuple[str, Place, int], Runs]


def summarize(folder: Path) -> dict[str, Any]:
    """Return the content of summary.json.

    The verdicts of one task, text, domain and family of conditions (each condition against its
    first baseline, at each budget) are a family for Holm's correction. Those against a further
    baseline are one of their own. So are the controls', because a correction for the claims would
    make it harder to catch a control that gains.

    Parameters
    ----------
    folder : Path
        Of a comparison, finished or not.

    Returns
    -------
    dict
        `conditions`: one record a task, text, domain, condition and budget, with `mean`, `low`,
        `high` (accuracy and its 95 % interval), `macro_f1`, `runs`, `failed` and costs.
        `differences`: one record for each of these and a baseline, with `difference`, `low`,
        `high`, `p`, `p_adjusted`, `verdict` and, where that is "cannot tell", `items_needed`, the
        test items that could show a difference of this size. `gains`: the same over `random`,
        without verdicts. `main` marks what uses no text, or all of the first one. Beside them by
        task and domain the number of test items, the accuracy of always giving the most common
        class (`chance`), and `resolvable`: the smallest difference that they can show at 95 %.

    Raises
    ------
    InputError
        When the folder holds no comparison, or damaged files.
    """
    manifest, table = read_manifest(folder), store.read(folder)
    grid, data, about = manifest["grid"], manifest["data"], manifest["about"]
    found = _frame(manifest, table)
    main = {task: tuple(one["main"]) for task, one in data.items()}
    for (task, domain), truth in table.truth.items():
        if task not in data or domain not in data[task]["test"]:
            continue
        found["chance"][task][domain] = float(np.bincount(truth).max() / len(truth))
        resolvable = statistics.resolvable_difference(len(truth), found["seeds"])
        found["resolvable"][task][domain] = resolvable
        cells = _cells(table, manifest, task, domain, truth)
        for part, records in (
            ("conditions", _accuracies(table, manifest, cells, task, domain)),
            ("differences", _differences(cells, grid, about, main[task])),
            ("gains", _gains(cells, grid)),
        ):
            found[part] += [{"task": task, "domain": domain, **record} for record in records]
    for record in found["conditions"] + found["differences"] + found["gains"]:
        own = record["corpus"], record["words"]
        record["main"] = own in (("", 0), main[record["task"]])
    return found


def _frame(manifest: dict[str, Any], table: store.Table) -> dict[str, Any]:
    """Return what the manifest says of a comparison, and room for what follows from its runs."""
    grid, data = manifest["grid"], manifest["data"]
    notes = [*manifest["notes"], *(note for one in data.values() for note in one["notes"])]
    return {
        "tasks": list(data),
        "domains": {task: list(one["test"]) for task, one in data.items()},
        "corpora": list(dict.fromkeys(name for one in data.values() for name in one["texts"])),
        "words": {name: words for one in data.values() for name, words in one["texts"].items()},
        "names": grid["conditions"],
        "about": manifest["about"],
        "budgets": grid["budgets"],
        "seeds": len(grid["seeds"]),
        "pretrainings": grid["pretrainings"],
        "crossed": grid["crossed"],
        "test_items": {task: one["test"] for task, one in data.items()},
        "chance": {task: {} for task in data},
        "resolvable": {task: {} for task in data},
        "conditions": [],
        "differences": [],
        "gains": [],
        "pretraining": manifest["pretraining"],
        "price_per_hour": manifest["price_per_hour"],
        "preset": manifest["preset"],
        "failed": _failures(table, grid["conditions"]),
        "notes": list(dict.fromkeys(notes)),
    }


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return a comparison's manifest.

    Raises
    ------
    InputError
        When there is none, or another file has its name.
    """
    path = folder / store.MANIFEST
    manifest = files.read_json(path)
    records = ("settings", "inputs", "versions", "grid", "data", "about")
    kinds: dict[str, type] = {**dict.fromkeys(records, dict), "notes": list, "pretraining": list}
    if not isinstance(manifest, dict) or not all(
        isinstance(manifest.get(part), kind) for part, kind in kinds.items()
    ):
        raise InputError("not the manifest of a comparison; use --overwrite", path)
    return manifest


def _failures(table: store.Table, names: list[str]) -> Records:
    return [
        {**outcome.key._asdict(), "error": outcome.error}
        for outcome in table.outcomes.values()
        if outcome.error and outcome.key.condition in names
    ]


def _wanted(key: Key, manifest: dict[str, Any]) -> bool:
    """Return whether a run belongs to the grid that was asked for last."""
    grid = manifest["grid"]
    if key.condition not in grid["conditions"] or key.budget not in grid["budgets"]:
        return False
    if key.seed not in grid["seeds"]:
        return False
    if not manifest["about"][key.condition]["drawn"]:
        return key.pretraining == 0
    if grid["crossed"]:
        return key.pretraining < grid["pretrainings"]
    return key.pretraining == key.seed % int(grid["pretrainings"])


def _cells(
    table: store.Table, manifest: dict[str, Any], task: str, domain: str, truth: np.ndarray
) -> Cells:
    """Return the runs of each condition, text and budget; of a crossed design whole seeds only."""
    runs: dict[tuple[str, Place, int], dict[tuple[int, int], np.ndarray]] = {}
    for key, outcome in table.outcomes.items():
        if key.task == task and not outcome.error and _wanted(key, manifest):
            cell = runs.setdefault((key.condition, key[1:3], key.budget), {})
            cell[key.seed, key.pretraining] = outcome.predicted[domain] == truth
    cells: Cells = {}
    for name, found in sorted(runs.items()):
        keys = sorted(found)  # in one order, whatever order the runs ended in
        if manifest["grid"]["crossed"]:
            times = Counter(seed for seed, _ in keys)
            keys = [key for key in keys if times[key[0]] == max(times.values())]
        cells[name] = Runs(np.stack([found[key] for key in keys]), tuple(keys))
    return cells


def _places(keys: Any, condition: str) -> list[Place]:
    """Return the texts with which a condition was run, larger amounts first."""
    found = {place for name, place, _ in keys if name == condition}
    return sorted(found, key=lambda place: (place[0], -place[1]))


def _accuracies(
    table: store.Table, manifest: dict[str, Any], cells: Cells, task: str, domain: str
) -> Iterator[dict[str, Any]]:
    """Yield the mean, the interval and the costs of each condition, text and budget."""
    grid, price = manifest["grid"], manifest["price_per_hour"]
    outcomes: dict[tuple[str, Place, int], list[Outcome]] = {}
    for key, outcome in sorted(table.outcomes.items()):
        if key.task == task and _wanted(key, manifest):
            outcomes.setdefault((key.condition, key[1:3], key.budget), []).append(outcome)
    rows: dict[tuple[str, Place, int], list[dict[str, str]]] = {}
    for row in table.rows:
        if (row["task"], row["domain"]) == (task, domain):
            place = row["corpus"], int(row["words"])
            rows.setdefault((row["condition"], place, int(row["budget"])), []).append(row)
    estimated = dict(zip(cells, paired.estimates(list(cells.values())), strict=True))
    for condition in grid["conditions"]:
        for place in _places(outcomes, condition):
            for budget in grid["budgets"]:
                cell = condition, place, budget
                if not (runs := outcomes.get(cell, [])):
                    continue
                good = [run for run in runs if not run.error]
                keys = {(str(run.key.seed), str(run.key.pretraining)) for run in runs}
                own = [row for row in rows[cell] if (row["seed"], row["pretraining"]) in keys]
                seconds = _mean([run.seconds for run in good])
                yield {
                    "condition": condition,
                    "corpus": place[0],
                    "words": place[1],
                    "budget": budget,
                    **_accuracy(cells.get(cell), estimated.get(cell)),
                    "macro_f1": _mean([float(row["macro_f1"]) for row in own if row["macro_f1"]]),
                    "runs": len(good),
                    "failed": len(runs) - len(good),
                    "pretrainings": len({run.key.pretraining for run in good}),
                    "seconds": seconds,
                    "flops": _mean([run.flops for run in good]),
                    "trainable_parameters": _mean([run.trainable_parameters for run in good]),
                    "pretrain_seconds": _mean([float(row["pretrain_seconds"]) for row in own]),
                    "pretrain_flops": _mean([float(row["pretrain_flops"]) for row in own]),
                    "money": _money(seconds, price),
                }


def _money(seconds: float | None, price: float | None) -> float | None:
    return None if seconds is None or price is None else costs.money(seconds, price)


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _accuracy(cell: Runs | None, estimate: Estimate | None) -> dict[str, Any]:
    """Return the mean and its interval.

    It is Wilson's for one test set where there is one run, or where all runs are right or wrong on
    the same items throughout, so that resampling has nothing to vary.
    """
    if cell is None or estimate is None:
        return {"mean": None, "low": None, "high": None}
    low, high = estimate.low, estimate.high
    if len(cell.keys) == 1 or low == high:
        items = cell.right.shape[1]
        low, high = statistics.wilson_interval(round(estimate.mean * items), items)
    return {"mean": estimate.mean, "low": low, "high": high}


def _pairs(
    cells: Cells, grid: dict[str, Any], about: dict[str, Any], main: Place
) -> Iterator[tuple[str, str, Place, int, str]]:
    """Yield condition, baseline, text, budget and family of each comparison that can be made."""
    for condition in grid["conditions"]:
        for place in _places(cells, condition):
            for number, baseline in enumerate(about[condition]["baselines"]):
                family = about[condition]["family"] if number == 0 else f"against {baseline}"
                for budget in grid["budgets"]:
                    if (condition, place, budget) in cells and _partner(
                        cells, baseline, place, budget, main
                    ):
                        yield condition, baseline, place, budget, family


def _partner(cells: Cells, baseline: str, place: Place, budget: int, main: Place) -> Runs | None:
    """Return the baseline's runs on the same text, or those that use none.

    A condition without a text, such as a model from a folder, is compared with the main one.
    """
    places = [place, ("", 0)] if place[0] else [place, main]
    return next(filter(None, (cells.get((baseline, one, budget)) for one in places)), None)


def _differences(
    cells: Cells, grid: dict[str, Any], about: dict[str, Any], main: Place
) -> Iterator[dict[str, Any]]:
    """Yield each condition against its baselines, with verdicts corrected by family and text."""
    pairs = []
    for condition, baseline, place, budget, family in _pairs(cells, grid, about, main):
        theirs = _partner(cells, baseline, place, budget, main)
        if theirs is not None:
            names = {
                "condition": condition,
                "baseline": baseline,
                "corpus": place[0],
                "words": place[1],
                "budget": budget,
                "family": family,
            }
            pairs.append((names, cells[condition, place, budget], theirs))
    estimates = paired.differences([(ours, theirs) for _, ours, theirs in pairs])
    found = [
        (names, estimate, len({seed for seed, _ in ours.keys}))
        for (names, ours, _), estimate in zip(pairs, estimates, strict=True)
        if estimate is not None
    ]
    families: dict[Any, list[int]] = {}
    for i, (names, _, _) in enumerate(found):
        # Conditions without a text are read together with those on the main one.
        text = (names["corpus"], names["words"]) if names["corpus"] else main
        families.setdefault((names["family"], text), []).append(i)
    adjusted = [1.0] * len(found)
    for members in families.values():
        corrected = statistics.holm([found[i][1].p for i in members])
        for i, p in zip(members, corrected, strict=True):
            adjusted[i] = p
    for (names, estimate, seeds), p in zip(found, adjusted, strict=True):
        verdict = statistics.verdict(estimate, p)
        needed = None
        if verdict == "cannot tell" and estimate.difference:
            needed = statistics.items_needed(abs(estimate.difference), seeds)
        yield {
            **names,
            "difference": estimate.difference,
            "low": estimate.low,
            "high": estimate.high,
            "p": estimate.p,
            "p_adjusted": p,
            "verdict": verdict,
            "items_needed": needed,
        }


def _gains(cells: Cells, grid: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what each condition gains over random word vectors, with its own interval."""
    wanted = [
        (condition, place, budget)
        for condition in grid["conditions"]
        if condition != "random"
        for place in _places(cells, condition)
        for budget in grid["budgets"]
        if (condition, place, budget) in cells and ("random", ("", 0), budget) in cells
    ]
    pairs = [(cells[cell], cells["random", ("", 0), cell[2]]) for cell in wanted]
    for (condition, place, budget), gain in zip(wanted, paired.differences(pairs), strict=True):
        if gain is not None:
            yield {
                "condition": condition,
                "corpus": place[0],
                "words": place[1],
                "budget": budget,
                "gain": gain.difference,
                "low": gain.low,
                "high": gain.high,
            }
