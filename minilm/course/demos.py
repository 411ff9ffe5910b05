"""The live code of a kata, with the learner's functions in the library's place."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm.course import targets
from minilm.course.catalog import Kata
from minilm.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = "pictures"


class Course:
    """What a demo is given: a place for its pictures, and the library beside the learner.

    Parameters
    ----------
    kata : Kata
    folder : Path
        The learner's, as it is shown.
    parts : mapping of str to str
        The learner's files that the demo runs with, by the katas' numbers: for other processes,
        which have to load them again.
    """

    def __init__(self, kata: Kata, folder: Path, parts: Mapping[str, str] | None = None) -> None:
        self.kata, self.folder, self.parts = kata, folder, dict(parts or {})
        self._functions: Mapping[str, Any] = {}
        self._plugged = contextlib.ExitStack()

    @contextlib.contextmanager
    def plugged(self, functions: Mapping[str, Any]) -> Iterator[None]:
        """Put a learner's functions in the library's place while the block runs."""
        self._functions = functions
        with self._plugged:
            self._plugged.enter_context(targets.replaced(functions))
            yield

    @contextlib.contextmanager
    def library(self) -> Iterator[None]:
        """Use the library's own functions while the block runs, for a comparison."""
        self._plugged.close()
        try:
            yield
        finally:
            self._plugged.enter_context(targets.replaced(self._functions))

    def picture(self, figure: Figure, name: str) -> None:
        """Save a figure beside the learner's files, and print where."""
        number = "_".join(self.kata.name.split("_")[:2])
        path = self.folder / PICTURES / f"{number}_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120, metadata={"Software": None})
        print(f"picture: {path.as_posix()}")


def run(
    kata: Kata,
    functions: Mapping[str, Any],
    folder: Path,
    parts: Mapping[str, str] | None = None,
    *,
    kind: Callable[[Kata, Path, Mapping[str, str] | None], Course] = Course,
) -> Any:
    """Run a kata's demo; it prints.

    Parameters
    ----------
    kata : Kata
    functions : mapping
        The learner's, by dotted path; the library's are used for the others.
    folder : Path
        The learner's folder.
    parts : mapping, optional
        The files of these functions, by the katas' numbers.
    kind : callable
        Returns what the demo is given; a notebook's shows pictures.

    Returns
    -------
    object
        What the demo returns: an experiment's measurements.
    """
    module = kata.module("demo")
    if not hasattr(module, "run"):
        raise InputError("has no function run(course)", kata.folder / "demo.py")
    course = kind(kata, folder, parts)
    with course.plugged(functions):
        return module.run(course)


def constants(kata: Kata) -> list[str]:
    """Return the names in capitals that a demo gives values to at its top level, in order."""
    source = (kata.folder / "demo.py").read_text(encoding="utf-8")
    stored = [
        node.id
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name)
    ]
    return [name for name in stored if name.isupper()]
