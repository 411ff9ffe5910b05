"""The course in a notebook: a check, a demo and a plug that take functions as they are.

    minilm.check("4.6", layer_norm_backward)     the check, shown as rich output
    minilm.demo("4.6", layer_norm_backward)      the live code, its pictures inline
    minilm.plug("4.6", layer_norm_backward)      a real model, trained with it

The engine is that of the commands. What differs: there is no file and no process, so nothing is
kept in the learner's folder, and a result lives as long as the notebook's process.
`writing.py` writes the notebooks.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from minilm import threads
from minilm.course import (
    catalog,
    checking,
    demos,
    experiments,
    learner,
    loading,
    locate,
    pages,
    process,
    sessions,
    trials,
)
from minilm.course.catalog import Kata
from minilm.course.loading import NotLoadedError
from minilm.course.notebook import functions as given
from minilm.course.notebook import limits
from minilm.course.notebook.functions import Place
from minilm.course.notebook.results import Checked, Plugged, png
from minilm.course.reports import Failure, Report, Style
from minilm.errors import OptionError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What the experiments of this process predicted and measured, by number.
_runs: dict[str, dict[str, Any]] = {}


def check(number: str, *functions: Any) -> Checked:
    """Check functions, as `minilm kata check` checks a file.

    Parameters
    ----------
    number : str
        The kata's, such as "4.6".
    *functions : function or class
        All that the kata asks for, under their names. Of an experiment, the predictions: one
        mapping by the names of the questions, to be compared with the last `minilm.demo`.

    Returns
    -------
    Checked
        A notebook shows it; elsewhere print it. `passed` says whether all is right.

    Raises
    ------
    OptionError
        When there is no such kata. A check that fails raises nothing.

    Examples
    --------
    >>> def mean_loss(losses):
    ...     return sum(losses) / len(losses)
    >>> check("7.1", mean_loss).report.failure.text.partition(":")[0]
    'perplexity and bits_per_byte are missing'
    """
    kata = catalog.find(number)
    if kata.is_experiment:
        return _compared(kata, functions)
    threads.set_blas_threads(1)
    start = time.perf_counter()
    try:
        found = given.by_name(kata, functions)
    except NotLoadedError as error:
        refused = Report(kata.number, False, failure=error.failure)
        return _shown(kata, refused, _place_of(functions, error.failure.target))
    report, place = _checked(kata, found)
    return _shown(kata, replace(report, seconds=time.perf_counter() - start), place)


def demo(
    number: str,
    *functions: Any,
    predictions: Sequence[str] | Mapping[str, Any] | None = None,
    anyway: bool = False,
    **constants: Any,
) -> None:
    """Run a kata's live code with your functions, as `minilm kata demo` does.

    It prints, and shows its pictures in a notebook; elsewhere it saves them in `mykatas/pictures`.

    Parameters
    ----------
    number : str
    *functions : function or class
        The kata's; the library's are used if they are not written yet.
    predictions : sequence of str or mapping
        What you expected, shown after the results. An experiment refuses to run without them: a
        mapping by the names of the questions.
    anyway : bool
        Run an experiment without predictions.
    **constants
        Other values for the constants at the top of the live code, such as `STEPS=100`.

    Raises
    ------
    OptionError
        When there is no such kata or no such constant.
    """
    kata = catalog.find(number)
    if isinstance(predictions, str):
        predictions = [predictions]
    if not isinstance(predictions, Sequence | Mapping | None):
        raise OptionError(
            f"predictions={predictions!r}: expected texts in a list, or of an experiment a mapping"
        )
    threads.set_blas_threads(1)
    module = kata.module("demo")
    _refuse_unknown(kata, constants)
    try:
        parts, expected = _begin_demo(kata, functions, predictions, anyway)
    except NotLoadedError as error:
        _refused(error.failure.text)
        return
    paths = {target.name: target.path for target in kata.targets}
    replaced = {paths[name]: function for name, function in parts.items()}
    try:
        with _changed(module, constants):
            returned = demos.run(kata, replaced, learner.find_folder(), kind=_InlineCourse)
        if kata.is_experiment:
            measured = experiments.measured(kata, returned)
            _runs[kata.number] = {"predictions": expected, "measured": measured}
    except Exception as error:
        _refused(f"the demo did not finish: it raises {loading.said(error)}{_in(parts, error)}")
        return
    answers = [] if isinstance(predictions, Mapping) else [a for a in predictions or () if a]
    if answers:
        print("\nyou expected:")
    for i, answer in enumerate(answers, 1):
        print("\n".join(pages.fill(answer, Style(), f"  {i}. ", "     ")))


def plug(
    number: str,
    *functions: Any,
    steps: int = int(sessions.PLUG_ONE["steps"]),
    words: int = int(sessions.PLUG_ONE["words"]),
    seconds: float = sessions.PLUG_ONE["seconds"],
) -> Checked | Plugged | None:
    """Train a small real model with your functions, and once more with the library's.

    Parameters
    ----------
    number : str
    *functions : function or class
        The kata's. They are checked first.
    steps : int
        Of the training, at most.
    words : int
        Of text, at least.
    seconds : float
        For the steps with your functions.

    Returns
    -------
    Plugged, Checked or None
        The check, if it failed: then nothing is trained. None if the training raised an exception,
        which is printed.

    Raises
    ------
    OptionError
        When there is no such kata, or it has no function to plug in.
    """
    from minilm.course import plugging  # takes a while to load

    kata = catalog.find(number)
    if kata.is_experiment:
        raise OptionError(f"kata {kata.number} is an experiment; it has nothing to plug in")
    if steps < 1 or words < 1:
        raise OptionError(f"steps={steps}, words={words}: both must be 1 or more")
    first = check(number, *functions)
    if not first.passed:
        return first
    paths = {target.name: target.path for target in kata.targets}
    parts = {function.__name__: function for function in functions}
    budget = {**sessions.PLUG_ONE, "steps": steps, "words": words, "seconds": seconds}
    print("training with yours, then with the library's ...", flush=True)
    try:
        found = plugging.train({paths[name]: f for name, f in parts.items()}, budget)
    except Exception as error:
        said = loading.said(error)
        _refused(f"the training did not finish: it raises {said}{_in(parts, error)}")
        return None
    return Plugged(tuple(parts), found["yours"], found["library"])


# ---------------------------------------------------------------------- checks


def _checked(kata: Kata, functions: Mapping[str, Any]) -> tuple[Report, Place]:
    """Return the report of a check, and where the function was written that it is about."""
    trials.material(kata)  # with the library's functions, and outside the time limit
    places = {name: given.place(function) for name, function in functions.items()}
    place = next(iter(places.values()))
    report = _limited(kata, functions, place)
    about = report.failure and places.get(report.failure.target or "")
    if about and about.file != place.file:  # in another cell: once more, for the line in it
        return _limited(kata, functions, about), about
    return report, place


def _limited(kata: Kata, functions: Mapping[str, Any], place: Place) -> Report:
    path = Path(place.file)
    namespaces = given.namespaces(list(functions.values()))
    problem = ""
    with limits.output_kept() as printed:
        try:
            with limits.time_limit(sessions.CHECK_SECONDS, namespaces):
                report = checking.check_functions(kata, functions, place.source, path, namespaces)
        except limits.LateError as error:
            problem, line = process.not_finished(sessions.CHECK_SECONDS), _line(error, path)
        except limits.FloodError as error:
            problem, line = process.FLOODED, _line(error, path)
    if problem:
        failure = Failure("time", f"your code {problem}", line=line)
        report = Report(kata.number, False, failure=failure)
    return replace(report, printed="".join(printed))


def _line(error: BaseException, path: Path) -> int | None:
    return locate.line_of_error(error, path)


def _place_of(functions: Sequence[Any], name: str | None) -> Place | None:
    written = [f for f in functions if name is not None and getattr(f, "__name__", None) == name]
    return given.place(written[0]) if written else None


def _shown(kata: Kata, report: Report, place: Place | None) -> Checked:
    if report.passed:
        return Checked(kata, report, following=f"`{given.call(kata, 'plug')}`")
    line = None if report.failure is None else report.failure.line
    where = "" if place is None or not place.source else place.at(line)
    code = "" if place is None or line is None else place.line(line)
    return Checked(kata, report, where, code, f"a hint (`minilm kata hint {kata.number}`)")


def _compared(kata: Kata, values: Sequence[Any]) -> Checked:
    """Return an experiment's predictions beside what the last run measured."""
    call = f'minilm.check("{kata.number}", predictions)'
    following = ""
    try:
        if len(values) != 1:
            raise NotLoadedError(Failure("import", f"give your predictions: {call}"))
        predicted = _predicted(kata, values[0])
        folder = learner.find_folder()
        report = experiments.compared(kata, predicted, _runs.get(kata.number), folder)
        if not report.passed:
            following = f'`minilm.demo("{kata.number}", predictions=predictions)`'
    except NotLoadedError as error:
        report = Report(kata.number, False, failure=error.failure)
        following = "write your predictions, then run the experiment"
    return Checked(kata, report, following=following)


def _predicted(kata: Kata, values: Any) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        names = ", ".join(f"{question.name}=..." for question in experiments.questions(kata))
        raise NotLoadedError(
            Failure("structure", f"predictions are missing; write predictions = dict({names})")
        )
    return experiments.validated(kata, values)


# ---------------------------------------------------------------------- demos


def _begin_demo(
    kata: Kata, functions: Sequence[Any], predictions: Any, anyway: bool
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the learner's functions to run with, and an experiment's predictions.

    Raises
    ------
    NotLoadedError
        When either is missing or wrong.
    """
    if kata.is_experiment:
        try:
            return {}, None if anyway else _predicted(kata, predictions)
        except NotLoadedError as error:
            said = f"write your predictions first. {error.failure.text}"
            raise NotLoadedError(replace(error.failure, text=said)) from None
    parts = given.by_name(kata, functions) if functions and given.is_written(functions) else {}
    whose = "your" if parts else "the library's"
    print(f"with {whose} {', '.join(target.name for target in kata.targets)}:\n", flush=True)
    return parts, None


def _refuse_unknown(kata: Kata, constants: Mapping[str, Any]) -> None:
    known = demos.constants(kata)
    for name in constants:
        if name not in known:
            listed = ", ".join(known) if known else "none"
            raise OptionError(
                f"the demo of kata {kata.number} has no constant {name}; it has: {listed}"
            )


@contextlib.contextmanager
def _changed(module: ModuleType, constants: Mapping[str, Any]) -> Iterator[None]:
    """Give a module other constants while the block runs."""
    before = {name: getattr(module, name) for name in constants}
    vars(module).update(constants)
    try:
        yield
    finally:
        vars(module).update(before)


def _refused(text: str) -> None:
    print("\n".join(pages.fill(text, Style(), "  !!  ", "      ")))


def _in(parts: Mapping[str, Any], error: BaseException) -> str:
    """Return where in the learner's functions an exception was raised."""
    for function in parts.values():
        place = given.place(function)
        if line := _line(error, Path(place.file)):
            return f" ({place.at(line)}: {place.line(line)})"
    return ""


class _InlineCourse(demos.Course):
    """What a demo is given in a notebook: its pictures are shown."""

    def picture(self, figure: Figure, name: str) -> None:
        if not given.in_notebook():
            super().picture(figure, name)
            return
        from IPython.display import display

        sys.stdout.flush()  # the text before the picture comes before it
        display({"image/png": png(figure), "text/plain": f"picture: {name}"}, raw=True)
