"""Cases of Holm's correction, verdicts, and what a test set can resolve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.compare import statistics
from minilm.compare.statistics import Difference
from minilm.course.cases import Call, Case
from minilm.errors import OptionError


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases, function by function; what is refused, last."""
    families = {
        "three tests": [0.01, 0.04, 0.03],
        "four tests, one lost among them": [0.03, 0.011, 0.8, 0.012],
        "large ones": [0.4, 0.9, 0.7, 0.002],
        "equal ones": [0.02, 0.02, 0.5],
        "a single test": [0.04],
        "no test": [],
        "nine drawn at random": [float(p) for p in rng.random(9) ** 3],
    }
    for name, p_values in families.items():
        yield Call("holm", {"p_values": p_values}, returns="adjusted", name=name)

    differences = {
        "clearly above": (Difference(0.05, 0.02, 0.08, 0.001), 0.004),
        "clearly below": (Difference(-0.05, -0.08, -0.02, 0.001), 0.004),
        "small, and surely above": (Difference(0.02, 0.01, 0.03, 0.001), 0.004),
        "lost by the correction": (Difference(0.05, 0.001, 0.09, 0.04), 0.16),
        "lost by far": (Difference(0.05, 0.001, 0.09, 0.048), 0.6),
        "zero inside": (Difference(0.02, -0.01, 0.05, 0.2), 0.4),
        "few items differ": (Difference(0.05, 0.01, 0.09, 0.125), 0.125),
        "zero inside, p small": (Difference(0.02, -0.001, 0.05, 0.04), 0.04),
        "p exactly 0.05": (Difference(0.05, 0.01, 0.09, 0.025), 0.05),
        "low exactly 0": (Difference(0.04, 0.0, 0.08, 0.03), 0.03),
        "high exactly 0": (Difference(-0.04, -0.08, 0.0, 0.03), 0.03),
    }
    for name, (difference, p) in differences.items():
        inputs = {"difference": difference, "adjusted_p": p}
        yield Call("verdict", inputs, returns="verdict", name=name)

    designs = {
        "464 items": {"items": 464, "disagreement": 0.4},
        "440 items": {"items": 440},
        "440 items, 10 seeds": {"items": 440, "seeds": 10},
        "5 seeds, half of them agree": {
            "items": 90,
            "seeds": 5,
            "disagreement": 0.3,
            "correlation": 0.5,
        },
        "seeds that tell nothing new": {"items": 90, "seeds": 7, "correlation": 1.0},
        "one item": {"items": 1, "seeds": 1, "disagreement": 0.4},
    }
    for name, inputs in designs.items():
        yield Call("resolvable_difference", inputs, returns="difference", name=name)
    for items, seeds in ((0, 3), (5, 0), (-3, 2), (-3, -2)):
        inputs = {"items": items, "seeds": seeds}
        name = f"{items} items, {seeds} seeds"
        yield Call("resolvable_difference", inputs, raises=OptionError, name=name)


def order_does_not_matter(f: Any, rng: np.random.Generator) -> str | None:
    """Hand in the same tests in another order."""
    p_values = [float(p) for p in rng.random(6) ** 2 / 4]
    order = rng.permutation(6)
    one, other = f.holm(p_values), f.holm([p_values[i] for i in order])
    if np.abs(np.array(one)[order] - other).max() > 1e-12:
        return "the same tests in another order must get the same adjusted values, but do not"
    return None


def more_runs_resolve_more(f: Any, rng: np.random.Generator) -> str | None:
    """Four times the items."""
    ratio = f.resolvable_difference(50, 3) / f.resolvable_difference(200, 3)
    if abs(ratio - 2) > 1e-9:
        return f"four times as many items must resolve half the difference, not 1/{ratio:.4g} of it"
    return None


PROPERTIES = {
    "the order of tests does not matter": order_does_not_matter,
    "four times the items, half the difference": more_runs_resolve_more,
}


def whole_model() -> dict[str, Any]:
    """Compare three conditions with a baseline, and judge them as one family."""
    rng = np.random.default_rng(6)
    baseline = rng.random((3, 90)) < 0.5
    found = [
        statistics.paired_difference(
            rng.random((3, 90)) < share, baseline, rng=np.random.default_rng(0), resamples=199
        )
        for share in (0.9, 0.55, 0.2)
    ]
    adjusted = statistics.holm([one.p for one in found])
    return {
        "the adjusted p-values": np.array(adjusted),
        "the verdicts": [
            statistics.verdict(one, p) for one, p in zip(found, adjusted, strict=True)
        ],
        "the items needed": statistics.items_needed(0.05, 3),
    }
