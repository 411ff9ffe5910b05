"""A kata as a notebook: the page, the cells to write and run, the hints, as `nbformat` 4.5 has it.

A notebook is JSON, written here by hand: nothing is needed to write one. Its cells' ids say what
they are ("stub", "check", "page-3"), the same in every notebook, so that a grader finds them. What
gives the page's answers away is folded until the reader opens it.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import minilm
from minilm import files, resources
from minilm.course import demos, experiments, pages, predictions, stubs
from minilm.course.catalog import Kata
from minilm.errors import InputError

_WIDTH = 88
_NOTE = (
    "Where the page names a command, such as `minilm kata check {number}`, the cell below with the "
    "same name does it here. Cells are run in order; you can change and run each as often as you "
    "like."
)

Cell = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """What became of a notebook's file.

    Attributes
    ----------
    path : Path
    is_kept : bool
        Whether the file was changed by the learner, and left alone.
    backup : Path, optional
        Where a changed one was put aside.
    """

    path: Path
    is_kept: bool = False
    backup: Path | None = None


def write(kata: Kata, folder: Path, *, overwrite: bool = False) -> Written:
    """Write a kata's notebook into a folder.

    A file whose cells somebody has changed is left alone; one that was only run is not changed.

    Parameters
    ----------
    kata : Kata
    folder : Path
        Made if it is not there.
    overwrite : bool
        Put a changed one aside, as NAME.1.ipynb, and write a new one.
    """
    path = folder / f"{kata.name}.ipynb"
    content = text(kata)
    backup = None
    if path.exists():
        before = path.read_bytes()
        if _cells_of(before) == _cells_of(content.encode()):
            return Written(path)  # its outputs stay
        if not _is_untouched(before):
            if not overwrite:
                return Written(path, is_kept=True)
            backup = _free(path)
            os.replace(path, backup)
    folder.mkdir(parents=True, exist_ok=True)
    with files.atomic_write(path) as file:
        file.write(content)
    return Written(path, backup=backup)


def text(kata: Kata) -> str:
    """Return a kata's notebook as the text of its file, the same each time."""
    cells = list(_cells(kata))
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "minilm": {"digest": _digest(_sources(cells)), "kata": kata.number},
    }
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


# ---------------------------------------------------------------------- cells


def _cells(kata: Kata) -> Iterator[Cell]:
    lesson = kata.lesson()
    begun = pages.before_answers(lesson)
    yield _code("install", _install(kata))
    for i, part in enumerate(_sections(begun), 1):
        note = f"\n\n*{_NOTE.format(number=kata.number)}*" if i == 1 else ""
        yield _markdown(f"page-{i}", part + note)
    if kata.is_experiment:
        yield from _experiment(kata)
    else:
        yield from _functions(kata)
    if begun != lesson:
        rest = lesson[len(begun) :].replace(pages.MARKER, "")
        yield _folded("page-answers", "The rest of the page: what came out, and why", rest)
    if not kata.is_experiment:
        yield _markdown("plug-title", "## In the real model")
        yield _code("plug", _call("plug", kata))
    yield _markdown("hints", _hints(kata))
    if not kata.is_experiment:
        command = f"minilm kata solution {kata.number} --give-up"
        yield _code("solution", f"# A solution. Remove the # to see it:\n# !{command}")


def _functions(kata: Kata) -> Iterator[Cell]:
    """Yield the cells of a kata with something to write."""
    asked = predictions.questions(kata)
    if asked:
        yield _markdown("predictions-title", "### What do you expect?")
        yield _code("predictions", _answers(asked))
    yield _markdown("stub-title", "## Write it")
    yield _code("stub", without_docstring(stubs.stub(kata)))
    yield _code("check", _call("check", kata))
    yield _markdown("demo-title", "## The demo")
    yield _code("demo", _call("demo", kata, "predictions=predictions" if asked else ""))
    yield _live_code(kata)


def _experiment(kata: Kata) -> Iterator[Cell]:
    yield _markdown("predictions-title", "### What do you expect?")
    yield _code("predictions", _form(kata))
    yield _markdown("demo-title", "## The experiment\n\nIt runs once your predictions are written.")
    yield _code("demo", f'minilm.demo("{kata.number}", predictions=predictions)')
    yield _live_code(kata)
    yield _markdown("check-title", "## Your predictions beside the results")
    yield _code("check", f'minilm.check("{kata.number}", predictions)')


def _install(kata: Kata) -> str:
    lines = [
        "# If minilm is not installed here (in Colab, for example): upload its wheel, which",
        "# `pip wheel --no-deps .` makes from the checkout, remove the # below and run this cell.",
        f"# %pip install minilm-{minilm.__version__}-py3-none-any.whl",
    ]
    if not kata.folder.is_relative_to(resources.katas_dir()):
        folder = str(kata.folder.parent.resolve())
        lines += ["import os", "", f'os.environ["MINILM_KATAS"] = {folder!r}', ""]
    return "\n".join([*lines, "import minilm"])


def _call(verb: str, kata: Kata, more: str = "") -> str:
    """Return a call with the kata's functions, on several lines if one is too long."""
    given = [f'"{kata.number}"', *(target.name for target in kata.targets), *([more] * bool(more))]
    line = f"minilm.{verb}({', '.join(given)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"minilm.{verb}(", *(f"    {part}," for part in given), ")"])


def _answers(questions: Sequence[str]) -> str:
    """Return the cell that expectations are written into."""
    lines = ["# Write what you expect between the quotation marks, before you run anything."]
    lines.append("predictions = [")
    for i, question in enumerate(questions, 1):
        lines += [*_comment(f"{i}. {question}"), '    "",']
    return "\n".join([*lines, "]"])


def _form(kata: Kata) -> str:
    """Return the cell that an experiment's predictions are written into."""
    lines = ["# Replace each None with what you expect. The experiment runs only after that."]
    lines.append("predictions = dict(")
    for i, question in enumerate(experiments.questions(kata), 1):
        kind = "in words" if question.words else f"a number, {question.low:g} to {question.high:g}"
        lines += [*_comment(f"{i}. {question.text} ({kind})"), f"    {question.name}=None,"]
    return "\n".join([*lines, ")"])


def _comment(text: str) -> list[str]:
    mark = "    # "
    return textwrap.wrap(text, _WIDTH, initial_indent=mark, subsequent_indent=mark)


def _live_code(kata: Kata) -> Cell:
    code = (kata.folder / "demo.py").read_text(encoding="utf-8").strip()
    said = "This is what the cell above runs."
    if constants := demos.constants(kata):
        said += (
            " You can give its constants other values: add them to the call, such as "
            f"`{constants[0]}=...`."
        )
    return _folded("demo-code", "The code of the demo", f"{said}\n\n```python\n{code}\n```")


def _hints(kata: Kata) -> str:
    folded = [_details(f"Hint {i}", hint) for i, hint in enumerate(kata.hints, 1)]
    return "\n\n".join(["## Hints", *folded])


def without_docstring(source: str) -> str:
    """Return a file's source without its docstring, which is about files and commands.

    >>> without_docstring('\"\"\"About a file.\"\"\"\\n\\nx = 1\\n')
    'x = 1'
    """
    body = ast.parse(source).body
    if not body or ast.get_docstring(ast.Module(body, [])) is None:
        return source.strip()
    lines = source.splitlines()[body[0].end_lineno :]
    return "\n".join(lines).strip()


def _sections(page: str) -> Iterator[str]:
    """Yield a page in pieces, each from a heading on; a heading without text goes with the next."""
    piece: list[str] = []
    in_fence = False
    for line in page.strip().split("\n"):
        in_fence ^= line.startswith("```")
        is_heading = not in_fence and re.match(r"#{2,3} ", line)
        if is_heading and any(not text.startswith("#") for text in piece if text):
            yield _page("\n".join(piece))
            piece = []
        piece.append(line)
    yield _page("\n".join(piece))


def _page(markdown: str) -> str:
    """Return a piece of a page for a notebook, where "demo" is not the name of a language."""
    return re.sub(r"^```(demo|example)$", "```text", markdown.strip(), flags=re.M)


def _details(summary: str, inside: str) -> str:
    return f"<details>\n<summary>{summary}</summary>\n\n{_page(inside)}\n\n</details>"


def _folded(name: str, summary: str, inside: str) -> Cell:
    return _markdown(name, _details(summary, inside))


def _markdown(name: str, source: str) -> Cell:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": _lines(source)}


def _code(name: str, source: str) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": [],
        "source": _lines(source),
    }


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


# ---------------------------------------------------------------------- files that are there


def _sources(cells: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the kind and the text of each cell that is not empty."""
    pairs = [(str(cell["cell_type"]), "".join(cell["source"])) for cell in cells]
    return [(kind, source) for kind, source in pairs if source.strip()]


def _digest(sources: Sequence[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def _cells_of(content: bytes) -> list[tuple[str, str]] | None:
    """Return the cells of a file; None if it is not a notebook."""
    try:
        return _sources(json.loads(content)["cells"])
    except (ValueError, KeyError, TypeError):
        return None


def _is_untouched(content: bytes) -> bool:
    """Return whether a file has the cells that it was written with, by this version or another."""
    cells = _cells_of(content)
    if cells is None:
        return False
    about = json.loads(content).get("metadata", {}).get("minilm", {})
    return isinstance(about, dict) and about.get("digest") == _digest(cells)


def _free(path: Path) -> Path:
    """Return a name beside a file that is not taken."""
    for number in range(1, 1000):
        candidate = path.with_name(f"{path.stem}.{number}.ipynb")
        if not candidate.exists():
            return candidate
    raise InputError("has 999 backups; delete some", path)
