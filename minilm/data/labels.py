"""Labels as people write them: variants of one label, and values that look missing.

Nothing is merged here: a person decides, and corrects the file.
"""

from __future__ import annotations

import re
import reprlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

_MISSING = frozenset(
    ("na", "n/a", "#n/a", "<na>", "nan", "none", "null", "nil", "missing", "?", ".")
)
_DASHES = re.compile(r":?-+:?")  # no value, or the rule below a table's header
_QUOTES = re.compile("[\\s'\"`\u2018\u2019\u201c\u201d\u00ab\u00bb]+")
_DECIMAL = re.compile(r"[-+]?\d+[.,]\d+(?:[eE][-+]?\d+)?")
_GRADES = 20  # decimal numbers that may be grades (1.0, 1.5, ...); more of them are a quantity
_NAMED = 5  # findings, and variants of a label, that a report lists


def findings(counts: Mapping[str, int]) -> list[str]:
    """Return what a person should check in the labels of a file, one line per finding.

    Parameters
    ----------
    counts : mapping of str to int
        How many texts have each label.

    Examples
    --------
    >>> for line in findings({"pos": 40, "Pos": 2, "1": 7, "1.0": 1, "NA": 3, "neg": 9}):
    ...     print(line)
    labels that differ only in how they are written: 'pos' (40), 'Pos' (2)
    labels that differ only in how they are written: '1' (7), '1.0' (1)
    a label that looks like a missing value: 'NA' (3)
    """
    alike: defaultdict[object, list[str]] = defaultdict(list)
    for label in counts:
        alike[_key(label)].append(label)
    found = [
        "labels that differ only in how they are written: "
        + _listed(sorted(labels, key=lambda label: -counts[label]), counts)
        for labels in alike.values()
        if len(labels) > 1
    ]
    more = len(found) - _NAMED
    if more > 0:
        found[_NAMED:] = [f"and {more} more groups of such labels"]
    bare = {label: _QUOTES.sub("", label).lower() for label in counts}
    missing = [name for name in counts if bare[name] in _MISSING or _DASHES.fullmatch(bare[name])]
    if missing:
        what = "a label that looks like a missing value"
        if len(missing) > 1:
            what = "labels that look like missing values"
        found.append(f"{what}: {_listed(missing, counts)}")
    decimals = [label for label in counts if _DECIMAL.fullmatch(label.strip())]
    if len(decimals) > _GRADES:
        found.append(
            f"{len(decimals):,} labels are decimal numbers, and each is a class of its own; minilm "
            "does not predict numbers, so group them into a few classes: "
            f"{_listed(decimals, counts)}"
        )
    elif len(counts) > max(_GRADES, sum(counts.values()) / 2):
        found.append(
            f"{len(counts):,} labels for {sum(counts.values()):,} texts; if this is not the column "
            f"of the labels, name it with --label-column: {_listed([*counts], counts)}"
        )
    return found


def without_blanks(labels: Iterable[str]) -> dict[str, str]:
    """Return each label without surrounding blanks, unless that would merge two labels.

    >>> without_blanks([" pos", " neg"])
    {' pos': 'pos', ' neg': 'neg'}
    >>> without_blanks(["pos", "pos ", "neg"])
    {'pos': 'pos', 'pos ': 'pos ', 'neg': 'neg'}
    """
    found = dict.fromkeys(labels)
    stripped = {label: label.strip() for label in found}
    if len(set(stripped.values())) < len(stripped):
        return {label: label for label in found}
    return stripped


def _key(label: str) -> object:
    bare = _QUOTES.sub("", unicodedata.normalize("NFKC", label)).casefold()
    bare = "".join(c for c in bare if unicodedata.category(c) != "Cf" and c != "\ufe0f")
    try:
        return float(bare) if bare not in _MISSING else bare
    except ValueError:
        return bare


def _listed(labels: Sequence[str], counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{reprlib.repr(label)} ({counts[label]:,})" for label in labels[:_NAMED])
    return shown + f" and {len(labels) - _NAMED} more" * (len(labels) > _NAMED)
