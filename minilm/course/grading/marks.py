"""Code that is the same as the library's, the solution's or another student's.

A mark is a remark for the teacher, not a verdict. Functions are compared as syntax trees, so other
names, comments, docstrings, types and line breaks make no difference; everything else must be the
same. Many people write a short plain function in the same way, so below a size nothing is said.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from minilm.course import catalog, stubs
from minilm.course.catalog import Kata

# In nodes of the syntax tree beyond the stub's, over all functions of a file that are the same: six
# to ten lines. Of 1,074 attempts at the katas that were written independently, those that came
# out the same as each other or as a solution had 54 nodes at most.
SMALLEST = 90

LIBRARY, SOLUTION, SAME = "library", "solution", "same code"
GIVEN_UP, CHANGED = "gave up", "changed predictions"


@dataclass(frozen=True)
class Mark:
    """Something about a submission that a teacher should look at.

    Attributes
    ----------
    student, kata : str
    kind : {"library", "solution", "same code", "gave up", "changed predictions"}
    text : str
        What was seen.
    """

    student: str
    kata: str
    kind: str
    text: str


def seen(kata: Kata, source: str) -> dict[str, Any]:
    """Return what a file's code shows without being run.

    Returns
    -------
    dict
        "functions": of each of the kata's functions the digest and the size of its tree, without
        the size that the stub's has;
        "library": sentences about uses of the library's own functions.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"functions": {}, "library": []}
    wanted = {target.name for target in kata.targets}
    begun = _stub_sizes(kata) if wanted else {}
    functions = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in wanted:
            digest, size = _digest(node)
            functions[node.name] = (digest, max(0, size - begun[node.name]))
    return {"functions": functions, "library": list(dict.fromkeys(_uses(tree, wanted)))}


def _uses(tree: ast.Module, wanted: set[str]) -> Iterator[str]:
    """Yield uses of the library's version of what a file should write, and of the solutions."""
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "minilm":
            for alias in node.names:
                modules.add(alias.asname or alias.name)
                if alias.name in wanted:
                    yield f"imports the library's {alias.name}"
                elif alias.name == "*":
                    yield f"imports everything from {node.module}"
                elif f"{node.module}.{alias.name}".startswith("minilm.course"):
                    yield f"imports {node.module}.{alias.name}, which knows the solutions"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "minilm":
                    modules.add(alias.asname or "minilm")
                if alias.name.startswith("minilm.course"):
                    yield f"imports {alias.name}, which knows the solutions"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in wanted and _root(node) in modules:
            yield f"uses the library's {node.attr}"
        elif isinstance(node, ast.Call):
            named = [a.value for a in node.args if isinstance(a, ast.Constant)]
            yield from (
                f"looks {name} up by its name" for name in named if name in wanted and _looks(node)
            )


def _root(node: ast.Attribute) -> str:
    value: ast.expr = node
    while isinstance(value, ast.Attribute):
        value = value.value
    return value.id if isinstance(value, ast.Name) else ""


def _looks(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("getattr", "eval", "exec")


# ---------------------------------------------------------------------- trees


def _digest(node: ast.FunctionDef | ast.ClassDef) -> tuple[str, int]:
    """Return a digest of a definition's tree, and its number of nodes."""
    plain = _Plain(node)
    try:
        text = plain.text()
    except RecursionError:
        return "", 0
    return hashlib.sha256(text.encode()).hexdigest()[:16], plain.size


@functools.cache
def _stub_sizes(kata: Kata) -> Mapping[str, int]:
    """Return the sizes of the trees of the functions that a kata starts with."""
    return {
        node.name: _digest(node)[1]
        for node in ast.parse(stubs.stub(kata)).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


class _Plain:
    """A definition without what is a matter of taste: names, docstrings, types, messages."""

    # Fields that do not change what the code does.
    _LEFT_OUT = ("annotation", "returns", "type_comment", "kind", "ctx", "type_params")

    def __init__(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self._node = node
        self._own = set(_stored(node))
        self._names: dict[str, str] = {}
        self.size = 0

    def text(self) -> str:
        """Return the tree as text."""
        return self._of(self._node)

    def _name(self, name: str) -> str:
        return self._names.setdefault(name, f"v{len(self._names)}")

    def _of(self, value: Any) -> str:
        if isinstance(value, list):
            return "[" + ",".join(self._of(item) for item in value) + "]"
        if not isinstance(value, ast.AST):
            return repr(value)
        self.size += 1
        if isinstance(value, ast.Name):
            return self._name(value.id) if value.id in self._own else value.id
        if isinstance(value, ast.arg):
            return self._name(value.arg)
        if isinstance(value, ast.Raise):
            return "raise"
        if isinstance(value, ast.AnnAssign):
            if value.value is None:
                return ""
            value = ast.Assign([value.target], value.value)
        own_attribute = (
            isinstance(value, ast.Attribute)
            and isinstance(value.value, ast.Name)
            and value.value.id == "self"
        )
        parts = [type(value).__name__]
        for field, inner in ast.iter_fields(value):
            if field in self._LEFT_OUT:
                continue
            if field == "body" and isinstance(inner, list):
                inner = _without_docstring(inner)
            if own_attribute and field == "attr":
                inner = self._name(f"self.{inner}")
            parts.append(self._of(inner))
        return "(" + " ".join(parts) + ")"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return [
        node
        for node in body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and not isinstance(node, ast.Pass)
    ]


def _stored(node: ast.AST) -> Iterator[str]:
    """Yield the names that a definition gives values to."""
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
            yield n.id
        elif isinstance(n, ast.arg):
            yield n.arg


@functools.cache
def _known(kata: Kata) -> Mapping[str, Mapping[str, str]]:
    """Return where each tree that is not a student's own comes from: by function, by digest."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, (digest, _) in seen(kata, stubs.solution(kata))["functions"].items():
        found[name][digest] = SOLUTION
    for target in kata.targets:
        source = textwrap.dedent(inspect.getsource(target.reference))
        for name, (digest, _) in seen(kata, source)["functions"].items():
            found[name].setdefault(digest, LIBRARY)
    for name, (digest, _) in seen(kata, stubs.stub(kata))["functions"].items():
        found[name][digest] = ""
    return found


# ---------------------------------------------------------------------- a class


def of_class(
    sightings: Iterable[tuple[str, str, Mapping[str, Any]]], states: Mapping[str, Mapping[str, Any]]
) -> list[Mark]:
    """Return the marks of a class.

    Parameters
    ----------
    sightings : iterable of (str, str, mapping)
        Student, kata, and what `seen` found, of every file.
    states : mapping
        By student, what the state of the learner's folder keeps of each kata.
    """
    marks: list[Mark] = []
    alike: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for student, number, found in sightings:
        marks += [Mark(student, number, LIBRARY, text) for text in found["library"]]
        own = {}
        copied: dict[str, list[str]] = defaultdict(list)
        for name, (digest, size) in found["functions"].items():
            source = _known(catalog.find(number))[name].get(digest)
            if source is None:
                own[name] = (digest, size)
            elif source:
                copied[source].append(name)
        for source, names in copied.items():
            if sum(found["functions"][name][1] for name in names) >= SMALLEST:
                text = f"the same code as the {source}'s ({', '.join(names)})"
                marks.append(Mark(student, number, source, text))
        for part in _comparable(own):
            alike[number, part].append(student)
    for (number, part), students in alike.items():
        together = list(dict.fromkeys(students))
        for student in together if len(together) > 1 else ():
            others = _listed([other for other in together if other != student])
            text = f"the same code as {others}'s ({', '.join(name for name, _ in part)})"
            marks.append(Mark(student, number, SAME, text))
    for student, records in states.items():
        for number, record in records.items():
            if record.get("solution") == "given up":
                text = "took the solution before passing (--give-up)"
                marks.append(Mark(student, number, GIVEN_UP, text))
    return list(dict.fromkeys(marks))


def _comparable(own: Mapping[str, tuple[str, int]]) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield what of a student's own functions is large enough: all of them, or else single ones."""
    if sum(size for _, size in own.values()) >= SMALLEST:
        yield tuple((name, digest) for name, (digest, _) in sorted(own.items()))
        if len(own) > 1:
            for name, (digest, size) in own.items():
                if size >= SMALLEST:
                    yield ((name, digest),)


def _listed(names: list[str], most: int = 4) -> str:
    """Return names as people list them.

    >>> _listed(["Ada", "Bob", "Cem"])
    'Ada, Bob and Cem'
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} others"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
