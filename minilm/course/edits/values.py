"""Changes of values: other numbers, other variables, and operands that should not be there."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from typing import Any

from minilm.course.edits.places import (
    SIGNS,
    Place,
    Said,
    called_name,
    integer,
    is_number,
    set_field,
    shown,
    variables,
)


def numbers(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield other constants."""
    for place in places:
        node, parent = place.node, place.parent
        if not isinstance(node, ast.Constant) or isinstance(parent, ast.Expr):
            continue
        value, code = node.value, shown(parent)
        others: list[Any] = []
        if isinstance(value, bool):
            others = [not value]
        elif isinstance(value, int):
            others = [value + 1, value - 1, -value, 0, 2 * value]
        elif isinstance(value, float):
            others = [2 * value, value / 2, 10 * value, value / 10, -value, 1.0]
            others += [1 / value] if value else []
            others += [math.e] if value in (2.0, 10.0) else []
        elif isinstance(value, str):
            others = [
                value[:i] + str(int(c) + s) + value[i + 1 :]
                for i, c in enumerate(value)
                if c in "012345678"
                for s in (1, -1)
            ]
            others += ["", "replace"] if value in (" ", "ignore", "strict") else []
        if isinstance(value, int | float) and value >= 5:
            text = f"{value!r} in {code} is a number like any other: infinity belongs there."
            yield from place.change(ast.Constant(math.inf), text)
        for other in dict.fromkeys(others):
            if other == value and type(other) is type(value):
                continue
            off = type(value) is int and abs(other - value) == 1 and not isinstance(other, bool)
            text = f"{value!r} in {code}{' is off by one' if off else ''}: it should be {other!r}."
            yield from place.change(
                ast.Constant(other) if not isinstance(other, int) else integer(other), text
            )


def left_out(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield operands, wrappers and indices that should not be there."""
    # Operands first: what takes the place of a wrapper may be right by chance, as (v / v) ** 0.75.
    for place in sorted(places, key=lambda p: not isinstance(p.node, ast.BinOp)):
        node = place.node
        code = shown(node)
        if isinstance(node, ast.BinOp):
            sign = SIGNS.get(type(node.op), "")
            text = f"in {code}, `{sign} {shown(node.right)[1:-1]}` should not be there."
            yield from place.change(node.left, text)
            if not isinstance(node.op, ast.Div | ast.FloorDiv):
                text = f"in {code}, `{shown(node.left)[1:-1]} {sign}` should not be there."
                yield from place.change(node.right, text)
        elif isinstance(node, ast.BoolOp):
            for i, value in enumerate(node.values):
                rest = [*node.values[:i], *node.values[i + 1 :]]
                new = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
                yield from place.change(new, f"the condition {shown(value)} should not be there.")
        elif isinstance(node, ast.IfExp):
            yield from place.change(node.body, f"{code}: it is always {shown(node.body)}.")
            yield from place.change(node.orelse, f"{code}: it is always {shown(node.orelse)}.")
        elif isinstance(node, ast.Call):
            if node.args and not isinstance(node.args[0], ast.Starred | ast.Compare):
                text = f"`{called_name(node)}` in {code} should not be there."
                yield from place.change(node.args[0], text)
            if isinstance(node.func, ast.Attribute):
                text = f"`.{node.func.attr}(...)` in {code} should not be there."
                yield from place.change(node.func.value, text)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            text = f"{code} takes a part; all of it is needed."
            if "None" in ast.unparse(node.slice):
                text = f"{code} has an axis that does not belong there."
            yield from place.change(node.value, text)


def names(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield other variables, and other attributes, in the place of each."""
    known = variables(tree)
    attributes = sorted(
        {
            n.attr
            for n in ast.walk(tree)
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
        }
    )
    for place in places:
        node = place.node
        if isinstance(place.parent, ast.Compare) and "'" in ast.unparse(place.parent):
            continue  # with a text, that another variable is not equal to
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in known:
            for other in known:
                if other != node.id:
                    text = f"`{node.id}` in {shown(place.parent)}: `{other}` belongs there."
                    yield from place.change(ast.Name(other, ast.Load()), text)
            if not isinstance(place.parent, ast.Call) or place.field != "func":
                for number in (1, 0):
                    text = f"`{node.id}` in {shown(place.parent)}: {number} belongs there."
                    yield from place.change(integer(number), text)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        ):
            for other in attributes:
                if other != node.attr:
                    text = f"`{shown(node)[1:-1]}`: `self.{other}` belongs there."
                    yield from set_field(node, "attr", other, text)


def by_hand(tree: ast.Module, places: list[Place], constants: Sequence[str]) -> Iterator[Said]:
    """Yield names in the place of numbers."""
    parameters = [n.arg for n in ast.walk(tree) if isinstance(n, ast.arg) and n.arg != "self"]
    for place in places:
        if is_number(place.node) and not isinstance(place.parent, ast.UnaryOp | ast.keyword):
            for name in [*parameters, *constants]:
                code = shown(place.node), shown(place.parent)
                text = f"{code[0]} is hard-coded in {code[1]}: use `{name}`."
                yield from place.change(ast.Name(name, ast.Load()), text)
    numbers = [p for p in places if is_number(p.node) and not isinstance(p.parent, ast.keyword)]
    for value in dict.fromkeys(ast.unparse(p.node) for p in numbers):
        alike = [p for p in numbers if ast.unparse(p.node) == value]
        for name in parameters if len(alike) > 1 else []:
            for place in alike:
                place.put(ast.copy_location(ast.Name(name, ast.Load()), place.node))
            yield f"{value} is hard-coded: use `{name}`.", alike[0].node.lineno
            for place in alike:
                place.put(place.node)
