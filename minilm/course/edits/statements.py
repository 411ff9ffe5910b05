"""Changes of statements: what is returned and unpacked, loops, sums that are not added up."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

from minilm.course.edits.places import Place, Said, exchanged, integer, set_field, shown


def returned(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield other orders of what is returned or unpacked, and returns that come later."""
    for found in ast.walk(tree):
        node: Any = found
        value: Any = None
        if isinstance(node, ast.Return):
            value, what = node.value, "what is returned is in the wrong order"
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            value, what = node.targets[0], "what is unpacked is in a different order"
        if isinstance(value, ast.Tuple):
            for i in range(len(value.elts)):
                for j in range(i + 1, len(value.elts)):
                    yield from exchanged(value.elts, i, f"{what}: {shown(node)}.", node.lineno, j)
        if isinstance(value, ast.Tuple) and isinstance(node, ast.Return):
            for element in value.elts:
                if isinstance(element, ast.Tuple):
                    for i in range(len(element.elts)):
                        for j in range(i + 1, len(element.elts)):
                            yield from exchanged(
                                element.elts, i, f"{what}: {shown(node)}.", node.lineno, j
                            )
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Call):
            first = ast.Subscript(node.value, integer(0), ast.Load())
            text = f"{shown(node.value)} is a tuple; take it apart before you compute with it."
            yield from set_field(node, "value", first, text)


def statements(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield statements that are left out, stand elsewhere, add up, or leave a loop otherwise."""
    tops = [n.body for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    for body in _bodies(tree):
        outer = next((top for top in tops if top is body), None)
        for i, node in enumerate(list(body)):
            if isinstance(node, ast.For | ast.While | ast.If):
                yield from _moved_out(body, i, node)
            if isinstance(node, ast.If) and not node.orelse:
                body[i] = ast.copy_location(ast.While(node.test, node.body, []), node)
                yield f"once is not enough for `if {ast.unparse(node.test)}`: `while`.", node.lineno
                body[i] = node
            if isinstance(node, ast.Break | ast.Continue):
                words = (
                    ("break", "continue") if isinstance(node, ast.Break) else ("continue", "break")
                )
                body[i] = ast.copy_location(
                    ast.Continue() if isinstance(node, ast.Break) else ast.Break(), node
                )
                yield f"`{words[0]}` there: it should be `{words[1]}`.", node.lineno
                body[i] = node
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
                yield from _accumulated(body, i, node)
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target: Any = node.targets[0]
                text = f"{shown(node)} throws away what was there: add to it, `+=`."
                for new in (ast.AugAssign(target, ast.Add(), node.value), *_at(target, node.value)):
                    body[i] = ast.copy_location(new, node)
                    yield text, node.lineno
                    body[i] = node
            if isinstance(node, ast.Return) and len(body) > 1 and body is not outer:
                del body[i]
                yield "the function returns inside the loop, the first time around.", node.lineno
                body.insert(i, node)
            if isinstance(node, ast.For) and isinstance(node.iter, ast.Name):
                copied = ast.Call(ast.Name("list", ast.Load()), [node.iter], [])
                text = f"{shown(node.iter)} is changed while the loop goes through it."
                yield from set_field(node, "iter", copied, text)
            kinds = ast.Assign | ast.AugAssign | ast.Expr | ast.If
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if len(body) > 1 and isinstance(node, kinds) and not is_text:
                del body[i]
                yield f"without {shown(node)} all is right.", node.lineno
                body.insert(i, node)


def repeated(tree: ast.Module, places: list[Place]) -> Iterator[Said]:
    """Yield lines in the other order, beginnings that come again, and copies."""
    for body in list(_bodies(tree)):
        for i in range(len(body) - 1):
            first, second = body[i], body[i + 1]
            if isinstance(first, _SIMPLE) and isinstance(second, _SIMPLE):
                text = f"{shown(first)} comes before {shown(second)}; it belongs after it."
                yield from exchanged(body, i, text, first.lineno)
    starts = [s for n in ast.walk(tree) if isinstance(n, ast.Assign) for s in _starts(n)]
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For | ast.While)]
    for body in list({id(b): b for loop in loops for b in _bodies(loop)}.values()):
        for start in starts:
            if any(n.lineno == start.lineno for n in body):
                continue
            text = f"{shown(start)} must come again there: what was in it is still in it."
            for i in (len(body), 0):
                body.insert(i, ast.copy_location(copy.copy(start), body[0]))
                yield text, body[0].lineno
                del body[i]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, _THINGS):
            text = f"{shown(node)} is a second name for one thing: a change in place is in both"
            yield from set_field(
                node, "value", _copied(node.value), f"{text}. Copy it.", node.lineno
            )
        elif isinstance(node, ast.FunctionDef):
            for name in [a.arg for a in node.args.args]:
                change: Any = next((n for n in ast.walk(node) if _is_changed(n, name)), None)
                if change is None:
                    continue
                value = _copied(ast.Name(name, ast.Load()))
                node.body.insert(0, ast.Assign([ast.Name(name, ast.Store())], value))
                text = (
                    f"{shown(change)} changes `{name}` in place, and so what the caller has: copy"
                )
                yield f"{text} it first.", change.lineno
                del node.body[0]


def _is_changed(node: Any, name: str) -> bool:
    """Return whether a statement changes what a variable holds, in place."""
    target: Any = None
    if isinstance(node, ast.AugAssign):
        target = node.target
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        target = node.targets[0]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        target = node.value.func.value if isinstance(node.value.func, ast.Attribute) else None
    while isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Name) and target.id == name


_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr)
_THINGS = (ast.Name, ast.Attribute, ast.Subscript)


def _starts(node: ast.Assign) -> Iterator[ast.Assign]:
    """Yield what an assignment begins with nothing in it, one variable at a time."""
    target, value = node.targets[0], node.value
    pairs: list[tuple[Any, Any]] = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=False))
    for name, start in pairs:
        empty = isinstance(start, ast.List | ast.Dict) and ast.unparse(start) in ("[]", "{}")
        if isinstance(name, ast.Name) and (empty or isinstance(start, ast.Constant | ast.UnaryOp)):
            yield ast.copy_location(ast.Assign([name], start), node)


def _copied(value: Any) -> ast.expr:
    module = ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant("copy")], [])
    return ast.Call(ast.Attribute(module, "deepcopy", ast.Load()), [value], [])


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            continue
        for field in ("body", "orelse"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body:
                yield body


def _moved_out(body: list[ast.stmt], i: int, node: Any) -> Iterator[Said]:
    """Yield the last statement of a loop behind it, and the first one behind it inside."""
    last = node.body[-1]
    word = "`if`" if isinstance(node, ast.If) else "loop"
    if len(node.body) > 1:
        node.body.pop()
        body.insert(i + 1, last)
        if isinstance(last, ast.Return):
            yield f"the function returns inside the {word}, the first time around.", last.lineno
        else:
            yield f"{shown(last)} is inside the {word}; it belongs after it.", last.lineno
        del body[i + 1]
        node.body.append(last)
    if i + 1 < len(body) and isinstance(
        body[i + 1], ast.Assign | ast.AugAssign | ast.Expr | ast.Return
    ):
        after = body.pop(i + 1)
        node.body.append(after)
        yield f"{shown(after)} comes after the {word}; it belongs inside.", after.lineno
        node.body.pop()
        body.insert(i + 1, after)


def _accumulated(body: list[ast.stmt], i: int, node: ast.AugAssign) -> Iterator[Said]:
    for new in _at(node.target, node.value):
        body[i] = ast.copy_location(new, node)
        text = (
            f"{shown(node)} adds only once to a place that is named several times; np.add.at adds "
            "each time."
        )
        yield text, node.lineno
        body[i] = node
    new_assign = ast.Assign([node.target], node.value)
    body[i] = ast.copy_location(new_assign, node)
    yield f"{shown(node)} adds to what was there; it should take its place.", node.lineno
    body[i] = node


def _at(target: Any, value: ast.expr) -> Iterator[ast.stmt]:
    """Yield the call of np.add.at that adds to an index."""
    if isinstance(target, ast.Subscript):
        numpy = ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant("numpy")], [])
        at = ast.Attribute(ast.Attribute(numpy, "add", ast.Load()), "at", ast.Load())
        array = copy.deepcopy(target.value)
        yield ast.Expr(ast.Call(at, [array, copy.deepcopy(target.slice), value], []))
