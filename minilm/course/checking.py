"""A check: stage after stage, from "are the names there" to "inside the whole model".

The first stage that fails ends it, and `diagnosis.py` says what the mistake looks like. All of this
happens in the calling process, with a learner's code in it: `process.py` runs it in another one,
and has the last stage, the time limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minilm.course import diagnosis, loading, locate, trials, values
from minilm.course.catalog import Kata
from minilm.course.diagnosis import ERROR, MODIFIED, STRUCTURE, Evidence
from minilm.course.loading import NotLoadedError
from minilm.course.mistakes import Mistake
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
    try:
        functions = loading.load(kata, source, path)
    except NotLoadedError as error:
        return Report(kata.number, False, failure=error.failure)
    return check_functions(kata, functions, source, path)


def check_functions(
    kata: Kata, functions: Mapping[str, Any], source: str = "", path: Path | None = None
) -> Report:
    """Check functions that stand for the kata's targets.

    Parameters
    ----------
    kata : Kata
    functions : mapping
        By the short names of the targets; the library's where one is left out.
    source, path
        Of the file that they come from, where there is one.
    """
    check = _Check(kata, functions, source, path)
    failure = check.run()
    return Report(kata.number, failure is None, tuple(check.ok), failure)


class _Check:
    """One check on its way through the stages."""

    def __init__(
        self, kata: Kata, functions: Mapping[str, Any], source: str, path: Path | None
    ) -> None:
        self.kata, self.source, self.path = kata, source, path
        self.functions = {t.name: functions.get(t.name, t.reference) for t in kata.targets}
        self.ok: list[str] = []

    def run(self) -> Failure | None:
        """Return the first failure."""
        for name, function in self.functions.items():
            before = len(self.ok)
            failure = self._target(Evidence(self.kata, name, function))
            if failure is not None:
                return failure
            if len(self.functions) > 1:  # one word for each function that is right
                self.ok[before:] = [name]
        return self._properties() or self._model()

    def _target(self, evidence: Evidence) -> Failure | None:
        """Go through the stages that are about one function's own results."""
        stages = {
            "shapes": self._structure,
            "finite": self._finite,
            "inputs untouched": self._inputs,
        }
        for name, stage in stages.items():
            failure = stage(evidence)
            if failure is not None:
                return failure
            self.ok.append(name)
        self.ok += evidence.right_names()
        return self._of_kind(evidence, "value") or self._differences(evidence)

    def _structure(self, evidence: Evidence) -> Failure | None:
        for i, case, outcome in evidence.rows():
            error = outcome.error
            if isinstance(error, NotImplementedError) and str(error) == NOT_WRITTEN:
                line = locate.line_of_error(error, self.path) if self.path else None
                return Failure("structure", NOT_WRITTEN, evidence.target, line=line)
            problem = outcome.structure
            if case.raises is not None:
                got = loading.said(error) if error else "returns a value"
                fits = isinstance(error, case.raises)
                problem = None if fits else f"expected {case.raises.__name__}; {got}"
            elif error is not None:
                leaves = isinstance(error, SystemExit)
                problem = loading.said(error) if leaves else f"raises {loading.said(error)}"
            if problem:
                key = ERROR if error is not None or case.raises else STRUCTURE
                return self._failure(evidence, "structure", problem, i, key)
        return self._of_kind(evidence, "structure")

    def _finite(self, evidence: Evidence) -> Failure | None:
        return self._of_kind(evidence, "finite")

    def _inputs(self, evidence: Evidence) -> Failure | None:
        for i, _, outcome in evidence.rows():
            if outcome.modified:
                names = " and ".join(outcome.modified)
                text = f"writes to its input {names}; work on a copy, or on an array of your own"
                return self._failure(evidence, "inputs", text, i, MODIFIED)
        return None

    def _of_kind(self, evidence: Evidence, kind: str) -> Failure | None:
        """Return the first result that differs in this way: what is returned, then caches."""
        for name in evidence.names():
            for i, case, _ in evidence.rows():
                found = evidence.difference(i, name)
                if found is not None and found.kind == kind:
                    values_stage = "values" if case.forward is None else "gradients"
                    stage = values_stage if kind == "value" else kind
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

    def _properties(self) -> Failure | None:
        for name, test in trials.properties(self.kata).items():
            said = trials.property_problem(test, self.functions)
            if said is not None:
                named = diagnosis.mistake_by_property(self.kata, name, said)
                return self._named("properties", f"{name}: {said}", named)
            self.ok.append(name)
        return None

    def _model(self) -> Failure | None:
        said = trials.model_problem(self.kata, self.functions)
        if said is not None:
            return self._named("model", said, diagnosis.mistake_by_model(self.kata, said))
        self.ok.append("in the model")
        return None

    def _named(self, stage: str, text: str, mistake: Mistake | None) -> Failure:
        """Return a failure that is about all functions together."""
        first = next(iter(self.functions))
        line = locate.line_of(self.source, first)
        if mistake is None:
            return Failure(stage, text, line=line)
        return Failure(stage, text, mistake=mistake.name, looks_like=mistake.explanation, line=line)

    def _failure(self, evidence: Evidence, stage: str, text: str, i: int, key: str) -> Failure:
        """Return a failure with everything that can be said about its cause.

        Parameters
        ----------
        i : int
            The place of the case.
        key : str
            The name of the result that is wrong, or what else is.
        """
        case, _ = evidence.pairs[i]
        is_result = key not in (ERROR, STRUCTURE, MODIFIED)
        shapes = values.shapes(case.inputs) if key == ERROR else ""  # most errors are about these
        named = evidence.mistake(key)
        looks_like = named.explanation if named else None
        if named is None and is_result:
            looks_like = evidence.suspicion(i, key)
        return Failure(
            stage,
            text,
            evidence.target if len(self.functions) > 1 or not is_result else None,
            key if is_result else None,
            f"{case.name}; {shapes}" if shapes else case.name,
            evidence.step(i, key) if is_result else None,
            named.name if named else None,
            looks_like,
            self._line(evidence, i, key),
        )

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
