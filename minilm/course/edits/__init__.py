"""Small changes of code, each the reverse of a mistake that learners make.

Likely ones come first: of two that make the code right, the first is reported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from minilm.course.edits.added import added
from minilm.course.edits.axes import axes
from minilm.course.edits.calls import calls, everywhere
from minilm.course.edits.moved import moved
from minilm.course.edits.operators import (
    conditions,
    divisions,
    operators,
    seldom,
    sides,
    two_operators,
)
from minilm.course.edits.places import Said, all_places
from minilm.course.edits.statements import repeated, returned, statements
from minilm.course.edits.values import by_hand, left_out, names, numbers


def likely(
    tree: ast.Module, *, raised: bool = False, constants: Sequence[str] = ()
) -> Iterator[Said]:
    """Yield changes of what is there: made in the tree, likely ones first.

    Parameters
    ----------
    tree : Module
    raised : bool
        Whether the code raised an exception.
    constants : sequence of str
        Names of numbers that the file has outside of functions.
    """
    places = [p for p in all_places(tree) if hasattr(p.node, "lineno")]
    if raised:
        yield from divisions(tree, places)
    for tier in (
        conditions, operators, sides, left_out, calls, axes, numbers, moved, returned, statements,
        everywhere, seldom, names, repeated,
    ):  # fmt: skip
        yield from tier(tree, places)
    yield from by_hand(tree, places, constants)
    if not raised:
        yield from two_operators(places)


def additions(tree: ast.Module, *, number: bool = True) -> Iterator[Said]:
    """Yield changes that add what may be missing, such as a factor or a root.

    Parameters
    ----------
    tree : Module
    number : bool
        Whether the result is one of floats.
    """
    places = [p for p in all_places(tree) if hasattr(p.node, "lineno")]
    yield from added(tree, places, number)
