"""The library's functions that katas are about: found by name, and replaced by a learner's own.

A function is replaced wherever the library holds it, a class method by method, so that whoever
imported the class, or made an instance of it, sees the replacement too.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from minilm.course import composed
from minilm.errors import InputError


@dataclass(frozen=True)
class Target:
    """A function or class of the library.

    Attributes
    ----------
    path : str
        The dotted path, as in `minilm.nn.functional.layer_norm_backward`.
    module : module
    reference : function or class
        The library's own, whatever is in its place now.
    """

    path: str
    module: ModuleType
    reference: Any

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def is_class(self) -> bool:
        """Whether it is a class."""
        return isinstance(self.reference, type)

    @property
    def is_llamas(self) -> bool:
        """Whether it is an operation that Llama has and GPT-2 has not."""
        return bool(self.reference.__module__ == "minilm.nn.functional.llama")


@functools.cache
def find(path: str) -> Target:
    """Return the target of a dotted path.

    Raises
    ------
    InputError
        When the library has no such function or class.
    """
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
        reference = getattr(module, name)
    except (ImportError, AttributeError, ValueError):
        raise InputError(f"{path}: the library has no such function; correct the kata") from None
    return Target(path, module, reference)


def methods(kind: type) -> dict[str, Any]:
    """Return the public methods and properties that a class itself defines."""
    return {
        name: value
        for name, value in vars(kind).items()
        if not name.startswith("_")
        and isinstance(value, FunctionType | property | classmethod | staticmethod)
    }


@contextlib.contextmanager
def replaced(parts: Mapping[str, Any]) -> Iterator[None]:
    """Put other functions in the library's place while the block runs.

    Parameters
    ----------
    parts : mapping of str to function or class
        By dotted path.
    """
    undo: list[tuple[Any, str, Any]] = []
    try:
        for path, part in parts.items():
            undo += replace(path, part)
        yield
    finally:
        for owner, name, value in reversed(undo):
            if value is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


@contextlib.contextmanager
def counted(parts: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], Counter[str]]]:
    """Give functions and classes that count how often they are called, and the counts by path.

    While the block runs, a class counts the calls of its methods, and a file the calls among its
    own functions.
    """
    calls: Counter[str] = Counter(dict.fromkeys(parts, 0))

    def counting(path: str, function: Any) -> Any:
        @functools.wraps(function)
        def called(*arguments: Any, **options: Any) -> Any:
            calls[path] += 1
            return function(*arguments, **options)

        return called

    found: dict[str, Any] = {}
    with contextlib.ExitStack() as undo:
        for path, part in parts.items():
            if isinstance(part, type):
                found[path] = part
                for name, value in list(vars(part).items()):
                    if isinstance(value, FunctionType) and not name.startswith("_"):
                        undo.callback(setattr, part, name, value)
                        setattr(part, name, counting(path, value))
                continue
            found[path] = counting(path, part)
            beside = getattr(part, "__globals__", {})
            for name in [name for name, value in beside.items() if value is part]:
                undo.callback(beside.__setitem__, name, part)
                beside[name] = found[path]
        yield found, calls


_ABSENT = object()


def replace(path: str, part: Any) -> list[tuple[Any, str, Any]]:
    """Put a function or class in the library's place for good; return what was where."""
    target = find(path)
    if target.is_class:
        own = {n for n, v in vars(part).items() if isinstance(v, FunctionType) and n[:2] != "__"}
        places = [
            (target.reference, name, inspect.getattr_static(part, name))
            for name in sorted(own | set(methods(target.reference)))
            if hasattr(part, name)
        ]
        if "__init__" in vars(part) and not issubclass(part, target.reference):
            places.append((target.reference, "__init__", _made_by(part)))
    else:
        # Operations that do the function's work without calling it give way to plain ones; a
        # learner's own in their place stays.
        instead = composed.INSTEAD.get(path, {})
        free = {p: f for p, f in instead.items() if _current(find(p)) is find(p).reference}
        parts = {path: part, **free}
        places = [(*held, new) for where, new in parts.items() for held in _held(find(where))]
    before = [(owner, name, vars(owner).get(name, _ABSENT)) for owner, name, _ in places]
    for owner, name, value in places:
        setattr(owner, name, value)
    return before


def _made_by(part: type) -> Any:
    """Return an __init__ that gives what a class makes, so that its methods find it."""

    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        vars(self).update(vars(part(*arguments, **options)))

    return __init__


def replace_name(target: Target, part: Any) -> list[tuple[Any, str, Any]]:
    """Put something in a target's place in every module, a class as a whole; return what was."""
    before = []
    for module, name in list(_held(target)):
        before.append((module, name, getattr(module, name)))
        setattr(module, name, part)
    return before


def _held(target: Target) -> Iterator[tuple[ModuleType, str]]:
    """Yield every module of the library that holds a target, and under what name."""
    current = _current(target)
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").partition(".")[0] == "minilm":
            for name, value in list(vars(module).items()):
                if value is current:
                    yield module, name


def _current(target: Target) -> Any:
    """Return what is in a target's place now."""
    return getattr(target.module, target.name)
