"""What the author of a kata writes in `checks.py`: how a function is run, and on what.

    cases(rng)       yields the cases, in this order for each target: the plainest first (float64,
                     two or three axes, nothing special); then the others; refusals last
    PROPERTIES       {"what must hold": test}, where test(f, rng) returns None, or a sentence that
                     says what is wrong; `f` has the functions by their short names, as in f.softmax
    STEPS            {"target": steps}, where steps(**inputs) returns right intermediates by the
                     names that learners are likely to give them; optional
    whole_model()    a whole that calls the targets, and returns its results by name; only where
                     neither of those in `whole.py` calls them

A case is made by one of these:

    Call("softmax", {"x": x}, returns=("y", "cache"), name="three axes")
        One call with these arguments. `returns` names the results in order. A tuple within is of
        intermediates, such as a cache: ("loss", ("probabilities", "targets")).
    Gradient("softmax_backward", F.softmax, {"x": x}, rng=rng, name="three axes")
        Calls the library's forward, draws a random upstream gradient, and calls the backward. The
        gradients are compared with the library's and with central differences (float64).
        `options` are arguments that are not differentiated.
    Use("NearestCentroid", function, {"rows": rows}, returns="predicted", name="...")
        For a class, or several calls: `function(implementation, **inputs)` returns the results.

All of them take `tolerance=` (relative, 1e-7; for float32 say 1e-4) and `raises=OptionError` (then
nothing is compared). The engine runs each case with the library's function, with the learner's and
with every named wrong answer, on copies of the same inputs. Give every dimension another size.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from minilm.course import values
from minilm.course.values import Names

Implementation = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Case:
    """One way to run a target.

    Attributes
    ----------
    target : str
        The short name of the function or class.
    run : callable
        `run(implementation, **inputs)` gives the results.
    inputs : dict
        Copied for each run, and compared with their copies afterwards.
    returns : str or tuple
        The names of the results; names in an inner tuple are of intermediates.
    name : str
        Read after "in the case".
    tolerance : float
        Relative, for floats.
    raises : type of exception, optional
        What the implementation must raise; then nothing is compared.
    forward, arguments : optional
        Of a gradient: the function of one number that it is the gradient of, and where.
    """

    target: str
    run: Callable[..., Any]
    inputs: Mapping[str, Any]
    returns: Names = "result"
    name: str = ""
    tolerance: float = 1e-7
    raises: type[Exception] | None = None
    forward: Callable[..., float] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


def Call(target: str, inputs: Mapping[str, Any], **about: Any) -> Case:
    """Return the case of one call of a function with inputs by name.

    Parameters
    ----------
    target : str
        The short name of the function.
    inputs : mapping
        By the names of the parameters.
    **about
        `returns`, `name`, `tolerance`, `raises`: as in `Case`.
    """
    return Case(target, _call, inputs, **about)


def Use(target: str, function: Callable[..., Any], inputs: Mapping[str, Any], **about: Any) -> Case:
    """Return the case of what is done with a class, or with several calls of a function.

    Parameters
    ----------
    target : str
        The short name of the class or function.
    function : callable
        `function(implementation, **inputs)` gives the results.
    inputs : mapping
    **about
        `returns`, `name`, `tolerance`, `raises`: as in `Case`.
    """
    return Case(target, function, inputs, **about)


def Gradient(
    target: str,
    forward: Callable[..., Any],
    arguments: Mapping[str, Any],
    *,
    rng: np.random.Generator,
    options: Mapping[str, Any] | None = None,
    dy: Any = None,
    **about: Any,
) -> Case:
    """Return the case of a backward: called with a random upstream gradient and the right cache.

    Parameters
    ----------
    target : str
        The short name of the backward.
    forward : callable
        The library's forward: `forward(**arguments, **options) -> (y, cache)`.
    arguments : mapping of str to float64 ndarray
        What is differentiated, in the order in which the gradients are returned.
    rng : numpy.random.Generator
        Draws `dy`, normal, of the shape of `y`.
    options : mapping, optional
        The other arguments of the forward.
    dy : ndarray or float, optional
        The upstream gradient, if it is not to be drawn.
    **about
        `name`, `tolerance`: as in `Case`.
    """
    options = dict(options or {})
    y, cache = forward(**arguments, **options)
    upstream = rng.standard_normal(np.shape(y)).astype(y.dtype) if dy is None else dy

    def along(**moved: Any) -> float:
        return float(np.vdot(upstream, forward(**moved, **options)[0]))

    names = tuple(f"d{name}" for name in arguments)
    return Case(
        target,
        _backward,
        {"dy": upstream, "cache": cache},
        returns=names[0] if len(names) == 1 else names,
        forward=along,
        arguments=arguments,
        **about,
    )


def _call(implementation: Implementation, **inputs: Any) -> Any:
    return implementation(**inputs)


def _backward(implementation: Implementation, dy: Any, cache: Any) -> Any:
    return implementation(dy, cache)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a case gave with one implementation.

    Attributes
    ----------
    results : dict
        By name, in the order of `Case.returns`; empty if there was an error.
    structure : str, optional
        What is wrong with the structure of what was returned.
    error : exception, optional
        What was raised.
    modified : tuple of str
        The inputs that were written to.
    steps : dict
        Local variables of the learner's function when it returned.
    returned : object
        What was returned, as it is.
    """

    results: dict[str, Any]
    structure: str | None = None
    error: BaseException | None = None
    modified: tuple[str, ...] = ()
    steps: dict[str, Any] = field(default_factory=dict)
    returned: Any = None


def run(case: Case, implementation: Implementation, *, watch: bool = False) -> Outcome:
    """Run a case with an implementation; whatever it raises is part of the outcome.

    Parameters
    ----------
    case : Case
    implementation : callable
    watch : bool
        Whether to keep the local variables that the function has when it returns.
    """
    inputs = copy.deepcopy(dict(case.inputs))
    steps: dict[str, Any] = {}
    code = getattr(implementation, "__code__", None) if watch else None
    before = sys.getprofile()

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            steps.update(frame.f_locals)

    try:
        if code is not None:
            sys.setprofile(profile)
        with np.errstate(all="ignore"), warnings.catch_warnings(), _unwritten_memory_shows():
            warnings.simplefilter("ignore")
            returned = case.run(implementation, **inputs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: it is reported, not obeyed
        return Outcome({}, error=error)
    finally:
        sys.setprofile(before)
    modified = tuple(n for n, value in case.inputs.items() if not _untouched(value, inputs[n]))
    results, problem = values.take_apart(returned, case.returns)
    return Outcome(results, problem, None, modified, steps, returned)


@contextlib.contextmanager
def _unwritten_memory_shows() -> Iterator[None]:
    """Let `np.empty` give NaN, and the largest integers, instead of whatever is there.

    What is there may be the right results of the run before: a function that forgets to write some
    of them would pass now and then.
    """

    def filled(make: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(make)
        def made(*args: Any, **kwargs: Any) -> Any:
            array = make(*args, **kwargs)
            if array.dtype.kind in "fc":
                array.fill(np.nan)
            elif array.dtype.kind in "iu":
                array.fill(np.iinfo(array.dtype).max)
            return array

        return made

    originals = {name: getattr(np, name) for name in ("empty", "empty_like")}
    try:
        for name, make in originals.items():
            setattr(np, name, filled(make))
        yield
    finally:
        for name, make in originals.items():
            setattr(np, name, make)


def _untouched(before: Any, after: Any) -> bool:
    """Return whether a value is what it was, to the bit."""
    if isinstance(before, np.ndarray):
        return bool(np.array_equal(before, after, equal_nan=before.dtype.kind == "f"))
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_untouched, before, after))
    if isinstance(before, dict):
        return list(before) == list(after) and all(map(_untouched, before.values(), after.values()))
    if hasattr(before, "__dict__"):
        return _untouched(vars(before), vars(after))
    try:
        return bool(before == after)
    except ValueError:  # an array took its place
        return False
