"""Named wrong answers: what people really write, with the sentence that puts it right."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from minilm.errors import OptionError

T = TypeVar("T")

_MARK = "__kata_mistake__"
LOOKS_LIKE, PROBABLY = "Looks like", "Probably"


@dataclass(frozen=True)
class Mistake:
    """A plausible wrong answer.

    Attributes
    ----------
    name : str
    explanation : str
        What the learner reads after "Looks like:".
    functions : mapping
        By the short names of the targets that they take the place of.
    """

    name: str
    explanation: str
    functions: Mapping[str, Any]


@dataclass(frozen=True)
class Cause:
    """What a failure comes from.

    Attributes
    ----------
    text : str
        The explanation.
    mistake : str, optional
        The name of the wrong answer.
    certainty : {"Looks like", "Probably"}
    also : str, optional
        The name of a second wrong answer.
    """

    text: str
    mistake: str | None = None
    certainty: str = LOOKS_LIKE
    also: str | None = None


def mistake(*targets: str) -> Callable[[T], T]:
    """Mark a function or class of `wrong.py` as a wrong answer in the place of targets.

    With one target, what is marked takes its place. With several it is a class whose static
    methods have the targets' names.
    """
    if not targets:
        raise OptionError("@mistake: name the target that is written wrongly")

    def mark(answer: T) -> T:
        setattr(answer, _MARK, targets)
        return answer

    return mark


def collect(module: ModuleType) -> tuple[Mistake, ...]:
    """Return the mistakes of a module, in its order."""
    found = []
    for name, answer in vars(module).items():
        targets = vars(answer).get(_MARK) if hasattr(answer, "__dict__") else None
        if targets is None:
            continue
        explanation = inspect.getdoc(answer)
        if not explanation:
            raise OptionError(f"wrong.py: {name} has no docstring, which is its explanation")
        several = len(targets) > 1
        functions = {t: getattr(answer, t) if several else answer for t in targets}
        found.append(Mistake(name, explanation, functions))
    return tuple(found)
