"""Which mistake is it? The named wrong answers are run on the same cases, and compared.

Looked for in this order: one that gives the same for what failed in every case ("Looks like"); two
whose effects add up, or multiply, to what the learner has; one that gives the same in the case that
failed ("Probably"). Where there is none, generic suspicions are tried (`suspects.py`).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilm.course import cases, loading, suspects, trials, values
from minilm.course.cases import Case, Outcome
from minilm.course.catalog import Kata, attribute
from minilm.course.mistakes import Mistake
from minilm.course.values import Difference

# What can be wrong with an outcome beside its results. The brackets keep these apart from any
# name that a kata gives a result, such as "error".
ERROR, STRUCTURE, MODIFIED = "<error>", "<structure>", "<modified>"

LOOKS_LIKE, PROBABLY = "Looks like", "Probably"
# Two ways to write a mistake round differently, in float32 by more than in float64.
_ROUNDING = 1e-6


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


def _one(mistake: Mistake, certainty: str = LOOKS_LIKE) -> Cause:
    return Cause(mistake.explanation, mistake.name, certainty)


def _two(first: Mistake, second: Mistake) -> Cause:
    text = f"two things at once. First, {first.explanation}\n\nAnd second, {second.explanation}"
    return Cause(text, first.name, LOOKS_LIKE, second.name)


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

    def named(self, i: int, key: str, *, dtype: bool = False) -> Cause | None:
        """Return the cause of a failure by the name of one or two wrong answers.

        Parameters
        ----------
        i : int
            The place of the case that failed.
        key : str
            The name of a result, or ERROR, STRUCTURE or MODIFIED.
        dtype : bool
            Whether a dtype is what failed.
        """
        exact = self._best(key, dtype, range(len(self.pairs)))
        if exact is not None:
            other = self._beside(key, exact)
            return _one(exact) if other is None else _two(exact, other)
        if key not in (ERROR, STRUCTURE, MODIFIED) and not dtype:
            pair = self._pair(key)
            if pair is not None:
                return _two(*pair)
        if key == MODIFIED or dtype:
            return None  # says by itself what is wrong
        probable = self._best(key, dtype, [i])
        return None if probable is None else _one(probable, PROBABLY)

    def _candidates(self) -> Iterator[tuple[Mistake, Sequence[Outcome]]]:
        for candidate in self.kata.mistakes():
            if self.target in candidate.functions:
                yield candidate, trials.of_mistake(self.kata, candidate.name, self.target)

    def _best(self, key: str, dtype: bool, places: Sequence[int]) -> Mistake | None:
        """Return the wrong answer that gives the same for what failed, in some of the cases.

        Of several, the one that agrees in most of all else.
        """
        best, most = None, -1
        everywhere = len(places) == len(self.pairs)
        for candidate, theirs in self._candidates():
            agree = [
                functools.partial(_agree, case, mine, other)
                for (case, _), mine, other in zip(self.pairs, self.outcomes, theirs, strict=True)
            ]
            same = all(agree[place](key, dtype) for place in places)
            if not same and not (everywhere and key == ERROR and self._fails_alike(theirs)):
                continue
            score = self.agreement(candidate)
            if score > most:
                best, most = candidate, score
        return best

    def agreement(self, mistake: Mistake) -> int:
        """Return in how many respects a wrong answer gives the same, over all cases."""
        if self.target not in mistake.functions:
            theirs: Sequence[Outcome] = [right for _, right in self.pairs]
        else:
            theirs = trials.of_mistake(self.kata, mistake.name, self.target)
        keys = [ERROR, STRUCTURE, MODIFIED, *self.names()]
        return sum(
            _agree(case, mine, other, key, strict)
            for (case, _), mine, other in zip(self.pairs, self.outcomes, theirs, strict=True)
            for key in keys
            for strict in (False, True)
        )

    def _beside(self, key: str, first: Mistake) -> Mistake | None:
        """Return a second wrong answer: of a result that the first one gets right."""
        theirs = trials.of_mistake(self.kata, first.name, self.target)
        for name in self.outer_names():
            if name == key or key in (ERROR, STRUCTURE, MODIFIED):
                continue
            wrong = any(self._is_wrong(i, name) for i in range(len(self.pairs)))
            explained = all(
                _agree(case, mine, other, name)
                for (case, _), mine, other in zip(self.pairs, self.outcomes, theirs, strict=True)
            )
            if wrong and not explained:
                return self._best(name, False, range(len(self.pairs)))
        return None

    def _is_wrong(self, i: int, name: str) -> bool:
        found = self.difference(i, name)
        return found is not None and found.kind != "dtype"

    def _pair(self, key: str) -> tuple[Mistake, Mistake] | None:
        """Return two wrong answers whose effects on a result add up, or multiply, to this one's."""
        rows = [
            (right.results[key], mine.results[key], i)
            for i, ((_, right), mine) in enumerate(zip(self.pairs, self.outcomes, strict=True))
            if key in right.results and key in mine.results
        ]
        rows = [row for row in rows if _is_float(row[0]) and _is_float(row[1])]
        rows = [row for row in rows if np.shape(row[0]) == np.shape(row[1])]
        if not any(self._is_wrong(i, key) for _, _, i in rows):
            return None
        effects = []
        for candidate, theirs in self._candidates():
            found: list[Any] = [theirs[i].results.get(key) for _, _, i in rows]
            pairs = list(zip(found, rows, strict=True))
            if not all(_is_float(x) and np.shape(x) == np.shape(r[0]) for x, r in pairs):
                continue
            if not all(values.same(x, r[0], _ROUNDING, dtype=False) for x, r in pairs):
                effects.append((candidate, found))
        for (one, first), (other, second) in itertools.combinations(effects, 2):
            for combined in (_added, _multiplied):
                if all(
                    values.same(*combined(right, mine, a, b), _ROUNDING, dtype=False)
                    for (right, mine, _), a, b in zip(rows, first, second, strict=True)
                ):
                    return one, other
        return None

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


def _is_float(value: Any) -> bool:
    return (
        isinstance(value, float | np.ndarray | np.floating) and np.asarray(value).dtype.kind == "f"
    )


def _added(right: Any, mine: Any, a: Any, b: Any) -> tuple[Any, Any]:
    with np.errstate(all="ignore"):
        return np.asarray(mine + right), np.asarray(a + b)


def _multiplied(right: Any, mine: Any, a: Any, b: Any) -> tuple[Any, Any]:
    with np.errstate(all="ignore"):
        return np.asarray(mine * right), np.asarray(a * b)


def _agree(case: Case, one: Outcome, other: Outcome, key: str, dtype: bool | int = False) -> bool:
    """Return whether two outcomes are the same in one respect."""
    if key == ERROR:
        return _said(one) == _said(other)
    if key == STRUCTURE:
        return one.structure == other.structure
    if key == MODIFIED:
        return one.modified == other.modified
    if key in one.results and key in other.results:
        tolerance = max(case.tolerance, _ROUNDING)
        return values.same(one.results[key], other.results[key], tolerance, dtype=bool(dtype))
    return (key in one.results) == (key in other.results)


def _said(outcome: Outcome) -> str | None:
    return None if outcome.error is None else loading.said(outcome.error)


def mistake_by_property(found: Sequence[Evidence], name: str, said: str) -> Cause | None:
    """Return the named wrong answer of which a property's test says the same."""
    kata = found[0].kata
    test = trials.properties(kata)[name]
    references = {target.name: target.reference for target in kata.targets}
    return _most_alike(
        found, lambda m: trials.property_problem(test, references | dict(m.functions)) == said
    )


def mistake_by_model(found: Sequence[Evidence], said: str) -> Cause | None:
    """Return the named wrong answer with which the whole model goes wrong in the same way."""
    kata = found[0].kata
    return _most_alike(found, lambda m: trials.model_problem(kata, m.functions) == said)


def _most_alike(found: Sequence[Evidence], fits: Callable[[Mistake], bool]) -> Cause | None:
    """Return the wrong answer that fits; of several, the one that agrees in most of all else."""
    fitting = [mistake for mistake in found[0].kata.mistakes() if fits(mistake)]
    if not fitting:
        return None
    return _one(max(fitting, key=lambda m: sum(evidence.agreement(m) for evidence in found)))
