"""Which mistake is it? The named wrong answers are run on the same cases, and compared.

A mistake is recognized when what failed comes out the same in every case; of several, the one that
agrees in most of all else. Where none is, generic suspicions are tried (`suspects.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minilm.course import cases, loading, suspects, trials, values
from minilm.course.cases import Case, Outcome
from minilm.course.catalog import Kata, attribute
from minilm.course.mistakes import Mistake
from minilm.course.values import Difference

# What can be wrong with an outcome beside its results.
ERROR, STRUCTURE, MODIFIED = "error", "structure", "modified"


class Evidence:
    """What an implementation of one target gave in all of its cases, beside what is right.

    Parameters
    ----------
    kata : Kata
    target : str
        The short name.
    implementation : function or class
    """

    def __init__(self, kata: Kata, target: str, implementation: Any) -> None:
        self.kata, self.target, self.implementation = kata, target, implementation
        self.pairs = trials.material(kata).of(target)
        self.outcomes = [cases.run(case, implementation) for case, _ in self.pairs]
        self._differences: dict[tuple[int, str], Difference | None] = {}

    def rows(self) -> Iterator[tuple[int, Case, Outcome]]:
        """Yield each case with its place and its outcome."""
        for i, ((case, _), outcome) in enumerate(zip(self.pairs, self.outcomes, strict=True)):
            yield i, case, outcome

    def names(self) -> list[str]:
        """Return the names of all results: those that are returned, then those in caches."""
        outer = self.outer_names()
        return list(dict.fromkeys([*outer, *(n for _, r in self.pairs for n in r.results)]))

    def outer_names(self) -> list[str]:
        """Return the names of what is returned, without caches."""
        return list(
            dict.fromkeys(
                n for case, _ in self.pairs if not case.raises for n in values.outer(case.returns)
            )
        )

    def difference(self, i: int, name: str) -> Difference | None:
        """Return what is wrong with a result in a case."""
        if (i, name) not in self._differences:
            (case, right), outcome = self.pairs[i], self.outcomes[i]
            found = None
            if name in right.results and name in outcome.results:
                found = values.difference(
                    right.results[name], outcome.results[name], case.tolerance
                )
            self._differences[i, name] = found
        return self._differences[i, name]

    def right_names(self) -> list[str]:
        """Return the names of the returned results that are right in every case."""
        cases_of = range(len(self.pairs))
        return [n for n in self.outer_names() if not any(self.difference(i, n) for i in cases_of)]

    def mistake(self, key: str) -> Mistake | None:
        """Return the named wrong answer that gives the same for what failed, in every case.

        Parameters
        ----------
        key : str
            The name of a result, or ERROR, STRUCTURE or MODIFIED.
        """
        best, most = None, -1
        for candidate in self.kata.mistakes():
            if self.target not in candidate.functions:
                continue
            theirs = trials.of_mistake(self.kata, candidate.name, self.target)
            agree = [
                functools.partial(_agree, case, mine, other)
                for (case, _), mine, other in zip(self.pairs, self.outcomes, theirs, strict=True)
            ]
            same = all(in_case(key) for in_case in agree)
            if not same and not (key == ERROR and self._fails_alike(theirs)):
                continue
            keys = [ERROR, STRUCTURE, MODIFIED, *self.names()]
            score = sum(in_case(k) for in_case in agree for k in keys)
            if score > most:
                best, most = candidate, score
        return best

    def _fails_alike(self, theirs: Sequence[Outcome]) -> bool:
        """Return whether the same cases raise, though in other words, and all else is the same.

        `np.dot` and `@` complain differently of the same shapes.
        """
        kept = 0
        for (case, _), mine, other in zip(self.pairs, self.outcomes, theirs, strict=True):
            if type(mine.error) is not type(other.error):
                return False
            if mine.error is None and case.raises is None:
                if not all(_agree(case, mine, other, name) for name in mine.results):
                    return False
                kept += 1
        return kept > 0

    def suspicion(self, i: int, name: str) -> str | None:
        """Return what a wrong result looks like, if it is one of the usual things."""
        case, right = self.pairs[i]

        def again(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
            target = next(t for t in self.kata.targets if t.name == self.target)
            return values.take_apart(case.run(target.reference, **inputs), case.returns)[0]

        return suspects.suspect(name, right.results, self.outcomes[i].results, case, again)

    def step(self, i: int, name: str) -> str | None:
        """Return the first intermediate that is wrong: one of the cache, or a local variable."""
        case, right = self.pairs[i]
        inner = [n for n in right.results if n not in values.outer(case.returns)]
        for other in inner:
            if other != name and (found := self.difference(i, other)):
                return f"{other} (in the cache) {found.text}"
        steps = attribute(self.kata.module("checks"), "STEPS", {}).get(self.target)
        if steps is None:
            return None
        theirs = cases.run(case, self.implementation, watch=True).steps
        for step, expected in steps(**case.inputs).items():
            actual = theirs.get(step)
            if isinstance(actual, np.ndarray) and actual.shape == np.shape(expected):
                found = values.difference(expected, actual, case.tolerance)
                if found is not None:
                    return f"your {step} {found.text}"
        return None


def _agree(case: Case, one: Outcome, other: Outcome, key: str) -> bool:
    """Return whether two outcomes are the same in one respect."""
    if key == ERROR:
        return _said(one) == _said(other)
    if key == STRUCTURE:
        return one.structure == other.structure
    if key == MODIFIED:
        return one.modified == other.modified
    if key in one.results and key in other.results:
        # Two ways to write a mistake round differently, in float32 by more than in float64.
        return values.same(one.results[key], other.results[key], max(case.tolerance, 1e-6))
    return (key in one.results) == (key in other.results)


def _said(outcome: Outcome) -> str | None:
    return None if outcome.error is None else loading.said(outcome.error)


def mistake_by_property(kata: Kata, name: str, said: str) -> Mistake | None:
    """Return the named wrong answer of which a property's test says the same."""
    test = trials.properties(kata)[name]
    references = {target.name: target.reference for target in kata.targets}
    for candidate in kata.mistakes():
        if trials.property_problem(test, references | dict(candidate.functions)) == said:
            return candidate
    return None


def mistake_by_model(kata: Kata, said: str) -> Mistake | None:
    """Return the named wrong answer with which the whole model goes wrong in the same way."""
    for candidate in kata.mistakes():
        if trials.model_problem(kata, candidate.functions) == said:
            return candidate
    return None
