"""A kata's cases, and what functions give on them: the library's, the learner's, the mistakes'."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from minilm.course import cases, loading, targets, values, whole
from minilm.course.cases import Case, Outcome
from minilm.course.catalog import Kata, attribute

SEED = 20

# Rounding adds up on the way through a whole model.
_MODEL_TOLERANCE = 1e-6

Property = Callable[[SimpleNamespace, np.random.Generator], str | None]


@dataclass(frozen=True, eq=False)
class TrialData:
    """What a kata's answers are checked with, made once.

    Attributes
    ----------
    cases : tuple of Case
    right : tuple of Outcome
        What the library gives for each.
    model : dict
        What the whole model gives with the library's functions.
    """

    cases: tuple[Case, ...]
    right: tuple[Outcome, ...]
    model: Mapping[str, Any]

    def of(self, target: str) -> list[tuple[Case, Outcome]]:
        """Return the cases of one target with their right outcomes."""
        pairs = zip(self.cases, self.right, strict=True)
        return [(case, right) for case, right in pairs if case.target == target]


@functools.cache
def material(kata: Kata) -> TrialData:
    """Return the kata's cases and what the library gives for them."""
    made = tuple(kata.module("checks").cases(np.random.default_rng(SEED)))
    references = {target.name: target.reference for target in kata.targets}
    right = tuple(cases.run(case, references[case.target]) for case in made)
    return TrialData(made, right, whole.default(kata)())


@functools.cache
def of_mistake(kata: Kata, name: str, target: str) -> tuple[Outcome, ...]:
    """Return what a named wrong answer gives on the cases of a target."""
    function = next(m for m in kata.mistakes() if m.name == name).functions[target]
    return tuple(cases.run(case, function) for case, _ in material(kata).of(target))


def properties(kata: Kata) -> Mapping[str, Property]:
    """Return the properties that a kata asks for, by what they say."""
    found: Mapping[str, Property] = attribute(kata.module("checks"), "PROPERTIES", {})
    return found


def property_problem(test: Property, functions: Mapping[str, Any]) -> str | None:
    """Return what a property's test says of functions; an exception says something too."""
    try:
        with np.errstate(all="ignore"):
            return test(SimpleNamespace(**functions), np.random.default_rng(SEED))
    except Exception as error:
        return f"raises {loading.said(error)}"


def model_problem(kata: Kata, functions: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the whole model once functions are plugged in, or None."""
    paths = {target.name: target.path for target in kata.targets}
    parts = {paths[name]: function for name, function in functions.items()}
    try:
        with targets.replaced(parts), np.errstate(all="ignore"):
            found = whole.default(kata)()
    except KeyboardInterrupt:
        raise
    except RecursionError:
        return (
            "inside the whole model it calls itself without end: the library's function is yours "
            "there, so a call of it is a call of yours; write out what it does"
        )
    except BaseException as error:  # SystemExit too: it is reported, not obeyed
        return f"inside the whole model it raises {loading.said(error)}"
    for name, right in material(kata).model.items():
        difference = values.difference(right, found[name], _MODEL_TOLERANCE)
        if difference is not None and difference.kind != "dtype":  # of which a check says more
            return f"inside the whole model, {name} {difference.text}"
    return None
