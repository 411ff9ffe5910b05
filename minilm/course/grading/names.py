"""The student and the kata that a file's name stands for, as browsers and platforms write it.

mykatas/05_3_attention_backward.py                                    as the course names it
kata 5.3 final (1).py                                                 as students do
Ada Lovelace_12345_assignsubmission_file_/05_3_attention_backward.py  Moodle
lovelaceada_1234_5678_05_3_attention_backward-1.py                    Canvas; LATE_ may be inside
Homework 5_ada_attempt_2026-01-30-20-30-10_05_3.py                    Blackboard
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

from minilm.course import catalog
from minilm.course.catalog import Kata

# Folders of the course itself: not the name of a student.
OWN_FOLDERS = ("mykatas", "predictions", "pictures", "comparison", "notebooks")

_MOODLE = re.compile(
    r"(?P<student>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<rest>.*))?", re.S
)
# A Canvas number has three digits or more; those of katas have one or two.
_CANVAS = re.compile(
    r"(?P<student>[^_]+)_(?:LATE_)?(?P<id>\d{3,})_(?P<time>\d{3,})_(?P<rest>.+)", re.S
)
_BLACKBOARD = re.compile(
    r".*?_?(?P<student>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<rest>.*))?", re.S
)
_TRY = re.compile(
    r"(?:[\s_]*\((\d{1,3})\)|-(\d{1,3})|\s(\d{1,3})|[\s_.-]v(\d{1,3})|[\s_-]+copy)$", re.I
)
_NUMBER = re.compile(
    r"(?<!\d)(?<!\d[-._ ])(?:kata[\W_]*)?0?(\d{1,2})[-._ ]0?(\d{1,2})(?!\d)(?![-._ ]\d)", re.I
)
# Words in file names that are not a student's name.
_NOISE = re.compile(
    r"(?i)(?<![^\W_])(katas?|final|fixed|done|new|last|latest|copy( of)?|try|version|v\d+|"
    r"submission|homework|hw\d*|assignment|solution|\d+)(?![^\W_])"
)


@dataclass(frozen=True)
class Owner:
    """What a platform's name says.

    Attributes
    ----------
    student : str
        Empty where the name does not say.
    number : str
        The platform's own number of the student, which tells two of one name apart.
    rest : str
        The name that the student gave.
    attempt : str
        What sorts the tries of one student: a time, or a number that grows.
    """

    student: str
    number: str
    rest: str
    attempt: str = ""


def plain(text: str) -> str:
    """Return a name in composed Unicode, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def owner(name: str) -> Owner:
    """Return what the name of a file (without its ending) or a folder says about its owner.

    >>> owner("Ada Lovelace_12345_assignsubmission_file_")
    Owner(student='Ada Lovelace', number='12345', rest='', attempt='')
    >>> owner("lovelaceada_LATE_1234_5678_05_3_attention-1")
    Owner(student='lovelaceada', number='1234', rest='05_3_attention-1', attempt='0005678')
    """
    for pattern in (_MOODLE, _BLACKBOARD, _CANVAS):
        if found := pattern.fullmatch(name):
            parts = found.groupdict()
            attempt = parts.get("time") or ""
            # Canvas has growing numbers: they are sorted as such.
            attempt = attempt.zfill(7) if attempt.isdecimal() else attempt
            student = plain(parts["student"])
            return Owner(student, parts.get("id") or "", parts["rest"] or "", attempt)
    return Owner("", "", name)


def attempt(stem: str) -> int:
    """Return which try a name says it is; 0 where it says nothing.

    >>> attempt("kata 5.3 final (1)"), attempt("05_3_attention_backward-2"), attempt("05_3")
    (1, 2, 0)
    """
    found = _TRY.search(stem)
    if found is None:
        return 0
    return next((int(number) for number in found.groups() if number), 1)


def kata(stem: str) -> tuple[Kata | None, str]:
    """Return the kata that a file's name (without its ending) is about, and whose name is in it.

    Examples
    --------
    >>> [(k.number, who) for k, who in map(kata, ("kata 5.3 final (1)", "bob_04_6", "gelu-ada"))]
    [('5.3', ''), ('4.6', 'bob'), ('4.3', 'ada')]
    """
    stem = unicodedata.normalize("NFC", stem)
    by_number = {k.number: k for k in catalog.all_katas()}
    for k in catalog.all_katas():
        if found := _full(k.name).search(stem):
            return k, _student(stem, found)
    for text in (_TRY.sub("", stem), stem):
        for found in _NUMBER.finditer(text):
            number = f"{int(found[1])}.{int(found[2])}"
            if number in by_number:
                return by_number[number], _student(text, found)
    slugs = sorted(catalog.all_katas(), key=lambda k: -len(k.name))
    for k in slugs:
        if found := _slug(k.name).search(stem):
            return k, _student(stem, found)
    return None, ""


def _student(text: str, found: re.Match[str]) -> str:
    """Return what is left of a name beside the kata: first what is before it."""
    for part in (text[: found.start()], _TRY.sub("", text[found.end() :])):
        left = plain(_NOISE.sub(" ", part).strip("_- .()"))
        if left := left.strip("_- .()"):
            return left
    return ""


@functools.cache
def _full(name: str) -> re.Pattern[str]:
    """Return what finds a kata's name, whatever is between its words."""
    # A teacher's own kata may be in a folder of any name.
    parts = [f"0*{int(w)}" if w.isdecimal() else re.escape(w) for w in re.split(r"[\W_]+", name)]
    return re.compile(rf"(?<!\d){_BETWEEN.join(parts)}(?![^\W_])", re.I)


@functools.cache
def _slug(name: str) -> re.Pattern[str]:
    """Return what finds the words of a kata's name without its number."""
    words = [re.escape(word) for word in re.split(r"[\W_]+", name) if not word.isdecimal()]
    if not words:
        return re.compile(r"(?!)")  # in no name
    return re.compile(rf"(?<![^\W_]){_BETWEEN.join(words)}(?![^\W_])", re.I)


_BETWEEN = r"[\W_]+"
