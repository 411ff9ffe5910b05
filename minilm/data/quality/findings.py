"""What is kept of each document while files are checked, and which documents repeat another."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minilm.data.documents import Record
from minilm.data.quality import damage, minhash
from minilm.data.quality.verdict import BIT
from minilm.text.words import WordTokenizer

EXAMPLES = 3  # of each check

_PARTS = ("train", "dev", "test")


class Seen(Protocol):
    """What a model has seen; `store.ledger.Ledger` is one."""

    def knows(self, hashes: ArrayLike, /) -> NDArray[np.bool_]:
        """Return which of these fingerprints are known."""
        ...


class Findings:
    """What is kept of each document, as arrays with one entry per document."""

    def __init__(self) -> None:
        self.paths: dict[Path, int] = {}
        self.labels: dict[str, int] = {}
        self.words = 0
        self.asked = False  # whether a ledger was asked what was seen
        self._columns: dict[str, array[Any]] = {
            "path": array("i"),
            "number": array("q"),
            "label": array("i"),  # -1: no label
            "part": array("b"),  # -1: no part
            "raw": array("Q"),  # fingerprint
            "hash": array("Q"),  # fingerprint after repair
            "unknown": array("f"),  # share of unknown words; NaN if it was not judged
            "faults": array("I"),
        }
        self.near = array("q")  # the documents that MinHash compares
        self.keys: list[NDArray[np.uint32]] = []  # their band keys, batch by batch
        self.first: dict[str, dict[int, int]] = {}  # check -> found document -> the one before it

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._columns["number"])

    def add(self, record: Record, **values: Any) -> None:
        """Add a document."""
        values["path"] = self.paths.setdefault(record.path, len(self.paths))
        values["number"] = record.number
        values["part"] = -1 if record.part is None else _PARTS.index(record.part)
        values["label"] = (
            self.labels.setdefault(record.label, len(self.labels))
            if record.label and record.label.strip()
            else -1
        )
        for name, column in self._columns.items():
            column.append(values[name])

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column as an array that can be written to."""
        return np.frombuffer(self._columns[name], self._columns[name].typecode)

    def mark(self, rule: str, documents: NDArray[Any]) -> None:
        """Note that a check found these documents."""
        self["faults"][documents] |= np.uint32(BIT[rule])


def compare(found: Findings, seen: Seen | None) -> None:
    """Mark documents that repeat, are in another part or have another label too, or were seen."""
    filled = np.flatnonzero(found["faults"] & BIT["empty"] == 0)
    found.asked = seen is not None
    if seen is not None:
        known = seen.knows(found["raw"][filled]) | seen.knows(found["hash"][filled])
        found.mark("seen before", filled[known])
    _compare_parts(found, filled)
    _compare_labels(found, filled[found["label"][filled] >= 0])


def _compare_parts(found: Findings, documents: NDArray[Any]) -> None:
    """Mark documents that appear twice in a part of the split, or in a later part too."""
    hashes, parts, labels = (found[name][documents] for name in ("hash", "part", "label"))
    order = np.lexsort((documents, labels, parts, hashes))
    documents, hashes, parts, labels = (a[order] for a in (documents, hashes, parts, labels))
    first, _ = _groups(hashes, parts, labels)
    repeated = first != np.arange(len(documents))
    _pair(found, "duplicates", documents[repeated], documents[first[repeated]])
    # Within a group of the same text, everything is in the order of its part.
    _, last = _groups(hashes)
    leaks = (parts >= 0) & (parts < parts[last])
    _pair(found, "leaks", documents[leaks], documents[last[leaks]])


def _compare_labels(found: Findings, documents: NDArray[Any]) -> None:
    """Mark labelled documents whose text has another label too."""
    hashes, labels = (found[name][documents] for name in ("hash", "label"))
    order = np.lexsort((documents, labels, hashes))
    documents, hashes, labels = (array[order] for array in (documents, hashes, labels))
    first, last = _groups(hashes)
    contrary = labels[first] != labels[last]
    others = np.where(labels == labels[first], documents[last], documents[first])
    _pair(found, "contradictory labels", documents[contrary], others[contrary])


def _groups(*columns: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each row of sorted columns, where its group of equal rows begins and ends.

    >>> [ends.tolist() for ends in _groups(np.array([3, 3, 5, 7, 7, 7]))]
    [[0, 0, 2, 3, 3, 3], [1, 1, 2, 5, 5, 5]]
    """
    count = len(columns[0])
    changes = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    begins = np.flatnonzero(np.concatenate(([True], changes)))[:count]
    sizes = np.diff(np.append(begins, count))
    return np.repeat(begins, sizes), np.repeat(begins + sizes - 1, sizes)


def _pair(found: Findings, rule: str, documents: NDArray[Any], others: NDArray[Any]) -> None:
    """Mark documents, and keep the partners of the first few for the examples."""
    found.mark(rule, documents)
    partners = found.first.setdefault(rule, {})
    for i in np.argsort(documents, kind="stable")[:EXAMPLES]:
        partners.setdefault(int(documents[i]), int(others[i]))


def compare_near(found: Findings, again: Iterator[Record]) -> None:
    """Mark documents that are nearly the same as another one."""
    if not found.keys:
        return
    numbers = np.frombuffer(found.near, np.int64)
    fresh = found["faults"][numbers] & BIT["duplicates"] == 0
    pairs = minhash.candidates(np.concatenate(found.keys)[fresh])
    pairs = numbers[fresh][pairs]
    hashes, parts = found["hash"], found["part"]
    pairs = pairs[hashes[pairs[:, 0]] != hashes[pairs[:, 1]]]
    if not len(pairs):
        return
    wanted = set(pairs.ravel().tolist())
    tokenize = WordTokenizer().tokenize
    sets = {
        i: np.unique(minhash.shingles([tokenize(damage.repaired(record.text))])[0])
        for i, record in enumerate(again)
        if i in wanted
    }
    near: dict[int, int] = {}
    leaks: dict[int, int] = {}
    for one, other in pairs[np.argsort(pairs[:, 1], kind="stable")].tolist():
        apart = parts[one] != parts[other] and min(parts[one], parts[other]) >= 0
        earlier, later = (one, other) if parts[one] < parts[other] else (other, one)
        marked, document, partner = (leaks, earlier, later) if apart else (near, other, one)
        if document in marked:
            continue
        if minhash.resemblance(sets[one], sets[other]) >= minhash.THRESHOLD:
            marked[document] = partner
    for rule, marked in (("near-duplicates", near), ("leaks", leaks)):
        documents = np.array(list(marked), np.int64)
        _pair(found, rule, documents, np.array(list(marked.values()), np.int64))
