"""Which line of the learner's file a result comes from."""

from __future__ import annotations

import ast
import traceback
from pathlib import Path


def line_of(source: str, function: str, position: int | None, count: int) -> int | None:
    """Return the line that a result was last assigned in, or the return, or the definition.

    Parameters
    ----------
    source : str
        The learner's file.
    function : str
        The name of a function, or of a class or method (then its last function).
    position : int, optional
        Which of the returned values; None for no one in particular.
    count : int
        How many are returned.

    Examples
    --------
    >>> line_of("def f(x):\\n    y = x + 1\\n    z = 2\\n    return y, z", "f", 0, 2)
    2
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    node = next((n for n in tree.body if getattr(n, "name", None) == function), None)
    if isinstance(node, ast.ClassDef):
        inner = [n for n in node.body if isinstance(n, ast.FunctionDef)]
        node = inner[-1] if inner else node
    if not isinstance(node, ast.FunctionDef):
        return getattr(node, "lineno", None)
    returns = [n for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None]
    if not returns or position is None:
        return returns[-1].lineno if returns else node.lineno
    last = max(returns, key=lambda n: n.lineno)
    value = last.value
    if count > 1:
        if not isinstance(value, ast.Tuple) or len(value.elts) != count:
            return last.lineno
        value = value.elts[position]
    if not isinstance(value, ast.Name):
        return value.lineno if value is not None else last.lineno
    return _last_assignment(node, value.id, last.lineno) or last.lineno


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
