"""What a learner's code shows by itself, whatever the kata: nothing returned, nothing refused."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from minilm.course import locate, raised, values
from minilm.course.cases import Outcome
from minilm.errors import MinilmError


def nothing_returned(source: str, target: str, outcome: Outcome) -> str | None:
    """Return why a function returns None, if it does.

    Parameters
    ----------
    source : str
        The learner's file.
    target : str
        The function, or the class whose last method is meant.
    outcome : Outcome
    """
    is_none = outcome.structure is not None and outcome.returned is None
    is_none = is_none or [v is None for v in outcome.results.values()] == [True]
    node = locate.last_function(source, target)
    if node is None or not is_none:
        return None
    if not any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(node)):
        printed = any(
            isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "print"
            for n in ast.walk(node)
        )
        if printed:
            return (
                "printed instead of returned: `print` shows a value, only `return` gives it back."
            )
        return "no `return`: the result is computed and then dropped. End with `return ...`."
    return "this path through the function does not reach a `return`."


def look(source: str, target: str, stage: str, outcome: Outcome, right: Outcome) -> str | None:
    """Return what a failure usually comes from, from what was raised or returned and the code.

    Parameters
    ----------
    source : str
        The learner's file.
    target : str
        The function or class.
    stage : str
        Of the check.
    outcome, right : Outcome
        What the case gave, and what it should give.
    """
    node = locate.definition_of(source, target)
    if stage == "refusals":
        return _of_refusal(outcome.error, node)
    if stage == "dtype":
        return _of_dtype(node)
    if stage == "inputs":
        return "a change in place (`+=`, `*=`, `x[...] =`, .sort()) of the caller's data."
    if outcome.error is not None:
        return _of_own_raise(node, outcome.error) or raised.of_error(outcome.error, node)
    if outcome.structure is not None:
        return _of_structure(outcome, right)
    return _unused(node)


def _of_refusal(error: BaseException | None, node: ast.AST | None) -> str:
    """Return why something that must be refused is not."""
    if error is None:
        return "nothing checks for it: put an `if` in front, and raise the error there."
    raised = [n.exc for n in ast.walk(node) if isinstance(n, ast.Raise)] if node else []
    if any(type(error).__name__ in ast.unparse(exc) for exc in raised if exc is not None):
        return "it is refused, but with a different kind of error than the one asked for."
    if isinstance(error, ArithmeticError | LookupError | TypeError | ValueError | AttributeError):
        return (
            "it fails by itself, with an error that does not say what to do: check for it first, "
            "and raise the error asked for."
        )
    return "a different kind of error is raised than the one asked for."


def _of_dtype(node: ast.AST | None) -> str:
    """Return what decides over a dtype."""
    makers = {"zeros", "ones", "empty", "eye", "linspace"}
    for call in () if node is None else ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            named = any(keyword.arg == "dtype" for keyword in call.keywords)
            if call.func.attr in makers and not named and len(call.args) < 2:
                return (
                    f"`{ast.unparse(call)}` makes its own dtype, whatever the inputs have: name "
                    "the dtype there."
                )
    return (
        "an array or a conversion of another dtype comes in on the way (np.where and np.full make "
        "float64 of plain numbers): name the dtype there, or convert the result."
    )


def _of_own_raise(node: ast.AST | None, error: BaseException) -> str | None:
    """Return whether the learner's own `raise` refuses what is allowed."""
    raised = [n for n in ast.walk(node) if isinstance(n, ast.Raise)] if node else []
    if isinstance(error, MinilmError) and raised:
        return "your own `raise` refuses what is allowed: look at the condition in front of it."
    return None


def _of_structure(outcome: Outcome, right: Outcome) -> str | None:
    """Return what is missing or too much in what was returned."""
    returned, expected = outcome.returned, right.returned
    if type(returned) is type(expected) is tuple and len(returned) == len(expected):
        for mine, theirs in zip(returned, expected, strict=True):  # it is within one of them
            if isinstance(theirs, tuple) and _unlike(mine, theirs):
                return f"in the cache: {_parts(mine, theirs, list(right.results.items()))}"
        return None
    if not isinstance(expected, tuple):
        return None
    return _parts(returned, expected, list(right.results.items()))


def _unlike(mine: Any, theirs: tuple[Any, ...]) -> bool:
    return not isinstance(mine, tuple) or len(mine) != len(theirs)


def _parts(mine: Any, theirs: tuple[Any, ...], named: list[tuple[str, Any]]) -> str:
    """Return which part of a tuple is missing."""
    if isinstance(mine, list):
        return "a list is returned; a tuple has commas and round parentheses."
    if isinstance(mine, dict):
        return "a dict is returned; a tuple has the values alone, with commas between them."
    parts = list(mine) if isinstance(mine, tuple) else [mine]

    def names(values_: Iterable[Any]) -> list[str]:
        found = ([n for n, v in named if values.same(v, part, dtype=False)] for part in values_)
        return [f[0] if f else "the cache" for f in found]

    if not isinstance(mine, tuple) and len(theirs) == 1:
        return "a tuple is needed, even with one item: the comma makes it, (x,)."
    missing = [n for n in names(theirs) if n not in names(parts)]
    if len(parts) < len(theirs) and missing:
        return f"only {' and '.join(names(parts))}; {' and '.join(missing)} must come with it."
    return f"{len(theirs)} parts are needed, not {len(parts)}."


def _unused(node: ast.AST | None) -> str | None:
    """Return which parameter a function never uses."""
    functions = [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef)] if node else []
    if len(functions) != 1:
        return None
    arguments = functions[0].args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    used = {n.id for n in ast.walk(functions[0]) if isinstance(n, ast.Name)}
    unused = [name for name in names if name not in used and name not in ("self", "cls")]
    return f"{unused[0]} is not used anywhere in the function." if unused else None
