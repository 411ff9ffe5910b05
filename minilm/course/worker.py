"""The process that a learner's code runs in: reads a request, does it, writes the result.

python -m minilm.course.worker FOLDER
"""

from __future__ import annotations

import dataclasses
import faulthandler
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minilm import files, threads
from minilm.course import (
    catalog,
    checking,
    demos,
    experiments,
    isolation,
    loading,
    process,
    repairs,
    trials,
)
from minilm.course.catalog import Kata
from minilm.course.loading import NotLoadedError
from minilm.course.reports import Failure
from minilm.errors import MinilmError

Request = Mapping[str, Any]


def check(request: Request) -> dict[str, Any]:
    """Check a file: {"number", "file", "run"}; the last is of an experiment."""
    kata, path = catalog.find(request["number"]), Path(request["file"])
    return _checked(kata, _text(path), path, request.get("run"))


def _text(path: Path) -> str:
    """Return what is in a learner's file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = "the file is not UTF-8; save it as UTF-8"
        raise NotLoadedError(Failure("import", text)) from None


def _checked(
    kata: Kata, source: str, path: Path, run: Any, *, elsewhere: bool = True
) -> dict[str, Any]:
    if kata.is_experiment:
        found = experiments.check(kata, source, path, run, elsewhere=elsewhere)
        return dataclasses.asdict(found)
    return dataclasses.asdict(checking.check_source(kata, source, path))


def grade(request: Request) -> dict[str, Any]:
    """Check somebody else's file, shut in: {"number", "file", "scratch", "run"}.

    The result also has what `marks.seen` finds in the code, which is looked at before it runs. The
    functions of a notebook are taken out of it.
    """
    # Here, as only grading needs them.
    from minilm.course.grading import marks, notebooks

    kata, path = catalog.find(request["number"]), Path(request["file"])
    # What may not be looked up, or read, once the process is shut in.
    threads.set_blas_threads(1)
    threads.keep_freed_memory()
    if not kata.is_experiment:
        trials.material(kata)
    source = _text(path)
    if path.suffix == ".ipynb":
        wanted = [target.name for target in kata.targets]
        if kata.is_experiment:
            wanted = [question.name for question in experiments.questions(kata)]
        source = notebooks.source(source, wanted)
        path = path.with_suffix(".py")
        path.write_text(source, encoding="utf-8")
    seen = marks.seen(kata, source)
    isolation.enter(Path(request["scratch"]))
    # A page of evidence by somebody else names a run that was handed in with it, or none.
    checked = _checked(kata, source, path, request["run"], elsewhere=False)
    return {**checked, "seen": seen}


def repair(request: Request) -> dict[str, Any]:
    """Look for a small change that makes a file right: what `repairs.request` sends."""
    found = repairs.answer(request)
    return {"found": None if found is None else dataclasses.asdict(found)}


def demo(request: Request) -> dict[str, Any]:
    """Run a demo: {"number", "parts", "folder", "file"}; return what an experiment measured."""
    kata = catalog.find(request["number"])
    found: dict[str, Any] = {"predictions": None, "measured": None}
    if request["file"] is not None:  # an experiment's: refused here, before anything runs
        path = Path(request["file"])
        found["predictions"] = experiments.read(kata, path.read_text("utf-8-sig"), path)
    functions = _functions(request)
    returned = demos.run(kata, functions, Path(request["folder"]), request["parts"])
    if kata.is_experiment:
        found["measured"] = experiments.measured(kata, returned)
    return found


def plug(request: Request) -> dict[str, Any]:
    """Train the real model with the learner's functions: {"parts", "budget", "compare"}.

    The last is the folder for a comparison with them, or None for no comparison. With "prompt" the
    model is one that others trained, and it answers; nothing is trained then.
    """
    if request["prompt"] is not None:
        from minilm.course import pretrained

        return pretrained.answer(_functions(request), request["prompt"], request["budget"])
    # Here, as they take a while to load, and a check should not have to wait for that.
    from minilm.course import plugging

    found = plugging.train(_functions(request), request["budget"])
    found["comparison"] = None
    if request["compare"] is not None:
        from minilm.course import comparing

        comparing.plug_in(tuple(sorted(request["parts"].items())))
        made = comparing.compare(request["parts"], Path(request["compare"]))
        wanted = ("conditions", "differences", "seeds", "pretrainings", "test_items")
        found["comparison"] = {part: made[part] for part in wanted}
    return found


ACTIONS: dict[str, Callable[[Request], dict[str, Any]]] = {
    f.__name__: f for f in (check, repair, grade, demo, plug)
}


def _functions(request: Request) -> dict[str, Any]:
    """Return learner's functions by dotted path, given their files by the katas' numbers."""
    parts = {catalog.find(n): Path(file) for n, file in request["parts"].items()}
    return loading.load_parts(parts)


def main(folder: Path) -> None:
    """Do the request that is in a folder."""
    request = files.read_json(folder / process.REQUEST)
    isolation.limit_memory()
    with (
        open(folder / process.TRACE, "w", encoding="utf-8") as trace,
        # Open from the start: once a process is shut in, it opens nothing here any more.
        open(folder / process.RESULT, "w", encoding="utf-8") as found,
    ):
        faulthandler.enable(trace)
        isolation.limit_time(request["seconds"], trace)
        try:
            result = ACTIONS[request["action"]](request)
        except (MinilmError, NotLoadedError) as error:
            result = {"raised": str(error)}
        except Exception as error:
            result = {"raised": loading.said(error)}
        isolation.lift_time_limit()
        faulthandler.disable()
        json.dump(result, found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # threads that the learner's code has left running are not waited for
