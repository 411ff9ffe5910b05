"""Which line of the learner's file a result comes from."""

from __future__ import annotations

import ast
import dis
import traceback
from pathlib import Path

import numpy as np

from minilm.course import values


def definition(source: str, name: str) -> int | None:
    """Return the line on which a function or class of a file begins.

    >>> definition("x = 1\\ndef f(): ...", "f")
    2
    """
    node = _find(source, name)
    return None if node is None else node.lineno


def line_of(
    source: str, target: str, name: str | None = None, position: int | None = None, count: int = 1
) -> int | None:
    """Return the line that a result was last assigned in, or the return, or the definition.

    Parameters
    ----------
    source : str
        The learner's file.
    target : str
        The name of a function or class; of a class its last method is looked at.
    name : str, optional
        Of the result: with a class perhaps an attribute.
    position : int, optional
        Which of the returned values it is; None for no one in particular.
    count : int
        How many are returned.

    Examples
    --------
    >>> line_of("def f(x):\\n    y = x + 1\\n    z = 2\\n    return y, z", "f", "y", 0, 2)
    2
    """
    node = _find(source, target)
    if isinstance(node, ast.ClassDef):
        stored = [line for n in ast.walk(node) if (line := _stored(n, name))]
        if stored:
            return stored[-1]
        position, count = None, 1
        node = next((n for n in reversed(node.body) if isinstance(n, ast.FunctionDef)), node)
    if not isinstance(node, ast.FunctionDef):
        return None if node is None else node.lineno
    returns = [n for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None]
    if not returns:
        return node.lineno
    last = max(returns, key=lambda n: n.lineno)
    value = last.value
    if position is None:
        return last.lineno
    if count > 1:
        if not isinstance(value, ast.Tuple) or len(value.elts) != count:
            return last.lineno
        value = value.elts[position]
    if isinstance(value, ast.Name):
        return _last_assignment(node, value.id, last.lineno) or last.lineno
    return last.lineno if value is None else value.lineno


def last_function(source: str, name: str) -> ast.FunctionDef | None:
    """Return a function of a file, or the last method of a class."""
    node = _find(source, name)
    if isinstance(node, ast.ClassDef):
        return next((n for n in reversed(node.body) if isinstance(n, ast.FunctionDef)), None)
    return node


def definition_of(source: str, name: str) -> ast.FunctionDef | ast.ClassDef | None:
    """Return a function or class of a file; of two with one name the last."""
    return _find(source, name)


def _find(source: str, name: str) -> ast.FunctionDef | ast.ClassDef | None:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in reversed(tree.body):  # of two with one name the last one counts
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node
    return None


def _stored(node: ast.AST, name: str | None) -> int | None:
    """Return the line of an assignment to the attribute `self.name` or `self.name_`."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Store):
        return None
    fits = name is not None and node.attr.rstrip("_") == name.rstrip("_")
    return node.lineno if fits else None


def _last_assignment(node: ast.FunctionDef, name: str, before: int) -> int | None:
    """Return the last line before another one that gives a variable its value as a whole."""
    lines = [
        n.lineno
        for n in ast.walk(node)
        if isinstance(n, ast.Name)
        and n.id == name
        and isinstance(n.ctx, ast.Store)
        and n.lineno <= before
    ]
    return max(lines, default=None)


def line_of_error(error: BaseException, path: Path) -> int | None:
    """Return the last line of a file that an exception passed through."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None


def shapes_that_met(error: BaseException, source: str, path: Path) -> str:
    """Return the shapes of the arrays on the line of a learner's file that raised an exception.

    Parameters
    ----------
    error : exception
    source, path
        The learner's file.
    """
    frames = [f for f, _ in traceback.walk_tb(error.__traceback__)]
    lines = [line for _, line in traceback.walk_tb(error.__traceback__)]
    mine = [i for i, frame in enumerate(frames) if frame.f_code.co_filename == str(path)]
    if not mine:
        return ""
    frame, line = frames[mine[-1]], lines[mine[-1]]
    names = _names_on_line(source, line) or list(frame.f_locals)
    found = {n: frame.f_locals[n] for n in names if n in frame.f_locals}
    return values.shapes(found)


def arrays_that_met(error: BaseException) -> frozenset[tuple[int, ...]]:
    """Return the shapes of the arrays on the last line outside the library that an error passed.

    From the code itself, without its source: to compare a learner's error with that of a named
    wrong answer.
    """
    steps = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").split(".")[0] not in ("numpy", "minilm")
    ]
    if not steps:
        return frozenset()
    frame, line = steps[-1]
    read = {
        step.argval
        for step in dis.get_instructions(frame.f_code)
        if step.positions is not None and step.positions.lineno == line
    }
    found = [v for name, v in frame.f_locals.items() if name in read]
    return frozenset(v.shape for v in found if isinstance(v, np.ndarray))


def _names_on_line(source: str, line: int) -> list[str]:
    """Return the variables that the statement on a line reads, in order."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    statements = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    if not statements:
        return []
    inner = max(statements, key=lambda n: n.lineno)
    read = [n for n in ast.walk(inner) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    read.sort(key=lambda n: (n.lineno, n.col_offset))
    return list(dict.fromkeys(n.id for n in read))
