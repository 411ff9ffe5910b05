"""A kata's page for a terminal: the Markdown that lessons use, at any width from 60 columns.

Headings, paragraphs, lists, quotes, tables, code and diagrams. Prose is filled to the width; blocks
of code, diagrams and output are shown as they are. Without color, code keeps its backquotes and
bold its asterisks.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minilm.course.reports import Style

NARROWEST, WIDEST = 60, 100
# What follows this line of a page gives the answers to its questions away.
MARKER = "<!-- answers below -->"

_BOLD, _ITALIC, _CODE, _HEADING, _FAINT = "1", "3", "36", "1;34", "2"
# Code, bold, italic, a link: what is between them is plain text.
INLINE = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*|(?<![\w*])\*[^*\s][^*]*\*|\[[^\]]+\]\([^)]+\))")
_ITEM = re.compile(r"(\s*)([-*]|\d+\.)\s+(.*)")


@dataclass(frozen=True)
class Block:
    """A piece of a page.

    Attributes
    ----------
    kind : {"heading", "text", "item", "quote", "table", "code"}
    lines : list of str
    mark : str
        The number signs of a heading, the bullet of an item, what a fence says of its block.
    indent : int
        Of an item, in columns.
    """

    kind: str
    lines: list[str]
    mark: str = ""
    indent: int = 0


def render(text: str, style: Style) -> str:
    """Return a page as it is shown.

    Parameters
    ----------
    text : str
        Markdown.
    style : Style
        Its width is taken within 60 and 100 columns.

    Examples
    --------
    >>> print(render("# One\\n\\nSome *short* text.\\n\\n- a\\n- b", Style()))
    One
    ===
    <BLANKLINE>
    Some *short* text.
    <BLANKLINE>
    - a
    - b
    """
    style = Style(style.color, max(NARROWEST, min(style.width, WIDEST)))
    shown: list[str] = []
    before = None
    for block in blocks(text):
        if before is not None and not (before.kind == block.kind == "item"):
            shown.append("")
        shown += _block(block, style)
        before = block
    return "\n".join(shown)


def before_answers(text: str) -> str:
    """Return the part of a page before its marker: the whole page if it has none."""
    return text.partition(f"\n{MARKER}\n")[0]


def blocks(text: str) -> Iterator[Block]:
    """Yield the pieces of a page."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip() or line.strip() == MARKER:
            at += 1
            continue
        end = _end(lines, at)
        yield _parsed(lines[at:end])
        at = end


def _end(lines: Sequence[str], at: int) -> int:
    """Return the line after the block that begins at a line."""
    first = lines[at]
    kind = _kind(first)
    if kind == "heading":
        return at + 1
    end = at + 1
    if kind == "fence":
        while end < len(lines) and not lines[end].startswith("```"):
            end += 1
        return end + 1
    if kind == "code":
        while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
            end += 1
        while not lines[end - 1].strip():
            end -= 1
        return end
    while end < len(lines) and lines[end].strip():
        other = _kind(lines[end])
        if other != kind and other != "text" and not (kind == "item" and other == "code"):
            break
        if kind == "item" and other == "item":
            break
        end += 1
    return end


def _kind(line: str) -> str:
    if re.match(r"#{1,6} ", line):
        return "heading"
    if line.startswith("```"):
        return "fence"
    if _ITEM.fullmatch(line) and not line.startswith("    "):
        return "item"
    if line.startswith("    "):
        return "code"
    if line.startswith(">"):
        return "quote"
    return "table" if line.startswith("|") else "text"


def _parsed(lines: list[str]) -> Block:
    kind = _kind(lines[0])
    if kind == "heading":
        mark, _, words = lines[0].partition(" ")
        return Block("heading", [words.strip()], mark)
    if kind == "fence":
        inside = lines[1:-1] if lines[-1].startswith("```") else lines[1:]
        return Block("code", inside, lines[0][3:].strip())
    if kind == "code":
        return Block("code", [line[4:] for line in lines])
    if kind == "item":
        found = _ITEM.fullmatch(lines[0])
        assert found is not None  # noqa: S101  (that is its kind)
        rest = [line.strip() for line in lines[1:]]
        return Block("item", [found[3], *rest], found[2], len(found[1]))
    if kind == "quote":
        return Block("quote", [line.lstrip("> ") for line in lines])
    return Block(kind, lines)


def _block(block: Block, style: Style) -> list[str]:
    """Return the lines of a block as they are shown."""
    words = " ".join(block.lines)
    if block.kind == "heading":
        return _heading(block, style)
    if block.kind == "code":
        code = _FAINT if block.mark in ("demo", "text") else _CODE
        widest = max(map(len, block.lines), default=0)
        indent = " " * max(0, min(4, style.width - widest))
        return [indent + style.paint(line, code) if line else "" for line in block.lines]
    if block.kind == "table":
        return _table(block.lines, style)
    if block.kind == "item":
        indent = " " * block.indent
        first = f"{indent}{block.mark} "
        return fill(words, style, first, " " * len(first))
    if block.kind == "quote":
        return fill(words, style, "  | ", "  | ")
    return fill(words, style)


def _heading(block: Block, style: Style) -> list[str]:
    lines = textwrap.wrap(block.lines[0], style.width - 1, break_long_words=False)
    if style.color:
        code = _HEADING if len(block.mark) < 3 else _BOLD
        return [style.paint(line, code) for line in lines]
    underline = {1: "=", 2: "-"}.get(len(block.mark))
    return [*lines, underline * max(map(len, lines))] if underline else lines


def fill(text: str, style: Style, first: str = "", rest: str = "") -> list[str]:
    """Return prose in lines of the style's width, its marks of emphasis turned into styles.

    Parameters
    ----------
    text : str
    style : Style
    first, rest : str
        What the first line and the others begin with.
    """
    lines: list[str] = []
    line, width = first, len(first)
    empty = True
    for word, painted in _pieces(text, style, style.width - 1 - len(rest)):
        if not empty and width + 1 + len(word) > style.width - 1:
            lines.append(line)
            line, width, empty = rest, len(rest), True
        gap = "" if empty else " "
        line += gap + painted
        width += len(gap) + len(word)
        empty = False
    return [*lines, line]


def _pieces(text: str, style: Style, room: int) -> Iterator[tuple[str, str]]:
    """Yield the words of prose; one that is longer than a line is cut, and then has no style."""
    for word, painted in _words(text, style):
        if len(word) <= room:
            yield word, painted
        else:
            for start in range(0, len(word), room):
                yield word[start : start + room], word[start : start + room]


def _words(text: str, style: Style) -> Iterator[tuple[str, str]]:
    """Yield the words of prose: as wide as they are, and as they are written to the terminal."""
    plain = painted = ""
    for segment in INLINE.split(text):
        shown, code = _inline(segment, style)
        for i, part in enumerate(re.split(r"\s+", shown)):
            if i and plain:
                yield plain, painted
                plain = painted = ""
            plain += part
            painted += style.paint(part, code) if code else part
    if plain:
        yield plain, painted


def _inline(segment: str, style: Style) -> tuple[str, str]:
    """Return what is shown of a piece of prose, and its style."""
    link = re.fullmatch(r"\[([^\]]+)\]\(([^)]+)\)", segment)
    if link:
        return f"{link[1]} ({link[2]})" if link[1] != link[2] else link[1], ""
    if not style.color or not INLINE.fullmatch(segment):
        return segment, ""
    if segment.startswith("`"):
        return segment.strip("`"), _CODE
    if segment.startswith("**"):
        return segment.strip("*"), _BOLD
    return segment.strip("*"), _ITALIC


def _table(lines: Sequence[str], style: Style) -> list[str]:
    """Return a table with columns as wide as they need, the widest made to fit."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    rows = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    columns = max(map(len, rows))
    rows = [row + [""] * (columns - len(row)) for row in rows]
    widths = [max(_width(row[i], style) for row in rows) for i in range(columns)]
    room = style.width - 1 - 2 * (columns - 1)
    while sum(widths) > room:
        widths[widths.index(max(widths))] -= 1
    shown = []
    for number, row in enumerate(rows):
        cells = [
            _padded(cell, width, style, bold=number == 0)
            for cell, width in zip(row, widths, strict=True)
        ]
        height = max(map(len, cells))
        for line in range(height):
            parts = [
                cell[line] if line < len(cell) else " " * width
                for cell, width in zip(cells, widths, strict=True)
            ]
            shown.append("  ".join(parts).rstrip())
        if number == 0:
            shown.append("  ".join("-" * width for width in widths))
    return shown


def _width(text: str, style: Style) -> int:
    return len(" ".join(word for word, _ in _words(text, style)))


def _padded(text: str, width: int, style: Style, *, bold: bool) -> list[str]:
    """Return a cell's lines, each padded to a width."""
    # `fill` keeps one column free.
    lines = fill(text, Style(style.color, width + 1)) if text else [""]
    if bold:
        lines = [style.paint(line, _BOLD) for line in lines]
    return [line + " " * (width - _visible(line)) for line in lines]


def _visible(line: str) -> int:
    return len(re.sub(r"\x1b\[[\d;]*m", "", line))
