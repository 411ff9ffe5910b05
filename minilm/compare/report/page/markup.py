"""Pieces of HTML: everything that comes from outside is escaped here and nowhere else."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minilm.compare.report.results import printable


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Parameters
    ----------
    text : str
        As it is shown; not yet escaped.
    value : float, optional
        What it is sorted by; without one, by its text.
    kind : str
        Its class, for the style sheet.
    """

    text: str
    value: float | None = None
    kind: str = ""


def number(value: float | None, form: str, after: str = "") -> Cell:
    """Return a cell with a number, empty where there is none.

    >>> number(0.5, ".1%"), number(None, ".1%")
    (Cell(text='50.0%', value=0.5, kind=''), Cell(text='', value=None, kind=''))
    """
    return Cell("") if value is None else Cell(format(value, form) + after, float(value))


def escape(text: object) -> str:
    """Return text as it may be in HTML, also in an attribute."""
    return html.escape(printable(str(text)))


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of plain text."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def items(sentences: Iterable[str]) -> str:
    """Return a list, an item a sentence."""
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def section(identifier: str, title: str, content: Iterable[str], kind: str = "") -> str:
    """Return a section with a heading that names it for screen readers."""
    head = f'<h2 id="{identifier}">{escape(title)}</h2>'
    body = "\n".join(content)
    return f'<section{_class(kind)} aria-labelledby="{identifier}">\n{head}\n{body}\n</section>'


def table(
    identifier: str,
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell | str]],
    *,
    sortable: bool = True,
) -> str:
    """Return a table whose first column heads its rows, in a box that scrolls by keyboard too.

    Parameters
    ----------
    identifier : str
        Of the caption; unique on the page.
    caption : str
        What the table holds.
    columns : sequence of str
        Their heads.
    rows : iterable of sequences of Cell or str
        As many as there are columns in each.
    sortable : bool
        Whether the script may offer to sort it.
    """
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "\n".join(f"<tr>{_row(row)}</tr>" for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{identifier}">\n'
        f"<table{_class('sortable' if sortable else '')}>"
        f'<caption id="{identifier}">{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>\n</div>"
    )


def _row(cells: Sequence[Cell | str]) -> str:
    first, *rest = (cell if isinstance(cell, Cell) else Cell(cell) for cell in cells)
    return f'<th scope="row"{_value(first)}>{escape(first.text)}</th>' + "".join(
        f"<td{_class(cell.kind)}{_value(cell)}>{escape(cell.text)}</td>" for cell in rest
    )


def _value(cell: Cell) -> str:
    return "" if cell.value is None else f' data-value="{cell.value!r}"'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def picture(svg: bytes, alt: str, title: str, caption: str) -> str:
    """Return a figure that holds an SVG picture, as an image of its own.

    Inside an image nothing of the picture is run, and its identifiers meet no others.
    """
    return (
        f'<figure tabindex="0">{image(svg, alt, 1210, 682)}\n'
        f"<figcaption><strong>{escape(title)}.</strong> {escape(caption)}</figcaption></figure>"
    )


def image(svg: bytes, alt: str, width: int, height: int) -> str:
    """Return an SVG picture as an image that needs no other file; the size is in pixels."""
    data = base64.b64encode(svg).decode("ascii")
    return (
        f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}" '
        f'width="{width}" height="{height}">'
    )
