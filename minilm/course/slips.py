"""What a learner's code shows by itself, whatever the kata: nothing returned, usual exceptions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from minilm.course import locate, values
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
    return "this way through the function does not reach a `return`."


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
        return "a change in place (`+=`, `*=`, `x[...] =`, .sort()) of what belongs to the caller."
    if outcome.error is not None:
        return _of_own_raise(node, outcome.error) or of_error(outcome.error, node)
    if outcome.structure is not None:
        return _of_structure(outcome, right)
    return _unused(node)


def _of_refusal(error: BaseException | None, node: ast.AST | None) -> str:
    """Return why something that must be refused is not."""
    if error is None:
        return "nothing asks for it: put an `if` in front, and raise the error there."
    raised = [n.exc for n in ast.walk(node) if isinstance(n, ast.Raise)] if node else []
    if any(type(error).__name__ in ast.unparse(exc) for exc in raised if exc is not None):
        return "it is refused, but by another kind of error than the one that is asked for."
    if isinstance(error, ArithmeticError | LookupError | TypeError | ValueError | AttributeError):
        return (
            "it goes wrong by itself, with an error that does not say what to do: ask for it "
            "first, and raise the error that is named."
        )
    return "another kind of error is raised than the one that is asked for."


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
        return "a tuple is needed, of one item too: the comma makes it, (x,)."
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


def of_error(error: BaseException, node: ast.AST | None = None) -> str | None:
    """Return what a usual exception comes from, or None.

    >>> of_error(UnboundLocalError("cannot access local variable 'n' where ..."))
    'a variable that is assigned on some ways through the function only, or after it is used.'
    """
    text = str(error)
    for kind, pattern, said in _USUAL:
        if isinstance(error, kind) and re.search(pattern, text):
            if said is _PRODUCT and node is not None and _transposes(node):
                return _ALL_AXES
            return said
    return None


def _transposes(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr == "T" for n in ast.walk(node))


_PRODUCT = (
    "a matrix product whose inner sizes differ: (n, k) @ (k, m). A transpose is missing or too "
    "many, the operands are in the wrong order, or leading axes must be flattened."
)
_ALL_AXES = (
    "a matrix product whose inner sizes differ: (n, k) @ (k, m). A transpose is missing or too "
    "many; `.T` of more than two axes reverses all of them, swapaxes(-1, -2) exchanges the last "
    "two."
)
# The kind of an exception, a pattern in its text, and what it usually comes from.
_USUAL: tuple[tuple[type[BaseException], str, str], ...] = (
    (
        UnboundLocalError,
        "",
        "a variable that is assigned on some ways through the function only, or after it is used.",
    ),
    (
        NameError,
        "",
        "a name that is not defined: a typing error, or an import that is missing.",
    ),
    (RecursionError, "", "the function calls itself without end."),
    (
        AttributeError,
        "'NoneType'",
        "something is None here: a method without `return`, or an option that may be None.",
    ),
    (
        AttributeError,
        "^'(tuple|list)' object",
        "a tuple or list is used as an array: a function may return (y, cache); take it apart.",
    ),
    (
        AttributeError,
        "object has no attribute",
        "an attribute that was never assigned by this name: compare it with the docstring.",
    ),
    (
        TypeError,
        "'NoneType'",
        "something is None here: an argument that may be None; ask for it first.",
    ),
    (
        TypeError,
        r"(unsupported operand|can't multiply sequence).*'?(list|tuple|type 'float'|type 'list')",
        "a list or tuple is no array: NumPy's arithmetic needs np.asarray(...), and a tuple such "
        "as a cache must be taken apart first.",
    ),
    (
        TypeError,
        r"positional arguments? but|unexpected keyword|missing \d+ required",
        "a call whose arguments do not fit: look at the function's parameters; those after `*` are "
        "given by name.",
    ),
    (
        TypeError,
        "has no len",
        "an iterator has no length, and can be gone through only once: count as you go.",
    ),
    (
        TypeError,
        "can be converted to Python scalars|sequence of integers|interpreted as an integer"
        "|integer scalar arrays|indices must be integers",
        "a single whole number is needed there, or one number where an array is: `/` gives a "
        "float, `//` a whole number; `math` takes single numbers, np.sqrt and np.exp take arrays.",
    ),
    (
        ValueError,
        "truth value of an array",
        "an array in an `if`, `and` or `or`: say whether any or all entries are meant, or use "
        "np.where, & and |.",
    ),
    (ValueError, "read-only", "an input is written to in place; work on a copy."),
    (
        ValueError,
        "need at least one array|empty sequence|zero-size array|iterable argument is empty",
        "there is nothing in it: this case is empty, and needs a way of its own.",
    ),
    (
        ValueError,
        "must have the same shape|must match exactly|inhomogeneous",
        "arrays of different lengths are put side by side: the axis is wrong, or shorter ones must "
        "be filled up.",
    ),
    (
        ValueError,
        "setting an array element",
        "an array is put where one number belongs: there are more axes than the loop or the index "
        "thinks of.",
    ),
    (
        ValueError,
        "more dimensions than subscripts|cannot reshape|too many values|not enough values",
        "the number of axes or items is another one than written down: it differs from case to "
        "case, or a tuple was expected.",
    ),
    (ValueError, "math domain", "a root or logarithm of a negative number."),
    (
        ValueError,
        "could not be broadcast|broadcast together",
        "shapes that do not fit each other: an axis that was summed away needs keepdims=True, a "
        "column [:, None], or one operand a transpose; or rows are paired where each must meet "
        "each.",
    ),
    (ValueError, r"matmul|shapes .* not aligned", _PRODUCT),
    (ZeroDivisionError, "", "something is divided by zero: a case with nothing in it."),
    (
        np.exceptions.AxisError,
        "",
        "an axis that is not there: the array has fewer axes than thought, or lost one in a sum, a "
        "mean or an index.",
    ),
    (
        IndexError,
        "",
        "an index that is out of range: a loop or slice that goes one too far, another axis, an id "
        "that is no place, or nothing in it.",
    ),
    (KeyError, "", "a key that is not there: ask with `in`, or use .get()."),
    (OverflowError, "", "a number that is too large for a float: limit it first."),
)
