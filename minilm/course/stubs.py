"""The learner's file, made from the library's own source: signature and docstring, no body.

Also the solution, which is the same with the bodies left in. Both carry the imports, type aliases
and constants that the function uses; other functions of its module are reached through the module,
so that a learner's version of them is used once it is plugged in.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType

from minilm.course.catalog import Kata
from minilm.course.targets import Target

NOT_WRITTEN = "not written yet"

_Definition = ast.FunctionDef | ast.ClassDef
_ALIASES = {"minilm.nn.functional": "F"}


def stub(kata: Kata) -> str:
    """Return the file that a learner begins with."""
    return _file(kata, solved=False)


def solution(kata: Kata) -> str:
    """Return the file with the library's own bodies."""
    return _file(kata, solved=True)


def _file(kata: Kata, *, solved: bool) -> str:
    parts = [_part(target, kata, solved=solved) for target in kata.targets]
    imports = _sorted_imports(line for part in parts for line in part.imports)
    constants = dict.fromkeys(c for part in parts for c in part.constants)
    sections = ["from __future__ import annotations", *imports]
    if constants:
        sections.append("\n".join(constants))
    # Two empty lines before a definition, as everywhere.
    body = "".join(f"\n\n\n{part.text}" for part in parts)
    return f'"""{_heading(kata)}"""\n\n' + "\n\n".join(sections) + body + "\n"


def _heading(kata: Kata) -> str:
    return f"""Kata {kata.number}  {kata.title}

Write what is missing; the docstrings say what is asked for. Then:

    minilm kata check {kata.number}    or leave it to: minilm kata watch
    minilm kata read {kata.number}     the page
    minilm kata hint {kata.number}     a nudge
"""


@dataclass(frozen=True)
class _Part:
    """The text of one target, and what has to stand above it."""

    text: str
    imports: list[str]
    constants: list[str]


def _part(target: Target, kata: Kata, *, solved: bool) -> _Part:
    source = inspect.getsource(target.module)
    tree = ast.parse(source)
    node = next(n for n in tree.body if isinstance(n, _Definition) and n.name == target.name)
    keep = set(_lines_kept(node, kata.given)) if not solved else None
    written = {t.name for t in kata.targets}
    library = _Library(tree, target.module, written, taken=written | _bound_names(node))
    used = _free_names(node)
    # A constant that only the body uses would be half of the answer.
    constants = library.constants(used if solved else _free_names(_declared(node, kata.given)))
    imports = library.imports_of(used.union(*map(_free_names, constants)))
    if used & library.elsewhere or (not solved and not library.is_renamed):
        imports.append(library.own_import)
    text = _text(source.splitlines(), node, library, keep)
    written_out = [ast.get_source_segment(source, constant) or "" for constant in constants]
    return _Part(text, imports, written_out)


class _Library:
    """The module that a target comes from."""

    def __init__(
        self, tree: ast.Module, module: ModuleType, written: set[str], taken: set[str]
    ) -> None:
        self.tree = tree
        package, _, last = module.__name__.rpartition(".")
        self.alias = _ALIASES.get(module.__name__, last)
        self.is_renamed = self.alias in taken  # by a function of that name, or a local variable
        if self.is_renamed:
            self.alias = f"{last}_module"
        renamed = "" if self.alias == last else f" as {self.alias}"
        self.own_import = f"from {package} import {last}{renamed}"
        self.elsewhere = {
            n.name for n in tree.body if isinstance(n, _Definition) and n.name not in written
        }
        self.assigned = {
            name.id: node
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for name in ast.walk(node)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }

    def constants(self, names: set[str]) -> list[ast.stmt]:
        """Return the definitions of the constants and type aliases that names need, in order."""
        found: dict[str, ast.stmt] = {}
        left = list(names)
        while left:
            name = left.pop()
            if name in self.assigned and name not in found:
                found[name] = self.assigned[name]
                left += _free_names(found[name])
        return sorted(set(found.values()), key=lambda node: node.lineno)

    def imports_of(self, names: set[str]) -> list[str]:
        """Return the module's imports that give one of the names, cut down to it."""
        found = []
        for node in self.tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                aliases = [a for a in node.names if (a.asname or a.name.split(".")[0]) in names]
                if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                    continue
                for alias in aliases:
                    found.append(ast.unparse(_with_one(node, alias)))
        return found


def _with_one(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(node, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(node.module, [alias], node.level)


def _sorted_imports(lines: Iterable[str]) -> list[str]:
    """Return import statements as blocks: the standard library, others, minilm; names together."""
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for line in lines:
        if line.startswith("from "):
            module, _, name = line.removeprefix("from ").partition(" import ")
            names.setdefault(module, set()).add(name)
        else:
            plain.add(line)
    statements = [*plain, *(f"from {m} import {', '.join(sorted(n))}" for m, n in names.items())]

    def block(line: str) -> int:
        root = line.split()[1].split(".")[0]
        return {"numpy": 1, "minilm": 2}.get(root, 0)

    groups: dict[int, list[str]] = {}
    for line in sorted(statements, key=lambda s: (block(s), s.startswith("from"), s)):
        groups.setdefault(block(line), []).append(line)
    return ["\n".join(groups[key]) for key in sorted(groups)]


def _free_names(node: ast.AST) -> set[str]:
    """Return the names that code reads and does not itself bind; builtins are left out.

    Annotations count: they are read by people.
    """
    bound = set() if isinstance(node, ast.Assign | ast.AnnAssign) else _bound_names(node)
    read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    own = {node.name} if isinstance(node, _Definition) else set()
    return {n for n in read - own - bound if not hasattr(builtins, n)}


def _bound_names(node: ast.AST) -> set[str]:
    """Return the names that code assigns to, its parameters and those of what it catches."""
    assigned = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
    }
    caught = {n.name for n in ast.walk(node) if isinstance(n, ast.ExceptHandler) and n.name}
    return assigned | caught | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}


def _methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    return (n for n in node.body if isinstance(n, ast.FunctionDef))


def _is_given(method: ast.FunctionDef, given: tuple[str, ...]) -> bool:
    return method.name in given or (method.name[:2] == "__" and method.name[-2:] == "__")


def _is_private(method: ast.FunctionDef) -> bool:
    return method.name.startswith("_") and not method.name.startswith("__")


def _declared(node: _Definition, given: tuple[str, ...]) -> ast.AST:
    """Return a definition without what the learner writes."""
    copy = ast.parse(ast.unparse(node)).body[0]
    for inner in [n for n in ast.walk(copy) if isinstance(n, ast.FunctionDef)]:
        if isinstance(copy, ast.FunctionDef) or not _is_given(inner, given):
            inner.body = [ast.Pass()]
    return copy


def _lines_kept(node: _Definition, given: tuple[str, ...]) -> Iterator[int]:
    """Yield the numbers of the lines that stand in the stub; bodies are replaced elsewhere."""
    if isinstance(node, ast.FunctionDef):
        yield from range(_first_line(node), _head_end(node) + 1)
        return
    dropped: set[int] = set()
    for method in _methods(node):
        if _is_given(method, given):
            continue
        start = _first_line(method) if _is_private(method) else _head_end(method) + 1
        dropped.update(range(start, (method.end_lineno or start) + 1))
        if _is_private(method):
            dropped.add(start - 1)  # the empty line above it
    lines = range(_first_line(node), (node.end_lineno or 0) + 1)
    yield from (line for line in lines if line not in dropped)


def _first_line(node: _Definition) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _head_end(node: ast.FunctionDef) -> int:
    """Return the last line of a function's signature and docstring."""
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        return first.end_lineno or first.lineno
    return first.lineno - 1


def _text(lines: list[str], node: _Definition, library: _Library, keep: set[int] | None) -> str:
    """Return the definition's own lines: those kept, other functions reached by the module."""
    lines = list(lines)
    for name in sorted(_elsewhere(node, library.elsewhere), key=lambda n: -n.col_offset):
        line = lines[name.lineno - 1].encode()
        start = name.col_offset
        lines[name.lineno - 1] = (
            line[:start] + f"{library.alias}.".encode() + line[start:]
        ).decode()
    ends = {}
    if keep is not None:
        functions = [node] if isinstance(node, ast.FunctionDef) else list(_methods(node))
        ends = {_head_end(f): f.col_offset + 4 for f in functions if _head_end(f) + 1 not in keep}
    made = []
    for number in range(_first_line(node), (node.end_lineno or 0) + 1):
        if keep is None or number in keep:
            made.append(lines[number - 1])
            if number in ends:
                made.append(f'{" " * ends[number]}raise NotImplementedError("{NOT_WRITTEN}")')
    return "\n".join(made).rstrip()


def _elsewhere(node: _Definition, names: set[str]) -> Iterator[ast.Name]:
    """Yield the uses of other functions of the module that are not hidden by a local name."""
    free = _free_names(node) & names
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id in free:
            yield inner
