"""What is done in the wrong order: a power in a sum or outside, a reshape for a transpose."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

from minilm.course.edits.places import (
    SIGNS,
    Place,
    Said,
    call_of,
    called_name,
    integer,
    set_field,
    shown,
)

_MODULES = ("np", "numpy", "math", "F")
# Of numbers, or of an axis: what is inside of these makes a difference.
_MATH = {
    "sum", "mean", "max", "min", "var", "std", "prod", "norm", "cumsum", "sqrt", "exp", "log",
    "log1p", "abs", "square", "tanh", "round", "len",
}  # fmt: skip


def moved(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield calls in the other order, and what belongs inside of a call, or outside."""
    for place in places:
        node = place.node
        if isinstance(node, ast.Call):
            yield from _inside(place)
            yield from _reshaped(place)
            if called_name(node) == "range" and len(node.args) > 1:
                yield from _from_zero(node.args, 0, node)
        elif isinstance(node, ast.BinOp) and _is_simple(node.right):
            inner = _operand(node.left)
            if isinstance(node.left, ast.Call) and inner is not None and _is_math(node.left):
                new = _with(node.left, ast.BinOp(inner, node.op, node.right))
                by = f"{SIGNS.get(type(node.op), '')} {ast.unparse(node.right)}"
                name = called_name(node.left)
                text = f"in {shown(node)}, `{by}` belongs inside of `{name}`."
                yield from place.change(new, text)
        elif isinstance(node, ast.Slice) and isinstance(node.lower, ast.BinOp):
            yield from _from_zero(node, "lower", node)
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and _is_taken(place):
            first, *rest = node.values
            asked = ast.Compare(first, [ast.IsNot()], [ast.Constant(None)])
            other = rest[0] if len(rest) == 1 else ast.BoolOp(ast.Or(), rest)
            text = f"`or` in {shown(node)} treats 0 as missing: ask whether it `is not None`."
            yield from place.change(ast.IfExp(asked, first, other), text)


def _inside(place: Place) -> Iterator[Said]:
    """Yield two calls in the other order, and a power or sum after the call that it is in."""
    node = place.node
    inner = _operand(node) if _is_math(node) else None
    if isinstance(inner, ast.Call) and _is_math(inner):
        innermost = _operand(inner)
        if innermost is not None:
            names = called_name(node), called_name(inner)
            text = f"the order in {shown(node)}: first `{names[0]}`, then `{names[1]}`."
            yield from place.change(_with(inner, _with(node, innermost)), text)
    elif isinstance(inner, ast.BinOp) and _is_simple(inner.right):
        new = ast.BinOp(_with(node, inner.left), inner.op, inner.right)
        by = f"{SIGNS.get(type(inner.op), '')} {ast.unparse(inner.right)}"
        text = f"in {shown(node)}, `{by}` belongs outside of `{called_name(node)}`."
        yield from place.change(new, text)


def _is_math(node: ast.Call) -> bool:
    return called_name(node) in _MATH


def _operand(node: ast.expr) -> ast.expr | None:
    """Return what a call is about: its first argument, or the object of a method."""
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    if isinstance(function, ast.Attribute):
        value = function.value
        if not (isinstance(value, ast.Name) and value.id in _MODULES):
            is_of_numpy = isinstance(value, ast.Attribute)  # np.linalg.norm
            return node.args[0] if is_of_numpy and node.args else value
    return node.args[0] if node.args and not isinstance(node.args[0], ast.Starred) else None


def _with(call: Any, operand: ast.expr) -> ast.expr:
    """Return a call that is about something else."""
    new = copy.copy(call)
    if call.args and _operand(call) is call.args[0]:
        new.args = [operand, *call.args[1:]]
    else:
        new.func = ast.Attribute(operand, call.func.attr, ast.Load())
    return new


def _reshaped(place: Place) -> Iterator[Said]:
    """Yield a transpose after a reshape of the other order of sizes."""
    node = place.node
    if called_name(node) != "reshape" or not isinstance(node.func, ast.Attribute):
        return
    value = node.func.value
    if isinstance(value, ast.Name) and value.id in _MODULES:
        return
    is_tuple = len(node.args) == 1 and isinstance(node.args[0], ast.Tuple)
    sizes = node.args[0].elts if is_tuple else node.args
    for i in range(min(len(sizes) - 1, 3)):
        order = [*sizes]
        order[i], order[i + 1] = order[i + 1], order[i]
        new = call_of(call_of(value, "reshape", *order), "swapaxes", integer(i), integer(i + 1))
        text = (
            f"{shown(node)} only cuts the same row of numbers in another way: to exchange axes, "
            "reshape in the order that the numbers have, then transpose."
        )
        yield from place.change(new, text)


def _from_zero(owner: Any, key: Any, node: ast.AST) -> Iterator[Said]:
    """Yield a start that is not below zero."""
    old = owner[key] if isinstance(owner, list) else getattr(owner, key)
    if not (isinstance(old, ast.BinOp) and isinstance(old.op, ast.Sub)):
        return
    new = ast.Call(ast.Name("max", ast.Load()), [integer(0), old], [])
    code = shown(node) if not isinstance(node, ast.Slice) else f"[{ast.unparse(node)}]"
    text = f"{code} may start below 0, where places count from the end: max(0, ...)."
    if isinstance(owner, list):
        owner[key] = new
        yield text, old.lineno
        owner[key] = old
    else:
        yield from set_field(owner, key, new, text, old.lineno)


def _is_simple(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.Name | ast.Attribute)


def _is_taken(place: Place) -> bool:
    """Return whether a value is taken from a place, and not only whether it is true."""
    return not isinstance(place.parent, ast.If | ast.While | ast.BoolOp | ast.UnaryOp) and not (
        isinstance(place.parent, ast.IfExp) and place.field == "test"
    )
