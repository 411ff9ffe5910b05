"""What may be missing in code: a sign, a root, a factor, a term, an index."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from minilm.course.edits.places import Place, Said, call_of, called_name, integer, shown, variables

_SIZES = {"len", "range", "zeros", "zeros_like", "empty", "ones", "full", "type", "isinstance"}


def added(tree: ast.Module, places: list[Place], number: bool) -> Iterator[Said]:
    """Yield what may be missing: a sign, a root, a factor, a term, an absolute value."""
    wide = [p for p in places if isinstance(p.node, ast.expr) and _is_whole(p)]
    inner = [
        p for p in places if isinstance(p.node, ast.expr) and not _is_whole(p) and _is_value(p)
    ]
    named = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
    functions = dict.fromkeys(f.id for f in named if isinstance(f, ast.Name))
    functions = {name: None for name in functions if name not in ("set", "frozenset", "dict")}
    called = [p for p in places if isinstance(p.parent, ast.Attribute) and _is_computed(p.node)]
    for place in [*wide, *inner, *called]:
        yield from _wrapped(place, number)
    for place in [*wide, *inner, *(p for p in places if _is_turned(p))]:
        for function in functions:
            call = ast.Call(ast.Name(function, ast.Load()), [place.node], [])
            text = f"{shown(place.node)} must go through `{function}` first."
            yield from place.change(call, text)
    yield from _indexed([*wide, *inner], variables(tree))
    known = variables(tree) if number else []
    terms = [p for p in inner if _is_term(p)]
    for place in [*wide, *terms]:
        node, code = place.node, shown(place.node)
        for name in known:
            if isinstance(node, ast.Name) and node.id == name:
                continue
            operators: list[tuple[type[ast.operator], str]]
            operators = [(ast.Mult, f"the factor `{name}` is missing in {code}.")]
            operators += [(ast.Div, f"{code} must be divided by `{name}`.")]
            if place not in terms:
                operators += [(ast.Add, f"the term `{name}` is missing in {code}.")]
                operators += [(ast.Sub, f"`{name}` must be subtracted from {code}.")]
            for op, said in operators:
                yield from place.change(ast.BinOp(node, op(), ast.Name(name, ast.Load())), said)


def _indexed(places: list[Place], known: list[str]) -> Iterator[Said]:
    """Yield an index that is missing, and a variable in the place of what is computed."""
    for place in places:
        node, code = place.node, shown(place.node)
        if isinstance(node, ast.Call | ast.Name | ast.Attribute):
            for name in known:
                index = ast.Subscript(node, ast.Name(name, ast.Load()), ast.Load())
                yield from place.change(index, f"{code} lacks an index: [{name}].")
        is_compared = isinstance(place.parent, ast.Compare)  # anything else may do, by chance
        if isinstance(node, ast.Call | ast.Subscript | ast.Attribute) and not is_compared:
            for name in known:
                text = f"{code} in {shown(place.parent)}: `{name}` belongs there."
                yield from place.change(ast.Name(name, ast.Load()), text)


def _is_computed(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp | ast.Call | ast.Subscript)


def _is_turned(place: Place) -> bool:
    return isinstance(place.parent, ast.Attribute) and place.parent.attr == "T"


def _is_term(place: Place) -> bool:
    return isinstance(place.parent, ast.BinOp) and isinstance(place.parent.op, ast.Add | ast.Sub)


def _is_whole(place: Place) -> bool:
    """Return whether a place holds all of what is assigned or returned, or one value of it."""
    if place.field != "value" and place.field != "elts":
        return False
    return isinstance(
        place.parent, ast.Return | ast.Assign | ast.AugAssign | ast.Tuple
    ) and _is_value(place)


def _is_value(place: Place) -> bool:
    if isinstance(place.parent, ast.keyword | ast.Slice | ast.Attribute) or place.field == "func":
        return False
    if isinstance(place.parent, ast.Call) and called_name(place.parent) in _SIZES:
        return False  # the size of something else is no cause
    if isinstance(getattr(place.node, "ctx", None), ast.Store | ast.Del):
        return False
    return isinstance(
        place.node,
        ast.BinOp | ast.Call | ast.Name | ast.Subscript | ast.UnaryOp | ast.Attribute | ast.IfExp,
    )


def _wrapped(place: Place, number: bool) -> Iterator[Said]:
    node, code = place.node, shown(place.node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return
    one = integer(1)
    where = f", in {shown(place.parent)}" if isinstance(place.parent, ast.expr) else ""
    if isinstance(place.parent, ast.Compare):
        # Many changes make a condition right: what the first of them does is no cause.
        condition = f"the condition {shown(place.parent)} is true in the wrong cases."
        for op, operand in ((ast.Add, 1), (ast.Sub, 1), (ast.Mult, 2), (ast.Div, 2)):
            yield from place.change(ast.BinOp(node, op(), integer(operand)), condition)
        return
    for new, said in (
        (ast.Attribute(node, "T", ast.Load()), "{0} must be transposed."),
        (call_of(node, "swapaxes", integer(-1), integer(-2)), "{0} must be transposed."),
        (
            ast.Subscript(node, integer(0), ast.Load()),
            "{0} is a tuple, or has one axis too many: [0].",
        ),
        (
            ast.Subscript(node, ast.Constant(None), ast.Load()),
            "{0} lacks an axis in front: [None].",
        ),
        (ast.BinOp(node, ast.Add(), one), "{0} is one too small{1}."),
        (ast.BinOp(node, ast.Sub(), one), "{0} is one too large{1}."),
    ):
        yield from place.change(new, said.format(code, where))
    if not number:
        return
    yield from place.change(ast.UnaryOp(ast.USub(), node), f"the sign of {code} is wrong.")
    numpy = ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant("numpy")], [])
    for function, said in (
        ("sqrt", "the root of {0} is needed: the square root is missing."),
        ("abs", "the absolute value of {0} is needed."),
        ("log", "the logarithm of {0} is needed."),
        ("exp", "{0} is missing its exponential."),
    ):
        call = ast.Call(ast.Attribute(numpy, function, ast.Load()), [node], [])
        yield from place.change(call, said.format(code))
    pi = ast.Attribute(numpy, "pi", ast.Load())
    for new, said in (
        (ast.BinOp(node, ast.Pow(), integer(2)), "{0} must be squared."),
        (ast.BinOp(one, ast.Sub(), node), "1 - {0} is needed, not {0}."),
        (ast.BinOp(one, ast.Div(), node), "{0} is upside down: one over it is needed."),
        (ast.BinOp(node, ast.Mult(), integer(2)), "{0} is half of what it should be."),
        (ast.BinOp(node, ast.Div(), integer(2)), "{0} is twice what it should be."),
        (ast.BinOp(node, ast.Mult(), pi), "the factor pi is missing in {0}."),
    ):
        yield from place.change(new, said.format(code))
