"""Functions as objects, from cells or a module: whose place each takes, and its source."""

from __future__ import annotations

import difflib
import inspect
import linecache
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from minilm.course import loading
from minilm.course.catalog import Kata
from minilm.course.loading import NotLoadedError
from minilm.course.reports import Failure
from minilm.course.stubs import NOT_WRITTEN


@dataclass(frozen=True)
class Place:
    """Where a function was written.

    Attributes
    ----------
    file : str
        The name that its code has: a path, or what stands for a cell.
    source : str
        The whole file or cell; empty where it cannot be had.
    is_cell : bool
        Whether it is a cell of a notebook.
    """

    file: str
    source: str
    is_cell: bool

    def line(self, number: int) -> str:
        """Return a line of it, without indentation; empty if there is none."""
        lines = self.source.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def at(self, number: int | None) -> str:
        """Return how a line of it is named."""
        if self.is_cell:
            return "your cell" if number is None else f"line {number} of your cell"
        path = Path(self.file)
        here = Path.cwd()
        name = path.relative_to(here).as_posix() if path.is_relative_to(here) else self.file
        return name if number is None else f"{name}:{number}"


def by_name(kata: Kata, given: Sequence[Any]) -> dict[str, Any]:
    """Return functions or classes by the short names of the kata's targets, all of them.

    Raises
    ------
    NotLoadedError
        When one has another name, is missing, is given twice, or does not fit.
    """
    targets = {target.name: target for target in kata.targets}
    found: dict[str, Any] = {}
    for written in given:
        name = getattr(written, "__name__", None)
        if name is None:
            raise _refused(kata, f"{_shortened(written)} is not a function or class; give it")
        if name not in targets:
            close = difflib.get_close_matches(name, targets, 1) or list(targets)
            raise _refused(kata, f"{name} is not a name of this kata; call it {' or '.join(close)}")
        if name in found:
            raise _refused(kata, f"{name} is given twice")
        found[name] = written
    missing = [name for name in targets if name not in found]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise _refused(kata, f"{' and '.join(missing)} {verb} missing")
    for name, written in found.items():
        loading.refuse_misfit(targets[name], written, place(written).source)
    return found


def call(kata: Kata, verb: str = "check") -> str:
    """Return how the functions of a kata are given, as one writes it."""
    return f'minilm.{verb}("{kata.number}", {", ".join(t.name for t in kata.targets)})'


def _refused(kata: Kata, text: str) -> NotLoadedError:
    return NotLoadedError(Failure("import", f"{text}: {call(kata)}"))


def _shortened(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 40 else f"{text[:39]}…"


def place(written: Any) -> Place:
    """Return where a function or class was written."""
    for function in _functions(written):
        file = function.__code__.co_filename
        source = "".join(linecache.getlines(file, function.__globals__))
        if source:
            is_cell = in_notebook() and function.__globals__.get("__name__") == "__main__"
            return Place(file, source, is_cell)
    return Place("your code", "", False)


def namespaces(given: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the globals of functions and of the methods of classes."""
    found: dict[int, dict[str, Any]] = {}
    for written in given:
        for function in _functions(written):
            if "__builtins__" in function.__globals__ and not _is_ours(function):
                found[id(function.__globals__)] = function.__globals__
    return list(found.values())


def is_written(functions: Sequence[Any]) -> bool:
    """Return whether none of some functions and classes is still as its stub is."""
    return not any(
        NOT_WRITTEN in function.__code__.co_consts
        for written in functions
        for function in _functions(written)
    )


def _functions(written: Any) -> Iterator[FunctionType]:
    """Yield a function itself, or the methods of a class."""
    members = vars(written).values() if isinstance(written, type) else [written]
    for member in members:
        if isinstance(member, property):
            member = member.fget
        elif isinstance(member, classmethod | staticmethod):
            member = member.__func__
        function = inspect.unwrap(member) if callable(member) else member
        if isinstance(function, FunctionType):
            yield function


def _is_ours(function: FunctionType) -> bool:
    """Return whether a function's globals are a module of the library."""
    return str(function.__globals__.get("__name__")).partition(".")[0] == "minilm"


def in_notebook() -> bool:
    """Return whether IPython runs this, in a notebook or its own terminal."""
    interactive = sys.modules.get("IPython")
    return interactive is not None and interactive.get_ipython() is not None
