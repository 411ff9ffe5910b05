"""Where the pages of a book are: what the parts of a book link to."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import minilm
from minilm.course.book.layout import link
from minilm.course.book.markdown import Place
from minilm.course.catalog import Kata

_PACKAGE = Path(minilm.__file__).resolve().parent


@dataclass(frozen=True)
class Shelf:
    """The katas of a book, and where each has its pages.

    Parameters
    ----------
    katas : sequence of Kata
        In order.
    """

    katas: Sequence[Kata]

    def page(self, kata: Kata) -> str:
        """Return a kata's page."""
        return f"katas/{kata.name}.html"

    def teaching(self, kata: Kata) -> str:
        """Return the page of its teaching notes."""
        return f"teaching/{kata.name}.html"

    def start(self, kata: Kata) -> str:
        """Return the file that a learner starts from."""
        return f"katas/files/{kata.name}.py"

    def place(self, title: str, root: str, own: str = "") -> Place:
        """Return the place of a text, which links to the katas that it names."""
        pages = {kata.number: root + self.page(kata) for kata in self.katas}
        return Place(title, pages, own)

    def link(self, kata: Kata, root: str, *, long: bool = True) -> str:
        """Return a link to a kata's page: its number, and its title if it is to be long."""
        text = f"{kata.number} {kata.title}" if long else kata.number
        return link(root + self.page(kata), text)

    def links(self, numbers: Sequence[str], root: str) -> str:
        """Return links to katas by number; one that this book does not have stays a number."""
        known: Mapping[str, Kata] = {kata.number: kata for kata in self.katas}
        return ", ".join(
            self.link(known[number], root) if number in known else number for number in numbers
        )

    def about(self, kata: Kata, root: str) -> str:
        """Return a kata's minutes, its difficulty and what comes before it."""
        said = f"{kata.minutes} minutes · difficulty {kata.difficulty} of 5"
        before = self.links(kata.prerequisites, root)
        return f"{said} · after {before}" if before else said


@dataclass(frozen=True)
class Source:
    """Where something is written in the library.

    Attributes
    ----------
    file : str
        As in "minilm/nn/gpt.py".
    first, last : int
        Its lines.
    text : str
        What is written there.
    """

    file: str
    first: int
    last: int
    text: str

    @property
    def page(self) -> str:
        """The page of the whole file, at the first line."""
        return f"{source_page(self.file)}#L{self.first}"

    @property
    def name(self) -> str:
        """The file and the lines."""
        return f"{self.file}, lines {self.first} to {self.last}"


def source_page(file: str) -> str:
    """Return the page of a file of the library.

    >>> source_page("minilm/nn/gpt.py")
    'source/minilm.nn.gpt.html'
    """
    return f"source/{file.removesuffix('.py').replace('/', '.')}.html"


def source_of(thing: Any) -> Source | None:
    """Return where a function or class of the library is written; None if it is not there."""
    path = Path(inspect.getsourcefile(thing) or "").resolve()
    if not path.is_relative_to(_PACKAGE):
        return None
    lines, first = inspect.getsourcelines(thing)
    file = path.relative_to(_PACKAGE.parent).as_posix()
    text = inspect.cleandoc("\n" + "".join(lines)) if lines[0][:1].isspace() else "".join(lines)
    return Source(file, first, first + len(lines) - 1, text)


def source_text(file: str) -> str:
    """Return the whole of a file of the library."""
    return (_PACKAGE.parent / file).read_text(encoding="utf-8")
