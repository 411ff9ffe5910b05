"""A kata's two files of code: `stub.py`, which a learner starts from, and `solution.py`.

A solution is the algorithm in its plain form, as one writes it on a board. The library's own
function may be written differently (in blocks, fused, in place); a test holds the two equal. Where
the library's function is the plain form, there is no `solution.py`: then the solution is the stub
with the library's functions in place of its own.
"""

from __future__ import annotations

import ast
import inspect

from minilm.course.catalog import Kata

NOT_WRITTEN = "not written yet"


def stub(kata: Kata) -> str:
    """Return the file that a learner starts from."""
    return (kata.folder / "stub.py").read_text(encoding="utf-8")


def has_own_solution(kata: Kata) -> bool:
    """Return whether the kata's solution is written differently from the library's function."""
    return (kata.folder / "solution.py").exists()


def solution(kata: Kata) -> str:
    """Return the file with every function written."""
    if has_own_solution(kata):
        return (kata.folder / "solution.py").read_text(encoding="utf-8")
    source = stub(kata)
    lines = source.splitlines()
    written = {target.name: target.reference for target in kata.targets}
    # From the end, so that the numbers of the lines before stay what they are.
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in written:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            text = inspect.getsource(written[node.name]).rstrip()
            lines[first - 1 : node.end_lineno] = text.splitlines()
    return "\n".join(lines) + "\n"


def without_docstrings(source: str) -> str:
    """Return code without its docstrings; code that does not parse is returned as it is.

    >>> without_docstrings("def f(x):\\n    'Return x.'\\n    return x\\n")
    'def f(x):\\n    return x\\n'
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            inside.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = source.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines, 1) if number not in inside)


def library_place(kata: Kata) -> str:
    """Return where the library's own functions are, in one line."""
    return ", ".join(kata.paths)
