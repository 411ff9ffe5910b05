"""Where the expressions of a piece of code are, and how one is put in the place of another.

A change is made in the tree itself, yielded with what it says of the code as it was and its line,
and taken back when the next one is asked for.
"""

from __future__ import annotations

import ast
import functools
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# What a change says, and the line.
Said = tuple[str, int]


SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Pow: "**",
    ast.Mod: "%", ast.MatMult: "@", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in", ast.Is: "is",
    ast.IsNot: "is not",
}  # fmt: skip


@dataclass
class Place:
    """Where an expression is: in a field of its parent, or in a list there."""

    parent: ast.AST
    field: str
    index: int | None
    node: Any

    def put(self, new: ast.AST) -> None:
        """Put another expression there."""
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.index] = new

    def change(self, new: ast.AST, text: str) -> Iterator[Said]:
        """Put another expression there for a while."""
        ast.copy_location(new, self.node)
        self.put(new)
        yield text, self.node.lineno
        self.put(self.node)


def all_places(tree: ast.AST) -> list[Place]:
    """Return all places of a tree, without annotations and defaults."""
    found = []
    for parent in ast.walk(tree):
        if isinstance(parent, ast.arguments | ast.arg):
            continue  # a default or an annotation is no part of the computation
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            if isinstance(value, ast.AST):
                found.append(Place(parent, field, None, value))
            elif isinstance(value, list):
                found += [
                    Place(parent, field, i, v)
                    for i, v in enumerate(value)
                    if isinstance(v, ast.AST)
                ]
    return found


def set_field(
    node: Any, field: str, new: Any, text: str, line: int | None = None
) -> Iterator[Said]:
    """Change one field of a node for a while."""
    old = getattr(node, field)
    setattr(node, field, new)
    yield text, line or node.lineno
    setattr(node, field, old)


@functools.lru_cache(maxsize=1000)
def shown(node: ast.AST) -> str:
    """Return code in backquotes, not too long."""
    return f"`{textwrap.shorten(ast.unparse(node), 60, placeholder=' ...')}`"


def exchanged(
    items: list[Any], i: int, text: str, line: int, j: int | None = None
) -> Iterator[Said]:
    """Exchange two items of a list for a while: neighbors by default."""
    j = i + 1 if j is None else j
    items[i], items[j] = items[j], items[i]
    yield text, line
    items[i], items[j] = items[j], items[i]


def is_number(node: ast.AST) -> bool:
    """Return whether code is a number as it stands, with a minus or without."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def variables(tree: ast.Module) -> list[str]:
    """Return the parameters and variables of functions, without those that start with _."""
    found = [n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)]
    found += [
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    return [n for n in dict.fromkeys(found) if n not in ("self", "cls", "_")]


def called_name(node: ast.Call) -> str:
    """Return the last part of the name of what is called, as `sum` of `np.sum(x)`."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def call_of(value: ast.expr, method: str, *arguments: ast.expr) -> ast.Call:
    """Return the call of a method."""
    return ast.Call(ast.Attribute(value, method, ast.Load()), list(arguments), [])


def integer(value: int) -> ast.expr:
    """Return an integer as Python's parser gives it: -1 is a minus and a 1."""
    one = ast.Constant(abs(value))
    return one if value >= 0 else ast.UnaryOp(ast.USub(), one)
