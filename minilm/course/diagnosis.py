"""Which mistake is it? The named wrong answers are run on the same cases, and compared.

Looked for in this order: one that gives the same for what failed in every case ("Looks like"); a
small change of the learner's own code that makes every case right (`repairs.py`); two named ones
whose effects add up, or multiply, to what the learner has; one that gives the same in the case that
failed and in a share of those that are wrong ("Probably"). Where there is none, generic suspicions
are tried (`suspects.py`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from minilm.course import cases, isolation, repairs, setting, suspects, trials, values
from minilm.course.agreement import (
    ERROR,
    MODIFIED,
    ROUNDING,
    STRUCTURE,
    added,
    agree,
    differs,
    finite,
    is_float,
    is_void,
    multiplied,
    said,
)
from minilm.course.cases import Case, Outcome
from minilm.course.catalog import Kata, attribute
from minilm.course.mistakes import LOOKS_LIKE, PROBABLY, Cause, Mistake
from minilm.course.values import Difference


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
        self.is_searched, self.spent = True, 0.0
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

    def exact(self, key: str, *, dtype: bool = False) -> Cause | None:
        """Return the named wrong answer, or two, that give the same in every case.

        Parameters
        ----------
        key : str
            The name of the result that failed, or ERROR, STRUCTURE or MODIFIED.
        dtype : bool
            Whether a dtype is what failed.
        """
        found = None if self._says_nothing(key) else self._best(key, dtype)
        if found is None:
            return None
        other = self._beside(key, found)
        return _one(found) if other is None else _two(found, other)

    def _says_nothing(self, key: str) -> bool:
        """Return whether what is wrong is empty wherever it is: many mistakes end there."""
        found = [
            (right.results[key], mine.results[key])
            for i, ((_, right), mine) in enumerate(zip(self.pairs, self.outcomes, strict=True))
            if key in mine.results and self._is_wrong(i, key)
        ]
        return bool(found) and all(is_void(mine) and not is_void(right) for right, mine in found)

    def two(self, key: str) -> Cause | None:
        """Return two named wrong answers whose effects together give the same."""
        pair = None if key in (ERROR, STRUCTURE, MODIFIED) else self._pair(key)
        return None if pair is None else _two(*pair)

    def probable(self, i: int, key: str, *, share: float) -> Cause | None:
        """Return the named wrong answer that gives the same in the case that failed, and others.

        Parameters
        ----------
        i : int
            The place of the case.
        key : str
            As for `exact`.
        share : float
            In how many of the cases in which one of both is wrong it gives the same, at least.
        """
        found = None if key == MODIFIED else self._best(key, False, i, share)
        if found is None:
            return None
        alike = self._share(key, i, trials.of_mistake(self.kata, found.name, self.target))
        cause = _one(found, PROBABLY)
        some = f"{cause.text}\n\n(It explains {alike:.0%} of what is wrong; there may be more.)"
        return cause if alike == 1 else replace(cause, text=some)

    def repair(self, source: str, path: Path, i: int, **how: bool) -> repairs.Repair | None:
        """Return the small change of the learner's file that makes every case right.

        Where submissions are graded no other process may be started, and none is looked for.

        Parameters
        ----------
        source : str
        path : Path
        i : int
            The place of the case that failed.
        **how
            `strict` and `added`, as of `repairs.find`.
        """
        if isolation.is_shut_in() or not self.is_searched:
            return None
        around = setting.of(self.implementation, source)
        if around is None:
            return None
        isolation.lift_time_limit()  # what takes time from here on is not the learner's code
        begun = time.monotonic()
        ending = repairs.request(
            self.kata, self.target, around, source, path, i, spent=self.spent, **how
        )
        self.spent += time.monotonic() - begun
        self.is_searched = ending.result is not None  # else the next search would hang as well
        found = self.is_searched and ending.result.get("found")
        return repairs.Repair(**found) if found else None

    def _candidates(self) -> Iterator[tuple[Mistake, Sequence[Outcome]]]:
        for candidate in self.kata.mistakes():
            if self.target in candidate.functions:
                yield candidate, trials.of_mistake(self.kata, candidate.name, self.target)

    def _best(
        self, key: str, dtype: bool, place: int | None = None, share: float = 1.0
    ) -> Mistake | None:
        """Return the wrong answer that gives the same for what failed, in all cases or in one.

        Of several, the one that agrees in most of all else.
        """
        best, most = None, -1
        for candidate, theirs in self._candidates():
            if place is None:
                fits = self._same_everywhere(key, dtype, theirs)
                fits = fits or (key == ERROR and self._fails_alike(theirs))
            else:
                fits = self._share(key, place, theirs) >= share
            if fits and (score := self.agreement(candidate)) > most:
                best, most = candidate, score
        return best

    def _same_everywhere(self, key: str, dtype: bool, theirs: Sequence[Outcome]) -> bool:
        """Return whether a wrong answer agrees in every case, and breaks nothing else."""
        for i, ((case, right), mine, other) in enumerate(
            zip(self.pairs, self.outcomes, theirs, strict=True)
        ):
            if not agree(case, mine, other, key, dtype):
                return False
            if key == MODIFIED and not all(agree(case, mine, other, n) for n in self.names()):
                return False
            for name in right.results:
                is_wrong = differs(case, right, other, name)
                if name == key and self._is_wrong(i, name) and not is_wrong:
                    return False  # wrong in its kind, which a comparison of numbers forgives
                is_right = name in mine.results and self.difference(i, name) is None
                if name != key and is_wrong and is_right:
                    return False
        return True

    def _share(self, key: str, place: int, theirs: Sequence[Outcome]) -> float:
        """Return in what share of the wrong cases a wrong answer agrees; 0 if not in this one."""
        alike, wrong = 0, 0
        for i, ((case, right), mine, other) in enumerate(
            zip(self.pairs, self.outcomes, theirs, strict=True)
        ):
            same = agree(case, mine, other, key)
            if same and any(
                name != key and name in mine.results and differs(case, right, other, name)
                and not self._is_wrong(i, name)
                for name in right.results
            ):  # fmt: skip
                return 0.0  # it breaks what is right here
            if key in (ERROR, STRUCTURE):
                shows = said(mine) != said(right) or said(other) != said(right)
                shows = shows or bool(mine.structure or other.structure)
            else:
                shows = self._is_wrong(i, key) or differs(case, right, other, key)
                if i == place and not differs(case, right, other, key):
                    return 0.0
            if i == place and not same:
                return 0.0
            alike, wrong = alike + (same and shows), wrong + shows
        return alike / wrong if wrong else 1.0

    def agreement(self, mistake: Mistake) -> int:
        """Return in how many respects a wrong answer gives the same, over all cases."""
        if self.target not in mistake.functions:
            theirs: Sequence[Outcome] = [right for _, right in self.pairs]
        else:
            theirs = trials.of_mistake(self.kata, mistake.name, self.target)
        keys = [ERROR, STRUCTURE, MODIFIED, *self.names()]
        return sum(
            agree(case, mine, other, key, strict)
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
                agree(case, mine, other, name)
                for (case, _), mine, other in zip(self.pairs, self.outcomes, theirs, strict=True)
            )
            if wrong and not explained:
                return self._best(name, False)
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
        rows = [row for row in rows if is_float(row[0]) and is_float(row[1])]
        rows = [row for row in rows if np.shape(row[0]) == np.shape(row[1])]
        if not any(self._is_wrong(i, key) for _, _, i in rows):
            return None
        effects = []
        for candidate, theirs in self._candidates():
            found: list[Any] = [theirs[i].results.get(key) for _, _, i in rows]
            pairs = list(zip(found, rows, strict=True))
            if not all(is_float(x) and np.shape(x) == np.shape(r[0]) for x, r in pairs):
                continue
            if not all(values.same(x, r[0], ROUNDING, dtype=False) for x, r in pairs):
                effects.append((candidate, found))
        fitting = []
        for (one, first), (other, second) in itertools.combinations(effects, 2):
            for combined in (added, multiplied):
                if all(
                    finite(mine, a, b)
                    and values.same(*combined(right, mine, a, b), ROUNDING, dtype=False)
                    for (right, mine, _), a, b in zip(rows, first, second, strict=True)
                ) and self._beside_a_pair(key, one, other):
                    fitting.append((one, other))
        return max(fitting, key=lambda pair: sum(map(self.agreement, pair)), default=None)

    def _beside_a_pair(self, key: str, one: Mistake, other: Mistake) -> bool:
        """Return whether the other results are right, or wrong as with one of two."""
        both = [trials.of_mistake(self.kata, m.name, self.target) for m in (one, other)]
        return all(
            any(
                agree(case, mine, theirs[i], name)
                for theirs in both
                if not differs(case, right, mine, name) or differs(case, right, theirs[i], name)
            )
            for name in self.outer_names()
            if name != key
            for i, ((case, right), mine) in enumerate(zip(self.pairs, self.outcomes, strict=True))
            if name in right.results
        )

    def _fails_alike(self, theirs: Sequence[Outcome]) -> bool:
        """Return whether the same cases raise, though in other words, and all else is the same.

        `np.dot` and `@` complain differently of the same shapes.
        """
        kept = 0
        for (case, _), mine, other in zip(self.pairs, self.outcomes, theirs, strict=True):
            if type(mine.error) is not type(other.error):
                return False
            if mine.error is None and case.raises is None:
                if not all(agree(case, mine, other, name) for name in mine.results):
                    return False
                kept += 1
        return kept > 0

    def suspicion(self, i: int, name: str, *, vague: bool = False) -> str | None:
        """Return what a wrong result looks like, if it is one of the usual things.

        `vague` is for what only says where to look.
        """
        case, right = self.pairs[i]

        def again(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
            target = next(t for t in self.kata.targets if t.name == self.target)
            return values.take_apart(case.run(target.reference, **inputs), case.returns)[0]

        look = suspects.vague if vague else suspects.suspect
        return look(name, right.results, self.outcomes[i].results, case, again)

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
