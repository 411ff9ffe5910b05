"""The functions of a notebook as a file: its cells also have calls, checks and pictures."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator

from minilm.errors import InputError, listed

# Lines that are IPython's and not Python's: magics, shell commands, questions.
_MAGIC = re.compile(r"^\s*(?:[%!].*|\?.*|.*\?\s*)$", re.M)


def cells(text: str) -> list[str]:
    """Return the code of each cell that has some; empty where this is no notebook.

    >>> cells('{"cells": [{"cell_type": "code", "source": ["%matplotlib\\\\n", "x = 1"]}]}')
    ['\\nx = 1']
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    listed = found.get("cells") if isinstance(found, dict) else None
    codes = []
    for cell in listed if isinstance(listed, list) else []:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", "")
            whole = "".join(map(str, source)) if isinstance(source, list) else str(source)
            codes.append(_MAGIC.sub("", whole))
    return codes


def source(text: str, wanted: Collection[str]) -> str:
    """Return a file with what a kata needs of a notebook.

    That is what the cells define: imports, functions, classes and constants; and of a cell that
    defines one of the wanted names everything but its calls. Of two definitions the last counts.

    Parameters
    ----------
    text : str
        The notebook.
    wanted : collection of str
        The names of the kata's functions, or of an experiment's answers.

    Raises
    ------
    InputError
        When no cell defines any of them.
    """
    parts, is_found = [], False
    codes = cells(text)
    if not codes:
        raise InputError("the notebook cannot be read, or has no cell with code")
    for code in codes:
        try:
            body = ast.parse(code).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            if not any(re.search(rf"\b{re.escape(name)}\b", code) for name in wanted):
                continue
            # The learner's own cell, with a slip: the check says what is wrong with it.
            parts.append(code)
            is_found = True
            continue
        for node in body:
            if answers := _answers(node, wanted):
                parts.append(answers)
                is_found = True
        is_own = not wanted or any(name in wanted for node in body for name in _defined(node))
        is_found = is_found or is_own
        kept = [node for node in body if _is_kept(node, is_own)]
        parts += [_segment(code, node) for node in kept]
    if not is_found:
        raise InputError(f"no cell of the notebook defines {listed(list(wanted))}")
    future = "from __future__ import annotations"  # must come first
    found = [part for part in parts if part != future]
    return "\n\n".join([future] * (len(found) < len(parts)) + found) + "\n"


def _answers(node: ast.stmt, wanted: Collection[str]) -> str:
    """Return an experiment's answers as a file has them; a notebook has `predictions = dict(...)`.

    >>> _answers(ast.parse("predictions = dict(tickets=0.5, why='so')").body[0], ["tickets", "why"])
    "tickets = 0.5\\nwhy = 'so'"
    """
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return ""
    call = node.value
    if "predictions" not in _defined(node) or not isinstance(call.func, ast.Name):
        return ""
    found = [word for word in call.keywords if word.arg in wanted]
    return "\n".join(f"{word.arg} = {ast.unparse(word.value)}" for word in found)


def _segment(code: str, node: ast.stmt) -> str:
    """Return the lines of a statement, with its decorators."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    return "\n".join(code.splitlines()[first - 1 : node.end_lineno])


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    if isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _is_kept(node: ast.stmt, is_own: bool) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
        return True
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        try:
            ast.literal_eval(node.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return is_own and not _calls_minilm(node)
        return True
    return is_own and not isinstance(node, ast.Expr)


def _calls_minilm(node: ast.stmt) -> bool:
    """Return whether a statement keeps what a check or a plug gives, as `result = minilm...`."""
    return any(
        isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "minilm"
        for n in ast.walk(node)
    )
