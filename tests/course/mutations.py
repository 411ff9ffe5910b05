"""Mechanical mutations of the solutions: none may pass its check.

python tests/course/mutations.py 4.6     lists those that do, ready for equivalent/*.toml
"""

from __future__ import annotations

import ast
import copy
import sys
import tomllib
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilm.course import catalog, checking, loading, stubs
from minilm.course.catalog import Kata
from minilm.course.targets import Target

EQUIVALENT = Path(__file__).parent / "equivalent"

_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mod,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ATTRIBUTES = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "rows": "columns",
    "columns": "rows",
    "any": "all",
    "lower": "upper",
    "log": "exp",
    "exp": "log",
    "sqrt": "square",
}


@dataclass(frozen=True)
class Mutation:
    """A solution with one change."""

    target: str
    change: str
    function: Any


def mutations(kata: Kata, target: Target) -> Iterator[Mutation]:
    """Yield every mutation of what the solution has for a target, each as a function or class."""
    source = stubs.solution(kata)
    names = vars(loading.execute(source, Path(f"solution_{kata.name}.py")))
    whole = ast.parse(source)
    tree = next(n for n in whole.body if getattr(n, "name", None) == target.name)
    _drop_what_is_not_code(tree)
    seen: Counter[str] = Counter()
    for place, node in enumerate(ast.walk(tree)):
        for changed in _changes(node):
            mutant = copy.deepcopy(tree)
            twin = next(n for i, n in enumerate(ast.walk(mutant)) if i == place)
            _replace(mutant, twin, changed)
            change = f"{_text(node)} -> {_text(changed)}"
            seen[change] += 1
            if seen[change] > 1:
                change += f"  #{seen[change]}"
            yield Mutation(target.name, change, _compiled(mutant, target, names))


def survivors(kata: Kata) -> tuple[list[Mutation], int]:
    """Return the mutations that pass the kata's check, and how many were tried."""
    found, tried = [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a mutant warns of is not the matter
        for target in kata.targets:
            for mutation in mutations(kata, target):
                tried += 1
                if loading.signature_problem(target, mutation.function) is not None:
                    continue
                if checking.check_functions(kata, {target.name: mutation.function}).passed:
                    found.append(mutation)
    return found, tried


def equivalent(kata: Kata) -> dict[tuple[str, str], str]:
    """Return the mutations that are listed as changing nothing, with the reasons."""
    path = EQUIVALENT / f"{kata.name}.toml"
    if not path.exists():
        return {}
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["mutation"]
    return {(m["target"], m["change"]): m["reason"] for m in listed}


def _drop_what_is_not_code(tree: ast.AST) -> None:
    """Take out docstrings, annotations and the texts of errors."""
    for node in ast.walk(tree):
        is_definition = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if is_definition and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc.args = [ast.Constant("...")]


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
        yield _with(node, op=_OPERATORS[type(node.op)]())
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add | ast.Mult):
        yield _with(node, left=node.right, right=node.left)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        yield _with(node, ops=[_COMPARISONS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, ast.Constant):
        yield from _other_constants(node)
    if isinstance(node, ast.Call):
        yield from _other_calls(node)
    if isinstance(node, ast.Attribute):
        if node.attr in _ATTRIBUTES:
            yield _with(node, attr=_ATTRIBUTES[node.attr])
        if node.attr == "T":
            yield node.value
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        first, second, *rest = node.value.elts
        yield ast.Return(ast.Tuple([second, first, *rest], ast.Load()))
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.AugAssign | ast.Expr | ast.If | ast.For):
        yield ast.Pass()
    yield from _parts(node)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is left of a node when something of it is forgotten."""
    if isinstance(node, ast.BinOp):
        yield node.left
        yield node.right
    if isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
    if isinstance(node, ast.Slice) and node.lower:
        yield ast.Slice(None, node.upper, node.step)
    if isinstance(node, ast.Slice) and node.upper:
        yield ast.Slice(node.lower, None, node.step)
    if isinstance(node, ast.Call) and not node.keywords:
        if len(node.args) == 1:
            yield node.args[0]
        if not node.args and isinstance(node.func, ast.Attribute):
            yield node.func.value


def _other_constants(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
        if value not in (0, 1):
            yield ast.Constant(value - 1)
        if value == 1:
            yield ast.Constant(0)


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    if len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    for i in range(len(node.keywords)):
        yield _with(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    new = copy.deepcopy(new)
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if value is old:
                setattr(node, name, new)
            elif isinstance(value, list):
                setattr(node, name, [new if item is old else item for item in value])


def _text(node: ast.AST) -> str:
    lines = ast.unparse(node).splitlines()
    return lines[0] + (" ..." if len(lines) > 1 else "")


def _compiled(tree: ast.AST, target: Target, solved: Mapping[str, Any]) -> Any:
    module = ast.fix_missing_locations(ast.Module([tree], []))
    names = dict(solved)
    exec(compile(module, f"<mutant of {target.name}>", "exec", dont_inherit=True), names)
    return names[target.name]


def main(number: str) -> None:
    """Print the mutations of a kata that pass and are not listed."""
    kata = catalog.find(number)
    found, tried = survivors(kata)
    listed = equivalent(kata)
    for mutation in found:
        if (mutation.target, mutation.change) not in listed:
            print(f"[[mutation]]\ntarget = {mutation.target!r}".replace("'", '"'))
            print(f'change = {_toml(mutation.change)}\nreason = ""\n')
    gone = set(listed) - {(m.target, m.change) for m in found}
    for target, change in sorted(gone):
        print(f"# listed, but killed or gone: {target}: {change}")
    print(f"# {tried} mutations tried, {len(found)} pass, {len(listed)} are listed")


def _toml(text: str) -> str:
    return f"'{text}'" if "'" not in text else f'"""{text}"""'


if __name__ == "__main__":
    main(sys.argv[1])
