"""All katas: each is a folder with a page, a `kata.toml` and its Python files.

    lesson.md      the page
    kata.toml      number, title, phase, minutes, difficulty, prerequisites, targets, hints; and
                   where they apply, library (what the library's function does differently),
                   phase_name (of a phase that the course does not have) and needs (the name of a
                   packaged model that its demo runs)
    stub.py        what a learner starts from: signature, shapes, what is raised; no formula
    solution.py    the plain form of the answer; absent where the library's function is just that
    checks.py      cases and properties (`cases.py` says how)
    wrong.py       named wrong answers (`mistakes.py` says how)
    demo.py        the live code: `run(course)` (`demos.py` says what `course` has)
    teaching.md    three questions to discuss, each with a sample answer
    stored/        what a long demo printed and drew, for the book (`book/demo_output.py`)

An experiment has no targets, and neither `stub.py`, `solution.py` nor `wrong.py`: its `checks.py`
has QUESTIONS (`experiments.py`). Beside the katas that ship with minilm there may be a teacher's.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import os
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from minilm import resources
from minilm.course import mistakes, phases, targets
from minilm.course.mistakes import Mistake
from minilm.course.targets import Target
from minilm.errors import InputError, OptionError

# The keys of kata.toml and the kinds of their values.
_KEYS: dict[str, type] = {
    "number": str,
    "title": str,
    "phase": int,
    "minutes": int,
    "difficulty": int,
    "prerequisites": list,
    "targets": list,
    "hints": list,
}
_OPTIONAL: dict[str, type] = {"library": str, "phase_name": str, "needs": str}
_FOLDER_VARIABLE = "MINILM_KATAS"


@dataclass(frozen=True)
class Kata:
    """One kata.

    Attributes
    ----------
    folder : Path
    number : str
        As in "10.1", which is not "10.10".
    title : str
    phase, minutes, difficulty : int
        Difficulty is from 1 to 5.
    prerequisites : tuple of str
        Numbers of katas.
    paths : tuple of str
        The dotted paths of the targets; none for an experiment.
    hints : tuple of str
        Three, from a nudge to nearly there.
    library : str
        What the library's function does differently from the solution; empty if nothing.
    phase_name : str
        Of a phase that the course does not have.
    needs : str
        The name of a packaged model that the demo runs (`store.packaged`); empty if none.
    """

    folder: Path
    number: str
    title: str
    phase: int
    minutes: int
    difficulty: int
    prerequisites: tuple[str, ...]
    paths: tuple[str, ...]
    hints: tuple[str, ...]
    library: str = ""
    phase_name: str = ""
    needs: str = ""

    @property
    def name(self) -> str:
        """The folder's name, which the learner's file has too."""
        return self.folder.name

    @property
    def targets(self) -> tuple[Target, ...]:
        """What the learner writes."""
        return tuple(targets.find(path) for path in self.paths)

    @property
    def is_experiment(self) -> bool:
        """Whether there is nothing to write: the learner predicts, runs and compares."""
        return not self.paths

    @property
    def order(self) -> tuple[int, ...]:
        """The number as integers, to sort by."""
        return tuple(int(part) for part in self.number.split("."))

    def lesson(self) -> str:
        """Return the page."""
        return (self.folder / "lesson.md").read_text(encoding="utf-8")

    def module(self, name: str) -> ModuleType:
        """Return one of the kata's Python files, `checks`, `wrong` or `demo`, as a module."""
        return _load(self.folder / f"{name}.py")

    def mistakes(self) -> tuple[Mistake, ...]:
        """Return the named wrong answers; an experiment has none."""
        return () if self.is_experiment else mistakes.collect(self.module("wrong"))

    def fingerprint(self) -> str:
        """Return a digest of what the learner's file is checked against.

        It changes when an update of the library changes the functions or the checks, and not when
        it changes the page.
        """
        digest = hashlib.sha256()
        for target in self.targets:
            digest.update(inspect.getsource(target.reference).encode())
        digest.update((self.folder / "checks.py").read_bytes().replace(b"\r\n", b"\n"))
        return digest.hexdigest()[:16]


def read(folder: Path) -> Kata:
    """Read one kata's `kata.toml`.

    Raises
    ------
    InputError
        When it is not valid or lacks something.
    """
    path = folder / "kata.toml"
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not valid TOML: {error}", path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path) from None
    for key, kind in _KEYS.items():
        if type(given.get(key)) is not kind:
            raise InputError(f"{key} is missing or is not a {kind.__name__}; correct it", path)
    for key, kind in _OPTIONAL.items():
        if key in given and type(given[key]) is not kind:
            raise InputError(f"{key} is not a {kind.__name__}; correct it", path)
    for key in given:
        if key not in _KEYS and key not in _OPTIONAL:
            raise InputError(f"the key {key!r} is unknown; remove it", path)
    if not re.fullmatch(r"\d+\.\d+", given["number"]):
        raise InputError(f'the number {given["number"]!r} is not like "4.6"', path)
    if len(given["hints"]) != 3:
        raise InputError(f"there are {len(given['hints'])} hints; write three", path)
    return Kata(
        folder,
        given["number"],
        given["title"],
        given["phase"],
        given["minutes"],
        given["difficulty"],
        tuple(given["prerequisites"]),
        tuple(given["targets"]),
        tuple(given["hints"]),
        given.get("library", ""),
        given.get("phase_name", ""),
        given.get("needs", ""),
    )


@functools.cache
def all_katas() -> tuple[Kata, ...]:
    """Return every kata, in order: those that ship with minilm and those of `use_folder`."""
    folders = [resources.katas_dir()]
    if os.environ.get(_FOLDER_VARIABLE):
        folders.append(Path(os.environ[_FOLDER_VARIABLE]))
    found: dict[str, Kata] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/kata.toml")):
            kata = read(path.parent)
            if kata.number in found:
                other = found[kata.number].folder.name
                raise InputError(f"{other} has the number {kata.number} too; give it another", path)
            found[kata.number] = kata
    return tuple(sorted(found.values(), key=lambda kata: kata.order))


def use_folder(folder: Path) -> None:
    """Add a folder of katas to those that ship with minilm, for this process and those it starts.

    Raises
    ------
    InputError
        When there is no kata in it.
    """
    if not any(folder.glob("*/kata.toml")):
        raise InputError(
            'has no kata (a folder with a kata.toml); minilm kata new DIR 12.1 "Title" writes one',
            folder,
        )
    os.environ[_FOLDER_VARIABLE] = str(folder.resolve())
    all_katas.cache_clear()


def find(number: str | float) -> Kata:
    """Return the kata of a number: "4.6", or 4.6, as one forgets the quotes in a notebook.

    Raises
    ------
    OptionError
        When there is none.
    """
    if not isinstance(number, str | int | float):
        raise OptionError(
            f'name a kata by its number, such as "4.6"; {type(number).__name__} given'
        )
    number = str(number).strip()
    for kata in all_katas():
        if kata.number == number:
            return kata
    close = [k.number for k in all_katas() if k.number.split(".")[0] == number.split(".")[0]]
    near = ""
    if close:
        near = f"; {phases.title(int(number.split('.')[0]))} has {', '.join(close)}"
    raise OptionError(f"there is no kata {number!r}{near}; see minilm kata list")


@functools.cache
def _load(path: Path) -> ModuleType:
    # Registered, since dataclasses and typing look a class's module up by name.
    name = f"minilm_katas.{path.parent.name}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.exists():
        raise InputError("this file of the kata is missing; install minilm again", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def attribute(module: ModuleType, name: str, default: Any) -> Any:
    """Return what a kata's file defines under a name that it may leave out."""
    return vars(module).get(name, default)
