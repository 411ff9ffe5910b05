"""Which one small change of the learner's own code makes it right?

When no named wrong answer gives the same, small changes are tried, one at a time: another axis, a
sign, a bound that is one further, `+=` for `=`. Each undoes a mistake that learners often make. If
all cases come out right with one of them, the cause is known, and its line too. `edits.py` has the
changes. They are tried in another process (`request`, `answer`), as one may run without end.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from minilm.course import cases, catalog, edits, loading, process, trials, values
from minilm.course.cases import Case, Outcome
from minilm.course.catalog import Kata
from minilm.course.process import Ending

# Of computing time, without and with what may be missing: a check answers within three seconds.
# Nearly all searches end long before.
_SECONDS = {False: 1.0, True: 0.5}
# After which the process is ended, whatever it is at.
_MORE_SECONDS = 0.5
# A change may turn a loop into an endless one: it may run this many times the lines of before.
_TIMES, _MORE = 4, 2000


@dataclass(frozen=True)
class Repair:
    """A change that makes everything right.

    Attributes
    ----------
    text : str
        What was wrong.
    line : int
        In the learner's file.
    """

    text: str
    line: int


class _TooLongError(Exception):
    """A changed function runs much longer than it did."""


def request(
    kata: Kata,
    target: str,
    setting: str,
    source: str,
    path: Path,
    place: int,
    *,
    spent: float = 0.0,
    **how: bool,
) -> Ending:
    """Search in a process of its own, which ends for certain: NumPy cannot be interrupted.

    Parameters
    ----------
    kata : Kata
    target : str
        The short name of the function or class.
    setting : str
        As `setting.of` gives it.
    source, path
        Of the learner's file.
    place : int
        That of the case that failed, among those of the target.
    spent : float
        The seconds that an earlier search took: what it left over is for this one.
    **how
        `strict` and `added`, as of `find`.
    """
    seconds = _SECONDS[how.get("added", False)]
    seconds = max(seconds, sum(_SECONDS.values()) - spent) if spent else seconds
    asked: dict[str, Any] = {"action": "repair", "number": kata.number, "target": target}
    asked |= {"setting": setting, "source": source, "file": str(path), "place": place}
    asked["how"] = {**how, "seconds": seconds}
    return process.run(asked, seconds=seconds + _MORE_SECONDS)


def answer(asked: Mapping[str, Any]) -> Repair | None:
    """Return what a request asks for; this runs in its process."""
    kata, path = catalog.find(asked["number"]), Path(asked["file"])
    names = vars(loading.execute(asked["setting"], path))
    others = [t.name for t in kata.targets if t.name != asked["target"]]
    pairs = trials.material(kata).of(asked["target"])
    source, target, first = asked["source"], asked["target"], asked["place"]
    return find(source, target, names, str(path), pairs, first, others=others, **asked["how"])


def find(
    source: str,
    target: str,
    namespace: dict[str, Any],
    file: str,
    pairs: Sequence[tuple[Case, Outcome]],
    first: int,
    *,
    others: Sequence[str] = (),
    strict: bool = False,
    added: bool = False,
    seconds: float = 1.0,
) -> Repair | None:
    """Return a change of the target's code with which it gives what it should in all cases.

    Parameters
    ----------
    source : str
        The learner's file.
    target : str
        The short name of the function or class.
    namespace : dict
        The names that its code sees.
    file : str
        The name of the file.
    pairs : sequence of (Case, Outcome)
        All cases of the target, with what is right.
    first : int
        The place of the case that failed.
    others : sequence of str
        The other targets.
    strict : bool
        Whether dtypes, refusals and untouched inputs are asked for too.
    added : bool
        Whether to try what may be missing, in place of changes of what is there.
    seconds : float
        Of computing time.
    """
    tree = _excerpt(source, target, others)
    if tree is None:
        return None
    wanted = [pairs[first], *(p for i, p in enumerate(pairs) if i != first)]
    search = _Search(target, namespace, file, wanted, strict)
    if search.is_right_already(tree):
        return None  # the file's code is not what was checked
    raised = search.raised and pairs[first][0].raises is None
    if added:
        number = np.asarray(next(iter(pairs[first][1].results.values()), None)).dtype.kind == "f"
        changes = edits.additions(tree, number=number and not raised)
    else:
        kinds = (int, float)
        constants = [n for n, v in namespace.items() if n.isupper() and type(v) in kinds]
        changes = edits.likely(tree, raised=raised, constants=constants)
    end = time.process_time() + seconds
    for text, line in changes:
        if search.is_right(tree):
            return Repair(text, line)
        if time.process_time() > end:
            return None
    return None


def _excerpt(source: str, target: str, others: Sequence[str]) -> ast.Module | None:
    """Return a module of the target's definition, after those of the helpers that it calls.

    Other targets are checked by themselves.
    """
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    kinds = (ast.FunctionDef, ast.ClassDef)
    defined = {node.name: node for node in body if isinstance(node, kinds)}  # the last one counts
    if target not in defined:
        return None
    wanted, todo = [], [target]
    while todo:
        name = todo.pop()
        if name in wanted or name not in defined or name in others:
            continue
        wanted.append(name)
        todo += [n.id for n in ast.walk(defined[name]) if isinstance(n, ast.Name)]
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    return copy.deepcopy(ast.Module([future, *(defined[n] for n in reversed(wanted))], []))


class _Search:
    """Runs changed code on the cases."""

    def __init__(
        self,
        target: str,
        namespace: dict[str, Any],
        file: str,
        wanted: Sequence[tuple[Case, Outcome]],
        strict: bool,
    ) -> None:
        self.target, self.namespace, self.file = target, namespace, file
        self.wanted, self.strict = wanted, strict
        self.most: list[int] = []
        self.left = 0
        self.raised = False

    def is_right_already(self, tree: ast.Module) -> bool:
        """Run each case on the code as it is; keep how many lines that takes, and what is refused.

        Return whether all of it is right.
        """
        implementation = self._made(tree)
        if implementation is None:
            return True
        kept: list[tuple[Case, Outcome]] = []
        is_right = True
        for case, right in self.wanted:
            self.left = start = 1 << 20
            outcome = self._traced(case, implementation)
            if not kept:
                self.raised = outcome.error is not None
            same = self._same(case, right, outcome)
            # What must be refused may still be to do; but it must not be lost.
            if case.raises is None or self.strict or same:
                kept.append((case, right))
                self.most.append(_TIMES * (start - self.left) + _MORE)
                is_right = is_right and same
        self.wanted = kept
        return is_right

    def is_right(self, tree: ast.Module) -> bool:
        """Return whether the code of a tree is right in all cases."""
        implementation = self._made(tree)
        return implementation is not None and all(
            self._is_right(case, right, most, implementation)
            for (case, right), most in zip(self.wanted, self.most, strict=True)
        )

    def _made(self, tree: ast.Module) -> Any:
        """Return the function or class of a tree; None where that makes no sense."""
        namespace = dict(self.namespace)
        try:
            exec(self._compiled(tree), namespace)
        except Exception:
            return None
        return namespace[self.target]

    def _is_right(self, case: Case, right: Outcome, most: int, implementation: Any) -> bool:
        self.left = most
        return self._same(case, right, self._traced(case, implementation))

    def _compiled(self, tree: ast.Module) -> CodeType:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return compile(tree, self.file, "exec", dont_inherit=True)
            except TypeError:  # new nodes have no line yet
                whole = ast.fix_missing_locations(tree)
                return compile(whole, self.file, "exec", dont_inherit=True)

    def _same(self, case: Case, right: Outcome, outcome: Outcome) -> bool:
        if case.raises is not None:
            return isinstance(outcome.error, case.raises)
        if outcome.error is not None or outcome.structure is not None:
            return False
        if self.strict and outcome.modified:
            return False
        for name, expected in right.results.items():
            found = values.difference(expected, outcome.results[name], case.tolerance)
            if found is not None and (self.strict or found.kind != "dtype"):
                return False
        return True

    def _traced(self, case: Case, implementation: Callable[..., Any]) -> Outcome:
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return cases.run(case, implementation)
        finally:
            sys.settrace(before)

    def _call(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._line if frame.f_code.co_filename == self.file else None

    def _line(self, frame: FrameType, event: str, _: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise _TooLongError
        return self._line
