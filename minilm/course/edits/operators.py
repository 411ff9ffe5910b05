"""Changes of operators: signs, comparisons, parentheses, transposes, the order of two sides."""

from __future__ import annotations

import ast
from collections.abc import Iterator

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

_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
}


_SELDOM: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Mult,),
    ast.Div: (ast.Sub,),
    ast.Mult: (ast.Pow, ast.Add, ast.MatMult),
    ast.Pow: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
}


_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt, ast.GtE),
    ast.Gt: (ast.GtE, ast.LtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}


def conditions(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield conditions that are always true, or never: of `if`, `a if b else c` and np.where.

    To be tried before other conditions: one that need not be asked was not what is wrong.
    """
    for place in places:
        parent, code = place.parent, shown(place.node)
        if isinstance(parent, ast.Call) and called_name(parent) == "where" and place.index == 0:
            decides = place.field == "args"
        else:
            decides = isinstance(parent, ast.If | ast.IfExp) and place.field == "test"
        if not decides:
            continue
        text = f"where {code} is true, the same should be done as where it is false."
        yield from place.change(ast.Constant(False), text)
        text = f"where {code} is false, the same should be done as where it is true."
        yield from place.change(ast.Constant(True), text)


def operators(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield other operators, other signs, and operands in the other order."""
    for place in places:
        node = place.node
        if isinstance(node, ast.BinOp):
            code, sign = shown(node), SIGNS.get(type(node.op), "")
            for other in _OPERATORS.get(type(node.op), ()):
                if isinstance(node.op, ast.FloorDiv):
                    text = f"`//` in {code} drops what is left over; `/` divides."
                elif {type(node.op), other} == {ast.Add, ast.Sub}:
                    text = f"a sign, in {code}: `{SIGNS[other]}` belongs there, not `{sign}`."
                else:
                    text = f"in {code}, `{SIGNS[other]}` belongs where `{sign}` is."
                yield from set_field(node, "op", other(), text)
            yield from _regrouped(place)
            if isinstance(node.op, ast.MatMult):
                yield from _transposed(node)
        elif isinstance(node, ast.AugAssign):
            for other in _OPERATORS.get(type(node.op), ()):
                signs = SIGNS[other], SIGNS[type(node.op)]
                text = f"in {shown(node)}, `{signs[0]}=` belongs where `{signs[1]}=` is."
                yield from set_field(node, "op", other(), text)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
            word = "a sign: the minus" if isinstance(node.op, ast.USub) else "the `not`"
            yield from place.change(node.operand, f"{word} in {shown(node)} should not be there.")
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            old = node.ops
            for new in _COMPARED.get(type(old[0]), ()):
                signs = SIGNS[type(old[0])], SIGNS[new]
                text = f"the comparison {shown(node)}: it should be `{signs[1]}`, not `{signs[0]}`."
                yield from set_field(node, "ops", [new()], text)
        elif isinstance(node, ast.Compare):
            for i, old_op in enumerate(node.ops):
                for new in _COMPARED.get(type(old_op), ())[:1]:
                    signs = SIGNS[new], SIGNS[type(old_op)]
                    code = shown(node)
                    text = f"the comparison {code}: `{signs[0]}` belongs where `{signs[1]}` is."
                    node.ops[i] = new()
                    yield text, node.lineno
                    node.ops[i] = old_op
        elif isinstance(node, ast.BoolOp):
            other_bool = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            text = f"`{words[0]}` in {shown(node)}: it should be `{words[1]}`."
            yield from set_field(node, "op", other_bool, text)
        elif isinstance(node, ast.Attribute) and node.attr == "T":
            code = shown(node)
            turned = call_of(node.value, "swapaxes", integer(-1), integer(-2))
            text = (
                f"`.T` in {code} reverses *all* axes; to exchange the last two of more, write "
                "swapaxes(-1, -2)."
            )
            yield from place.change(node.value, f"the transpose {code} is one too many.")
            yield from place.change(turned, text)


def divisions(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield `//` for `/`."""
    for place in places:
        node = place.node
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            text = f"`/` gives a float in {shown(node)}; a size or an index needs `//`."
            yield from set_field(node, "op", ast.FloorDiv(), text)


def sides(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield the two sides of an operator exchanged."""
    for place in places:
        node = place.node
        if isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow
        ):
            sign, code = SIGNS[type(node.op)], shown(node)
            left, right = node.left, node.right
            text = f"the two sides of `{sign}` in {code} are the wrong way around."
            node.left, node.right = right, left
            yield text, node.lineno
            node.left, node.right = left, right


def seldom(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield operators that are seldom taken for each other."""
    for place in places:
        node = place.node
        if isinstance(node, ast.BinOp):
            for other in _SELDOM.get(type(node.op), ()):
                signs = SIGNS[other], SIGNS[type(node.op)]
                text = f"in {shown(node)}, `{signs[0]}` belongs where `{signs[1]}` is."
                yield from set_field(node, "op", other(), text)
            if isinstance(node.op, ast.Add):
                left, right = node.left, node.right
                node.left, node.right = right, left
                yield f"the two sides of {shown(node)} are the wrong way around.", node.lineno
                node.left, node.right = left, right
        tested = [node.test] if isinstance(node, ast.If | ast.IfExp | ast.While) else []
        tested += node.values if isinstance(node, ast.BoolOp) else []
        for name in tested:
            if isinstance(name, ast.Name):
                asked = ast.Compare(name, [ast.IsNot()], [ast.Constant(None)])
                text = f"`{name.id}` counts as false when it is 0 or empty: `is not None` is meant."
                where = next(p for p in places if p.node is name)
                yield from where.change(asked, text)


def _regrouped(place: Place) -> Iterator[Said]:
    """Yield the other ways to set parentheses."""
    node = place.node
    text = f"parentheses in {shown(node)}: what is done first?"
    if isinstance(node.left, ast.BinOp):
        inner = node.left
        new = ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right))
        yield from place.change(new, text)
    if isinstance(node.right, ast.BinOp):
        inner = node.right
        new = ast.BinOp(ast.BinOp(node.left, node.op, inner.left), inner.op, inner.right)
        yield from place.change(new, text)


def _transposed(node: ast.BinOp) -> Iterator[Said]:
    """Yield a product with one of its sides transposed."""
    for field in ("left", "right"):
        old = getattr(node, field)
        text = f"a transpose is missing in {shown(node)}: {shown(old)} must be transposed."
        for new in (
            call_of(old, "swapaxes", integer(-1), integer(-2)),
            ast.Attribute(old, "T", ast.Load()),
        ):
            yield from set_field(node, field, new, text)


def two_operators(places: list[Place], most: int = 24) -> Iterator[Said]:
    """Yield two other signs, or a product and a quotient, at once."""
    turned: dict[type[ast.operator], type[ast.operator]] = {
        ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    }  # fmt: skip
    nodes = [p.node for p in places if isinstance(p.node, ast.BinOp) and type(p.node.op) in turned]
    if len(nodes) > most:
        return
    texts = [shown(node) for node in nodes]
    for i, first in enumerate(nodes):
        old = first.op
        first.op = turned[type(old)]()
        for j, second in enumerate(nodes[i + 1 :], start=i + 1):
            signs = SIGNS[type(old)], SIGNS[type(second.op)]
            text = (
                f"two at once: the `{signs[0]}` in {texts[i]} and the `{signs[1]}` in {texts[j]}."
            )
            yield from set_field(second, "op", turned[type(second.op)](), text, first.lineno)
        first.op = old
