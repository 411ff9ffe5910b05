"""The outcome of an update: scores before and after, as numbers, lines of text and JSON."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from minilm.models.scores import Score
from minilm.store.versions import Verdict
from minilm.training.new_documents import Advice, Collected


@dataclass(frozen=True)
class Measured:
    """How well a text was predicted before an update and after it."""

    name: str
    before: Score
    after: Score

    @property
    def rise(self) -> float:
        """The share by which the perplexity rose; negative if it fell."""
        return self.after.perplexity / self.before.perplexity - 1

    def line(self, age: str) -> str:
        """Return a row of the table; `age` is "old" or "new"."""
        name = self.name if len(self.name) <= 38 else self.name[:37] + "…"
        before, after = self.before.perplexity, self.after.perplexity
        return f"{age}  {name:<39}{before:>10,.2f}{after:>10,.2f}{self.rise:>+12.1%}"

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON holds them."""
        return {
            "name": self.name,
            "before": self.before.perplexity,
            "after": self.after.perplexity,
            "rise": self.rise,
        }


@dataclass(frozen=True)
class Result:
    """A finished update.

    Attributes
    ----------
    path : Path or None
        The folder of the result; None for a model in memory.
    old : tuple of Measured
        On held-out parts of the texts that the model knew; empty if it has no sample of them.
    new : Measured
        On the held-out part of the new text.
    steps : int
    seconds : float
        Of training, in this process.
    version, made_from : int or None
        None if the result is not a version of the model.
    verdict : {"kept", "held back"}
    """

    path: Path | None
    old: tuple[Measured, ...]
    new: Measured
    steps: int
    seconds: float
    version: int | None = None
    made_from: int | None = None
    verdict: Verdict = "kept"

    @property
    def worst(self) -> Measured | None:
        """The old text that got worse by the largest share."""
        return max(self.old, key=lambda measured: measured.rise, default=None)

    def lines(self, model: str | os.PathLike[str] | None = None) -> list[str]:
        """Return the table, the verdict, and what to try if the update is held back.

        Parameters
        ----------
        model : path-like, optional
            The folder that was updated; None for a model in memory.
        """
        lines = [f"{'perplexity on held-out text':<44}{'before':>10}{'after':>10}{'change':>12}"]
        lines += [measured.line("old") for measured in self.old]
        lines.append(self.new.line("new"))
        if not self.old:
            lines.append(
                "old text: no sample is kept here; name some with --old-data to measure it"
            )
        if self.path is None:
            return lines
        if self.version is None:
            return [*lines, f"the model in {model} is unchanged; the result is in {self.path}"]
        place = f"version {self.version}, made from version {self.made_from}"
        if self.verdict == "kept" or self.worst is None:
            lines.append(f"{place}, is now the model in {model}")
            lines.append(f"go back with: minilm rollback {model}")
            return lines
        return [
            *lines,
            f"{place}, is held back: {self.worst.name} got {self.worst.rise:.0%} worse",
            f"the model in {model} is unchanged; the update is in {self.path}",
            "try half the --learning-rate, fewer --epochs, or --replay 0.5;",
            f"or accept it anyway: minilm rollback {model} --to {self.version}",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON holds it."""
        return {
            "version": self.version,
            "made_from": self.made_from,
            "verdict": self.verdict,
            "path": None if self.path is None else str(self.path),
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
            "old": [measured.to_json() for measured in self.old],
            "new": self.new.to_json(),
        }


@dataclass(frozen=True)
class Outcome:
    """The outcome of a request for an update.

    Attributes
    ----------
    collected : Collected
    advice : Advice
        From after the training; from before it if nothing was trained.
    result : Result or None
        None if nothing was trained.
    """

    collected: Collected
    advice: Advice
    result: Result | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON holds it."""
        return {
            "collected": {**asdict(self.collected), "kept": self.collected.kept},
            "advice": {"action": self.advice.action, "reasons": list(self.advice.reasons)},
            "update": None if self.result is None else self.result.to_json(),
        }
