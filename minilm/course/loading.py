"""The learner's file as functions: imported, and with the parameters that the library's have."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from minilm.course import guard, locate, targets
from minilm.course.catalog import Kata
from minilm.course.reports import Failure
from minilm.course.targets import Target


class NotLoadedError(Exception):
    """The file cannot be checked as it is; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def load(kata: Kata, source: str, path: Path) -> dict[str, Any]:
    """Run a learner's file and return its functions for the kata's targets.

    Parameters
    ----------
    kata : Kata
    source : str
        What is in the file.
    path : Path
        Where it is, for tracebacks.

    Returns
    -------
    dict of str to function or class
        By the short names of the targets.

    Raises
    ------
    NotLoadedError
        When it does not run, or lacks a function or a parameter.
    """
    with guard.guarded(kata, path):
        functions = vars(execute(source, path))
    found = {}
    for target in kata.targets:
        if target.name not in functions:
            kind = "class" if target.is_class else "function"
            raise NotLoadedError(
                Failure("import", f"the file has no {kind} {target.name}; write it", target.name)
            )
        found[target.name] = functions[target.name]
        refuse_misfit(target, found[target.name], source)
    return found


def refuse_misfit(target: Target, written: Any, source: str) -> None:
    """Raise NotLoadedError for the library's own function, and for one with other parameters.

    Parameters
    ----------
    target : Target
    written : function or class
        What is to be in its place.
    source : str
        Of the file or cell that it comes from, to say on which line it is.
    """
    if guard.is_guard(written) or written is target.reference:
        raise NotLoadedError(Failure("import", guard.message(target.name)))
    if problem := signature_problem(target, written):
        line = locate.definition(source, target.name)
        raise NotLoadedError(Failure("import", problem, target.name, line=line))


def load_parts(parts: Mapping[Kata, Path]) -> dict[str, Any]:
    """Return the functions of several files, by the dotted paths of what they take the place of."""
    found = {}
    for kata, path in parts.items():
        functions = load(kata, path.read_text(encoding="utf-8-sig"), path)
        found.update({target.path: functions[target.name] for target in kata.targets})
    return found


def execute(source: str, path: Path) -> ModuleType:
    """Run a file's source as a module; NotLoadedError if that fails."""
    module = ModuleType(f"mykatas_{path.stem}")
    module.__file__ = str(path)
    # dataclasses look up the module of a class by name.
    sys.modules[module.__name__] = module
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)  # at the end: a learner's random.py must not hide the library's
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: it is reported, not obeyed
        line = locate.line_of_error(error, path)
        text = f"the file does not import: {said(error)}"
        if isinstance(error, guard.GuardedError):
            text = str(error)
        raise NotLoadedError(Failure("import", text, line=line)) from error
    return module


def said(error: BaseException) -> str:
    """Return an exception in one line.

    >>> said(ValueError("no such axis")), said(SystemExit(3))
    ('ValueError: no such axis', 'it calls exit (SystemExit: 3); take that out')
    """
    message = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    text = f"{type(error).__name__}{f': {message}' if message else ''}"
    return f"it calls exit ({text}); take that out" if isinstance(error, SystemExit) else text


def signature_problem(target: Target, written: Any) -> str | None:
    """Return what is wrong with the parameters of a function, or of a class's methods."""
    if target.is_class != isinstance(written, type) or not callable(written):
        return f"is not a {'class' if target.is_class else 'function'}"
    if not target.is_class:
        return _parameters_problem(target.reference, written, "")
    pairs = {"__init__": vars(target.reference).get("__init__")} | targets.methods(target.reference)
    for name, reference in pairs.items():
        if name != "__init__" and not hasattr(written, name):
            return f"has no {name}; write it"
        if not inspect.isfunction(reference):
            continue
        if problem := _parameters_problem(reference, getattr(written, name), f"{name} "):
            return problem
    return None


def _parameters_problem(reference: Any, written: Any, prefix: str) -> str | None:
    try:
        yours = inspect.signature(written).parameters
    except (TypeError, ValueError):
        return f"{prefix}is not a function"
    expected = inspect.signature(reference).parameters
    if _listed(yours) != _listed(expected):
        return f"{prefix}takes {_listed(yours)}, expected {_listed(expected)}"
    for name, parameter in expected.items():
        if repr(yours[name].default) != repr(parameter.default):
            return f"{prefix}has {_default(yours[name])}, expected {_default(parameter)}"
    return None


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return f"no default for {parameter.name}"
    return f"the default {parameter.name}={parameter.default!r}"


def _listed(parameters: Mapping[str, inspect.Parameter]) -> str:
    """Return the names of parameters as they are in a definition."""
    empty = inspect.Parameter.empty
    return str(
        inspect.Signature([p.replace(annotation=empty, default=empty) for p in parameters.values()])
    )
