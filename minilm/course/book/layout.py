"""A page of the book: its frame, its links to the other pages, and its contents."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import minilm
from minilm.compare.report.page import shell
from minilm.compare.report.page.markup import escape, section

INDEX, TEACHERS, TEXTS, API = "index.html", "teachers.html", "texts.html", "api.html"
# The links at the top of every page.
_PARTS = {INDEX: "The course", TEACHERS: "For teachers", TEXTS: "The texts", API: "The library"}


@dataclass(frozen=True)
class Part:
    """A section of a page.

    Attributes
    ----------
    identifier : str
        What it is linked to by.
    title : str
        A text.
    content : str
        HTML.
    """

    identifier: str
    title: str
    content: str


@dataclass(frozen=True)
class Page:
    """A page of the book.

    Attributes
    ----------
    path : str
        Within the book, with slashes.
    title : str
        A text.
    kicker : str
        What comes above the title, in HTML.
    lead : str
        What comes before the sections, in HTML.
    parts : sequence of Part
    after : str
        What comes after them, in HTML: where to go next.
    """

    path: str
    title: str
    kicker: str = ""
    lead: str = ""
    parts: Sequence[Part] = ()
    after: str = ""

    @property
    def root(self) -> str:
        """What a link from this page to a page at the top begins with."""
        return "../" * self.path.count("/")


def render(page: Page) -> str:
    """Return a page as it is written."""
    style = shell.part(shell.BASE) + shell.part("book.css", __package__)
    script = shell.part("book.js", __package__)
    name = "" if page.path == INDEX else "minilm, the course: "
    return string.Template(shell.part("page.html", __package__)).substitute(
        policy=shell.policy(style, script),
        version=escape(minilm.__version__),
        title=escape(name + page.title),
        heading=escape(page.title),
        kicker=f'<p class="kicker">{page.kicker}</p>' if page.kicker else "",
        book="\n".join(_links(page)),
        lead=page.lead,
        contents=_contents(page.parts),
        sections="\n".join(
            section(part.identifier, part.title, [part.content]) for part in page.parts
        ),
        after=page.after,
        style=style,
        script=script,
    )


def _links(page: Page) -> Sequence[str]:
    here = ' aria-current="page"'
    return [
        f'<li><a href="{page.root}{path}"{here if path == page.path else ""}>{title}</a></li>'
        for path, title in _PARTS.items()
    ]


def _contents(parts: Sequence[Part]) -> str:
    if len(parts) < 2:
        return ""
    links = "\n".join(
        f'<li><a href="#{part.identifier}">{escape(part.title)}</a></li>' for part in parts
    )
    return f'<nav class="contents" aria-label="On this page"><ul>\n{links}\n</ul></nav>'


def facts(rows: Mapping[str, str]) -> str:
    """Return pairs of a name, a text, and what there is to say about it, in HTML."""
    found = "\n".join(
        f"<div><dt>{escape(name)}</dt><dd>{said}</dd></div>" for name, said in rows.items() if said
    )
    return f'<dl class="facts">\n{found}\n</dl>'


def link(path: str, text: str, attributes: str = "") -> str:
    """Return a link; the text is not HTML."""
    return f'<a href="{escape(path)}"{attributes}>{escape(text)}</a>'
