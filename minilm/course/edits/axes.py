"""Other axes: letters of einsum, orders of a transpose, columns for rows, another length."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import Any

from minilm.course.edits.places import (
    Place,
    Said,
    called_name,
    integer,
    is_number,
    set_field,
    shown,
)


def axes(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield other axes of a call, an index or a length."""
    for place in places:
        node = place.node
        if isinstance(node, ast.Call):
            name = called_name(node)
            if name == "einsum" and node.args and isinstance(node.args[0], ast.Constant):
                yield from _letters(node)
            elif name in ("transpose", "swapaxes", "moveaxis"):
                yield from _orders(node)
            elif name == "len" and node.args:
                yield from _lengths(place, node.args[0], integer(-1))
            elif name in ("sorted", "sort", "argsort", "nlargest"):
                yield from _sorted(node, name)
        elif isinstance(node, ast.Attribute) and node.attr == "size":
            yield from _lengths(place, node.value, integer(-1), integer(0))
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            columns = ast.Tuple([ast.Slice(), node.slice], ast.Load())
            text = f"{shown(node)} takes rows; columns are needed: [:, {ast.unparse(node.slice)}]."
            yield from set_field(node, "slice", columns, text)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            first, *rest = node.slice.elts
            if isinstance(first, ast.Slice) and ast.unparse(first) == ":" and len(rest) == 1:
                text = f"{shown(node)} takes columns; rows are needed: [{ast.unparse(rest[0])}]."
                yield from set_field(node, "slice", rest[0], text)


def _letters(node: Any) -> Iterator[Said]:
    """Yield the letters of an einsum with two of a group exchanged."""
    letters = node.args[0].value
    if not isinstance(letters, str):
        return
    code = shown(node)
    for i, j in itertools.combinations(range(len(letters)), 2):
        between = letters[i : j + 1]
        if not (letters[i].isalpha() and letters[j].isalpha()) or set(between) & set(",->"):
            continue
        new = letters[:i] + letters[j] + letters[i + 1 : j] + letters[i] + letters[j + 1 :]
        text = f"the letters in {code}: '{new}' is right, not '{letters}'."
        yield from set_field(node.args[0], "value", new, text, node.lineno)


def _orders(node: Any) -> Iterator[Said]:
    """Yield the other orders of axes that are written as numbers."""
    last = node.args[-1:] or [None]
    is_tuple = isinstance(last[0], ast.Tuple | ast.List)
    owner, field = (last[0], "elts") if is_tuple else (node, "args")
    old = getattr(owner, field)
    kept = old[:1] if called_name(node) != "transpose" and len(old) == 3 else []  # np.swapaxes(x,
    old = old[len(kept) :]
    if not 2 <= len(old) <= 4 or not all(map(is_number, old)):
        return
    code = shown(node)
    most = range(len(old) if called_name(node) == "transpose" else 4)
    for order in itertools.permutations(most, len(old)):
        text = (
            f"the axes in {code}: {', '.join(map(str, order))} are the right ones, in this order."
        )
        new = [*kept, *map(integer, order)]
        yield from set_field(owner, field, new, text, node.lineno)


def _lengths(place: Place, array: ast.expr, *axes: ast.expr) -> Iterator[Said]:
    """Yield the length of another axis."""
    for axis in axes:
        shape = ast.Attribute(array, "shape", ast.Load())
        new = ast.Subscript(shape, axis, ast.Load())
        text = f"{shown(place.node)} is another length than the one needed, `{ast.unparse(new)}`."
        yield from place.change(new, text)


def _sorted(node: Any, name: str) -> Iterator[Said]:
    """Yield the other direction of a sort, and one that keeps equals in their order."""
    known = {keyword.arg for keyword in node.keywords}
    more: list[tuple[str, ast.expr, str]] = []
    if name in ("sorted", "sort") and "reverse" not in known:
        text = f"{shown(node)} begins with the smallest: the order is the other way around."
        more.append(("reverse", ast.Constant(True), text))
    if name == "argsort" and "kind" not in known:
        text = f"{shown(node)} mixes equal ones: kind='stable' keeps them in their order."
        more.append(("kind", ast.Constant("stable"), text))
    for option, value, text in more:
        node.keywords.append(ast.keyword(option, value))
        yield text, node.lineno
        node.keywords.pop()
