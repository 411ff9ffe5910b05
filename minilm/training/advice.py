"""To fine-tune or to train anew: what speaks for which, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minilm.nn.parameters import Config
from minilm.store.folder import Stage
from minilm.training import settings

# New documents: below FEW an update is the usual way, above MANY it is worth to train anew.
FEW, MANY = 500, 1000


@dataclass(frozen=True)
class Advice:
    """Whether to wait for more text, to fine-tune or to train anew, and why."""

    action: Literal["wait", "fine-tune", "retrain"]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line."""
        return f"advice: {self.said}"

    @property
    def said(self) -> str:
        """The action and its reasons."""
        return f"{self.action}, because {'; '.join(self.reasons)}"


def advise(kept: int, *, changed: Sequence[str] = (), risen: float = 0.0, limit: float) -> Advice:
    """Advise to fine-tune or to retrain.

    Parameters
    ----------
    kept : int
        New documents.
    changed : sequence of str
        What of the model's shape is asked for otherwise.
    risen : float
        The share by which the perplexity of old text has risen over all updates.
    limit : float
        The share that it may rise by.

    Examples
    --------
    >>> print(advise(33, limit=0.1))
    advice: fine-tune, because 33 new documents are fewer than 500
    >>> print(advise(1200, risen=0.2, limit=0.1))
    advice: retrain, because 1,200 new documents are more than 1,000; old text got 20% worse
    """
    reasons = []
    if kept > MANY:
        reasons.append(f"{kept:,} new documents are more than {MANY:,}")
    if changed:
        reasons.append(f"the architecture is to change ({', '.join(changed)})")
    if risen > limit:
        reasons.append(f"old text got {risen:.0%} worse")
    if reasons:
        return Advice("retrain", tuple(reasons))
    if kept == 0:
        return Advice("wait", ("nothing is new",))
    if kept < FEW:
        return Advice("fine-tune", (f"{kept:,} new documents are fewer than {FEW}",))
    return Advice(
        "fine-tune", (f"{kept:,} new documents are no more than {MANY:,}, but watch old text",)
    )


def shape_changes(config: Config, pretraining: Mapping[str, Any]) -> list[str]:
    """Return what of a model's shape the settings of pretraining ask for otherwise.

    >>> from minilm.nn.config import GPTConfig
    >>> shape_changes(GPTConfig(512, 32, 64, 2, 2), {"size": "kata", "n_layer": 4})
    ['n_layer 2 to 4']
    """
    if not pretraining:
        return []
    asked = settings.complete(pretraining)
    names = ("n_positions", "n_embd", "n_layer", "n_head")
    said = [name for name in names if "size" in pretraining or name in pretraining]
    return [
        f"{name} {getattr(config, name)} to {getattr(asked, name)}"
        for name in said
        if getattr(config, name) != getattr(asked, name)
    ]


def risen(lineage: Sequence[Stage]) -> float:
    """Return by what share the perplexity of an old text rose over all updates, of the worst one.

    A text counts from when it was learned: the last one in a stage's figures was new then.

    >>> figures = [
    ...     {"a": {"before": 10.0, "after": 11.0}, "b": {"before": 9.0, "after": 5.0}},
    ...     {"a": {"before": 11.0, "after": 12.0}, "b": {"before": 5.0, "after": 5.5}, "c": {}},
    ... ]
    >>> round(risen([Stage("continue", (), 1, 1, {"perplexity": found}) for found in figures]), 3)
    0.2
    """
    ratios: dict[str, float] = {}
    for stage in lineage:
        figures = stage.settings.get("perplexity", {})
        for name in list(figures)[:-1]:
            ratio = figures[name]["after"] / figures[name]["before"]
            ratios[name] = ratios.get(name, 1.0) * ratio
    return max(ratios.values(), default=1.0) - 1
