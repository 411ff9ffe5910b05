"""From the table of runs to what may be said: means, intervals, differences, verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minilm.compare import experiment, statistics
from minilm.compare.conditions import CONDITIONS
from minilm.compare.experiment import Grid, Outcome
from minilm.compare.material import Material


def summarize(material: Material, grid: Grid, outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Return the content of summary.json.

    The verdicts of one domain (each condition against its baseline, at each budget) are a family
    for Holm's correction; those of the controls are one of their own, because a correction for the
    claims would make it harder to catch a control that gains.

    Returns
    -------
    dict
        `conditions`: one record a domain, condition and budget, with `mean`, `low`, `high`
        (accuracy and its 95 % interval), `macro_f1` and `runs`. `differences`: one record a domain,
        condition with a baseline, and budget, with `difference`, `low`, `high`, `p`, `p_adjusted`
        and `verdict`. Beside them the names in order, the number of test items of each domain,
        the accuracy of always giving the commonest class (`chance`), and `resolvable`: the
        smallest accuracy difference that the test items can show at 95 %.
    """
    wanted = set(grid.runs())
    # In one order, whatever order the workers ended in: sums of floats depend on it.
    outcomes = sorted((o for o in outcomes if o.key in wanted), key=lambda o: o.key)
    cells: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    for domain in material.domains:
        correct = experiment.correct(material, outcomes, domain)
        cells += _cells(material, grid, outcomes, domain, correct)
        differences += _differences(grid, domain, correct)
    sizes = {name: len(part.labels) for name, part in material.domains.items()}
    return {
        "task": material.settings.task.stem,
        "domains": list(material.domains),
        "names": list(grid.conditions),
        "budgets": list(grid.budgets),
        "seeds": grid.seeds,
        "test_items": sizes,
        "chance": {
            name: float(np.bincount(part.labels).max() / len(part.labels))
            for name, part in material.domains.items()
        },
        "resolvable": {
            name: statistics.resolvable_difference(n, grid.seeds) for name, n in sizes.items()
        },
        "conditions": cells,
        "differences": differences,
        "notes": list(material.notes),
    }


def _cells(
    material: Material,
    grid: Grid,
    outcomes: list[Outcome],
    domain: str,
    correct: dict[tuple[str, int], np.ndarray],
) -> list[dict[str, Any]]:
    """Return the mean and interval of each condition and budget."""
    cells = []
    for condition in grid.conditions:
        for budget in grid.budgets:
            runs = correct[condition, budget]
            estimate = statistics.mean_and_interval(runs, rng=np.random.default_rng(0))
            scores = [
                outcome.macro_f1(material, domain)
                for outcome in outcomes
                if outcome.key[:2] == (condition, budget)
            ]
            cells.append(
                {
                    "condition": condition,
                    "budget": budget,
                    "domain": domain,
                    "mean": estimate.mean,
                    "low": estimate.low,
                    "high": estimate.high,
                    "macro_f1": float(np.mean(scores)),
                    "runs": len(runs),
                }
            )
    return cells


def _differences(
    grid: Grid, domain: str, correct: dict[tuple[str, int], np.ndarray]
) -> list[dict[str, Any]]:
    """Return each condition against its baseline, with verdicts corrected as one family."""
    pairs = [
        (condition, CONDITIONS[condition].baseline, budget)
        for condition in grid.conditions
        for budget in grid.budgets
        if CONDITIONS[condition].baseline in grid.conditions
    ]
    found = [
        statistics.paired_difference(
            correct[condition, budget],
            correct[str(baseline), budget],
            rng=np.random.default_rng(0),
        )
        for condition, baseline, budget in pairs
    ]
    adjusted = [0.0] * len(pairs)
    for control in (False, True):
        family = [i for i, pair in enumerate(pairs) if CONDITIONS[pair[0]].control is control]
        for i, p in zip(family, statistics.holm([found[i].p for i in family]), strict=True):
            adjusted[i] = p
    return [
        {
            "condition": condition,
            "baseline": baseline,
            "budget": budget,
            "domain": domain,
            "difference": difference.difference,
            "low": difference.low,
            "high": difference.high,
            "p": difference.p,
            "p_adjusted": p,
            "verdict": statistics.verdict(difference, p),
        }
        for (condition, baseline, budget), difference, p in zip(pairs, found, adjusted, strict=True)
    ]
