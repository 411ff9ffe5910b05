"""From losses to what may be said: perplexities, forgetting, transfer, intervals and verdicts.

With a[l, j] the mean loss on domain j after stage l (0 before the first domain, T after the last),
in nats a token:

    forgetting      mean over j < T of a[T, j] - a[j, j]          0: nothing is lost
    forgetting from best
                    mean over j < T of a[T, j] - min over 1 <= l < T of a[l, j]
    new domain      mean over j > 1 of a[j, j]: what protecting the old costs the new
    final           mean over j of a[T, j]
    forward         mean over j > 1 of a[0, j] - a[j - 1, j]: what the domains before have taught

The first is the backward transfer of Lopez-Paz and Ranzato (2017) with its sign turned, the second
the forgetting of Chaudhry et al. (2018), the last the forward transfer of the former, all of loss
instead of accuracy. Intervals come from a bootstrap over seeds and, within each domain, over test
documents; ways are compared on the same draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minilm.arrays import Array
from minilm.compare import bootstrap, statistics
from minilm.compare.forgetting.runs import Outcome
from minilm.compare.forgetting.ways import NAIVE, WAYS, ForgettingData
from minilm.compare.statistics import Difference

MEASURES = ("forgetting", "new domain", "final", "forward")
# What is compared with the naive way: less is better in both.
COMPARED = ("forgetting", "new domain")

RESAMPLES = 10_000
_BLOCK = 500  # resamples at a time, so that memory stays small


def summarize(
    data: ForgettingData, outcomes: Sequence[Mapping[str, Outcome]], seeds: int
) -> dict[str, Any]:
    """Return the content of summary.json.

    Parameters
    ----------
    data : ForgettingData
    outcomes : sequence of dict
        What `forgetting_runs.run` returned for seeds 0, 1, ...
    seeds : int
    """
    measured = [domain.name for domain in data.measured]
    first = len(measured) - len(data.domains)  # the column of the first domain
    tokens = [np.array([len(d) - 1 for d in domain.test]) for domain in data.measured]
    losses = {name: np.stack([found[name].losses for found in outcomes]) for name in WAYS}
    draws = {name: _resampled(found, tokens, seeds) for name, found in losses.items()}
    means = {name: _matrix(found, tokens) for name, found in losses.items()}
    found = {name: measures(means[name], first) for name in WAYS}
    spread = {name: measures(draws[name], first) for name in WAYS}
    return {
        "domains": measured,
        "base": data.base.name if data.base else None,
        "stages": ["before", *(domain.name for domain in data.domains)],
        "seeds": seeds,
        "test_documents": [len(domain.test) for domain in data.measured],
        "test_tokens": [int(count.sum()) for count in tokens],
        "train_tokens": [len(domain.train) for domain in data.measured],
        "vocabulary": data.config.vocab_size,
        "ways": [
            {
                "name": name,
                "summary": WAYS[name].summary,
                "perplexity": np.exp(means[name]).round(4).tolist(),
                "seconds": float(np.mean([o[name].seconds for o in outcomes])),
                "from best": from_best(means[name], first),
                **{key: _interval(found[name][key], spread[name][key]) for key in MEASURES},
            }
            for name in WAYS
        ],
        "naive_forgets": _test(found[NAIVE]["forgetting"], spread[NAIVE]["forgetting"]),
        "differences": _differences(found, spread),
    }


def measures(matrix: Array, first: int) -> dict[str, Array]:
    """Return the measures of matrices of losses.

    Parameters
    ----------
    matrix : float64 array of shape (..., T + 1, columns)
        Mean losses: stages by texts measured.
    first : int
        The column of the first domain; a base text comes before.

    Examples
    --------
    >>> losses = np.array([[4.0, 5.0], [2.0, 4.5], [2.5, 3.0]])
    >>> {name: float(value) for name, value in measures(losses, 0).items()}
    {'forgetting': 0.5, 'new domain': 3.0, 'final': 2.75, 'forward': 0.5}
    """
    a = matrix[..., first:]
    last = a.shape[-1]  # T
    old, new = np.arange(last - 1), np.arange(1, last)
    return {
        "forgetting": (a[..., last, old] - a[..., old + 1, old]).mean(axis=-1),
        "new domain": a[..., new + 1, new].mean(axis=-1),
        "final": a[..., last, :].mean(axis=-1),
        "forward": (a[..., 0, new] - a[..., new, new]).mean(axis=-1),
    }


def from_best(matrix: Array, first: int) -> float:
    """Return the forgetting of Chaudhry et al.: from the best that there ever was.

    >>> from_best(np.array([[4.0, 5.0], [2.0, 4.5], [2.5, 3.0]]), 0)
    0.5
    """
    a = matrix[:, first:]
    last = a.shape[1]
    return float(np.mean([a[last, j] - a[1:last, j].min() for j in range(last - 1)]))


def _matrix(losses: Array, tokens: Sequence[NDArray[np.int64]]) -> Array:
    """Return mean losses a token, over seeds: (S, T + 1, documents) -> (T + 1, texts)."""
    return np.stack(
        [part.sum(axis=(0, 2)) / (len(losses) * n.sum()) for part, n in _parts(losses, tokens)],
        axis=-1,
    )


def _resampled(losses: Array, tokens: Sequence[NDArray[np.int64]], seeds: int) -> Array:
    """Return the same with seeds and documents resampled: (R, T + 1, texts).

    The generator is a new one for each way, so that all have the same draws.
    """
    rng = np.random.default_rng(0)
    found = np.empty((RESAMPLES, losses.shape[1], len(tokens)))
    for start in range(0, RESAMPLES, _BLOCK):
        times_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), _BLOCK)
        for k, (part, n) in enumerate(_parts(losses, tokens)):
            times = rng.multinomial(len(n), np.full(len(n), 1 / len(n)), _BLOCK)
            sums = np.einsum("rs,std,rd->rt", times_seed, part, times, optimize=True)
            found[start : start + _BLOCK, :, k] = sums / (seeds * (times @ n))[:, np.newaxis]
    return found


def _parts(
    losses: Array, tokens: Sequence[NDArray[np.int64]]
) -> list[tuple[Array, NDArray[np.int64]]]:
    """Return the documents of each text: their losses, and how many tokens they have."""
    ends = np.cumsum([len(n) for n in tokens])[:-1]
    return list(zip(np.split(losses, ends, axis=-1), tokens, strict=True))


def _interval(value: Array, drawn: Array) -> dict[str, float]:
    low, high = bootstrap.percentile_interval(drawn)
    return {"mean": float(value), "low": low, "high": high}


def _test(value: Array, drawn: Array) -> dict[str, float]:
    """Return a difference from zero with its interval and two-sided p-value."""
    found = statistics.difference(float(value), drawn)
    return {"mean": found.difference, "low": found.low, "high": found.high, "p": found.p}


def _differences(
    found: Mapping[str, Mapping[str, Array]], spread: Mapping[str, Mapping[str, Array]]
) -> list[dict[str, Any]]:
    """Return each way against the naive one; the ways are a family for Holm's correction."""
    records = []
    others = [name for name in WAYS if name != NAIVE]
    for measure in COMPARED:
        tests = [
            _test(
                found[name][measure] - found[NAIVE][measure],
                spread[name][measure] - spread[NAIVE][measure],
            )
            for name in others
        ]
        adjusted = statistics.holm([test["p"] for test in tests])
        for name, test, p in zip(others, tests, adjusted, strict=True):
            # A loss: what falls is better.
            gain = Difference(-test["mean"], -test["high"], -test["low"], test["p"])
            records.append(
                {
                    "way": name,
                    "measure": measure,
                    **test,
                    "p_adjusted": p,
                    "verdict": statistics.verdict(gain, p),
                }
            )
    return records
