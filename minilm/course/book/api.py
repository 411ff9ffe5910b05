"""The page about the library: what `minilm` exports, from the docstrings; and the files shown."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import minilm
from minilm.compare.report.page.markup import escape, paragraph
from minilm.course.book import docstrings
from minilm.course.book.layout import API, Page, Part, link
from minilm.course.book.listing import listing
from minilm.course.book.markdown import Place, inline
from minilm.course.book.shelf import Shelf, Source, source_of, source_page, source_text
from minilm.course.targets import methods

_WIDEST = 78  # of a signature in one line
_STARS: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def write(shelf: Shelf) -> Page:
    """Return the page of the library."""
    names = sorted(exported(), key=str.lower)
    place = shelf.place("the library", "")
    lead = paragraph(
        "What import minilm gives you. Each name links to the file that defines it. The pages of "
        "the katas link to the functions that you write in the course."
    )
    parts = [Part(name, name, "\n".join(_entry(name, exported()[name], place))) for name in names]
    return Page(path=API, title="The library", lead=lead, parts=parts)


def exported() -> dict[str, Any]:
    """Return what `minilm` exports, by name."""
    return {name: getattr(minilm, name) for name in minilm.__all__ if name != "__version__"}


def _entry(name: str, thing: Any, place: Place) -> Iterator[str]:
    yield _signature(f"minilm.{name}", thing)
    if source := source_of(thing):
        yield f"<p>{link(source.page, source.name)}</p>"
    yield docstrings.html(thing, place, 3)
    if not isinstance(thing, type):
        return
    if issubclass(thing, Exception):
        kinds = "".join(_kind(kind, place) for kind in thing.__subclasses__())
        yield f"<h3>Its subclasses</h3>\n<ul>{kinds}</ul>"
    for own, method in sorted(_methods(thing).items()):
        if not (inspect.getdoc(method) or "").strip():
            continue
        yield f'<h3 class="name">{escape(f"{name}.{own}")}</h3>'
        called = getattr(method, "__func__", method)  # of a class method
        if callable(called):
            yield _signature(f"{name}.{own}", called)
        yield docstrings.html(method, place, 4)


def _methods(thing: type) -> dict[str, Any]:
    """Return the public methods of a class and of those of the library that it inherits from."""
    found: dict[str, Any] = {}
    for kind in reversed(thing.__mro__):
        if kind.__module__.partition(".")[0] == "minilm":
            found |= methods(kind)
    return found


def _kind(kind: type, place: Place) -> str:
    return (
        f"<li><code>{escape(kind.__name__)}</code>: {inline(docstrings.summary(kind), place)}</li>"
    )


def _signature(name: str, called: Any) -> str:
    """Return how something is called, as a listing; nothing for an exception."""
    if isinstance(called, type) and issubclass(called, Exception):
        return ""
    signature = inspect.signature(called)
    given = list(_parameters(signature))
    returned = signature.return_annotation
    after = ""
    if returned is not signature.empty and not isinstance(called, type):
        after = f" -> {_annotation(returned)}"
    text = f"{name}({', '.join(given)}){after}"
    if len(text) > _WIDEST and given:
        lines = "".join(f"    {one},\n" for one in given)
        text = f"{name}(\n{lines}){after}"
    return listing(text, f"How {name} is called")


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    """Yield parameters as they are written, without the object that a method belongs to."""
    named = False  # whether what follows is given by name only
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not named:
            yield "*"
        named = named or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        star = _STARS.get(parameter.kind, "")
        typed = parameter.annotation is not parameter.empty
        text = f"{star}{parameter.name}"
        if typed:
            text += f": {_annotation(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += (
                f" = {_default(parameter.default)}" if typed else f"={_default(parameter.default)}"
            )
        yield text


def _annotation(given: Any) -> str:
    return given if isinstance(given, str) else inspect.formatannotation(given)


def _default(value: Any) -> str:
    """Return a default as it is written; three dots for what is no plain value.

    >>> _default((1, "a")), _default(print)
    ("(1, 'a')", '...')
    """
    try:
        ast.literal_eval(repr(value))
    except (ValueError, SyntaxError):
        return "..."
    return repr(value)


# ---------------------------------------------------------------------- files of the library


def files_shown(shelf: Shelf) -> list[str]:
    """Return the files of the library that pages link to."""
    things = [target.reference for kata in shelf.katas for target in kata.targets]
    sources = [source_of(thing) for thing in (*things, *exported().values())]
    return sorted({source.file for source in sources if isinstance(source, Source)})


def write_source(file: str) -> Page:
    """Return the page of a file of the library."""
    text = listing(source_text(file), file, numbered=True)
    return Page(path=source_page(file), title=file, kicker="The library", lead=text)
