"""Changes of calls and indices: axes, keepdims, functions that are alike, bounds one further."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

from minilm.course.edits.places import (
    Place,
    Said,
    call_of,
    called_name,
    exchanged,
    integer,
    set_field,
    shown,
)

# Names of which one is taken for another.
_ALIKE = (
    "sum mean max", "max min argmax argmin", "maximum minimum", "std var", "zeros ones",
    "floor ceil", "log log2 log10 log1p exp", "exp expm1 log", "tril triu", "append extend",
    "sin cos", "tanh cosh sinh tan",
    "any all", "stack concatenate hstack vstack", "repeat tile", "isalnum isalpha", "lower upper",
    "sorted reversed", "sqrt square", "count len sum", "items keys values", "add subtract",
    "empty zeros", "dot matmul multiply",
)  # fmt: skip


_REDUCE = {
    "sum", "mean", "max", "min", "argmax", "argmin", "std", "var", "norm", "concatenate", "stack",
    "cumsum", "any", "all", "prod", "sort", "argsort", "split",
}  # fmt: skip


def calls(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield other axes, keepdims, functions that are alike, and other orders of arguments."""
    for call in (p.node for p in places if isinstance(p.node, ast.Call)):
        yield from _axes(call, called_name(call), shown(call))
    for place in places:
        node = place.node
        if isinstance(node, ast.Call):
            name = called_name(node)
            code = shown(node)
            for group in _ALIKE:
                names = group.split()
                if name in names:
                    for other in names:
                        if other != name:
                            field = "attr" if isinstance(node.func, ast.Attribute) else "id"
                            text = f"`{name}` in {code}: `{other}` is what is needed."
                            if name == "empty":
                                text = f"{code} holds whatever was in memory; begin with zeros."
                            yield from set_field(node.func, field, other, text)
            for i in range(len(node.args) - 1):
                text = f"the arguments of {code} are in the wrong order."
                yield from exchanged(node.args, i, text, node.lineno)
            for i, keyword in enumerate(node.keywords):
                text = f"{keyword.arg}={ast.unparse(keyword.value)} in {code} is wrong there."
                if keyword.arg:
                    del node.keywords[i]
                    yield text, node.lineno
                    node.keywords.insert(i, keyword)
            if name in ("range", "tril", "triu"):
                yield from _further(node.args, code, node.lineno)
                for keyword in node.keywords:
                    for new, by in _one_off(keyword.value):
                        yield from set_field(
                            keyword, "value", new, f"{code} is off by one ({by}).", node.lineno
                        )
        elif isinstance(node, ast.Slice):
            for field in ("lower", "upper"):
                bound = getattr(node, field)
                if bound is not None and not isinstance(bound, ast.Constant):
                    for new, by in _one_off(bound):
                        text = f"the slice [{ast.unparse(node)}] {_ends(field)} {by}."
                        yield from set_field(node, field, new, text, bound.lineno)
                if bound is not None:
                    text = f"the slice [{ast.unparse(node)}] cuts off what belongs in it."
                    yield from set_field(node, field, None, text, bound.lineno)
        elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            if isinstance(node.slice, ast.Tuple):
                yield from _further(node.slice.elts, shown(node), node.lineno)
                yield from _paired(node)
            elif not isinstance(node.slice, ast.Constant):
                for new, by in _one_off(node.slice):
                    text = f"the index in {shown(node)} is off by one ({by})."
                    yield from set_field(node, "slice", new, text)
                text = f"{shown(node)} counts from the wrong end."
                yield from set_field(node, "slice", ast.UnaryOp(ast.USub(), node.slice), text)


def _paired(node: ast.Subscript) -> Iterator[Said]:
    """Yield an index that goes along the rows together with another one."""
    items: list[Any] = getattr(node.slice, "elts", [])
    first = items[0]
    if len(items) > 1 and isinstance(first, ast.Slice) and not isinstance(items[1], ast.Slice):
        numpy = ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant("numpy")], [])
        rows = ast.Call(ast.Name("len", ast.Load()), [copy.deepcopy(node.value)], [])
        items[0] = ast.Call(ast.Attribute(numpy, "arange", ast.Load()), [rows], [])
        yield (
            f"{shown(node)} takes every index in every row; np.arange(n) in place of `:` goes "
            "along the rows and the indices together.",
            node.lineno,
        )
        items[0] = first


def _ends(field: str) -> str:
    return "starts" if field == "lower" else "ends"


def _one_off(node: Any) -> Iterator[tuple[ast.expr, str]]:
    yield ast.BinOp(node, ast.Add(), integer(1)), "one too soon"
    yield ast.BinOp(node, ast.Sub(), integer(1)), "one too late"


def _further(items: list[Any], code: str, line: int) -> Iterator[Said]:
    """Yield arguments or indices that are one more or less."""
    for i, old in enumerate(items):
        if isinstance(old, ast.Slice | ast.Constant | ast.Starred):
            continue
        for new, by in _one_off(old):
            items[i] = new
            yield f"{code} is off by one ({by}).", line
            items[i] = old


def _axes(node: ast.Call, name: str, code: str) -> Iterator[Said]:
    """Yield other axes of a call, and keepdims."""
    given = [k for k in node.keywords if k.arg == "axis"]
    for keyword in given:
        old = keyword.value
        for axis in (-1, 0, 1, -2, 2, None):
            new = integer(axis) if axis is not None else ast.Constant(None)
            if ast.unparse(new) != ast.unparse(old):
                text = (
                    f"the axis in {code}: axis={axis} is the right one."
                    if axis is not None
                    else f"the axis in {code}: it should go over all of them."
                )
                yield from set_field(keyword, "value", new, text, node.lineno)
    if name not in _REDUCE:
        return
    keeps = [k for k in node.keywords if k.arg == "keepdims"]
    kept = ast.keyword("keepdims", ast.Constant(True))
    positional = isinstance(node.func, ast.Attribute) and node.args
    if not keeps and (given or positional):
        node.keywords.append(kept)
        text = f"{code} loses the axis that it goes over, so that shapes no longer line up"
        yield f"{text}: keepdims=True keeps it.", node.lineno
        if given:
            old = given[0].value
            for axis in (-1, 0, 1):
                text = f"{code} goes over the wrong axis, and loses it: axis={axis}, keepdims=True."
                yield from set_field(given[0], "value", integer(axis), text, node.lineno)
        node.keywords.remove(kept)
    if keeps:
        text = f"keepdims=True in {code} keeps an axis that should be gone."
        node.keywords.remove(keeps[0])
        yield text, node.lineno
        node.keywords.append(keeps[0])
    if not given:
        for keep in (False, True):
            for axis in (-1, 0, 1):
                more = [ast.keyword("axis", integer(axis)), *([kept] if keep else [])]
                node.keywords += more
                told = f"axis={axis}{', keepdims=True' if keep else ''}"
                yield f"{code} has no axis, so it goes over everything: {told}.", node.lineno
                del node.keywords[-len(more) :]


def everywhere(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield changes of all places at once: the same mistake is often made twice."""
    calls = [p.node for p in places if isinstance(p.node, ast.Call)]
    turned = [p for p in places if isinstance(p.node, ast.Attribute) and p.node.attr == "T"]
    if len(turned) > 1:
        for place in turned:
            place.put(call_of(place.node.value, "swapaxes", integer(-1), integer(-2)))
        line = min(place.node.lineno for place in turned)
        text = "`.T` reverses *all* axes; to exchange the last two of more, swapaxes(-1, -2)."
        yield text, line
        for place in turned:
            place.put(place.node)
    reduced = [c for c in calls if called_name(c) in _REDUCE]
    lost = [c for c in reduced if (c.args or c.keywords) and not _keeps(c)]
    axes = [k for c in reduced for k in c.keywords if k.arg == "axis"]
    for group in dict.fromkeys([tuple(lost), *_alike(lost)]):
        if not group:
            continue
        kept = ast.keyword("keepdims", ast.Constant(True))
        told = ", ".join(dict.fromkeys(shown(c) for c in group[:2]))
        for call in group:
            call.keywords.append(kept)
        yield (
            f"{told} loses the axis that it goes over, so that shapes no longer line up: "
            "keepdims=True keeps it.",
            group[0].lineno,
        )
        if len(group) == len(lost):
            yield from _all_axes(axes, lost[0].lineno, ", and it must be kept (keepdims=True)")
        for call in group:
            call.keywords.remove(kept)
    if len(axes) > 1:
        yield from _all_axes(axes, axes[0].value.lineno, "")
    for one, other in (("sum", "mean"), ("mean", "sum"), ("max", "min"), ("min", "max")):
        named = [c.func for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == one]
        if len(named) > 1:
            for function in named:
                function.attr = other
            yield f"`{one}` is used, where `{other}` is needed.", named[0].lineno
            for function in named:
                function.attr = one
    groups = [p for p in places if _is_regrouped(p.node)]
    if len(groups) > 1:
        for place in groups:
            inner = place.node.left
            new = ast.BinOp(inner.right, ast.Mult(), place.node.right)
            place.put(ast.copy_location(ast.BinOp(inner.left, ast.Div(), new), place.node))
        text = f"parentheses in {shown(groups[0].node)}: a / b * c is (a / b) * c."
        yield text, groups[0].node.lineno
        for place in reversed(groups):
            place.put(place.node)


def _alike(lost: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the calls that go over the same axis."""
    groups: dict[str, list[Any]] = {}
    for call in lost:
        over = [k.value for k in call.keywords if k.arg == "axis"] or call.args[-1:]
        groups.setdefault("".join(map(ast.unparse, over)), []).append(call)
    yield from map(tuple, groups.values())


def _keeps(call: ast.Call) -> bool:
    return any(keyword.arg == "keepdims" for keyword in call.keywords)


def _is_regrouped(node: ast.AST) -> bool:
    """Return whether an expression is a / b * c."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        return False
    return isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Div)


def _all_axes(axes: list[ast.keyword], line: int, more: str) -> Iterator[Said]:
    old = [keyword.value for keyword in axes]
    for axis in (-1, 0, 1, -2):
        for keyword in axes:
            keyword.value = ast.copy_location(integer(axis), keyword.value)
        yield f"the axis: axis={axis} is the right one, in all cases{more}.", line
        for keyword, value in zip(axes, old, strict=True):
            keyword.value = value
