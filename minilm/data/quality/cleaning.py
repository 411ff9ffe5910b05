"""A copy of a file without what the checks found: some documents removed, some texts changed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm.data import rewrite
from minilm.data.quality import damage, fingerprints
from minilm.data.quality.verdict import BIT, Report
from minilm.errors import OptionError


@dataclass(frozen=True)
class Cleaned:
    """What cleaning did.

    Attributes
    ----------
    path : Path
        The copy.
    kept : int
        Documents in it.
    removed, changed : mapping of str to int
        By check; a document that several checks found counts for the first.
    left : tuple of str
        Checks over their limit that only a person can judge.
    """

    path: Path
    kept: int
    removed: Mapping[str, int]
    changed: Mapping[str, int]
    left: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return what was done, for a person."""
        lines = [f"{self.path}: {self.kept:,} documents kept"]
        for done, counts in (("removed", self.removed), ("changed", self.changed)):
            listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
            if listed:
                lines.append(f"{done}: {listed}")
        if self.left:
            lines.append(f"left for you to judge: {', '.join(self.left)}")
        return lines


def write(report: Report, out: str | os.PathLike[str], **reading: Any) -> Cleaned:
    """Write a cleaned copy of the one file that a report is about, atomically.

    Each rule's remedy says whether documents are removed or changed. Of repeated documents the
    first is kept, and of leaks the one in the later part of the split.

    Parameters
    ----------
    report : Report
        Of one file.
    out : path-like
        The copy, of the same kind.
    **reading
        `unit`, `encoding`, `text_column` and `no_header`, as they were for the check.

    Raises
    ------
    OptionError
        When the report is about several files, nothing would be left, or `out` is the file itself.
    """
    if len(report.paths) != 1 or report.paths[0].is_dir():
        raise OptionError("name one file to clean, not a folder")
    remedies = {
        check.rule.name: check.rule.remedy
        for check in report.checks
        if check.rule.remedy != "remove if over" or not check.passed
    }
    drop = [name for name, remedy in remedies.items() if remedy.startswith("remove")]
    mask = sum(BIT[name] for name in drop)
    if bool(((report.faults & mask) != 0).all()):
        raise OptionError(f"{report.paths[0]}: nothing would be left; look at the file itself")
    change = [name for name, remedy in remedies.items() if remedy == "change"]
    cleaner = _Cleaner(report, drop, change)
    rewrite.rewrite(report.paths[0], out, cleaner.decide, **reading)
    left = tuple(
        check.rule.name
        for check in report.checks
        if check.rule.remedy == "leave" and check.result in ("FAILED", "warning")
    )
    removed, changed = cleaner.removed, cleaner.changed
    kept = report.documents - removed.total()
    return Cleaned(Path(out), kept, _in_order(removed), _in_order(changed), left)


class _Cleaner:
    """Decides what becomes of each document, and counts."""

    def __init__(self, report: Report, drop: Sequence[str], change: Sequence[str]) -> None:
        self.faults, self.drop, self.change = report.faults, drop, change
        self.removed: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        self._written: set[int] = set()  # fingerprints of the texts that were changed

    def decide(self, number: int, text: str) -> str | None:
        """Return the text that a document gets; None to leave it out."""
        faults = int(self.faults[number])
        if found := [name for name in self.drop if faults & BIT[name]]:
            self.removed[found[0]] += 1
            return None
        cured = damage.masked(damage.repaired(text))
        if cured == text:
            return text
        mark = fingerprints.fingerprint(cured)
        if mark in self._written:  # what told them apart was masked
            self.removed["duplicates"] += 1
            return None
        self._written.add(mark)
        self.changed.update(name for name in self.change if faults & BIT[name])
        return cured


def _in_order(counts: Counter[str]) -> dict[str, int]:
    """Return counts by check, in the order of the checks."""
    return {name: counts[name] for name in BIT if counts[name]}
