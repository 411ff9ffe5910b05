"""The Markdown of the pages as HTML, from the same blocks that the terminal shows.

Headings, paragraphs, lists, quotes, tables, code and diagrams: what `minilm.course.pages` reads,
and no more. A formula or a diagram stays the text that it is in the terminal, in letters of one
width; what it is, a screen reader hears from its label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from minilm.compare.report.page.markup import escape
from minilm.course import pages
from minilm.course.pages import Block

_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
_KATA = re.compile(r"\b(katas?) (\d+\.\d+)\b")
_FIRST_NUMBER = 1
# Characters that lines and arrows are drawn with, two or more together, or gaps between words.
_DRAWN = re.compile(r"\s{2,}|[-=_|+.'`/\\<>^v*:]{2,}")
_LONGEST_LABEL = 400

EXAMPLE = "One run, as an example: yours may differ in its numbers and words."
ANSWERS = "Answers"


@dataclass(frozen=True)
class Place:
    """Where a text is: on which page, and where its links lead.

    Parameters
    ----------
    title : str
        What the text is about, for the labels of its diagrams.
    katas : mapping of str to str
        The page of each kata by its number, as the text's page links to it.
    own : str
        The number of the kata that the text is about, which needs no link.
    """

    title: str
    katas: Mapping[str, str] = field(default_factory=dict)
    own: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a text, under a heading of the second level.

    Attributes
    ----------
    title : str
        Empty for what comes before the first heading.
    text : str
        Markdown.
    """

    title: str
    text: str


def sections(text: str) -> list[Section]:
    """Divide a text at its headings of the second level; those of the first are left out.

    So is the marker that a text begins with.

    >>> [part.title for part in sections("# All\\n\\nSome.\\n\\n## One\\n\\na\\n\\n## Two\\n\\nb")]
    ['', 'One', 'Two']
    """
    found: list[Section] = []
    title, lines, fenced = "", list[str](), False
    for line in text.removeprefix(f"\n{pages.MARKER}\n").split("\n"):
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            found.append(Section(title, "\n".join(lines)))
            title, lines = line[3:].strip(), []
        elif fenced or not line.startswith("# "):
            lines.append(line)
    found.append(Section(title, "\n".join(lines)))
    return [part for part in found if part.title or part.text.strip()]


def identifier(title: str) -> str:
    """Return what a heading is linked to by.

    >>> identifier("What problem are we solving?")
    'what-problem-are-we-solving'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def folded(text: str, place: Place, heading: str = "") -> str:
    """Return a section as HTML, with what follows its marker, if it has one, folded."""
    begun = pages.before_answers(text)
    rest = text[len(begun) :]
    shown = html(begun, place, heading)
    return shown if not rest.strip() else f"{shown}\n{fold(ANSWERS, html(rest, place, heading))}"


def fold(title: str, content: str, kind: str = "") -> str:
    """Return content that is folded under a title until somebody opens it; nothing needs a script.

    The title is a text, not HTML.
    """
    mark = f' class="{kind}"' if kind else ""
    return f"<details{mark}><summary>{escape(title)}</summary>\n{content}\n</details>"


def html(text: str, place: Place, heading: str = "", figures: Sequence[str] = ()) -> str:
    """Return a text as HTML.

    Parameters
    ----------
    text : str
        Markdown.
    place : Place
    heading : str
        What the text is under, until its own first heading.
    figures : sequence of str
        HTML that is put after the first paragraph that speaks of a picture, or else at the end.
    """
    parts: list[str] = []
    left = list(figures)
    for kind, group in groupby(pages.blocks(text), key=lambda block: block.kind):
        if kind == "item":
            parts += _lists(list(group), place)
            continue
        for block in group:
            if kind == "heading":
                heading = block.lines[0]
            parts.append(_block(block, place, heading))
            if left and kind == "text" and re.search(r"\bpicture\b", " ".join(block.lines)):
                parts += left
                left = []
    return "\n".join([*parts, *left])


def _block(block: Block, place: Place, heading: str) -> str:
    words = " ".join(block.lines)
    if block.kind == "heading":
        level = len(block.mark)
        return f"<h{level}>{inline(words, place)}</h{level}>"
    if block.kind == "code":
        return _code(block, place, heading)
    if block.kind == "table":
        return _table(block.lines, place, heading)
    if block.kind == "quote":
        return f"<blockquote><p>{inline(words, place)}</p></blockquote>"
    return f"<p>{inline(words, place)}</p>"


# ---------------------------------------------------------------------- prose


def inline(text: str, place: Place) -> str:
    """Return prose as HTML: code, bold, italic, links; "kata 4.6" leads to its page.

    >>> inline("`a < b` and **c**, *d*", Place(""))
    '<code>a &lt; b</code> and <strong>c</strong>, <em>d</em>'
    """
    return "".join(_segment(piece, place) for piece in pages.INLINE.split(text))


def _segment(piece: str, place: Place) -> str:
    if not pages.INLINE.fullmatch(piece):
        return _KATA.sub(lambda found: _to_kata(found, place), escape(piece))
    if link := _LINK.fullmatch(piece):
        return f'<a href="{escape(link[2])}">{inline(link[1], place)}</a>'
    if piece.startswith("`"):
        return f"<code>{escape(piece.strip('`'))}</code>"
    if piece.startswith("**"):
        return f"<strong>{inline(piece[2:-2], place)}</strong>"
    return f"<em>{inline(piece[1:-1], place)}</em>"


def _to_kata(found: re.Match[str], place: Place) -> str:
    page = place.katas.get(found[2])
    if page is None or found[2] == place.own:
        return found[0]
    return f'<a href="{page}">{found[1]}\u00a0{found[2]}</a>'


def plain(text: str) -> str:
    """Return prose without its marks of emphasis, as it can be in an attribute or a title.

    >>> plain("The `x` is **bold**: see [here](a.html).")
    'The x is bold: see here.'
    """
    return "".join(_unmarked(piece) for piece in pages.INLINE.split(text))


def _unmarked(piece: str) -> str:
    if not pages.INLINE.fullmatch(piece):
        return piece
    if link := _LINK.fullmatch(piece):
        return plain(link[1])
    return piece.strip("`") if piece.startswith("`") else plain(piece.strip("*"))


# ---------------------------------------------------------------------- lists


def _lists(items: list[Block], place: Place) -> Iterator[str]:
    """Yield lists: items of one kind are one, those that are indented are inside the one before."""
    while items:
        first = items[0]
        end = 1
        while end < len(items) and (
            items[end].indent > first.indent or _is_numbered(items[end]) == _is_numbered(first)
        ):
            end += 1
        yield _list(items[:end], place)
        items = items[end:]


def _list(items: list[Block], place: Place) -> str:
    first = items[0]
    rows: list[list[Block]] = []
    for item in items:
        if rows and item.indent > first.indent:
            rows[-1].append(item)
        else:
            rows.append([item])
    body = "\n".join(
        f"<li>{inline(' '.join(own.lines), place)}{''.join(_lists(inner, place))}</li>"
        for own, *inner in rows
    )
    if not _is_numbered(first):
        return f"<ul>\n{body}\n</ul>"
    number = int(first.mark.rstrip("."))
    start = "" if number == _FIRST_NUMBER else f' start="{number}"'
    return f"<ol{start}>\n{body}\n</ol>"


def _is_numbered(item: Block) -> bool:
    return item.mark[0].isdigit()


# ---------------------------------------------------------------------- tables, code, diagrams


def _table(lines: Iterable[str], place: Place, heading: str) -> str:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    head, *body = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    columns = len(head)
    top = "".join(f'<th scope="col">{inline(cell, place)}</th>' for cell in head)
    below = "\n".join(_row(row + [""] * (columns - len(row)), place) for row in body)
    label = escape(f"Table: {heading or place.title}")
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{label}">\n'
        f"<table><thead><tr>{top}</tr></thead>\n<tbody>\n{below}\n</tbody></table>\n</div>"
    )


def _row(cells: Sequence[str], place: Place) -> str:
    first, *rest = (inline(cell, place) for cell in cells)
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{c}</td>" for c in rest) + "</tr>"


def _code(block: Block, place: Place, heading: str) -> str:
    """Return a block of code, output, formulas or a diagram."""
    text = "\n".join(block.lines)
    if block.mark == "demo":
        return pre(text, "What the demo prints", "demo")
    if block.mark == "example":
        note = f'<p class="note">{EXAMPLE}</p>'
        return f"{note}\n{pre(text, 'What one run of the demo printed', 'demo')}"
    if heading == "A diagram":
        return pre(text, _description(block.lines, place.title), "diagram", role="img")
    return pre(text, f"{heading or place.title}, in letters of one width", "text")


def pre(text: str, label: str, kind: str, *, role: str = "group") -> str:
    """Return text that keeps its lines, in a box that scrolls by itself, also by keyboard."""
    label = escape(" ".join(label.split()))
    return (
        f'<pre class="{kind}" role="{role}" tabindex="0" aria-label="{label}">'
        f"<code>{escape(text)}</code></pre>"
    )


def _description(lines: Sequence[str], title: str) -> str:
    """Return a diagram in words: those that are written in it, from top to bottom."""
    words = [piece.strip(" .,'|-+[]") for line in lines for piece in _DRAWN.split(line)]
    # A v alone is the point of an arrow; a number alone says little without its place.
    said = ", ".join(piece for piece in words if re.search("[A-Za-z]", piece) and piece != "v")
    if len(said) > _LONGEST_LABEL:
        said = said[: said.rindex(",", 0, _LONGEST_LABEL)] + ", and so on"
    return f"Diagram of {title}. Its words, from top to bottom: {said}"
