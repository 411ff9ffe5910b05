"""Cases of Wilson's interval, weighted means, and runs drawn by seed and by pretraining."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minilm.compare import paired, statistics
from minilm.course.cases import Call, Case
from minilm.errors import OptionError

ENDS = ("low", "high")


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the cases, function by function; what is refused, last."""
    for right, items in ((7, 10), (1, 3), (450, 464), (6, 6), (0, 9), (1, 1)):
        name = f"{right} right of {items}"
        yield Call("wilson_interval", {"right": right, "items": items}, returns=ENDS, name=name)

    outcomes = rng.integers(0, 2, (3, 5)).astype(float)
    times = {"times_run": _times(rng, 4, 3), "times_item": _times(rng, 4, 5)}
    yield Call("resampled_means", {"outcomes": outcomes, **times}, returns="means", name="3 x 5")
    differences = rng.integers(-1, 2, (4, 9)).astype(float)
    uneven = {"times_run": _times(rng, 6, 4), "times_item": _times(rng, 6, 9)}
    uneven["times_run"][1:3] *= [[2.0], [3.0]]
    inputs = {"outcomes": differences, **uneven}
    yield Call("resampled_means", inputs, returns="means", name="more runs in some resamples")
    stacked = rng.integers(0, 2, (2, 4, 9)).astype(float)
    inputs = {"outcomes": stacked, **uneven}
    yield Call("resampled_means", inputs, returns="means", name="two conditions at once")
    more = {"times_run": _times(rng, 3, 3), "times_item": _times(rng, 3, 5)}
    more["times_item"][1:] *= [[2.0], [3.0]]
    inputs = {"outcomes": outcomes, **more}
    yield Call("resampled_means", inputs, returns="means", name="more items in some resamples")

    keys = tuple((seed, p) for seed in range(3) for p in range(2))
    yield Call("run_times", _drawn(rng, keys, 4), returns="times", name="3 seeds, 2 pretrainings")
    few = tuple((seed, p) for p in (0, 1, 2, 3) for seed in (0, 1))
    yield Call("run_times", _drawn(rng, few, 5), returns="times", name="pretraining by pretraining")
    odd = ((7, 1), (2, 4), (5, 1), (2, 1), (7, 4), (5, 4))
    yield Call("run_times", _drawn(rng, odd, 5), returns="times", name="seeds 7, 2 and 5")

    for right, items in ((7, 6), (-1, 4), (0, 0)):
        inputs = {"right": right, "items": items}
        name = f"{right} right of {items}"
        yield Call("wilson_interval", inputs, raises=OptionError, name=name)


def _times(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Draw `size` of `size` things with replacement, `count` times, and count them."""
    drawn = rng.integers(size, size=(count, size))
    return np.stack([np.bincount(row, minlength=size) for row in drawn]).astype(float)


def _drawn(rng: np.random.Generator, keys: Any, count: int) -> dict[str, Any]:
    seeds, pretrainings = (len({key[i] for key in keys}) for i in (0, 1))
    return {
        "keys": keys,
        "times_seed": _times(rng, count, seeds),
        "times_pretraining": _times(rng, count, pretrainings),
    }


def everything_once(f: Any, rng: np.random.Generator) -> str | None:
    """Draw each run and each item exactly once."""
    outcomes = rng.integers(0, 2, (4, 7)).astype(float)
    mean = f.resampled_means(outcomes, np.ones((1, 4)), np.ones((1, 7)))[0]
    if abs(mean - outcomes.mean()) > 1e-9:
        return (
            f"with everything drawn once it must be the mean {outcomes.mean():.6g}, not {mean:.6g}"
        )
    return None


def right_and_wrong_are_mirrored(f: Any, rng: np.random.Generator) -> str | None:
    """Count the wrong ones instead of the right ones."""
    items = int(rng.integers(20, 60))
    right = int(rng.integers(items))
    low = f.wilson_interval(right, items)[0]
    mirrored = 1 - f.wilson_interval(items - right, items)[1]
    if abs(low - mirrored) > 1e-9:
        return (
            f"of {items}, {right} right must end at {mirrored:.6g} below, which is 1 minus the "
            f"upper end for {items - right} right; yours ends at {low:.6g}"
        )
    return None


PROPERTIES = {
    "each thing drawn once gives the mean": everything_once,
    "right and wrong are mirrored": right_and_wrong_are_mirrored,
}


def whole_model() -> dict[str, Any]:
    """Estimate a condition whose pretrainings and seeds are crossed."""
    rng = np.random.default_rng(10)
    keys = tuple((seed, p) for p in (0, 1, 2) for seed in (3, 1))
    runs = paired.Runs(rng.random((6, 40)) < 0.7, keys)
    [found] = paired.estimates([runs], resamples=99)
    once = statistics.wilson_interval(int(runs.right[0].sum()), 40)
    return {
        "the interval of a condition": np.array([found.low, found.high]),
        "the interval of one run": np.array(once),
    }


def _steps(right: Any, items: Any) -> dict[str, Any]:
    low, high = statistics.wilson_interval(right, items)
    return {"middle": (low + high) / 2, "half": (high - low) / 2, "share": right / items}


STEPS = {"wilson_interval": _steps}
