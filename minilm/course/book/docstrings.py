"""Docstrings in the form of numpydoc as HTML.

The subset that minilm writes: a summary, paragraphs, and sections such as Parameters, Returns and
Examples, each underlined with hyphens.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from minilm.compare.report.page.markup import escape
from minilm.course.book import markdown
from minilm.course.book.listing import listing
from minilm.course.book.markdown import Place, inline

_HEAD = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.M)
_REFERENCE = re.compile(r"\s*\[\d+\]_")
# Sections that list names, each with its kind and an indented text.
_LISTS = ("Parameters", "Attributes", "Returns", "Yields", "Raises", "Other Parameters")


def html(thing: Any, place: Place, level: int) -> str:
    """Return the docstring of a function, class or property as HTML; empty without one.

    The heads of its sections are headings of a level.
    """
    return "\n".join(_parts(_cleaned(inspect.getdoc(thing) or ""), place, level))


def summary(thing: Any) -> str:
    """Return the first paragraph of a docstring, in one line."""
    return " ".join(_cleaned(inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def _cleaned(text: str) -> str:
    """Return a docstring without reST's double backquotes and marks of references."""
    return _REFERENCE.sub("", text.replace("``", "`"))


def _parts(text: str, place: Place, level: int) -> Iterator[str]:
    before, *rest = _HEAD.split(text)
    for part in re.split(r"\n\n(?=>>> )", before):
        yield _examples(part) if part.startswith(">>> ") else markdown.html(part, place)
    for title, content in zip(rest[::2], rest[1::2], strict=True):
        yield f"<h{level}>{escape(title)}</h{level}>"
        if title in _LISTS:
            yield _fields(content, place)
        elif title == "Examples":
            yield _examples(content)
        else:
            yield markdown.html(content.replace(".. ", ""), place)


def _fields(content: str, place: Place) -> str:
    """Return names with what they are."""
    rows: list[tuple[str, list[str]]] = []
    for line in content.strip("\n").split("\n"):
        if line.strip() and not line.startswith(" "):
            rows.append((line.strip(), []))
        elif rows:
            rows[-1][1].append(line)
    return '<dl class="fields">\n' + "\n".join(_field(*row, place) for row in rows) + "\n</dl>"


def _field(name: str, lines: list[str], place: Place) -> str:
    said = markdown.html(inspect.cleandoc("\n".join(["", *lines])), place)
    name, colon, kind = name.partition(" : ")
    shown = f"<code>{escape(name)}</code>"
    if colon:
        shown += f" <span>{inline(kind, place)}</span>"
    return f"<dt>{shown}</dt>" + (f"<dd>{said}</dd>" if said else "")


def _examples(content: str) -> str:
    return listing(content.strip("\n"), "An example")
