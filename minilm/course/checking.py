"""A check: step after step, from "are the names there" to "inside the whole model".

The first step that fails ends it, and `diagnosis.py` says what the mistake looks like. What a
learner should hear of first comes first: that a value is wrong before that a dtype is. All of this
happens in the calling process, with a learner's code in it: `process.py` runs it in another one,
and has the last step, the time limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from minilm.course import diagnosis, guard, loading, locate, raised, slips, trials, values
from minilm.course.agreement import ERROR, MODIFIED, STRUCTURE
from minilm.course.catalog import Kata
from minilm.course.diagnosis import Evidence
from minilm.course.loading import NotLoadedError
from minilm.course.mistakes import PROBABLY, Cause
from minilm.course.reports import Failure, Report
from minilm.course.stubs import NOT_WRITTEN
from minilm.nn import gradcheck

# The five-point difference agrees to ten digits; a gradient that is wrong, to three at best.
_DIFFERENCES_TOLERANCE = 1e-6


def check_source(kata: Kata, source: str, path: Path) -> Report:
    """Check a learner's file.

    Parameters
    ----------
    kata : Kata
    source : str
        What is in the file.
    path : Path
        Where it is.
    """
    trials.material(kata)  # with the library's functions, before a learner's code runs
    try:
        functions = loading.load(kata, source, path)
    except NotLoadedError as error:
        return Report(kata.number, False, failure=error.failure)
    return check_functions(kata, functions, source, path)


def check_functions(
    kata: Kata,
    functions: Mapping[str, Any],
    source: str = "",
    path: Path | None = None,
    namespaces: Sequence[dict[str, Any]] = (),
) -> Report:
    """Check functions that take the place of the kata's targets.

    Parameters
    ----------
    kata : Kata
    functions : mapping
        By the short names of the targets; the library's where one is left out.
    source, path
        Of the file that they come from, where there is one.
    namespaces : sequence of dict
        Whose code may not call the library's own functions, as in `guard.guarded`.
    """
    check = _Check(kata, functions, source, path, namespaces)
    failure = check.run()
    return Report(kata.number, failure is None, tuple(check.ok), failure)


class _Check:
    """One check on its way through the steps."""

    def __init__(
        self,
        kata: Kata,
        functions: Mapping[str, Any],
        source: str,
        path: Path | None,
        namespaces: Sequence[dict[str, Any]],
    ) -> None:
        self.kata, self.source, self.path = kata, source, path
        self.namespaces = namespaces
        self.functions = {t.name: functions.get(t.name, t.reference) for t in kata.targets}
        self.ok: list[str] = []

    def run(self) -> Failure | None:
        """Return the first failure."""
        trials.material(self.kata)
        with guard.guarded(self.kata, self.path, self.namespaces):
            found = [Evidence(self.kata, n, f) for n, f in self.functions.items()]
            for evidence in found:
                if failure := self._results(evidence):
                    return failure
            if failure := self._properties(found):
                return failure
        return self._model(found) or self._manners(found)

    def _results(self, evidence: Evidence) -> Failure | None:
        """Look at one function's results: first in the plain case, then in all others."""
        for i, case, _ in evidence.rows():
            if case.raises is None and (failure := self._case(evidence, i)):
                wrong = failure.output or failure.stage
                if len(self.functions) == 1 and failure.stage in ("finite", "values", "gradients"):
                    self.ok += [n for n in evidence.right_names() if n != wrong]
                return failure
        self.ok += evidence.right_names() if len(self.functions) == 1 else [evidence.target]
        return self._differences(evidence)

    def _case(self, evidence: Evidence, i: int) -> Failure | None:
        """Return what is wrong in one case: an exception, the structure, then values."""
        case, outcome = evidence.pairs[i][0], evidence.outcomes[i]
        error = outcome.error
        if isinstance(error, guard.GuardedError):
            return Failure("import", str(error), line=self._line(evidence, i, ERROR))
        if isinstance(error, NotImplementedError) and str(error) == NOT_WRITTEN:
            line = self._line(evidence, i, ERROR)
            return Failure("structure", NOT_WRITTEN, evidence.target, line=line)
        if error is not None:
            leaves = isinstance(error, SystemExit)
            said = loading.said(error) if leaves else f"raises {loading.said(error)}"
            return self._failure(evidence, "structure", said, i, ERROR)
        if outcome.structure:
            return self._failure(evidence, "structure", outcome.structure, i, STRUCTURE)
        for name in evidence.names():
            found = evidence.difference(i, name)
            if found is not None and found.kind != "dtype":
                stage = "values" if case.forward is None else "gradients"
                stage = stage if found.kind == "value" else found.kind
                return self._failure(evidence, stage, f"{name} {found.text}", i, name)
        return None

    def _differences(self, evidence: Evidence) -> Failure | None:
        """Compare gradients with central differences of the forward."""
        for i, case, outcome in evidence.rows():
            arrays = list(case.arguments.values())
            if case.forward is None or any(array.dtype != np.float64 for array in arrays):
                continue
            gradients = {n.removeprefix("d"): g for n, g in outcome.results.items()}
            error = gradcheck.directional_error(
                case.forward, case.arguments, gradients, rng=np.random.default_rng(trials.SEED)
            )
            if not error < _DIFFERENCES_TOLERANCE:
                text = f"differs from central differences of the forward by {error:.1e}"
                return self._failure(evidence, "gradients", text, i, STRUCTURE)
        return None

    def _properties(self, found: Sequence[Evidence]) -> Failure | None:
        for name, test in trials.properties(self.kata).items():
            said = trials.property_problem(test, self.functions)
            if said is not None:
                cause = diagnosis.mistake_by_property(found, name, said)
                return self._of_all(found, "properties", f"{name}: {said}", cause)
            self.ok.append(name)
        return None

    def _model(self, found: Sequence[Evidence]) -> Failure | None:
        said = trials.model_problem(self.kata, self.functions)
        if said is not None:
            return self._of_all(found, "model", said, diagnosis.mistake_by_model(found, said))
        self.ok.append("in the model")
        return None

    def _manners(self, found: Sequence[Evidence]) -> Failure | None:
        """Return what is wrong beside the values: inputs written to, dtypes, refusals."""
        if failure := self._modified(found):
            return failure
        self.ok.append("inputs untouched")
        if failure := self._dtype(found):
            return failure
        for evidence in found:
            for i, case, outcome in evidence.rows():
                if case.raises is not None and not isinstance(outcome.error, case.raises):
                    error = outcome.error
                    got = f"raises {loading.said(error)}" if error else "returns a value"
                    text = f"must raise {case.raises.__name__}, but {got}"
                    return self._failure(evidence, "refusals", text, i, ERROR)
        return None

    def _modified(self, found: Sequence[Evidence]) -> Failure | None:
        for evidence in found:
            for i, _, outcome in evidence.rows():
                if outcome.modified:
                    names = " and ".join(outcome.modified)
                    text = f"writes to its input {names}; work on a copy, or on a new array"
                    return self._failure(evidence, "inputs", text, i, MODIFIED)
        return None

    def _dtype(self, found: Sequence[Evidence]) -> Failure | None:
        for evidence in found:
            for i, _, _ in evidence.rows():
                for name in evidence.names():
                    difference = evidence.difference(i, name)
                    if difference is not None:
                        text = f"{name} {difference.text}"
                        return self._failure(evidence, "dtype", text, i, name)
        return None

    def _of_all(
        self, found: Sequence[Evidence], stage: str, text: str, cause: Cause | None
    ) -> Failure:
        """Return a failure that is about all functions together.

        Where it has no name, bad manners are the likely cause.
        """
        line = locate.line_of(self.source, next(iter(self.functions)))
        if cause is None and (manners := self._modified(found) or self._dtype(found)):
            who = "" if manners.output else "it "  # a text on a dtype begins with the result
            cause, line = Cause(f"{who}{manners.text}.", certainty=PROBABLY), manners.line
        return _with_cause(Failure(stage, text, line=line), cause)

    def _failure(self, evidence: Evidence, stage: str, text: str, i: int, key: str) -> Failure:
        """Return a failure with everything that can be said about its cause.

        Parameters
        ----------
        i : int
            The place of the case.
        key : str
            The name of the result that is wrong, or what else is.
        """
        case, outcome = evidence.pairs[i][0], evidence.outcomes[i]
        is_result = key not in (ERROR, STRUCTURE, MODIFIED)
        shapes = ""
        if key == ERROR and outcome.error is not None:
            met = ""
            if self.path is not None:
                met = locate.shapes_that_met(outcome.error, self.source, self.path)
            shapes = met or values.shapes(case.inputs)  # most errors are about these
        failure = Failure(
            stage,
            text,
            evidence.target if len(self.functions) > 1 or not is_result else None,
            key if is_result else None,
            f"{case.name}; {shapes}" if shapes else case.name,
            evidence.step(i, key) if is_result and stage != "dtype" else None,
            line=self._line(evidence, i, key),
        )
        cause, line = self._cause(evidence, stage, i, key)
        return _with_cause(failure if line is None else replace(failure, line=line), cause)

    def _cause(
        self, evidence: Evidence, stage: str, i: int, key: str
    ) -> tuple[Cause | None, int | None]:
        """Return the cause of a failure, and the line that it is on if that is known for sure."""
        outcome = evidence.outcomes[i]
        is_dtype, is_result = stage == "dtype", key not in (ERROR, STRUCTURE, MODIFIED)
        if cause := evidence.exact(key, dtype=is_dtype):
            return cause, None
        if said := slips.nothing_returned(self.source, evidence.target, outcome):
            return Cause(said), None
        if outcome.error is not None and (said := raised.of_name(outcome.error)):
            return Cause(said), None
        strict = is_dtype or key == MODIFIED or stage == "refusals"
        if found := self._repair(evidence, i, strict=strict):
            return found
        looks = is_result and not is_dtype
        if looks:
            if cause := evidence.two(key):
                return cause, None
            if cause := evidence.probable(i, key, share=0.6):
                return cause, None
            if said := evidence.suspicion(i, key):
                return Cause(said), None
            if found := self._repair(evidence, i, added=True):
                return found
        if not strict and (cause := evidence.probable(i, key, share=0.3)):
            return cause, None
        said = slips.look(self.source, evidence.target, stage, outcome, evidence.pairs[i][1])
        if said is None and looks:
            said = evidence.suspicion(i, key, vague=True)
        return (None if said is None else Cause(said, certainty=PROBABLY)), None

    def _repair(self, evidence: Evidence, i: int, **how: bool) -> tuple[Cause, int] | None:
        """Return the change of the learner's file that makes all right, and its line."""
        found = None if self.path is None else evidence.repair(self.source, self.path, i, **how)
        return None if found is None else (Cause(found.text), found.line)

    def _line(self, evidence: Evidence, i: int, key: str) -> int | None:
        error = evidence.outcomes[i].error
        if error is not None and self.path is not None:
            line = locate.line_of_error(error, self.path)
            if line is not None:
                return line
        names = evidence.pairs[i][0].returns
        parts = (names,) if isinstance(names, str) else names
        outer = values.outer(names)
        position = parts.index(key) if key in outer else None
        return locate.line_of(self.source, evidence.target, key, position, len(parts))


def _with_cause(failure: Failure, cause: Cause | None) -> Failure:
    if cause is None:
        return failure
    return replace(
        failure,
        mistake=cause.mistake,
        looks_like=cause.text,
        certainty=cause.certainty,
        also=cause.also,
    )
