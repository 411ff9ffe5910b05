"""What an exception usually comes from, whatever the kata."""

from __future__ import annotations

import ast
import re

import numpy as np

# How NumPy says what other libraries, PyTorch above all, say by these names.
_ELSEWHERE = {
    "abs": "np.abs(x)", "add_": "+=", "append": "a list, which has .append",
    "bmm": "@", "cat": "np.concatenate", "clone": "x.copy()", "contiguous": "x, as it is",
    "detach": "x, as it is", "div": "/", "double": "x.astype(float)", "exp": "np.exp(x)",
    "expand": "np.broadcast_to", "float": "x.astype(float)", "gather": "np.take_along_axis",
    "index_add_": "np.add.at", "index_select": "x[ids]", "log": "np.log(x)",
    "long": "x.astype(int)", "masked_fill": "np.where(mask, value, x)", "mm": "@", "mul": "*",
    "norm": "np.linalg.norm(x, axis=...)", "numel": "x.size", "numpy": "x, as it is",
    "one_hot": "np.eye(n)[labels]", "permute": "x.transpose(...) with all axes", "pow": "x ** n",
    "rsqrt": "1 / np.sqrt(x)", "scatter_add_": "np.add.at", "sigmoid": "1 / (1 + np.exp(-x))",
    "softmax": "exp, and a sum over the last axis", "sqrt": "np.sqrt(x)", "sub": "-", "t": "x.T",
    "tanh": "np.tanh(x)", "unsqueeze": "x[:, None], or np.expand_dims",
}  # fmt: skip
# How a name comes into a file.
_IMPORTS = {
    "np": "import numpy as np", "numpy": "import numpy", "math": "import math",
    "F": "from minilm.nn import functional as F", "re": "import re",
    "Counter": "from collections import Counter", "string": "import string",
    "defaultdict": "from collections import defaultdict", "itertools": "import itertools",
    "OptionError": "from minilm.errors import OptionError", "heapq": "import heapq",
    "InputError": "from minilm.errors import InputError", "functools": "import functools",
}  # fmt: skip


def of_error(error: BaseException, node: ast.AST | None = None) -> str | None:
    """Return what a usual exception comes from, or None.

    >>> of_error(UnboundLocalError("cannot access local variable 'n' where ..."))
    'a variable that is assigned only on some paths through the function, or only after it is used.'
    """
    if said := of_name(error):
        return said
    if isinstance(error, IndexError) and (name := _shrinking(node)):
        return (
            f"`{name}` gets shorter inside the loop, but range(len({name})) was counted before: "
            "use `while`, or build a new list."
        )
    for kind, pattern, said in _USUAL:
        if isinstance(error, kind) and re.search(pattern, str(error)):
            if said is _PRODUCT and node is not None and _transposes(node):
                return _ALL_AXES
            return said
    return None


def of_name(error: BaseException) -> str | None:
    """Return what a name stands for that is unknown here and known elsewhere."""
    text = str(error)
    if type(error) is NameError and error.name in _IMPORTS:
        return f"`{_IMPORTS[error.name]}` is missing at the top of the file."
    known = re.search(r"('numpy.ndarray' object|module 'numpy') has no attribute '(\w+)'", text)
    if isinstance(error, AttributeError) and known and known[2] in _ELSEWHERE:
        return f"NumPy has no `{known[2]}` there; what you want is {_ELSEWHERE[known[2]]}."
    return None


def _shrinking(node: ast.AST | None) -> str | None:
    """Return the list that a loop over its places makes shorter."""
    for loop in [n for n in ast.walk(node) if isinstance(n, ast.For)] if node else []:
        counted = re.search(r"^range\(.*len\((\w+)\)", ast.unparse(loop.iter))
        if not counted:
            continue
        name = counted[1]
        body = "\n".join(map(ast.unparse, loop.body))
        if re.search(rf"\bdel {name}\[|\b{name}\.(pop|remove)\(|\b{name}\[.*:.*\] = ", body):
            return name
    return None


def _transposes(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr == "T" for n in ast.walk(node))


_PRODUCT = (
    "a matrix product whose inner sizes differ: (n, k) @ (k, m). A transpose is missing or too "
    "many, the operands are in the wrong order, or leading axes must be flattened."
)
_ALL_AXES = (
    "a matrix product whose inner sizes differ: (n, k) @ (k, m). A transpose is missing or too "
    "many, or the operands are in the wrong order; `.T` of more than two axes reverses all of "
    "them, swapaxes(-1, -2) exchanges the last two."
)
_Kinds = type[BaseException] | tuple[type[BaseException], ...]
# The kind of an exception, a pattern in its text, and what it usually comes from.
_USUAL: tuple[tuple[_Kinds, str, str], ...] = (
    (
        UnboundLocalError,
        "",
        "a variable that is assigned only on some paths through the function, or only after it is "
        "used.",
    ),
    (
        NameError,
        "",
        "a name that is not defined: a typo, or a missing import.",
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
        r"keyword argument '(dim|keepdim)'",
        "NumPy says axis= and keepdims=, where PyTorch says dim= and keepdim=.",
    ),
    (
        TypeError,
        "'(axis|keepdims)' is an invalid keyword",
        "Python's own `sum`, `max` and `min` have no axis: np.sum, np.max and np.min do.",
    ),
    (
        (TypeError, ValueError),
        r"^Cannot interpret '-?\d+' as a data type|sub-type of ndarray|^view\(\) takes",
        "a shape is one tuple, np.zeros((n, m)); what comes after it is a dtype. (PyTorch's "
        "x.view(n, m) is x.reshape(n, m).)",
    ),
    (
        ValueError,
        "axes don't match array",
        "`transpose` names all axes of an array; swapaxes(1, 2) exchanges two of them, as "
        "PyTorch's transpose(1, 2) does.",
    ),
    (
        TypeError,
        "^'(int|tuple)' object is not callable",
        "a number or tuple is called like a function: x.size and x.shape have no parentheses "
        "(PyTorch's x.size(0) is x.shape[0]), or a `*` is missing.",
    ),
    (
        TypeError,
        "object is not callable",
        "what is in front of the parentheses is not a function: brackets are meant, a `*` is "
        "missing, "
        "or a variable took the name of a function.",
    ),
    (
        TypeError,
        "indices must be integers or slices, not tuple",
        "a list of lists takes x[i][j]; x[i, j] needs an array, np.array(x).",
    ),
    (
        TypeError,
        "unhashable type",
        "a list or array cannot be a key of a dict, nor in a set; a tuple can: tuple(x).",
    ),
    (
        TypeError,
        "'(int|float|numpy[^']*|bool)' object is not (iterable|subscriptable)"
        "|cannot unpack non-iterable|must be an iterable, not",
        "one number is taken for several: a loop over an array gives its items, and an index or a "
        "sum has taken an axis away.",
    ),
    (
        TypeError,
        "'tuple' object does not support item assignment",
        "a tuple cannot be changed: make a list of it first, list(x).",
    ),
    (
        TypeError,
        "'str' object does not support item assignment",
        "a string cannot be changed: build a new one, or a list of its characters.",
    ),
    (
        TypeError,
        "can only concatenate|must be str, not|can't concat",
        "two kinds of things are joined by `+`, such as a text and a number, or a list and one "
        "item: [x] is a list of one.",
    ),
    (
        TypeError,
        "bad operand type for unary -",
        "a minus before something that is not a number. To sort by one thing down and by another "
        "up, put the minus before the number only: (-count, word).",
    ),
    (
        TypeError,
        "not supported between instances",
        "two kinds of things are compared, such as a tuple and a number, or None and a number.",
    ),
    (
        TypeError,
        "Cannot cast ufunc|same_kind",
        "`+=`, `-=` and `/=` keep the dtype of an array, and whole numbers cannot hold a part: "
        "x.astype(float) first, or make the array of floats.",
    ),
    (
        TypeError,
        "'NoneType'",
        "something is None here: an argument that may be None; check for that first.",
    ),
    (
        TypeError,
        r"(unsupported operand|can't multiply sequence).*'?(list|tuple|type 'float'|type 'list')",
        "a list or tuple is not an array: NumPy's arithmetic needs np.asarray(...), and a tuple "
        "such "
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
        "output has more dimensions than subscripts",
        "einsum does not sum over `...`: what `...` stands for must be in the output too. Flatten "
        "those axes first, reshape(-1, n), and give the one that is left a letter.",
    ),
    (
        ValueError,
        "operand has more dimensions than subscripts",
        "this einsum names fewer axes than an array has here: the number of axes differs from case "
        "to case. `...` stands for any number of them.",
    ),
    (
        ValueError,
        "remapped shapes",
        "a letter of this einsum stands for two different sizes: compare the letters with the "
        "shapes.",
    ),
    (
        ValueError,
        "einstein sum",
        "the letters of this einsum do not fit: one group for each array, as many letters as it "
        "has axes, and in the output only letters that are in front of the arrow.",
    ),
    (
        ValueError,
        "cannot reshape",
        "the sizes of a new shape, multiplied, give the number of entries: one of these is written "
        "by hand or is that of another axis, or the number of axes differs from case to case.",
    ),
    (
        ValueError,
        "is not in list|is not in tuple",
        "what .index() looks for is not there: check with `in` first.",
    ),
    (
        ValueError,
        "cannot convert float NaN",
        "a number that is NaN, from 0 / 0 or inf - inf, has no whole number.",
    ),
    (
        ValueError,
        "either both or neither",
        "np.where needs three arguments, or only the condition.",
    ),
    (
        ValueError,
        "does not result in an equal division",
        "np.split needs a number of parts that divides the axis, or the places of the cuts.",
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
        "this case is empty, and needs a branch of its own.",
    ),
    (
        ValueError,
        "must have the same shape|must match exactly|inhomogeneous",
        "arrays of different lengths are put side by side: the axis is wrong, or shorter ones "
        "must be padded.",
    ),
    (
        ValueError,
        "setting an array element",
        "an array is put where one number belongs: there are more axes than the loop or the index "
        "expects.",
    ),
    (
        ValueError,
        "too many values|not enough values",
        "the number of axes or items is not the one written here: it differs from case to "
        "case, or a tuple was expected.",
    ),
    (ValueError, "math domain", "a root or logarithm of a negative number."),
    (
        ValueError,
        "could not be broadcast|broadcast together|not broadcastable",
        "shapes that do not fit each other: an axis that was summed away needs keepdims=True, a "
        "column [:, None], or one operand a transpose; or rows are paired up where every row must "
        "meet every other.",
    ),
    (ValueError, r"matmul|shapes .* not aligned", _PRODUCT),
    (ZeroDivisionError, "", "something is divided by zero: an empty case."),
    (
        np.exceptions.AxisError,
        "",
        "an axis that is not there: the array has fewer axes than you think, or lost one in a "
        "sum, a "
        "mean or an index.",
    ),
    (
        IndexError,
        "too many indices",
        "there are more indices than the array has axes here: an axis was lost, or differs from "
        "case to case; x[..., i] is the last one of any number.",
    ),
    (
        IndexError,
        "only integers, slices|must be of integer",
        "an index must be a whole number, a slice, or a mask of True and False: int(...), `//`, or "
        ".astype(int) makes whole numbers.",
    ),
    (
        IndexError,
        "boolean index did not match",
        "a mask has a different length than the axis it is used on: x[mask] is for rows, x[:, "
        "mask] for "
        "columns.",
    ),
    (
        IndexError,
        "shape mismatch: indexing arrays",
        "two arrays of indices must have the same length: x[rows, columns] takes them in pairs.",
    ),
    (
        IndexError,
        "",
        "an index that is out of range: a loop or slice that goes one too far, another axis, an "
        "id that is not a position, or nothing in it.",
    ),
    (KeyError, "", "a key that is not there: check with `in`, or use .get()."),
    (OverflowError, "", "a number that is too large for a float: limit it first."),
    (
        RuntimeError,
        "changed size during iteration",
        "a dict or set is changed while a loop goes through it: loop over list(...) of it.",
    ),
    (StopIteration, "", "`next` finds nothing left: give it a second argument."),
)
