"""What a page of evidence says: the lines that are read, and what a claim among them claims.

    - RUN: 10_4_comparison
    - SETTINGS: 4 draws, 3 pretrainings, 1,024 test items
    - CLAIM: cooccurrence better than random at 64 labels, by 0.13 [0.10, 0.16]
    - CLAIM: cannot tell transformer-lora from transformer-scratch at 16 labels

Everything else on the page is for people. A claim has two conditions, a verdict, and a number of
labels; a file ("on movie_reviews"), the difference and its interval may follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CANNOT_TELL = "cannot tell"
OPPOSITE = {"better": "worse", "worse": "better", CANNOT_TELL: CANNOT_TELL}
_LABEL = re.compile(
    r"^[\s>*_+#\-\u2022\u2013\u2014]*(?:\[[ x]\]\s*|\d+[.)]\s*)?[*_`]*"
    r"(CLAIM|RUN|SETTINGS)\s*\d*[*_`]*\s*[:\uff1a](.*)",
    re.I,
)
# Lines that were meant as claims: in a table, without the colon, with marks of another language.
_MEANT = re.compile(r"^(?:[\W\d_]|</?\w+>)*CLAIMS?\b")
HEADING = re.compile(r"^#+\s+(.*)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_BUDGET = re.compile(
    r"[,(]?\s*\b(?:at|with|for|given)?\s*(\d[\d,]*)\s*(?:labels?|labell?ed\s+\w+)\b\)?", re.I
)
_FILE = re.compile(r",?\s*\bon\s+[`\"']?([\w./\\-]*\w)[`\"']?", re.I)
_NUMBER = r"[+\-\u2212]?\d*\.?\d+"
_SIGNS = {"+", "-", "\u2212"}
_UNIT = r"\s*(%|percent\w*(?:\s+points)?|points?|pp)?"
_INTERVAL = re.compile(
    rf"[\[(]?\s*({_NUMBER}){_UNIT}\s*(?:,|to|\.\.|;)\s*({_NUMBER}){_UNIT}\s*[\])]?{_UNIT}"
)
_DIFFERENCE = re.compile(rf"({_NUMBER}){_UNIT}", re.I)
# A verdict between two names, or after "A against B".
_BETWEEN = re.compile(
    r"^(?P<a>.+?)\s+(?:(?:is|was|are|were|does|did|comes?\s+out|clearly|significantly|much|far|slightly)\s+)*"
    r"(?P<v>better|worse)\s+than\s+(?P<b>.+)$",
    re.I,
)
_UNTOLD = (
    re.compile(
        r"^(?:I\s+|we\s+)?(?:cannot|can't|can not)\s+tell\s+(?P<a>.+?)\s+(?:from|and)\s+(?P<b>.+)$",
        re.I,
    ),
    re.compile(
        r"^(?P<a>.+?)\s+(?:cannot|can't|can not)\s+(?:tell|be\s+told)(?:\s+apart)?\s+from\s+"
        r"(?P<b>.+)$",
        re.I,
    ),
)
_AGAINST = re.compile(
    r"^(?P<a>.+?)\s+(?:against|vs\.?|versus|compared\s+(?:with|to))\s+(?P<b>.+?)\s*[:,=]\s*"
    r"(?:is\s+)?(?P<v>better|worse|cannot\s+tell|can't\s+tell)\b(?P<tail>.*)$",
    re.I,
)
_NOT = re.compile(r"\b(?:not|no|isn't|wasn't|never)\s+(?:\w+\s+)?(?:better|worse)\b", re.I)
_EQUAL = re.compile(
    r"\b(?:equal\w*|same|as\s+good\s+as|identical|no\s+difference|no\s+effect|comparable)\b", re.I
)
_NAME_ENDS = re.compile(r"\s*(?:[,:;(\[]|\s(?:by|with|at|on)\b|\s[+\-\u2212]?\d|\.\s|\.$).*$", re.I)
# What is no number of a claim: "95 % interval", p values. What has the looks of an interval. 0,30.
_LEVEL = re.compile(r"\b9\d(?:\.\d+)?\s*%\s*(?=[a-z\[(])(?:confidence\s+)?(?:intervals?|CI)?", re.I)
_P_VALUE = re.compile(r"\bp\s*[<=>\u2264\u2265]+\s*\d*\.\d+(?:e-?\d+)?", re.I)
_LIKE_INTERVAL = re.compile(r"\[|\u00b1|\+/-")
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])0,\d+(?![\d.])|(?<![\d.,\[(])\d+,\d+\s*(?:%|percent|p)")
_MOST_CHARACTERS = 500  # of a claim; patterns take long for more
COUNT_WORDS = {
    word: i for i, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
}
COUNT = rf"(\d[\d,]*|{'|'.join(COUNT_WORDS)})"
FORM = "CLAIM: A better than B at 64 labels"


Written = tuple[float, float]  # a number, and the size of its last digit


@dataclass(frozen=True)
class Claim:
    """A claim as it is written: condition a, verdict, condition b.

    Attributes
    ----------
    a, b : str
        As written.
    verdict : {"better", "worse", "cannot tell"}
    budget : int
        Labels.
    file : str
        Of which test items; empty where none is named.
    difference : (float, float) or None
        A minus b as written, with the size of its last digit; without a sign, as the verdict says.
    interval : pair of the same, or None
    """

    a: str
    b: str
    verdict: str
    budget: int
    file: str = ""
    difference: Written | None = None
    interval: tuple[Written, Written] | None = None


class ClaimError(Exception):
    """A claim that cannot be read, or that the run does not support; `kind` says which."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def lines_of(text: str) -> list[str]:
    """Return the lines of a page, with comments blank."""
    return _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text).splitlines()


def labelled(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the number, the label and the rest of each line that is read."""
    for number, line in enumerate(lines, 1):
        if found := _LABEL.match(line):
            yield number, found[1].upper(), found[2].strip().strip("*_").strip()


def unread(lines: Sequence[str]) -> Iterator[int]:
    """Yield the number of each line that was meant as a claim, and is not read as one.

    >>> list(unread(["CLAIM: a better than b", "| CLAIM | a better than b |", "claims differ"]))
    [2]
    """
    for number, line in enumerate(lines, 1):
        if _MEANT.match(line) and not _LABEL.match(line):
            yield number


def parse(text: str) -> Claim:
    """Return what a claim says.

    Raises
    ------
    ClaimError
        When it cannot be read in one way only.

    Examples
    --------
    >>> claim = parse("cooccurrence better than random at 64 labels, by 0.13")
    >>> claim.a, claim.verdict, claim.b, claim.budget, claim.difference[0]
    ('cooccurrence', 'better', 'random', 64, 0.13)
    >>> parse("cannot tell lora from scratch at 16 labels on movie_reviews").file
    'movie_reviews'
    """
    text = text.replace("`", "").replace("**", "").replace("\u2019", "'")
    plain = " ".join(text.split()).rstrip(".")
    if not plain or set(plain) <= set(". _"):
        raise ClaimError("empty_claim", f"the claim is empty; write it ({FORM}) or delete it")
    if len(plain) > _MOST_CHARACTERS:
        raise ClaimError(
            "long_claim", f"the claim has {len(plain):,} characters; write one sentence ({FORM})"
        )
    budgets = {int(n.replace(",", "")) for n in _BUDGET.findall(plain)}
    if found := re.search(r"\d[\d,]*\s*(?:,|and|or|&|/)\s*\d[\d,]*\s*labels?\b", plain, re.I):
        raise ClaimError(
            "several_budgets",
            f'"{found[0]}" are two claims, and their verdicts may differ; write a line for each',
        )
    if len(budgets) > 1:
        raise ClaimError(
            "several_budgets", "the claim names two numbers of labels; write a line for each"
        )
    rest = _BUDGET.sub(" ", plain)
    place = _FILE.search(rest)
    rest = _FILE.sub(" ", rest, count=1)
    a, b, verdict, tail = _verdict(rest)
    if not budgets:
        raise ClaimError(
            "no_budget", f'the claim has no number of labels; write "at 64 labels", as in {FORM}'
        )
    difference, interval = _numbers(tail, verdict)
    named = re.split(r"[/\\]", place[1])[-1] if place else ""
    return Claim(a, b, verdict, budgets.pop(), named, difference, interval)


def _verdict(text: str) -> tuple[str, str, str, str]:
    """Return the two names, the verdict, and what follows."""
    if _NOT.search(text):
        raise ClaimError(
            "no_verdict",
            '"not better" is not a verdict; the summary has better, worse and cannot tell. '
            'Write "cannot tell A from B" if that is what it says',
        )
    for pattern in _UNTOLD:
        if found := pattern.match(text):
            return _names(found["a"], found["b"], CANNOT_TELL)
    if found := _AGAINST.match(text):
        verdict = found["v"].lower()
        verdict = verdict if verdict in OPPOSITE else CANNOT_TELL
        return found["a"].strip(), found["b"].strip(), verdict, found["tail"]
    if found := _BETWEEN.match(text):
        return _names(found["a"], found["b"], found["v"].lower())
    if found := _EQUAL.search(text):
        raise ClaimError(
            "equal",
            f'"{found[0]}" is not a verdict: a comparison that sees no difference has not shown '
            'that there is none. Write "cannot tell A from B"',
        )
    raise ClaimError(
        "no_verdict",
        f"the claim has no verdict that can be read; write it as {FORM}, with better than, "
        "worse than, or cannot tell A from B",
    )


def _names(a: str, b: str, verdict: str) -> tuple[str, str, str, str]:
    name = _NAME_ENDS.sub("", b).strip()
    tail = b[len(name) :]
    name = re.sub(r"\s+apart$", "", name)
    return a.strip(), name, verdict, tail


def _numbers(text: str, verdict: str) -> tuple[Written | None, tuple[Written, Written] | None]:
    """Return the difference and the interval that follow a claim, as fractions of 1."""
    text = _P_VALUE.sub(" ", _LEVEL.sub(" ", text))
    if comma := _DECIMAL_COMMA.search(text):
        said = comma[0].replace(",", ".")
        raise ClaimError("decimal_comma", f'write decimals with a point: {said}, not "{comma[0]}"')
    interval = None
    found = _INTERVAL.search(text)
    if found is None and _LIKE_INTERVAL.search(text):
        raise ClaimError(
            "interval_unread", "the interval cannot be read; write it as in [0.10, 0.16]"
        )
    if found:
        low, unit_low, high, unit_high, unit = found.groups()
        unit = unit or unit_high or unit_low
        interval = (_number(low, unit), _number(high, unit))
        if verdict == "worse" and not {low[0], high[0]} & _SIGNS:  # "worse, by 0.1 [0.05, 0.15]"
            (low_end, digit), (high_end, _) = interval
            interval = ((-high_end, digit), (-low_end, digit))
        text = text[: found.start()] + " " + text[found.end() :]
    match = _DIFFERENCE.search(text)
    if match is None:
        return None, interval
    value, digit = _number(match[1], match[2])
    if match[1][0] not in _SIGNS and verdict == "worse":
        value = -value
    return (value, digit), interval


def _number(text: str, unit: str | None) -> Written:
    """Return a number and the size of its last digit, of percentage points as a fraction."""
    text = text.replace("\u2212", "-")
    digits = len(text.partition(".")[2])
    scale = 0.01 if unit or abs(float(text)) >= 1 else 1.0
    return float(text) * scale, scale * 10.0**-digits
