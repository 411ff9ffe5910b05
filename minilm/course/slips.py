"""What a learner's code shows by itself, whatever the kata: nothing returned, usual exceptions."""

from __future__ import annotations

import ast
import re

import numpy as np

from minilm.course import locate
from minilm.course.cases import Outcome


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
    is_none = outcome.structure is not None and outcome.structure.startswith("returns None")
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


def of_error(error: BaseException) -> str | None:
    """Return what a usual exception comes from, or None.

    >>> of_error(UnboundLocalError("cannot access local variable 'n' where ..."))
    'a variable that is assigned on some ways through the function only, or after it is used.'
    """
    text = str(error)
    if isinstance(error, UnboundLocalError):
        return (
            "a variable that is assigned on some ways through the function only, or after it is "
            "used."
        )
    if isinstance(error, NameError):
        return "a name that is not defined: a typing error, or an import that is missing."
    if isinstance(error, RecursionError):
        return "the function calls itself without end."
    if isinstance(error, AttributeError) and "'NoneType'" in text:
        return "something is None here: a method without `return`, or an option that may be None."
    if "truth value of an array" in text:
        return (
            "an array in an `if`, `and` or `or`: say whether any or all entries are meant, or use "
            "np.where, & and |."
        )
    if "read-only" in text:
        return "an input is written to in place; work on a copy."
    if "could not be broadcast" in text or "broadcast together" in text:
        return (
            "shapes that do not broadcast: an axis that was summed away needs keepdims=True, or "
            "one operand a transpose."
        )
    if "matmul" in text or re.search(r"shapes .* not aligned", text):
        return (
            "a matrix product whose inner sizes differ: (n, k) @ (k, m). A transpose is missing or "
            "too many, the operands are in the wrong order, or leading axes must be flattened."
        )
    if isinstance(error, np.exceptions.AxisError):
        return (
            "an axis that is not there: it was summed or averaged away before (a mean without an "
            "axis is over everything), or the number of axes differs from case to case."
        )
    if isinstance(error, IndexError):
        return "an index beyond the end: look at where the loop or the slice stops."
    return None
