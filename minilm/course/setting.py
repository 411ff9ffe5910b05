"""What a learner's function needs around it, as text: to have it again in another process.

A file could be run again there, but a notebook cannot: its cells train models and call checks. So
only definitions are taken: imports, functions, classes, and constants.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from types import ModuleType
from typing import Any

_DEFINED = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef


def of(implementation: Any, source: str) -> str | None:
    """Return code that defines what a function or class uses, and itself.

    Parameters
    ----------
    implementation : function or class
    source : str
        The file or cell that it comes from.
    """
    try:
        body = [node for node in ast.parse(source).body if _is_kept(node)]
    except (SyntaxError, ValueError):
        return None
    found = _globals(implementation)
    parts = [ast.unparse(ast.Module(body, []))]
    known, todo = _names(body, ast.Store), _names(body, ast.Load)
    while todo:
        name = todo.pop()
        if name in known or name not in found:
            continue
        known.add(name)
        if part := _definition(name, found[name]):
            parts.insert(0, part)
            todo |= _names(ast.parse(part).body, ast.Load)
    return "\n".join(["from __future__ import annotations", *parts])


def _is_kept(node: ast.stmt) -> bool:
    """Return whether a statement defines something: constants in capitals, other names too."""
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return False
    if isinstance(node, ast.Assign):
        is_name = all(isinstance(t, ast.Name) for t in node.targets)
        is_constant = all(isinstance(t, ast.Name) and t.id.isupper() for t in node.targets)
        return is_constant or (is_name and isinstance(node.value, ast.Name | ast.Lambda))
    return isinstance(node, _DEFINED)


def _names(body: list[ast.stmt], context: type[ast.expr_context]) -> set[str]:
    """Return the names that code reads, or those that it defines."""
    if context is ast.Load:
        nodes = [n for top in body for n in ast.walk(top) if isinstance(n, ast.Name)]
        return {n.id for n in nodes if isinstance(n.ctx, ast.Load)}
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        else:
            found.add(getattr(node, "name", ""))
    return found


def _globals(implementation: Any) -> dict[str, Any]:
    """Return the names that a function, or the methods of a class, see."""
    members = [implementation]
    if isinstance(implementation, type):
        members = list(vars(implementation).values())
    return next((m.__globals__ for m in members if inspect.isfunction(m)), {})


def _definition(name: str, value: Any) -> str | None:
    """Return code that gives a name its value: of a module, a function, a class or a number."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}"
    origin, called = str(getattr(value, "__module__", "")), str(getattr(value, "__name__", ""))
    is_imported = called.isidentifier() and origin != "__main__"
    if is_imported and getattr(sys.modules.get(origin), called, None) is value:
        return f"from {origin} import {called} as {name}"
    if inspect.isfunction(value) or inspect.isclass(value):
        try:
            text = textwrap.dedent(inspect.getsource(value))
            return text if called == name else f"{text}\n{name} = {called}"
        except (OSError, TypeError):
            return None
    try:
        ast.literal_eval(repr(value))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return f"{name} = {value!r}"
