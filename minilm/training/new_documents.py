"""Before an update: which documents are new to the model, and whether an update makes sense."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, Literal

from minilm.data.documents import counted, read_documents
from minilm.data.quality import damage, fingerprints
from minilm.data.sources import find_files
from minilm.nn.parameters import Config
from minilm.store.folder import OpenModel, Source, Stage, source
from minilm.store.ledger import Ledger
from minilm.text.words import WordTokenizer
from minilm.training import settings, tokens
from minilm.training.settings import UpdateSettings

# New documents. Below FEW an update is the usual step; above MANY retraining is worth it.
FEW, MANY = 500, 1000


@dataclass(frozen=True)
class Collected:
    """How many documents were found, and how many are new.

    Attributes
    ----------
    found : int
        Documents in the files.
    seen : int
        Already seen by the model.
    repeated : int
        Already found in the same files.
    unfit : int
        Without text, or with lost letters.
    repaired : int
        Of the documents that are kept, those whose encoding was repaired.
    """

    found: int = 0
    seen: int = 0
    repeated: int = 0
    unfit: int = 0
    repaired: int = 0

    @property
    def duplicates(self) -> int:
        """How many are skipped because they are known."""
        return self.seen + self.repeated

    @property
    def kept(self) -> int:
        """How many the model will learn."""
        return self.found - self.duplicates - self.unfit

    def lines(self) -> list[str]:
        """Return the counts as lines of text."""
        return [
            f"collect: {counted(self.found, 'document')}",
            f"skip: {self.duplicates:,} duplicates ({self.seen:,} seen by the model, "
            f"{self.repeated:,} repeated here)",
            f"preprocess: {self.kept:,} kept ({self.repaired:,} repaired), {self.unfit:,} unfit",
        ]


def collect(texts: Iterable[str], seen: Ledger | None, out: IO[str]) -> Collected:
    """Write the documents that are new and fit to learn from, and count all documents.

    Parameters
    ----------
    texts : iterable of str
        Documents; they are not held in memory.
    seen : Ledger or None
        What the model has seen.
    out : text file
        Receives a JSON string per line.
    """
    counts = dict.fromkeys((field.name for field in fields(Collected)), 0)
    here: set[int] = set()
    tokenize = WordTokenizer().tokenize
    for text in texts:
        counts["found"] += 1
        repaired = damage.repaired(text)
        marks = {fingerprints.fingerprint(text), fingerprints.fingerprint(repaired)}
        if seen is not None and seen.knows(list(marks)).any():
            counts["seen"] += 1
        elif marks & here:
            counts["repeated"] += 1
        elif damage.has_lost_letters(repaired) or not damage.is_text(
            repaired, sum(map(len, tokenize(repaired)))
        ):
            counts["unfit"] += 1
        else:
            counts["repaired"] += repaired != text
            out.write(json.dumps(repaired) + "\n")
        here |= marks
    return Collected(**counts)


@dataclass(frozen=True)
class Known:
    """What is known about a model without reading its weights."""

    config: Config
    parameters: int
    seen: Ledger | None
    lineage: tuple[Stage, ...]

    @classmethod
    def of(cls, opened: OpenModel) -> Known:
        """Read it from a folder that is open."""
        count = sum(tensor.info.size for tensor in opened.stored.values())
        return cls(opened.config, count, opened.seen(), opened.lineage)

    def __str__(self) -> str:
        """Return it as a line of text."""
        seen = "no ledger, so every document counts as new"
        if self.seen is not None:
            seen = f"has seen {counted(len(self.seen), 'document')}"
        return f"{self.parameters:,} parameters; {seen}"


@dataclass(frozen=True)
class NewText:
    """The documents that are new, in a temporary file."""

    file: Path
    sources: tuple[Source, ...]
    collected: Collected

    def read(self) -> Iterator[str]:
        """Yield the documents."""
        return read_documents([self.file])


@contextlib.contextmanager
def gathered(
    paths: Sequence[str | os.PathLike[str]], asked: UpdateSettings, seen: Ledger | None
) -> Iterator[NewText]:
    """Collect the documents of files that are new to a model; they exist until the block ends."""
    sources = tuple(source(file) for file in find_files(paths))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "new.jsonl"
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            collected = collect(tokens.read(paths, asked), seen, file)
        yield NewText(path, sources, collected)


@dataclass(frozen=True)
class Advice:
    """Whether to wait for more text, to update or to retrain, and why."""

    action: Literal["wait", "update", "retrain"]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line."""
        return f"advice: {self.text}"

    @property
    def text(self) -> str:
        """The action and its reasons."""
        return f"{self.action}, because {'; '.join(self.reasons)}"


def advise(kept: int, *, changed: Sequence[str] = (), risen: float = 0.0, limit: float) -> Advice:
    """Advise to wait, to update or to retrain.

    Parameters
    ----------
    kept : int
        New documents.
    changed : sequence of str
        What would change in the model's shape.
    risen : float
        The share by which the perplexity of old text has risen in all updates.
    limit : float
        The share by which it may rise.

    Examples
    --------
    >>> print(advise(33, limit=0.1))
    advice: update, because 33 new documents are fewer than 500
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
        return Advice("update", (f"{kept:,} new documents are fewer than {FEW}",))
    return Advice(
        "update", (f"{kept:,} new documents are no more than {MANY:,}, but watch old text",)
    )


def shape_changes(config: Config, pretraining: Mapping[str, Any]) -> list[str]:
    """Return how the shape in settings of pretraining differs from that of a model.

    >>> from minilm.nn.config import GPTConfig
    >>> shape_changes(GPTConfig(512, 32, 64, 2, 2), {"size": "kata", "n_layer": 4})
    ['n_layer 2 to 4']
    """
    if not pretraining:
        return []
    asked = settings.complete(pretraining)
    names = ("n_positions", "n_embd", "n_layer", "n_head")
    given = [name for name in names if "size" in pretraining or name in pretraining]
    return [
        f"{name} {getattr(config, name)} to {getattr(asked, name)}"
        for name in given
        if getattr(config, name) != getattr(asked, name)
    ]


def risen(lineage: Sequence[Stage]) -> float:
    """Return the share by which the old text that suffered most got worse in all updates.

    A text counts from the update after the one that learned it: the last text in the figures of a
    stage was new at that time.

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
