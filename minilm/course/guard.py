"""While a check runs, the library's own function is not to be had: the learner writes it.

Only calls that come straight from the learner's file are refused. The library goes on calling its
own functions, and so do the checks.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minilm.course import composed, targets
from minilm.course.catalog import Kata
from minilm.course.targets import Target

_MARK = "__kata_guard__"


class GuardedError(Exception):
    """The learner's code uses the library's function in place of its own."""


@contextlib.contextmanager
def guarded(kata: Kata, path: Path | None) -> Iterator[None]:
    """Refuse the library's functions to a learner's file while the block runs.

    Parameters
    ----------
    kata : Kata
    path : Path or None
        The learner's file; None for functions that come from no file, which are not refused.
    """
    if path is None:
        yield
        return
    undo: list[tuple[Any, str, Any]] = []
    try:
        plain = [t for t in kata.targets if hasattr(composed, t.name)]  # the same, written out
        for target in (
            *kata.targets,
            *(targets.find(f"{composed.__name__}.{t.name}") for t in plain),
        ):
            undo += targets.replace_name(target, _guard(target, str(path)))
        yield
    finally:
        for owner, name, value in reversed(undo):
            setattr(owner, name, value)


def is_guard(value: Any) -> bool:
    """Return whether a value is what stands for a library function during a check."""
    return getattr(value, _MARK, None) is not None


def message(name: str) -> str:
    """Return what a learner is told who uses the library's function."""
    return f"{name} here is the library's function; write your own"


def _guard(target: Target, file: str) -> Any:
    """Return a stand-in that works for everyone but code of one file."""

    def check() -> None:
        if sys._getframe(2).f_code.co_filename == file:
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
