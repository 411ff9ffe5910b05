"""The checks of a text, their limits, and the report on all of them as a table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from minilm.data.documents import counted

Severity = Literal["error", "warning"]
Remedy = Literal["remove", "remove if over", "change", "leave"]

MIN_WORDS = 3  # in a document
MAX_WORDS = 5_000


@dataclass(frozen=True)
class Rule:
    """What a check looks for.

    Attributes
    ----------
    name : str
    severity : {"error", "warning"}
        Whether a text over the limit is unfit, or this is only reported.
    limit : float
        The share of the documents that the check may find.
    meaning : str
        What is wrong with a document that it finds.
    remedy : {"remove", "remove if over", "change", "leave"}
        What cleaning does: removes the document, removes it only if the check is over its limit
        (a few of them are probably fine), changes the text, or leaves it to a person.
    """

    name: str
    severity: Severity
    limit: float
    meaning: str
    remedy: Remedy


RULES = (
    Rule("empty", "error", 0, "no text", "remove"),
    Rule("too short", "warning", 0.1, f"fewer than {MIN_WORDS} words", "remove if over"),
    Rule("too long", "warning", 0.01, f"more than {MAX_WORDS:,} words", "leave"),
    Rule("not text", "error", 0.01, "control characters, or hardly a letter", "remove"),
    Rule("mojibake", "error", 0, "UTF-8 read in another encoding", "change"),
    Rule("lost letters", "error", 0, "replacement characters (U+FFFD) or halves", "remove"),
    Rule("other alphabet", "error", 0.01, "most letters are of another script", "remove if over"),
    Rule("unknown words", "error", 0.1, "few known words: another language?", "remove if over"),
    Rule("duplicates", "error", 0.05, "an earlier document has it, word for word", "remove"),
    Rule("near-duplicates", "warning", 0.05, "an earlier document is nearly the same", "remove"),
    Rule("seen before", "error", 0.1, "the model has learned from it", "remove"),
    Rule("no label", "error", 0, "nothing in the label column", "remove"),
    Rule("contradictory labels", "error", 0, "the same text has another label too", "remove"),
    Rule("leaks", "error", 0, "dev or test has (nearly) the same", "remove"),
    Rule("rare labels", "warning", 0, "less than a tenth of the largest class", "leave"),
    Rule("e-mail addresses", "warning", 0, "private", "change"),
    Rule("phone numbers", "warning", 0, "private", "change"),
)
BIT = {rule.name: 1 << i for i, rule in enumerate(RULES)}


@dataclass(frozen=True)
class Example:
    """A document that a check found: where, how it begins, and a note."""

    place: str
    excerpt: str
    note: str = ""

    def line(self) -> str:
        """Return it as one line of at most 80 columns."""
        head = f"  {self.place}  " if self.place else "  "
        tail = f"  ({self.note})" if self.note else ""
        return _cut(head + repr(_cut(self.excerpt, max(20, 76 - len(head) - len(tail)))) + tail, 80)


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes
    ----------
    rule : Rule
    count : int or None
        Documents found (classes for "rare labels"); None if it could not be judged.
    share : float
        Of all documents.
    examples : tuple of Example
        The first few.
    """

    rule: Rule
    count: int | None
    share: float
    examples: tuple[Example, ...]

    @property
    def passed(self) -> bool:
        """Whether it is within its limit."""
        return self.share <= self.rule.limit

    @property
    def result(self) -> str:
        """The result in one word: ok, warning, FAILED, or "-" if there was nothing to judge."""
        if self.count is None:
            return "-"
        if self.passed:
            return "ok"
        return "FAILED" if self.rule.severity == "error" else "warning"


@dataclass(frozen=True)
class Report:
    """The report on some files.

    Attributes
    ----------
    paths : tuple of Path
    documents, words : int
    labels : mapping of str to int
        How many documents have each label; empty if there are no labels.
    checks : tuple of Check
    faults : ndarray of shape (documents,), uint32
        For each document in order, the checks that found it: bit i for `RULES[i]`.
    taken : tuple of str
        What was read from the files: columns, rows, what was left out.
    remarks : tuple of str
        What to check in the labels and the script; the verdict does not depend on it.
    """

    paths: tuple[Path, ...]
    documents: int
    words: int
    labels: Mapping[str, int]
    checks: tuple[Check, ...]
    faults: NDArray[np.uint32] = field(repr=False)
    taken: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check of severity "error" is over its limit."""
        return all(check.result != "FAILED" for check in self.checks)

    def __getitem__(self, name: str) -> Check:
        """Return a check by its name."""
        return next(check for check in self.checks if check.rule.name == name)

    def over(self, result: str) -> list[str]:
        """Return the names of the checks with this result."""
        return [check.rule.name for check in self.checks if check.result == result]

    def lines(self) -> list[str]:
        """Return the table, the examples and the verdict, in lines of at most 80 columns."""
        rows = [("check", "found", "share", "limit", "result")]
        for check in self.checks:
            found, share, limit = "-", "-", "-"
            if check.count is not None:
                found, share = f"{check.count:,}", _percent(check.share)
                limit = f"{check.rule.limit:.0%}"
            rows.append((check.rule.name, found, share, limit, check.result))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        names = ", ".join(path.name for path in self.paths)
        lines = [line for text in self.taken for line in _wrapped(text)]
        sizes = f"{counted(self.documents, 'document')}, {counted(self.words, 'word')}"
        lines.append(f"{_cut(names, 40)}: {sizes}")
        for name, *figures, result in rows:
            cells = [
                figure.rjust(width) for figure, width in zip(figures, widths[1:4], strict=True)
            ]
            lines.append(f"{name:<{widths[0]}}  {'  '.join(cells)}  {result}")
        for check in self.checks:
            if check.count:
                lines.append(f"{check.rule.name}: {check.rule.meaning}")
                lines += [example.line() for example in check.examples]
        lines += [line for text in self.remarks for line in _wrapped(text)]
        return [*lines, *_wrapped(self.verdict)]

    @property
    def verdict(self) -> str:
        """The verdict as one line."""
        failed, warned = self.over("FAILED"), self.over("warning")
        also = f"; look at: {', '.join(warned)}" if warned else ""
        if failed:
            return f"verdict: not fit to learn from: {', '.join(failed)}{also}"
        return f"verdict: fit to learn from{also}"

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON holds it, without the faults of each document."""
        return {
            "files": [str(path) for path in self.paths],
            "taken": list(self.taken),
            "remarks": list(self.remarks),
            "documents": self.documents,
            "words": self.words,
            "labels": dict(self.labels),
            "passed": self.passed,
            "checks": [
                {
                    "name": check.rule.name,
                    "severity": check.rule.severity,
                    "count": check.count,
                    "share": check.share,
                    "limit": check.rule.limit,
                    "result": check.result,
                    "examples": [vars(example) for example in check.examples],
                }
                for check in self.checks
            ],
        }


def _percent(share: float) -> str:
    """Return a share as a percentage; one above zero never looks like zero.

    >>> _percent(0.123), _percent(0.0001), _percent(0)
    ('12.3%', '<0.1%', '0.0%')
    """
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 80, subsequent_indent="  ")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
