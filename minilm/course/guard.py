"""While a check runs, the library's own function is not to be had: the learner writes it.

Only calls that come straight from the learner's file, or from the cells of a notebook, are refused.
The library goes on calling its own functions, and so do the checks.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from minilm.course import composed, targets
from minilm.course.catalog import Kata
from minilm.course.targets import Target

_MARK = "__kata_guard__"


class GuardedError(Exception):
    """The learner's code uses the library's function in place of its own."""


@contextlib.contextmanager
def guarded(
    kata: Kata, path: Path | None, namespaces: Sequence[dict[str, Any]] = ()
) -> Iterator[None]:
    """Refuse the library's functions to a learner's code while the block runs.

    Parameters
    ----------
    kata : Kata
    path : Path or None
        The learner's file, if there is one.
    namespaces : sequence of dict
        The globals of functions that exist already, as in a notebook: all of its cells are refused,
        and so is what they have imported under any name. Without a file and without these nothing
        is refused.
    """
    if path is None and not namespaces:
        yield
        return
    undo: list[tuple[Any, str, Any]] = []
    imported: list[tuple[dict[str, Any], str, Any]] = []
    try:
        plain = [t for t in kata.targets if hasattr(composed, t.name)]  # the same, written out
        for target in (
            *kata.targets,
            *(targets.find(f"{composed.__name__}.{t.name}") for t in plain),
        ):
            guard = _guard(target, str(path), namespaces)
            undo += targets.replace_name(target, guard)
            for names in namespaces:
                held = [name for name, value in names.items() if value is target.reference]
                imported += [(names, name, target.reference) for name in held]
                names.update(dict.fromkeys(held, guard))
        yield
    finally:
        for owner, name, value in reversed(undo):
            setattr(owner, name, value)
        for names, name, value in imported:
            names[name] = value


def is_guard(value: Any) -> bool:
    """Return whether a value takes the place of a library function during a check."""
    return getattr(value, _MARK, None) is not None


def message(name: str) -> str:
    """Return the message for a learner who uses the library's function."""
    return f"{name} here is the library's function; write your own"


def _guard(target: Target, file: str, namespaces: Sequence[dict[str, Any]]) -> Any:
    """Return a stand-in that works for everyone but code of one file or of some namespaces."""

    def check() -> None:
        frame = sys._getframe(2)
        mine = frame.f_globals  # compared by identity: equality would look at every value
        if frame.f_code.co_filename == file or any(names is mine for names in namespaces):
            raise GuardedError(message(target.name))

    if not target.is_class:

        @functools.wraps(target.reference)
        def function(*args: Any, **kwargs: Any) -> Any:
            check()
            return target.reference(*args, **kwargs)

        setattr(function, _MARK, target.path)
        return function

    class Meta(type):
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            check()
            return target.reference(*args, **kwargs)

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, target.reference)

        def __getattr__(cls, name: str) -> Any:
            check()
            return getattr(target.reference, name)

    def subclassed(cls: Any, **kwargs: Any) -> None:
        raise GuardedError(message(target.name))

    inside = {_MARK: target.path, "__init_subclass__": classmethod(subclassed)}
    return Meta(target.name, (), inside)
