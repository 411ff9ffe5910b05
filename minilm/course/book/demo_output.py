"""What a kata's demo prints and draws, for its page: run now, or stored beside the kata.

The demo runs with the kata's solution in place. Those that take longer than a book may wait for
are run once, by their author (`minilm book --demos`), and their output is kept in the kata's
folder, with a digest of the demo that printed it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minilm import drawing, files
from minilm.course import demos, experiments, loading, stubs
from minilm.course.catalog import Kata
from minilm.course.demos import Course
from minilm.course.loading import NotLoadedError
from minilm.errors import InputError, MinilmError

STORED = "stored"
# A demo that takes longer, in seconds, is stored, until it takes less than half of that.
LONGEST = 3.0

_TEXT, _RECORD = "output.txt", "record.json"
_MOST_BYTES = 1 << 20
_PIXELS = 96  # an inch of a figure on a page
_QUOTED = re.compile(r"^```demo\n(.*?)^```", re.M | re.S)


@dataclass(frozen=True)
class Picture:
    """A picture that a demo has drawn.

    Attributes
    ----------
    name : str
    svg : bytes
    width, height : int
        In pixels.
    description : str
        What is written on it: the titles, what its axes and its lines are.
    """

    name: str
    svg: bytes
    width: int
    height: int
    description: str


@dataclass(frozen=True)
class Output:
    """What a demo has printed, drawn and, if it is an experiment, measured.

    Attributes
    ----------
    text : str
    pictures : tuple of Picture
    measured : dict
        By the names of the questions.
    seconds : float
        How long the demo took, of one processor: what else the machine did does not count.
    """

    text: str
    pictures: tuple[Picture, ...] = ()
    measured: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


class _Album(Course):
    """What a demo is given here: its pictures are kept."""

    def __init__(self, kata: Kata, folder: Path) -> None:
        super().__init__(kata, folder)
        self.pictures: list[Picture] = []

    def picture(self, figure: Figure, name: str) -> None:
        """Keep a figure."""
        buffer = io.BytesIO()
        with mpl.rc_context({"svg.hashsalt": drawing.STYLE["svg.hashsalt"]}):
            figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        # Lines end alike on every system, as the repository keeps them.
        svg = b"".join(line.rstrip() + b"\n" for line in buffer.getvalue().splitlines())
        width, height = (round(_PIXELS * side) for side in figure.get_size_inches())
        self.pictures.append(Picture(name, svg, width, height, _described(figure)))


def run(kata: Kata) -> Output:
    """Run a kata's demo with its solution in place, in an empty folder that is removed.

    Raises
    ------
    InputError
        When the demo or the solution raises an error.
    """
    printed = io.StringIO()
    album = _Album(kata, Path("mykatas"))
    try:
        functions = _solution(kata)
        begun = time.process_time()
        with (
            tempfile.TemporaryDirectory(prefix="minilm-demo-") as scratch,
            contextlib.chdir(scratch),
            contextlib.redirect_stdout(printed),
        ):
            returned = demos.run(kata, functions, album.folder, kind=lambda *_: album)
    except MinilmError:
        raise
    except NotLoadedError as error:
        raise InputError(f"its solution cannot be used: {error}", kata.folder) from None
    except Exception as error:
        said = loading.said(error)
        raise InputError(f"raises {said}; correct it", kata.folder / "demo.py") from error
    seconds = time.process_time() - begun
    measured = experiments.measured(kata, returned) if kata.is_experiment else {}
    return Output(printed.getvalue(), tuple(album.pictures), measured, round(seconds, 1))


def _solution(kata: Kata) -> dict[str, Any]:
    if kata.is_experiment:
        return {}
    # Not the real file: the guard would refuse the library's function to it.
    path = Path(f"{kata.name}.py")
    functions = vars(loading.execute(stubs.solution(kata), path))
    return {target.path: functions[target.name] for target in kata.targets}


def _described(figure: Figure) -> str:
    """Return what is written on a figure, in a sentence for each of its panels."""
    return " ".join(filter(None, map(_panel, figure.axes)))


def _panel(axes: Axes) -> str:
    if axes.get_label() == "<colorbar>":
        return ""
    said = [
        f"{way}: {' '.join(text.split())}"
        for way, text in (("across", axes.get_xlabel()), ("up", axes.get_ylabel()))
        if text.strip()
    ]
    legend = axes.get_legend()
    if legend is not None:
        said.append(f"marked: {', '.join(text.get_text() for text in legend.get_texts())}")
    title = " ".join(axes.get_title().split()) or "Panel"
    whole = f"{title} ({'; '.join(said)})" if said else title
    return "" if whole == "Panel" else f"{whole}."


# ---------------------------------------------------------------------- stored


def is_long(kata: Kata, output: Output) -> bool:
    """Return whether a demo took too long to be run for every book; an experiment always does.

    (An experiment's work may be done in other processes, whose time is not in its own.)
    """
    return kata.is_experiment or output.seconds > LONGEST / (2 if is_stored(kata) else 1)


def stored_folder(kata: Kata) -> Path:
    """Return where the output of a long demo is kept."""
    return kata.folder / STORED


def is_stored(kata: Kata) -> bool:
    """Return whether a kata's demo is not run for a book."""
    return (stored_folder(kata) / _RECORD).exists()


def store(kata: Kata, output: Output) -> None:
    """Keep the output of a demo in the kata's folder, in place of what was kept."""
    folder = stored_folder(kata)
    forget(kata)
    folder.mkdir()
    for picture in output.pictures:
        with files.atomic_write(folder / f"{picture.name}.svg", "wb") as file:
            file.write(picture.svg)
    with files.atomic_write(folder / _TEXT) as file:
        file.write(output.text)
    pictures = [
        {key: value for key, value in vars(picture).items() if key != "svg"}
        for picture in output.pictures
    ]
    record = {
        "demo": _digest(kata),
        "seconds": output.seconds,
        "measured": output.measured,
        "pictures": pictures,
    }
    files.write_json(folder / _RECORD, record)


def forget(kata: Kata) -> None:
    """Remove what is stored of a kata's demo."""
    folder = stored_folder(kata)
    for path in (*folder.glob("*.svg"), folder / _TEXT, folder / _RECORD):
        path.unlink(missing_ok=True)
    if folder.exists():
        folder.rmdir()


def read(kata: Kata) -> Output:
    """Return the stored output of a kata's demo.

    Raises
    ------
    InputError
        When it is damaged.
    """
    folder = stored_folder(kata)
    text = files.read_text(folder / _TEXT, max_bytes=_MOST_BYTES)
    record = files.read_json(folder / _RECORD, max_bytes=_MOST_BYTES)
    try:
        pictures = tuple(
            Picture(svg=(folder / f"{one['name']}.svg").read_bytes(), **one)
            for one in record["pictures"]
        )
        return Output(text, pictures, record["measured"], record["seconds"])
    except (KeyError, TypeError, OSError) as error:
        advice = f"run: minilm book --demos {kata.number}"
        raise InputError(f"is damaged ({error!r}); {advice}", folder / _RECORD) from None


def is_stale(kata: Kata) -> bool:
    """Return whether a kata's demo has changed since its output was stored."""
    record = files.read_json(stored_folder(kata) / _RECORD, max_bytes=_MOST_BYTES)
    return not isinstance(record, dict) or record.get("demo") != _digest(kata)


def _digest(kata: Kata) -> str:
    source = (kata.folder / "demo.py").read_bytes().replace(b"\r\n", b"\n")
    return hashlib.sha256(source).hexdigest()


def differences(kata: Kata, stored: Output, fresh: Output) -> list[str]:
    """Return how a fresh run of a demo differs from the stored one, in what must be the same.

    What the page quotes as the demo's output is the same on every machine. The rest, such as what a
    training run writes, is an example, of which only the form is: the lines, how each begins, the
    names of what is drawn and measured.
    """
    exact = {line for quote in _QUOTED.findall(kata.lesson()) for line in quote.splitlines()}
    found = []
    old, new = (list(_forms(output.text, exact)) for output in (stored, fresh))
    for before, now in zip_longest(old, new):
        if before != now:
            found.append(f"stored {json.dumps(before)}, printed {json.dumps(now)}")
            break
    for what, one, other in (
        ("pictures", [p.name for p in stored.pictures], [p.name for p in fresh.pictures]),
        ("descriptions", *([p.description for p in o.pictures] for o in (stored, fresh))),
        ("measured", sorted(stored.measured), sorted(fresh.measured)),
    ):
        if one != other:
            found.append(f"{what}: stored {one}, now {other}")
    return found


def _forms(text: str, exact: set[str]) -> Iterator[str]:
    """Yield a text's lines, those that are not exact by their form.

    Of prose, such as a model writes, there may be more lines or fewer.
    """
    last = None
    for line in text.splitlines():
        form = line if line in exact else _form(line)
        if form.strip() or form != last:
            yield form
        last = form


def _form(line: str) -> str:
    """Return how a line begins: its indent, and if there is a number, the words before it.

    >>> _form("  lower rate   -0.11 [-0.13, -0.09]"), _form("  The film is")
    ('  lower rate', '  ')
    """
    before = re.match(r"(\s*)(.*?)[-+]?\d", line)
    if before is None:
        return line[: len(line) - len(line.lstrip())]
    return before[1] + before[2].rstrip()


# ---------------------------------------------------------------------- for a whole book


def job(_: None, number: str) -> Output:
    """Run the demo of a kata by its number, in a worker process."""
    from minilm.course import catalog

    return run(catalog.find(number))


def outputs(katas: Sequence[Kata], workers: int) -> Iterator[tuple[Kata, Output]]:
    """Yield the katas with their demos' output, as they are found: stored ones first.

    Parameters
    ----------
    katas : sequence of Kata
    workers : int
        In how many processes demos are run.
    """
    for kata in katas:
        if is_stored(kata):
            yield kata, read(kata)
    yield from run_all([kata for kata in katas if not is_stored(kata)], workers)


def run_all(katas: Sequence[Kata], workers: int) -> Iterator[tuple[Kata, Output]]:
    """Yield katas with their demos' output, each run now, as they are found."""
    from minilm.compare.executors import Here, Lost, ProcessRunner

    by_number = {kata.number: kata for kata in katas}
    place = ProcessRunner(workers) if workers > 1 else Here()
    try:
        for number, output in place.map(job, None, [[number] for number in by_number]):
            if isinstance(output, Lost):
                raise InputError(f"{output.reason}", by_number[number].folder / "demo.py")
            yield by_number[number], output
    finally:
        place.close()
