"""A learner's code in a process of its own: with a time limit, and with its end told as it was.

Endless loops, exits, crashes and floods of output are what this is for. The request goes to the
process as a file and so does the result: the standard streams belong to the learner's code.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import minilm
from minilm import files, threads
from minilm.course.reports import Failure, Report
from minilm.errors import InputError

REQUEST, RESULT, TRACE = "request.json", "result.json", "trace.txt"

MOST_OUTPUT = 1 << 20
FLOODED = f"prints without end: more than {MOST_OUTPUT >> 20} MB; take the print out of the loop"
# Beyond the time limit of the learner's code: to start Python and to load NumPy on a slow disk.
_SLACK = 30.0


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Attributes
    ----------
    result : object
        What it was asked for; None if it did not come to that.
    output : str
        What it printed.
    problem : str, optional
        Why there is no result, to be read after "your code" or "it".
    stage : {"time", "import"}
        Which stage of a check the problem belongs to.
    line : int, optional
        Where in the learner's file it was.
    """

    result: Any
    output: str
    problem: str | None = None
    stage: str = "import"
    line: int | None = None


def run(
    request: Mapping[str, Any],
    *,
    seconds: float,
    file: Path | None = None,
    echo: Callable[[str], None] | None = None,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ending:
    """Do a request in a new process; `worker.py` says which there are.

    Parameters
    ----------
    request : mapping
        As JSON has them.
    seconds : float
        For the learner's code.
    file : Path, optional
        The learner's file, to find the line that the process was in.
    echo : callable, optional
        Takes the output as it comes.
    cwd, environment
        Of the process; this one's by default.
    """
    with tempfile.TemporaryDirectory(prefix="minilm-kata-") as scratch:
        place = Path(scratch)
        files.write_json(place / REQUEST, {**request, "seconds": seconds})
        process = subprocess.Popen(
            # -P: a learner's random.py in this folder must not hide the library's.
            [sys.executable, "-P", "-u", "-X", "utf8", "-m", "minilm.course.worker", scratch],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=_environment(os.environ if environment is None else environment),
            start_new_session=os.name != "nt",
        )
        with process, _ended(process):
            assert process.stdout is not None  # noqa: S101  (asked for above)
            reader = _Reader(process.stdout, lambda: _kill(process), echo)
            late = False
            try:
                process.wait(seconds + _SLACK)
            except subprocess.TimeoutExpired:
                late = True
                _kill(process)
            _kill_rest(process)
            reader.join()
        result = _result(place)
        trace = place / TRACE
        traced = trace.read_text(encoding="utf-8") if trace.exists() else ""
    output = reader.text()
    if result is not None and not reader.flooded:
        return Ending(result, output)
    problem = _problem(process.returncode, traced, late, seconds, reader.flooded)
    stage = "time" if late or traced.startswith("Timeout") else "import"
    return Ending(None, output, problem, stage, _line(traced, file))


def report(ending: Ending, number: str) -> Report:
    """Return the report of a check that was done in a process, however that ended."""
    result = ending.result
    if result is None:
        failure = Failure(ending.stage, f"your code {ending.problem}", line=ending.line)
        return Report(number, False, failure=failure, printed=ending.output)
    if "raised" in result:
        failure = Failure("import", result["raised"])
        return Report(number, False, failure=failure, printed=ending.output)
    return replace(Report.from_dict(result), printed=ending.output)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the process: our minilm, no threads in BLAS, no window."""
    package = str(Path(minilm.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [package, given.get("PYTHONPATH")]))
    single = dict.fromkeys(threads.BLAS_VARIABLES, "1")
    return {**given, **single, "PYTHONPATH": path, "MPLBACKEND": "agg"}


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Any:
    """Leave no process behind, whatever happens here (Ctrl-C)."""
    try:
        yield
    finally:
        if process.poll() is None:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    _kill_rest(process)


def _kill_rest(process: subprocess.Popen[bytes]) -> None:
    """End what the learner's code has started; it would keep the pipe open."""
    if os.name != "nt":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


class _Reader:
    """Reads a process's output on a thread; too much of it ends the process."""

    def __init__(
        self, stream: IO[bytes], stop: Callable[[], None], echo: Callable[[str], None] | None
    ) -> None:
        self.flooded = False
        self._parts: list[bytes] = []
        self._stream, self._stop, self._echo = stream, stop, echo
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        size = 0
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with contextlib.suppress(OSError):  # the stream may be closed under us, after Ctrl-C
            while part := os.read(self._stream.fileno(), 1 << 16):
                if self.flooded:
                    continue
                self._parts.append(part)
                size += len(part)
                self._pass_on(decoder.decode(part))
                if size > MOST_OUTPUT:
                    self.flooded = True
                    self._stop()

    def _pass_on(self, text: str) -> None:
        if self._echo is not None:
            try:
                self._echo(text)
            except OSError:  # whoever was listening (head, less) has gone
                self._echo = None

    def join(self) -> None:
        self._thread.join()

    def text(self) -> str:
        return b"".join(self._parts)[:MOST_OUTPUT].decode("utf-8", "replace")


def _result(place: Path) -> Any:
    path = place / RESULT
    if not path.exists():
        return None
    try:
        return files.read_json(path)
    except InputError:
        return None  # the process ended while it wrote


def not_finished(seconds: float) -> str:
    """Return the message about code that a time limit has stopped."""
    return (
        f"did not finish in {seconds:g} s: an endless loop, or far too slow "
        "(the library takes a few milliseconds)"
    )


def _problem(code: int, traced: str, late: bool, seconds: float, flooded: bool) -> str:
    """Return why a process has given no result."""
    if flooded:
        return FLOODED
    if late or traced.startswith("Timeout"):
        return not_finished(seconds)
    if code < 0:
        names = {getattr(signal, n): n for n in ("SIGKILL", "SIGSEGV") if hasattr(signal, n)}
        name = names.get(-code, f"signal {-code}")
        why = ", possibly out of memory" if name == "SIGKILL" else ""
        return f"crashed Python ({name}{why})"
    if traced:
        return "crashed Python"
    return f"ended Python with exit code {code} before the check was done; take the exit out"


def _line(traced: str, file: Path | None) -> int | None:
    """Return the innermost line of a file in what faulthandler wrote."""
    if file is None:
        return None
    found = re.findall(r'File "([^"]*)", line (\d+)', traced)
    return next((int(n) for name, n in found if Path(name).name == file.name), None)
